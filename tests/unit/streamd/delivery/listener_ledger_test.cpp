// SPDX-License-Identifier: MIT
#include "streamd/delivery/listener_ledger.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/unit/streamd/support.h"

namespace auralis::listener_ledger_test {
namespace {

constexpr StationId kGarden{0, 1};
constexpr StationId kPersonal{3, 7};
constexpr StationId kUnknown{};

using Place = ListenerLedger::Place;

struct Fixture {
  test::ManualClock clock;
  test::OwnMetrics own;  // its first label is "default"
  ListenerLedger ledger{clock, own.metrics};

  Fixture() {
    ledger.set_group(kGarden, 0);
    ledger.set_group(kPersonal, kPersonalGroup);
  }
  double value(const std::string& name, const std::string& label = {}) const {
    return own.sample(name, label).value;
  }
  // The series of that name: the values of their labels, joined, and the series' values.
  std::map<std::string, double> series(const std::string& name) const {
    std::map<std::string, double> found;
    for (const MetricSample& sample : own.samples()) {
      if (sample.spec.name != name) continue;
      std::string labels;
      for (const MetricLabel& label : sample.spec.labels) labels += (labels.empty() ? "" : " ") + label.value;
      found[labels] = sample.value;
    }
    return found;
  }
  std::map<std::string, double> connected() const { return series("auralis_listeners"); }
  std::map<std::string, double> seconds() const { return series("auralis_listener_seconds_total"); }
  void check_books() const {
    double sum = 0;
    for (const auto& one : connected()) sum += one.second;
    CHECK(sum == value("websocket_active_connections"));
    CHECK(value("websocket_connections_total") ==
          value("websocket_active_connections") + own.metrics.disconnected());
  }
};

TEST_CASE_FIXTURE(Fixture, "listeners are counted by station, format and transport; none is no series") {
  CHECK(connected().empty());
  ledger.add({kGarden, WireFormat::kPcm});
  ledger.add({kGarden, WireFormat::kPcm});
  ledger.add({kGarden, WireFormat::kOpus});
  ledger.add({kGarden, WireFormat::kOggOpus});
  ledger.add({kPersonal, WireFormat::kWav});
  ledger.add({kUnknown, WireFormat::kJson});
  CHECK(connected() == std::map<std::string, double>{{"default pcm websocket", 2},
                                                     {"default opus websocket", 1},
                                                     {"default opus http", 1},
                                                     {"personal wav http", 1},
                                                     {"(none) json websocket", 1}});
  check_books();
  ledger.remove({kGarden, WireFormat::kOpus}, DisconnectReason::kClient, clock.now);
  CHECK(connected().count("default opus websocket") == 0);
  CHECK(value("websocket_disconnections_total", "client") == 1);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "a listener that changes its station or format is counted where it is") {
  ledger.add({kUnknown, WireFormat::kPcm});
  ledger.move({kUnknown, WireFormat::kPcm}, {kGarden, WireFormat::kPcm});
  clock.now += 2 * kNsPerSecond;
  ledger.move({kGarden, WireFormat::kPcm}, {kGarden, WireFormat::kOpus});
  CHECK(connected() == std::map<std::string, double>{{"default opus websocket", 1}});
  clock.now += kNsPerSecond;
  ledger.count_seconds();
  CHECK(seconds() == std::map<std::string, double>{{"default pcm", 2}, {"default opus", 1}});
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "a connection for messages alone is no listener, and has a gauge of its own") {
  const Place place{kGarden, WireFormat::kMessages};
  ledger.add(place);
  ledger.move(place, {kUnknown, WireFormat::kMessages});
  clock.now += kNsPerSecond;
  ledger.count_seconds();
  CHECK(value("auralis_message_connections") == 1);
  CHECK(connected().empty());
  CHECK(seconds().empty());
  check_books();
  ledger.remove({kUnknown, WireFormat::kMessages}, DisconnectReason::kClient, clock.now);
  CHECK(value("auralis_message_connections") == 0);
  CHECK(value("websocket_connections_total") == 0);
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "the peak is the most at a time") {
  const Place place{kGarden, WireFormat::kPcm};
  for (int i = 0; i < 3; ++i) ledger.add(place);
  ledger.remove(place, DisconnectReason::kReset, clock.now);
  ledger.add(place);
  CHECK(value("auralis_listeners_peak") == 3);
  CHECK(value("websocket_active_connections") == 3);
}

TEST_CASE_FIXTURE(Fixture, "the seconds of both formats of Opus are one counter, and equal the durations") {
  const std::int64_t begin_ns = clock.now;
  ledger.add({kGarden, WireFormat::kOpus});
  clock.now += kNsPerSecond;
  ledger.add({kGarden, WireFormat::kOggOpus});
  clock.now += kNsPerSecond;
  ledger.remove({kGarden, WireFormat::kOpus}, DisconnectReason::kClient, begin_ns);
  ledger.remove({kGarden, WireFormat::kOggOpus}, DisconnectReason::kClient, begin_ns + kNsPerSecond);
  clock.now += kNsPerSecond;
  ledger.count_seconds();
  CHECK(seconds() == std::map<std::string, double>{{"default opus", 3}});
  CHECK(own.sample("websocket_connection_duration_seconds").sum == 3);
  CHECK(own.sample("websocket_connection_duration_seconds").count() == 2);
}

TEST_CASE_FIXTURE(Fixture, "of a station that has ended nothing is lost: it counts as none") {
  ledger.add({kGarden, WireFormat::kPcm});
  ledger.add({kPersonal, WireFormat::kPcm});
  clock.now += kNsPerSecond;
  ledger.release_group(0);
  CHECK(connected() ==
        std::map<std::string, double>{{"(none) pcm websocket", 1}, {"personal pcm websocket", 1}});
  CHECK(seconds() == std::map<std::string, double>{{"(none) pcm", 1}, {"personal pcm", 1}});
  ledger.remove_station(kPersonal);
  CHECK(connected() == std::map<std::string, double>{{"(none) pcm websocket", 2}});
  check_books();
  // The next station with that label does not have the former one's listeners.
  ledger.set_group({1, 1}, 0);
  ledger.add({{1, 1}, WireFormat::kPcm});
  CHECK(connected().at("default pcm websocket") == 1);
  ledger.remove({kGarden, WireFormat::kPcm}, DisconnectReason::kOperator, clock.now);
  ledger.remove({kPersonal, WireFormat::kPcm}, DisconnectReason::kOperator, clock.now);
  CHECK(connected() == std::map<std::string, double>{{"default pcm websocket", 1}});
  check_books();
}

TEST_CASE_FIXTURE(Fixture, "the next streamd settles the books of one that was killed") {
  ledger.add({kGarden, WireFormat::kPcm});
  clock.now += kNsPerSecond;
  ledger.add({kGarden, WireFormat::kOggOpus});
  clock.now += kNsPerSecond;
  ledger.count_seconds();
  const ListenerLedger next(clock, own.metrics);
  CHECK(value("websocket_disconnections_total", "crash") == 2);
  CHECK(value("websocket_active_connections") == 0);
  CHECK(own.sample("websocket_connection_duration_seconds").count() == 2);
  CHECK(own.sample("websocket_connection_duration_seconds").sum == 3);
}

}  // namespace
}  // namespace auralis::listener_ledger_test
