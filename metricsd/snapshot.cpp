// SPDX-License-Identifier: MIT
#include "metricsd/snapshot.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/base/log.h"
#include "common/metrics/metric_names.h"

namespace auralis {
namespace {

// After all metrics of a daemon were withheld for this long, its declarations may be damaged, too: read them
// again.
constexpr std::int64_t kDoubtNs = 3'000'000'000;

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

bool well_formed(const MetricSample& sample) {
  const auto& labels = sample.spec.labels;
  return is_metric_name(sample.spec.name) &&
         std::all_of(labels.begin(), labels.end(),
                     [](const MetricLabel& label) { return is_metric_name(label.name); }) &&
         std::isfinite(sample.value) && std::isfinite(sample.sum) && all_finite(sample.buckets) &&
         all_finite(sample.spec.bounds);
}

// Help as one line without characters that need escapes: not every version of prometheus-cpp escapes them.
std::string one_line(std::string help) {
  std::replace_if(
      help.begin(), help.end(), [](char c) { return c == '\n' || c == '\r' || c == '\\'; }, ' ');
  return help;
}

double sum_of(const std::vector<MetricSample>& samples, std::string_view name) {
  double sum = 0;
  for (const auto& sample : samples) {
    if (sample.spec.name == name) sum += sample.value;
  }
  return sum;
}

// The name of the GPU that renders; empty if none does.
std::string gpu_of(const std::vector<MetricSample>& samples) {
  const auto find = [&](std::string_view name) {
    return std::find_if(samples.begin(), samples.end(),
                        [&](const MetricSample& sample) { return sample.spec.name == name; });
  };
  const auto info = find(kEngineInfo);
  if (find(kGpuMemory) == samples.end() || info == samples.end()) return {};
  return std::string(label_value(info->spec.labels, kDeviceName));
}

}  // namespace

std::vector<SnapshotFamily> families_of(std::vector<MetricSample> samples) {
  std::vector<SnapshotFamily> families;
  std::unordered_map<std::string, std::size_t> by_name;
  for (auto& sample : samples) {
    if (!well_formed(sample)) continue;
    const auto [known_at, fresh] = by_name.try_emplace(sample.spec.name, families.size());
    if (fresh) families.push_back({sample.spec.name, one_line(sample.spec.help), sample.spec.type, {}});
    SnapshotFamily* const family = &families[known_at->second];
    const bool known = std::any_of(
        family->samples.begin(), family->samples.end(),
        [&](const MetricSample& other) { return same_labels(other.spec.labels, sample.spec.labels); });
    if (!known && family->type == sample.spec.type) family->samples.push_back(std::move(sample));
  }
  return families;
}

std::vector<double> cumulative_buckets(const MetricSample& sample) {
  std::vector<double> counts = sample.buckets;
  for (std::size_t bucket = 1; bucket < counts.size(); ++bucket) counts[bucket] += counts[bucket - 1];
  return counts;
}

SnapshotSource::SnapshotSource(const Config& config, const Clock& clock, const std::filesystem::path& proc,
                               GpuSources gpus)
    : clock_(clock),
      began_unix_ns_(clock.unix_ns()),
      derived_(own_.metrics()),
      rings_(config.daemon_dir(Daemon::kSynthd), own_),
      depths_(rings_, own_),
      meters_(rings_, own_),
      system_(proc),
      gpus_(clock, std::move(gpus)),
      probes_(config.probe_dir()),
      runtime_folder_(config.runtime.dir),
      log_folder_(config.log.dir),
      peers_{{{config, Daemon::kSynthd}, {config, Daemon::kStreamd}}} {
  set_build_labels(own_);
  own_.metrics().process.begin();
}

void SnapshotSource::measure() {
  const MutexLock lock(mutex_);
  meters_.measure(clock_.now_ns());
}

std::vector<DaemonEvent> SnapshotSource::sample() {
  const MutexLock lock(mutex_);
  const std::int64_t now_ns = clock_.now_ns();
  absence_.step(now_ns);
  own_.metrics().process.sample();
  sample_machine(now_ns);
  derived_.add_metricsd(now_ns);
  std::vector<DaemonEvent> events;
  std::string gpu;
  for (auto& peer : peers_) {
    const bool up = look_at(peer, now_ns);
    if (auto event = what_changed(peer, up)) {
      // One that has not been there yet may still start.
      const bool lost = !up && peer.was_up;
      lost ? log_warning(event->message) : log_info(event->message);
      events.push_back(std::move(*event));
    }
    note_hang(peer, now_ns);
    if (!up) continue;
    peer.was_up = true;
    std::vector<MetricSample> samples;
    if (!read(peer, now_ns, samples)) {
      derived_.hide(peer.daemon);
    } else if (peer.daemon == Daemon::kSynthd) {
      derived_.add_synthd(now_ns, samples);
      gpu = gpu_of(samples);
    } else {
      note_losses(peer, now_ns, samples);
      derived_.add_streamd(now_ns, samples);
    }
  }
  gpus_.watch(gpu);
  show_gpu();
  return events;
}

void SnapshotSource::sample_machine(std::int64_t now_ns) {
  derived_.add_machine(now_ns, system_.cpu());
  auto& free = own_.metrics().free_percent;
  free[0].set(free_percent(runtime_folder_));
  if (!log_folder_.empty()) free[1].set(free_percent(log_folder_));
}

bool SnapshotSource::beats(const Peer& peer, std::int64_t now_ns) {
  return now_ns - peer.reader->segment().heartbeat_ns() <= HangLosses::kStoppedNs;
}

void SnapshotSource::note_hang(const Peer& peer, std::int64_t now_ns) {
  if (peer.daemon != Daemon::kStreamd || !hangs(peer) || beats(peer, now_ns)) return;
  const bool synthd_up = peers_[daemon_index(Daemon::kSynthd)].up;
  const AudioReader& ring = rings_.reader();
  losses_.note_hang(now_ns, synthd_up && ring.ready() ? ring.timeline().chunk_ns() : 0);
}

// Of streamd, which is healthy: adds what the start before did not count.
void SnapshotSource::note_losses(const Peer& peer, std::int64_t now_ns,
                                 const std::vector<MetricSample>& samples) {
  if (!beats(peer, now_ns)) return;
  const SegmentReader& segment = peer.reader->segment();
  const double lost = losses_.note_healthy(segment.generation(), segment.heartbeat_ns(),
                                           sum_of(samples, kChunksDue), sum_of(samples, kStationListeners));
  own_.metrics().chunks_uncounted.add(std::round(lost));
  if (lost >= 1) {
    log_warning("streamd hung until it ended: its listeners missed chunks that it did not count",
                {{"chunks", static_cast<std::int64_t>(std::llround(lost))}});
  }
}

void SnapshotSource::show_gpu() {
  OwnMetrics& own = own_.metrics();
  const GpuReading reading = gpus_.latest().value_or(GpuReading{});
  // Else the share of time that DerivedMetrics has set.
  if (reading.utilization_percent) own.gpu_percent.set(*reading.utilization_percent);
  own.gpu_memory_total_mb.set(reading.memory_total_mb);
  own.gpu_temperature.set(reading.temperature_celsius);
  own.gpu_power.set(reading.power_watts);
}

Snapshot SnapshotSource::take() {
  const MutexLock lock(mutex_);
  return take_locked();
}

Snapshot SnapshotSource::view() {
  const MutexLock lock(mutex_);
  absence_.look(clock_.now_ns());
  return take_locked();
}

std::string SnapshotSource::scrape(const std::function<std::string(const Snapshot&)>& serialize) {
  const std::int64_t began_ns = clock_.now_ns();
  MutexLock lock(mutex_);
  absence_.look(clock_.now_ns());
  own_.metrics().scrapes.add();
  const Snapshot snapshot = take_locked();
  lock.unlock();
  std::string text = serialize(snapshot);
  lock.lock();
  const std::int64_t ended_ns = clock_.now_ns();
  own_.metrics().scrape_seconds.set(static_cast<double>(ended_ns - began_ns) /
                                    static_cast<double>(kNsPerSecond));
  return text;
}

void SnapshotSource::count_published() {
  const MutexLock lock(mutex_);
  own_.metrics().published.add();
}

void SnapshotSource::note_reload(bool successful) {
  const MutexLock lock(mutex_);
  own_.metrics().process.note_reload(successful);
}

Snapshot SnapshotSource::take_locked() {
  const std::int64_t now_ns = clock_.now_ns();
  Snapshot snapshot;
  snapshot.unix_ns = clock_.unix_ns();
  std::vector<MetricSample> samples;
  for (auto& peer : peers_) {
    const bool up = look_at(peer, now_ns);
    snapshot.up[daemon_index(peer.daemon)] = up;
    if (up) {
      read(peer, now_ns, samples);
    } else if (hangs(peer)) {
      read_counts(peer, now_ns, samples);
    }
  }
  depths_.update(now_ns);
  own_.metrics().up[daemon_index(Daemon::kMetricsd)].set(1);
  snapshot.up[daemon_index(Daemon::kMetricsd)] = true;
  const std::size_t first_own = samples.size();
  own_.read(samples);
  note_began(samples, first_own, began_unix_ns_);
  probes_.read(now_ns, samples);
  snapshot.families = families_of(std::move(samples));
  return snapshot;
}

// Whether the daemon is healthy. Updates its auralis_up.
bool SnapshotSource::look_at(Peer& peer, std::int64_t now_ns) {
  if (peer.reader->refresh()) {
    peer.guard.begin();
    peer.sound_ns = now_ns;
  }
  const SegmentReader& segment = peer.reader->segment();
  const bool unreadable = !peer.reader->ready() && segment.state() == SegmentState::kReady;
  if (unreadable || (peer.withheld && now_ns - peer.sound_ns >= kDoubtNs))
    read_declarations_again(peer, now_ns);
  const bool up = peer.reader->ready() && is_at_work(peer, now_ns);
  peer.up = up;
  own_.metrics().up[daemon_index(peer.daemon)].set(up ? 1 : 0);
  Gauge& age = own_.metrics().heartbeat_age_s[daemon_index(peer.daemon)];
  const SegmentReader& current = peer.reader->segment();
  std::optional<double> age_s;
  if (current.writer_alive())
    age_s = static_cast<double>(std::max<std::int64_t>(0, now_ns - current.heartbeat_ns())) / kNsPerSecond;
  age.set(age_s);
  if (!up) derived_.hide(peer.daemon);
  return up;
}

// Declarations are read once, when the segment is attached; they may have been overwritten at that moment.
void SnapshotSource::read_declarations_again(Peer& peer, std::int64_t now_ns) {
  peer.sound_ns = now_ns;
  auto reader = std::make_unique<MetricsReader>(peer.directory);
  reader->refresh();
  if (!reader->ready()) return;
  if (reader->segment().generation() != peer.reader->segment().generation()) peer.guard.begin();
  peer.reader = std::move(reader);
}

// Whether the daemon is alive and all its segments are usable.
bool SnapshotSource::is_at_work(Peer& peer, std::int64_t now_ns) const {
  const SegmentReader& segment = peer.reader->segment();
  peer.trouble.clear();
  if (peer.up && absence_.lately(now_ns)) return segment.writer_alive();
  if (!segment.writer_healthy(now_ns)) return false;
  peer.trouble = peer.health.problem(now_ns).value_or("");
  return peer.trouble.empty();
}

// Appends the metrics of a healthy daemon; false if some are withheld.
bool SnapshotSource::read(Peer& peer, std::int64_t now_ns, std::vector<MetricSample>& samples) {
  std::vector<MetricSample> read_samples;
  peer.reader->read(read_samples);
  const std::size_t all = read_samples.size();
  if (all == 0) return false;
  const std::size_t withheld = peer.guard.filter(read_samples, now_ns);
  const std::string name(daemon_name(peer.daemon));
  if (withheld > 0 && !peer.withheld) {
    log_warning(withheld == all
                    ? "metrics of " + name + " withheld: its shared memory holds impossible values"
                    : "metrics of " + name + " withheld: counters fell, or rose by more than is possible");
  } else if (withheld == 0 && peer.withheld) {
    log_info("metrics of " + name + " published again");
  }
  peer.withheld = withheld > 0;
  if (withheld < all) peer.sound_ns = now_ns;
  own_.metrics().withheld[daemon_index(peer.daemon)].add(static_cast<double>(withheld));
  std::move(read_samples.begin(), read_samples.end(), std::back_inserter(samples));
  return withheld == 0;
}

bool SnapshotSource::hangs(const Peer& peer) {
  return peer.reader->ready() && peer.reader->segment().writer_alive();
}

// Appends what a daemon that hangs has counted; its gauges told what it was doing.
void SnapshotSource::read_counts(Peer& peer, std::int64_t now_ns, std::vector<MetricSample>& samples) {
  std::vector<MetricSample> counts;
  read(peer, now_ns, counts);
  std::copy_if(std::make_move_iterator(counts.begin()), std::make_move_iterator(counts.end()),
               std::back_inserter(samples),
               [](const MetricSample& sample) { return sample.spec.type != MetricType::kGauge; });
}

std::optional<DaemonEvent> SnapshotSource::what_changed(Peer& peer, bool up) {
  const std::string name(daemon_name(peer.daemon));
  const DaemonChange change = up            ? DaemonChange::kUp
                              : hangs(peer) ? DaemonChange::kHang
                                            : DaemonChange::kDown;
  std::string news;
  if (up) {
    news = name + " is up";
  } else if (!peer.reader->ready()) {
    news = name + " is not there: " + peer.reader->describe();
  } else if (!peer.trouble.empty()) {
    news = peer.trouble;
  } else {
    news = name + (hangs(peer) ? " hangs: its heartbeat has stopped" : " has ended");
  }
  if (news == peer.last_said) return std::nullopt;
  peer.last_said = news;
  return DaemonEvent{peer.daemon, change, std::move(news)};
}

}  // namespace auralis
