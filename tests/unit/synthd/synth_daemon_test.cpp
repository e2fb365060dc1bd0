// SPDX-License-Identifier: MIT
// All parts of synthd together, with the native engine, in real time. lifecycle_test.py covers signals and
// systemd.
#include "synthd/synth_daemon.h"

#include "common/segments/audio_segment.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <iostream>
#include <sstream>
#include <thread>

namespace auralis::synth_daemon_test {

using namespace test;

namespace {

Config config_in(const TempDir& folder) {
  Config config;
  config.runtime.dir = folder.path();
  config.synthd.engine = EngineChoice::kNative;
  config.synthd.max_stations = 2;
  config.stations = {{"day", 1, kPresets[0].parameters, false}};
  return config;
}

// Runs in a separate thread: Service blocks signals in the thread that constructs it.
void in_thread_with_service(const std::function<void(Service&)>& body) {
  std::thread([&] {
    Service service;
    body(service);
  }).join();
}

// True if `reached` becomes true within half a minute.
bool eventually(const std::function<bool()>& reached) {
  for (int i = 0; i < 3'000 && !reached(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  return reached();
}

std::string name_at(AudioReader& reader, std::size_t index) {
  reader.refresh();
  const auto state = reader.state({index, reader.generation(index)});
  return state ? state->name : "";
}

std::int64_t newest(AudioReader& reader) {
  reader.refresh();
  return reader.newest({0, reader.generation(0)}).value_or(-1);
}

}  // namespace

TEST_CASE("a daemon renders as soon as it is constructed, and a second one continues where it stopped") {
  const TempDir folder;
  const Config config = config_in(folder);
  AudioReader reader(config.daemon_dir(Daemon::kSynthd));
  std::int64_t stopped_at = -1;
  in_thread_with_service([&](Service& service) {
    SynthDaemon daemon(config, service);
    CHECK(eventually([&] { return newest(reader) >= 5; }));
    CHECK(daemon.healthy());
    daemon.housekeeping();
    CHECK(service.exit_status() == 0);
  });
  stopped_at = newest(reader);
  in_thread_with_service([&](Service& service) {
    const SynthDaemon daemon(config, service);
    CHECK(eventually([&] { return newest(reader) > stopped_at; }));
    CHECK(reader.capacity() == 2);
    CHECK(name_at(reader, 0) == "day");
  });
}

TEST_CASE("a new configuration adds and removes stations while the daemon runs") {
  const TempDir folder;
  Config config = config_in(folder);
  AudioReader reader(config.daemon_dir(Daemon::kSynthd));
  in_thread_with_service([&](Service& service) {
    SynthDaemon daemon(config, service);
    config.stations.push_back({"night", 2, kPresets[2].parameters, false});
    daemon.reconfigure(config);
    CHECK(eventually([&] { return name_at(reader, 1) == "night"; }));
    config.stations.erase(config.stations.begin());
    daemon.reconfigure(config);
    CHECK(eventually([&] { return name_at(reader, 0).empty(); }));
    CHECK(name_at(reader, 1) == "night");
  });
}

TEST_CASE("the native engine can always be selected, a missing device cannot") {
  const TempDir folder;
  prepare_opencl();
  Config config = config_in(folder);
  std::ostringstream printed;
  std::streambuf* const standard = std::cout.rdbuf(printed.rdbuf());
  const int native = list_devices(config);
  config.synthd.engine = EngineChoice::kOpenCl;
  config.synthd.device = "no such device";
  const int missing = list_devices(config);
  std::cout.rdbuf(standard);
  CHECK(native == 0);
  CHECK(missing == 1);
  CHECK(printed.str().find("<- chosen") != std::string::npos);
}

}  // namespace auralis::synth_daemon_test
