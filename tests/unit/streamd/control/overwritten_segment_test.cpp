// SPDX-License-Identifier: MIT
// Noise in what synthd shares: streamd goes on, believes nothing that cannot be, and finds its way back.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "streamd/api/messages.h"
#include "streamd/control/station_table.h"
#include "streamd/delivery/chunk_pump.h"
#include "streamd/delivery/paced_delivery.h"
#include "tests/unit/streamd/support.h"

namespace auralis::control_overwritten_segment_test {
namespace {

constexpr std::int64_t kChunkNs = 100 * kNsPerMs;

struct Fixture {
  test::TempDir folder;
  test::ManualClock clock;
  test::OwnMetrics own;
  std::filesystem::path audio = folder.path() / "synthd" / "audio";
  test::FakeSynth synth{folder.path() / "synthd", clock.now};
  test::HeldExecutor encoding;
  SentMeter meter{folder.path() / "synthd"};
  ChunkPump pump{folder.path() / "synthd", clock, own.metrics, encoding, meter, 2, 96'000};
  StationTable stations{folder.path() / "streamd", pump.reader(), clock};
  Subscriptions subscriptions;
  std::size_t music = 0;  // chunks that were sent
  PacedDelivery delivery{pump, subscriptions, clock, [this](std::size_t, const Delivery& one) {
                           for (const StationAudio& station : one.stations) {
                             const auto& audio_message =
                                 station.formats.at(static_cast<std::size_t>(WireFormat::kPcm));
                             if (audio_message && !audio_message->silence) ++music;
                           }
                         }};

  // Does the work that the server does ten times a second.
  void tenth() {
    const std::int64_t playing = synth.writer().timeline().chunk_at(clock.now);
    synth.write(playing + 9, playing + 10);
    synth.writer().beat(clock.now);
    CHECK(stations.refresh(pump.refresh()).gone.empty());  // else its listeners would be sent away
    for (const auto& [id, state] : stations.all()) {
      if (id == synth.usual() && !pump.plays(id)) pump.add(id, state->name, true, own.metrics.configured[0]);
      if (const auto status = stations.status(id)) {
        // Throws for what is no UTF-8 or no number.
        const auto json =
            nlohmann::json::parse(status_message(*status, {pump.reader().timeline(), 0, 0}, "p"));
        CHECK_FALSE(json.at("station").get<std::string>().empty());
      }
      CHECK_FALSE(stations.permalink(id).empty());
    }
    pump.refresh();
    clock.now += kChunkNs;
    for (int step = 0; step < 3; ++step) delivery.step();
  }

  void write_noise(std::uint64_t seed, std::size_t begin, std::size_t bytes) {
    std::mt19937_64 random(seed);
    std::fstream file(audio, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(begin));
    for (; bytes >= 8; bytes -= 8) {
      const std::uint64_t word = random();
      file.write(reinterpret_cast<const char*>(&word), sizeof word);
    }
  }
};

TEST_CASE_FIXTURE(Fixture,
                  "noise in synthd's segment ends nothing, and the music is back within two seconds") {
  synth.write(0, 10);
  subscriptions.add(1, 0, WireFormat::kPcm, synth.usual());
  subscriptions.begin(1);
  for (int tenth_of = 0; tenth_of < 10; ++tenth_of) tenth();
  REQUIRE(music > 0);
  const std::size_t size = std::filesystem::file_size(audio);
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    CAPTURE(seed);
    // All of it, the table, or a few bytes anywhere; the header is the next test's.
    const std::size_t begin = seed % 3 == 2 ? 64 + seed * 7'919 % (size - 128) / 8 * 8 : 64;
    const std::size_t bytes = seed % 3 == 0 ? size - 64 : seed % 3 == 1 ? 8'192 : 64;
    write_noise(seed, begin, bytes);
    for (int tenth_of = 0; tenth_of < 3; ++tenth_of) tenth();
    for (int tenth_of = 0; tenth_of < 20; ++tenth_of) {
      synth.writer().run_housekeeping(clock.now);
      tenth();
    }
    music = 0;
    for (int tenth_of = 0; tenth_of < 5; ++tenth_of) tenth();
    CHECK(music >= 4);
  }
}

TEST_CASE_FIXTURE(Fixture, "noise over the whole file, its header included, is waited out") {
  synth.write(0, 10);
  for (int tenth_of = 0; tenth_of < 3; ++tenth_of) tenth();
  write_noise(1, 0, std::filesystem::file_size(audio));
  for (int tenth_of = 0; tenth_of < 3; ++tenth_of) tenth();
  for (int tenth_of = 0; tenth_of < 20; ++tenth_of) {
    synth.writer().run_housekeeping(clock.now);
    tenth();
  }
  CHECK(pump.reader().ready());
  CHECK(stations.find("default") == synth.usual());
  CHECK(pump.flowing());
}

}  // namespace
}  // namespace auralis::control_overwritten_segment_test
