// SPDX-License-Identifier: MIT
// Fakes for the tests of streamd: a network that records, an executor that can be held, a synthd that writes
// what the test says.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/metrics/metrics.h"
#include "common/segments/audio_segment.h"
#include "streamd/delivery/transport.h"
#include "streamd/encode/encoding_pool.h"
#include "streamd/stream_metrics.h"
#include "tests/unit/support.h"

namespace auralis::test {

// A StreamMetrics over memory of its own; its first configured station is the one named `default`.
class OwnMetrics {
  std::vector<MetricSpec> specs_ = declared_metrics<StreamMetrics>();
  std::vector<SharedWord> words_ = std::vector<SharedWord>(shard_words(specs_));
  MetricBinder binder_{words_.data(), words_.data(), specs_};
  LateLabels labels_{};

 public:
  OwnMetrics() {
    prepare_shard(words_.data(), specs_);
    labels_[0].store(late_text("default"));
  }

  StreamMetrics metrics{binder_};

  // All series as a reader sees them.
  std::vector<MetricSample> samples() const {
    std::vector<MetricSample> samples;
    read_metrics(specs_, words_.data(), 1, words_.size(), samples, &labels_);
    return samples;
  }
  // The series of that name and label value.
  MetricSample sample(const std::string& name, const std::string& label = {}) const {
    for (const auto& sample : samples()) {
      if (sample.spec.name == name && (label.empty() || sample.spec.labels.at(0).value == label))
        return sample;
    }
    throw std::logic_error("no metric " + name);
  }
};

// Records what is sent, and takes nothing until the test says so.
class RecordingTransport final : public Transport {
 public:
  MessageSink& sink(ConnectionId connection) {
    return sinks_.try_emplace(connection, *this, connection).first->second;
  }
  void ping(ConnectionId connection) override { pinged.push_back(connection); }
  void close(ConnectionId connection, std::uint16_t code, std::string_view) override {
    closed[connection] = code;
  }

  // Takes all messages that are pending, and those that follow, by calling `written(connection)`.
  template <typename Written>
  void take_all(const Written& written) {
    while (!waiting.empty()) {
      const ConnectionId connection = waiting.front();
      waiting.erase(waiting.begin());
      written(connection);
    }
  }

  SendResult answer = SendResult::kPending;
  std::map<ConnectionId, std::vector<WireMessagePtr>> sent;
  std::vector<ConnectionId> waiting;
  std::vector<ConnectionId> pinged;
  std::map<ConnectionId, std::uint16_t> closed;

 private:
  class OneSink final : public MessageSink {
   public:
    OneSink(RecordingTransport& transport, ConnectionId connection)
        : transport_(transport), connection_(connection) {}
    void expect() const override {}
    SendResult transmit(const WireMessagePtr& message) override {
      if (transport_.answer == SendResult::kFailed) return transport_.answer;
      transport_.sent[connection_].push_back(message);
      if (transport_.answer == SendResult::kPending) transport_.waiting.push_back(connection_);
      return transport_.answer;
    }

   private:
    RecordingTransport& transport_;
    ConnectionId connection_;
  };

  std::map<ConnectionId, OneSink> sinks_;
};

// Encodes at once, or, while held, when the test says so.
class HeldExecutor final : public EncodingExecutor {
 public:
  void run(const Urgency&, std::function<void()> work) override {
    if (held) return waiting.push_back(std::move(work));
    work();
  }
  // Runs at most `count` pieces of waiting work.
  void run_waiting(std::size_t count) {
    for (; count > 0 && !waiting.empty(); --count) {
      const auto work = std::move(waiting.front());
      waiting.pop_front();
      work();
    }
  }

  bool held = false;
  std::deque<std::function<void()>> waiting;
};

// A synthd's segment: 100 ms chunks, 20 slots; chunk k is filled with the value k + 1.
class FakeSynth {
 public:
  FakeSynth(const std::filesystem::path& directory, std::int64_t epoch_ns)
      : writer_(directory, Timeline{epoch_ns, 44'100, 4'410, 2}, 20, kCapacity) {
    if (!writer_.taken_over()) open(0, named_state("default"));
    writer_.publish(epoch_ns);
  }

  StationId open(std::size_t index, StationState state) {
    state.history = begun_with(MusicParameters{});
    writer_.open(index, state);
    return {index, writer_.generation(index)};
  }

  void write(std::int64_t first, std::int64_t last, std::size_t index = 0) {
    for (std::int64_t chunk = first; chunk <= last; ++chunk) {
      const std::vector<std::int16_t> samples(8'820, static_cast<std::int16_t>(chunk + 1));
      writer_.write_chunk(index, chunk, samples.data());
    }
  }

  StationId usual() const { return {0, writer_.generation(0)}; }

  static constexpr std::size_t kCapacity = 3;

  AudioWriter& writer() { return writer_; }

 private:
  AudioWriter writer_;
};

}  // namespace auralis::test
