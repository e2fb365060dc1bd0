// SPDX-License-Identifier: MIT
// Stations that share the threads of a pool, while one thread submits and collects, as the conductor does.
#include "streamd/encode/opus_session.h"

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "streamd/encode/encoding_pool.h"

namespace auralis::opus_session_concurrency_test {
namespace {

constexpr std::size_t kStations = 4;
constexpr std::int64_t kChunks = 12;

AudioChunk chunk_of(std::size_t station, std::int64_t seq) {
  AudioChunk chunk;
  chunk.seq = seq;
  chunk.sample_rate = 48'000;
  chunk.channels = 2;
  chunk.frames = 960;
  std::vector<std::int16_t> samples;
  for (std::uint32_t i = 0; i < chunk.frames * 2; ++i)
    samples.push_back(static_cast<std::int16_t>(
        (static_cast<std::int64_t>(i) * (7 + seq) * 31 + static_cast<std::int64_t>(station) * 997) % 8'000));
  chunk.samples = Samples::copy_of(samples);
  return chunk;
}

OpusSession::Settings settings_of(std::size_t station) {
  return {"station", 64'000, static_cast<std::uint32_t>(station), station > 0};
}

struct AtOnce final : EncodingExecutor {
  void run(const Urgency&, std::function<void()> work) override { work(); }
};

std::vector<OpusSession::Encoded> encoded_alone(std::size_t station) {
  AtOnce executor;
  SystemClock clock;
  const auto session = std::make_shared<OpusSession>(executor, clock, settings_of(station));
  for (std::int64_t seq = 0; seq < kChunks; ++seq) session->submit(chunk_of(station, seq));
  return session->take_encoded();
}

TEST_CASE("stations encoded on threads that they share come out in order and as if each were alone") {
  SystemClock clock;
  EncodingPool pool(3);
  std::vector<std::shared_ptr<OpusSession>> sessions;
  for (std::size_t station = 0; station < kStations; ++station)
    sessions.push_back(std::make_shared<OpusSession>(pool, clock, settings_of(station)));
  std::vector<std::vector<OpusSession::Encoded>> came(kStations);
  const auto collect = [&] {
    for (std::size_t station = 0; station < kStations; ++station) {
      for (auto& one : sessions[station]->take_encoded()) came[station].push_back(std::move(one));
    }
  };
  for (std::int64_t seq = 0; seq < kChunks; ++seq) {
    for (std::size_t station = 0; station < kStations; ++station)
      sessions[station]->submit(chunk_of(station, seq));
    collect();
  }
  while (sessions[0]->pending(kChunks - 1) || sessions[1]->pending(kChunks - 1) ||
         sessions[2]->pending(kChunks - 1) || sessions[3]->pending(kChunks - 1)) {
    std::this_thread::yield();
    collect();
  }
  collect();
  for (std::size_t station = 0; station < kStations; ++station) {
    const auto alone = encoded_alone(station);
    REQUIRE(came[station].size() == alone.size());
    for (std::size_t i = 0; i < alone.size(); ++i) {
      CHECK(came[station][i].seq == alone[i].seq);
      CHECK(came[station][i].opus.packets == alone[i].opus.packets);
      CHECK(came[station][i].pages.page == alone[i].pages.page);
    }
  }
}

TEST_CASE("a pool that ends leaves out what waits, and sessions may end while they are encoded") {
  SystemClock clock;
  for (int round = 0; round < 20; ++round) {
    EncodingPool pool(2);
    for (std::size_t station = 0; station < kStations; ++station) {
      const auto session = std::make_shared<OpusSession>(pool, clock, settings_of(station));
      for (std::int64_t seq = 0; seq < 3; ++seq) session->submit(chunk_of(station, seq));
      session->skip_before(station % 2 == 0 ? 100 : 2);
    }
  }
}

}  // namespace
}  // namespace auralis::opus_session_concurrency_test
