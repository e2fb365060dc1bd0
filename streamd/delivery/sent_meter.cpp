// SPDX-License-Identifier: MIT
#include "streamd/delivery/sent_meter.h"

#include <sys/resource.h>
#include <unistd.h>

#include <boost/lockfree/policies.hpp>
#include <boost/lockfree/spsc_queue.hpp>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <thread>
#include <vector>

#include "common/base/mutex.h"

namespace auralis {
namespace {

constexpr int kNice = 10;  // for setpriority(2)
// Polled, so that handing over a chunk wakes no thread.
constexpr std::chrono::milliseconds kPeriod{100};

template <typename T>
using Queue = boost::lockfree::spsc_queue<T, boost::lockfree::capacity<SentMeter::kMostQueued>>;

// Of one row of the station table.
struct Station {
  StationId id;
  std::uint32_t sample_rate;
  std::uint32_t frames;
  std::int64_t seq;
  AudioMeter meter;

  bool continues_with(const SentChunk& chunk) const {
    return id == chunk.station && sample_rate == chunk.audio.sample_rate && frames == chunk.audio.frames &&
           seq + 1 == chunk.audio.seq;
  }
};

}  // namespace

struct SentMeter::State {
  Queue<SentChunk> queued;
  Queue<MeasuredChunk> measured;

  // Of the thread that measures.
  AudioReader reader;
  std::map<std::size_t, Station> stations;  // by row
  std::vector<std::int16_t> samples;

  Mutex mutex;
  std::condition_variable stop;
  bool stopping AURALIS_GUARDED_BY(mutex) = false;
  std::thread thread;

  explicit State(const std::filesystem::path& synthd_directory) : reader(synthd_directory) {}

  Station& station_of(const SentChunk& chunk) {
    const auto found = stations.find(chunk.station.index);
    if (found != stations.end() && found->second.continues_with(chunk)) return found->second;
    // After a gap, or of another station: what it does not follow is no discontinuity.
    if (found != stations.end()) stations.erase(found);
    const AudioChunk& audio = chunk.audio;
    return stations
        .emplace(chunk.station.index, Station{chunk.station, audio.sample_rate, audio.frames, audio.seq - 1,
                                              AudioMeter(audio.sample_rate, audio.frames)})
        .first->second;
  }

  SilenceCause cause_of(const SentChunk& chunk) {
    if (chunk.audio.silence) return SilenceCause::kUnderrun;
    reader.refresh();
    const auto state = reader.state(chunk.station);
    return state && state->muted(chunk.audio.seq) ? SilenceCause::kMuted : SilenceCause::kZero;
  }

  void measure(const SentChunk& chunk) {
    const AudioChunk& audio = chunk.audio;
    if (audio.channels != AudioMeter::kChannels || !AudioMeter::can_measure(audio.sample_rate, audio.frames))
      return;
    samples.resize(audio.samples.size());
    std::memcpy(samples.data(), audio.samples.bytes().data(), audio.samples.bytes().size());
    Station& station = station_of(chunk);
    station.seq = audio.seq;
    MeasuredChunk result;
    result.station = chunk.station;
    result.seq = audio.seq;
    result.seconds = static_cast<double>(audio.frames) / static_cast<double>(audio.sample_rate);
    result.findings = station.meter.add(samples.data());
    if (result.findings.silent) result.cause = cause_of(chunk);
    result.peak = station.meter.peak();
    result.loudness_lufs = station.meter.loudness_lufs();
    result.samples = audio.samples;
    measured.push(result);
  }
};

SentMeter::SentMeter(const std::filesystem::path& synthd_directory)
    : state_(std::make_unique<State>(synthd_directory)) {}

SentMeter::~SentMeter() {
  {
    const MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->stop.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
  // A queue of fixed capacity does not destroy what is left in it.
  state_->queued.consume_all([](const SentChunk&) {});
  state_->measured.consume_all([](const MeasuredChunk&) {});
}

void SentMeter::start() {
  state_->thread = std::thread([this] {
    // Linux has a nice value for each thread. A failure costs only the preference.
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kNice);
    MutexLock lock(state_->mutex);
    while (!state_->stopping) {
      lock.unlock();
      measure_queued();
      lock.lock();
      if (!state_->stopping) lock.wait_until(state_->stop, std::chrono::steady_clock::now() + kPeriod);
    }
  });
}

void SentMeter::offer(const SentChunk& chunk) { state_->queued.push(chunk); }

std::optional<MeasuredChunk> SentMeter::take() {
  std::optional<MeasuredChunk> taken;
  state_->measured.consume_one([&](const MeasuredChunk& one) { taken = one; });
  return taken;
}

void SentMeter::measure_queued() {
  while (state_->queued.consume_one([this](const SentChunk& chunk) { state_->measure(chunk); })) continue;
}

}  // namespace auralis
