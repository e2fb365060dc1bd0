// SPDX-License-Identifier: MIT
// Behaviour of metricsd while something writes over the segments that it reads.
#include <fcntl.h>

#include <map>
#include <random>

#include "metricsd/prometheus_exporter.h"
#include "metricsd/snapshot_json.h"
#include "tests/unit/metricsd/exposition.h"
#include "tests/unit/metricsd/support.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

namespace auralis::metricsd_overwritten_segment_test {
namespace {

using namespace test;

constexpr std::size_t kHeaderBytes = 64;  // of a segment; the payload follows

// A segment's payload, written past its writer.
class Payload {
 public:
  explicit Payload(const std::filesystem::path& path) : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    require(file_ >= 0, "open");
    bytes_.resize(std::filesystem::file_size(path) - kHeaderBytes);
  }
  ~Payload() { ::close(file_); }
  Payload(const Payload&) = delete;
  Payload& operator=(const Payload&) = delete;

  std::size_t size() const { return bytes_.size(); }
  void keep() {
    require(::pread(file_, bytes_.data(), bytes_.size(), kHeaderBytes) == static_cast<ssize_t>(size()),
            "pread");
  }
  void restore() { write(0, bytes_); }
  void write(std::size_t at, const std::string& noise) {
    require(::pwrite(file_, noise.data(), noise.size(), static_cast<off_t>(kHeaderBytes + at)) ==
                static_cast<ssize_t>(noise.size()),
            "pwrite");
  }

 private:
  int file_;
  std::string bytes_;
};

struct Bench : SnapshotFixture {
  FakeSynthd synthd{config, Daemon::kSynthd, clock};
  FakeStreamd streamd{config, Daemon::kStreamd, clock};
  Payload payloads[2] = {Payload(config.daemon_dir(Daemon::kSynthd) / "metrics"),
                         Payload(config.daemon_dir(Daemon::kStreamd) / "metrics")};
  std::map<std::string, double> shown;  // the last of each series that may only rise

  Bench() { streamd.name(1, "forest"); }

  void second() {
    clock.now += kNsPerSecond;
    synthd.metrics.synthesis_ms.observe(20);
    synthd.metrics.busy_seconds.add(0.25);
    streamd.metrics.chunks[1].add(5);
    streamd.metrics.send(10);
    streamd.metrics.bytes.add(1'000);
    streamd.metrics.depth_ms.set(750);
    synthd.beat(clock);
    streamd.beat(clock);
  }

  // Takes a snapshot and checks what must hold of every one; how many series it has that may only rise.
  std::size_t look() {
    source.sample();
    const Snapshot snapshot = source.take();
    const Exposition page = parse_exposition(exposition(snapshot));  // throws for NaN, and for what breaks it
    const auto json = nlohmann::json::parse(snapshot_json(snapshot, {}, 1));  // throws for what is not UTF-8
    CHECK_FALSE(json.at("metrics").empty());
    std::size_t rising = 0;
    for (const auto& sample : page.samples) {
      const std::string family = std::regex_replace(sample.name, std::regex("_(bucket|sum|count)$"), "");
      const bool rises = page.type.count(sample.name) != 0 ? page.type.at(sample.name) == "counter"
                                                           : page.type.at(family) == "histogram";
      if (!rises) continue;
      ++rising;
      std::string key = sample.name;
      for (const auto& [name, value] : sample.labels) key.append("," + name + "=").append(value);
      CHECK_MESSAGE(sample.value >= shown[key], key);
      shown[key] = std::max(shown[key], sample.value);
    }
    return rising;
  }
};

std::string noise_of(std::mt19937_64& random, std::size_t bytes) {
  std::string noise(bytes, '\0');
  for (char& byte : noise) byte = static_cast<char>(random());
  return noise;
}

}  // namespace

TEST_CASE_FIXTURE(Bench, "an overwritten segment: no counter falls, no snapshot breaks, and all comes back") {
  second();
  look();
  second();
  const std::size_t sound = look();
  for (unsigned seed = 0; seed < 60; ++seed) {
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (Payload& payload : payloads) payload.keep();
    for (Payload& payload : payloads) {
      // All of it, the second half (where the metrics are), or a few bytes.
      const std::size_t begin = seed % 3 == 0   ? 0
                                : seed % 3 == 1 ? payload.size() / 2
                                                : random() % payload.size();
      const std::size_t length = seed % 3 == 2 ? 1 + random() % 64 : payload.size();
      payload.write(begin, noise_of(random, std::min(length, payload.size() - begin)));
    }
    look();
    for (Payload& payload : payloads) payload.restore();
    second();
    CHECK(look() == sound);
  }
}

TEST_CASE_FIXTURE(Bench,
                  "an overwritten segment: zeros in place of the counts are not shown, and are counted") {
  for (int step = 0; step < 3; ++step) {
    second();
    look();
  }
  CHECK(metric(source.take(), "network_bandwidth_mbps") == doctest::Approx(0.008));
  streamd.metrics.send(-30);
  streamd.metrics.chunks[1].add(-15);
  Snapshot snapshot = source.take();
  CHECK_FALSE(metric(snapshot, "websocket_chunks_sent_total"));
  CHECK_FALSE(metric(snapshot, "chunks_total", "forest"));
  CHECK(metric(snapshot, "network_bytes_sent_total") == 3'000);
  CHECK(metric(snapshot, "auralis_up", "streamd") == 1);
  CHECK(metric(snapshot, "auralis_samples_withheld_total", "streamd") == 4);
  CHECK(metric(snapshot, "auralis_samples_withheld_total", "synthd") == 0);

  INFO("nothing is derived from the rest of them, and afterwards the windows go on over the gap");
  clock.now += kNsPerSecond;
  streamd.beat(clock);
  synthd.beat(clock);
  source.sample();
  CHECK_FALSE(metric(source.take(), "network_bandwidth_mbps"));
  streamd.metrics.send(30);
  streamd.metrics.chunks[1].add(15);
  streamd.metrics.bytes.add(1'000);
  second();
  source.sample();
  snapshot = source.take();
  CHECK(metric(snapshot, "websocket_chunks_sent_total") == 40);
  CHECK(metric(snapshot, "network_bandwidth_mbps") == doctest::Approx(0.008));
}

TEST_CASE_FIXTURE(Bench,
                  "an overwritten segment: declarations that were noise when they were read are read again") {
  second();
  for (Payload& payload : payloads) payload.keep();
  for (const bool sensible : {false, true}) {
    CAPTURE(sensible);
    // Past the table of late labels: the first declaration, of which a name is enough to be sensible.
    payloads[1].write(64 + sizeof(LateLabels), sensible ? "\xff\xfe" : std::string(752, '\xff'));
    SnapshotSource fresh(config, clock);
    fresh.sample();
    CHECK_FALSE(metric(fresh.take(), "websocket_chunks_sent_total"));
    payloads[1].restore();
    for (int step = 0; step < 4; ++step) {
      second();
      fresh.sample();
    }
    CHECK(metric(fresh.take(), "websocket_chunks_sent_total").value_or(0) > 0);
  }
}

TEST_CASE_FIXTURE(SnapshotFixture,
                  "an overwritten segment: a fresh one in its place begins at zero at once") {
  {
    FakeStreamd first(config, Daemon::kStreamd, clock);
    first.metrics.send(100);
    CHECK(metric(source.take(), "websocket_chunks_sent_total") == 100);
  }
  std::filesystem::remove(config.daemon_dir(Daemon::kStreamd) / "metrics");
  const FakeStreamd second(config, Daemon::kStreamd, clock);
  CHECK(metric(source.take(), "websocket_chunks_sent_total") == 0);
}

TEST_CASE_FIXTURE(SnapshotFixture, "an overwritten segment: a station that left and came back is no fall") {
  FakeStreamd streamd(config, Daemon::kStreamd, clock);
  streamd.name(0, "forest");
  streamd.metrics.chunks[0].add(9);
  CHECK(metric(source.take(), "chunks_total", "forest") == 9);
  streamd.name(0, "");
  source.sample();
  streamd.name(0, "forest");
  CHECK(metric(source.take(), "chunks_total", "forest") == 0);
}

}  // namespace auralis::metricsd_overwritten_segment_test
