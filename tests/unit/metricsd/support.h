// SPDX-License-Identifier: MIT
// Support for the tests of metricsd: its surroundings, daemons made of real segments, and a bare HTTP client.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "common/base/clock.h"
#include "common/config/config.h"
#include "common/metrics/metrics.h"
#include "common/metrics/metrics_segment.h"
#include "common/segments/audio_segment.h"
#include "common/segments/control_segment.h"
#include "metricsd/snapshot.h"
#include "tests/unit/support.h"

namespace auralis::test {

// Surroundings of metricsd: a runtime directory of its own, and whatever addresses are free.
struct RuntimeFixture {
  RuntimeFixture() {
    config.runtime.dir = folder.path();
    config.metricsd.host = "127.0.0.1";
    config.metricsd.port = 0;
    config.metricsd.zmq_endpoint = "tcp://127.0.0.1:*";
  }

  TempDir folder;
  Config config;
  ManualClock clock;
};

struct SnapshotFixture : RuntimeFixture {
  SnapshotSource source{config, clock};

  // What a response to GET /metrics is made of.
  Snapshot scrape() {
    Snapshot taken;
    source.scrape([&](const Snapshot& snapshot) {
      taken = snapshot;
      return std::string();
    });
    return taken;
  }
};

// The metrics of synthd and of streamd that metricsd derives others from, and one of each type.
class FakeSynthMetrics {
  MetricBinder& m_;

 public:
  explicit FakeSynthMetrics(MetricBinder& m) : m_(m) {}
  Histogram synthesis_ms =
      m_.histogram("audio_synthesis_latency_ms", "Time to render, in milliseconds", {10, 50, 100});
  Gauge gpu_memory_mb = m_.gauge("gpu_memory_allocated_mb", "Memory held on the device, in MiB");
  Gauge engine_info = m_.gauge("auralis_engine_info", "1", {late_label("device", kDeviceLabel)});
  Counter busy_seconds = m_.counter("auralis_engine_device_busy_seconds_total", "Device at work, in seconds");
  Gauge memory_mb = m_.gauge("memory_usage_mb", "Resident memory, in MiB", {{"process", "synthd"}});
  Counter cpu_seconds =
      m_.counter("auralis_process_cpu_seconds_total", "Processor time, in seconds", {{"process", "synthd"}});
};

class FakeStreamMetrics {
  MetricBinder& m_;

 public:
  explicit FakeStreamMetrics(MetricBinder& m) : m_(m) {}
  Gauge depth_ms =
      m_.gauge("ring_buffer_depth_ms", "Audio ahead of now, in \"ms\"", {{"station", "a \"b\"\\c"}});
  Counter chunks[2] = {m_.counter("chunks_total", "Chunks", {late_label("station", 0)}),
                       m_.counter("chunks_total", "Chunks", {late_label("station", 1)})};
  Counter underruns =
      m_.counter("ring_buffer_underruns_total", "Chunks not there", {{"station", "a \"b\"\\c"}});
  Counter due = m_.counter("auralis_chunks_due_total", "Chunks due");
  Counter on_time = m_.counter("auralis_chunks_on_time_total", "Chunks sent in time");
  Counter sent = m_.counter("websocket_chunks_sent_total", "Chunks sent");
  Counter left = m_.counter("websocket_chunks_dropped_total", "Chunks dropped", {{"reason", "disconnect"}});
  Counter bytes = m_.counter("network_bytes_sent_total", "Bytes sent");
  Counter intervals = m_.counter("auralis_send_intervals_total", "Intervals");
  Counter late_ms = m_.counter("auralis_send_interval_late_ms_total", "Sum of what they were late");
  Counter early_ms = m_.counter("auralis_send_interval_early_ms_total", "Sum of what they were early");
  Counter deviation_squares = m_.counter("auralis_send_interval_ms_squares_total", "Sum of their squares");
  Gauge memory_mb = m_.gauge("memory_usage_mb", "Resident memory, in MiB", {{"process", "streamd"}});
  Counter cpu_seconds =
      m_.counter("auralis_process_cpu_seconds_total", "Processor time, in seconds", {{"process", "streamd"}});

  // Chunks that were due, and are sent in time.
  void send(double count) {
    due.add(count);
    on_time.add(count);
    sent.add(count);
  }
};

// A daemon that lives as long as the object, as far as a reader of its segment can tell.
template <typename Metrics>
class FakeDaemon {
 public:
  FakeDaemon(const Config& config, Daemon daemon, const Clock& clock)
      : writer_(config.daemon_dir(daemon), declared_metrics<Metrics>(), 1, clock.now_ns(), clock.unix_ns()),
        other_(daemon == Daemon::kSynthd
                   ? SegmentWriter(config.daemon_dir(daemon) / "audio",
                                   {SegmentKind::kAudio, kAudioLayoutVersion, 64, 0})
                   : SegmentWriter(config.daemon_dir(daemon) / "control",
                                   {SegmentKind::kControl, kControlLayoutVersion, 64, 0})),
        metrics(writer_.shard(0)) {
    other_.publish(clock.now_ns());
  }
  void beat(const Clock& clock) {
    writer_.beat(clock.now_ns());
    other_.beat(clock.now_ns());
  }
  void name(std::size_t late_label, const std::string& text) { writer_.set_late_label(late_label, text); }

 private:
  MetricsWriter writer_;
  SegmentWriter other_;  // that it has beside its metrics

 public:
  Metrics metrics;
};
using FakeSynthd = FakeDaemon<FakeSynthMetrics>;
using FakeStreamd = FakeDaemon<FakeStreamMetrics>;

// The value of a series of one label at most; nothing where it is absent.
inline std::optional<double> metric(const Snapshot& snapshot, const std::string& name,
                                    const std::string& label = "") {
  for (const auto& family : snapshot.families) {
    for (const auto& sample : family.samples) {
      const auto& labels = sample.spec.labels;
      if (family.name == name && (labels.empty() ? label.empty() : labels[0].value == label))
        return sample.value;
    }
  }
  return std::nullopt;
}

// A TCP connection to this machine, given up on after kPatienceS of silence.
class Connection {
 public:
  explicit Connection(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{kPatienceS, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    open_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Connection() { ::close(socket_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  bool open() const { return open_; }

  // Sends `text` and reads to the end; empty where there was none in time.
  std::string exchange(const std::string& text) const {
    if (::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) < 0) return "";
    std::string answer;
    char part[4'096];
    ssize_t length = 0;
    while ((length = ::recv(socket_, part, sizeof part, 0)) > 0)
      answer.append(part, static_cast<std::size_t>(length));
    return length < 0 ? "" : answer;
  }

  // Sends `text` and reads until `end` has come; what was read until then, or until the end or no more came.
  std::string exchange_until(const std::string& text, const std::string& end) const {
    std::string answer;
    if (::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) < 0) return answer;
    char part[4'096];
    while (answer.find(end) == std::string::npos) {
      const ssize_t length = ::recv(socket_, part, sizeof part, 0);
      if (length <= 0) break;
      answer.append(part, static_cast<std::size_t>(length));
    }
    return answer;
  }

  static constexpr int kPatienceS = 20;

 private:
  int socket_;
  bool open_ = false;
};

inline std::string http(int port, const std::string& method, const std::string& path) {
  return Connection(port).exchange(method + " " + path +
                                   " HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: "
                                   "close\r\n\r\n");
}
inline int status_of(const std::string& answer) {
  return answer.size() < 12 ? 0 : std::atoi(answer.c_str() + answer.find(' '));
}
inline std::string body_of(const std::string& answer) {
  const std::size_t blank = answer.find("\r\n\r\n");
  return blank == std::string::npos ? "" : answer.substr(blank + 4);
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace auralis::test
