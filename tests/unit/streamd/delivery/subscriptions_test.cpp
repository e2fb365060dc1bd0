// SPDX-License-Identifier: MIT
#include "streamd/delivery/subscriptions.h"

#include <doctest/doctest.h>

#include <set>

namespace auralis::subscriptions_test {
namespace {

constexpr StationId kGarden{0, 1};
constexpr StationId kHarbour{1, 3};

std::size_t index_of(WireFormat format) { return static_cast<std::size_t>(format); }

TEST_CASE("listeners are spread evenly over the phases, the first ones far apart") {
  Subscriptions subscriptions;
  std::set<std::uint32_t> first;
  for (ConnectionId id = 1; id <= 5; ++id) {
    subscriptions.add(id, 0, WireFormat::kPcm, kGarden);
    first.insert(subscriptions.find(id)->phase);
  }
  CHECK(first == std::set<std::uint32_t>{0, 8, 16, 24, 32});
  std::map<std::uint32_t, int> counts;
  for (ConnectionId id = 6; id <= 120; ++id) subscriptions.add(id, 0, WireFormat::kPcm, kGarden);
  for (ConnectionId id = 1; id <= 120; ++id) ++counts[subscriptions.find(id)->phase];
  CHECK(counts.size() == kPhases);
  for (const auto& entry : counts) CHECK(entry.second == 3);
  // A listener that leaves makes room in its phase.
  const std::uint32_t phase = subscriptions.find(60)->phase;
  subscriptions.remove(60);
  subscriptions.add(121, 0, WireFormat::kPcm, kGarden);
  CHECK(subscriptions.find(121)->phase == phase);
}

TEST_CASE("a connection for messages alone keeps its station, needs no audio, and is no listener") {
  Subscriptions subscriptions;
  subscriptions.add(1, 0, WireFormat::kMessages, kGarden);
  subscriptions.begin(1);
  CHECK(subscriptions.next_busy_phase(0) == kPhases);
  CHECK(subscriptions.connections_to(kGarden) == 1);
  CHECK(subscriptions.listeners_of(kGarden) == 0);
  // It takes no phase from a listener.
  subscriptions.add(2, 0, WireFormat::kPcm, kGarden);
  CHECK(subscriptions.find(2)->phase == subscriptions.find(1)->phase);
  CHECK(subscriptions.connections_to(kGarden) == 2);
  CHECK(subscriptions.listeners_of(kGarden) == 1);
  subscriptions.remove(2);
  subscriptions.remove(1);
  CHECK(subscriptions.connections_to(kGarden) == 0);
}

TEST_CASE("a phase needs each station once a worker, in the formats of the listeners that are delivered to") {
  Subscriptions subscriptions;
  subscriptions.add(1, 0, WireFormat::kPcm, kGarden);
  CHECK(subscriptions.next_busy_phase(0) == kPhases);  // it waits
  CHECK(subscriptions.listeners_of(kGarden) == 1);
  subscriptions.begin(1);
  const std::uint32_t phase = subscriptions.find(1)->phase;
  CHECK(subscriptions.next_busy_phase(0) == phase);
  CHECK(subscriptions.next_busy_phase(phase + 1) == kPhases);
  for (ConnectionId id = 2; id <= 2 * ConnectionId{kPhases}; ++id) {
    subscriptions.add(id, id % 2, id % 3 == 0 ? WireFormat::kJson : WireFormat::kPcm,
                      id % 2 == 0 ? kHarbour : kGarden);
    subscriptions.begin(id);
  }
  std::size_t needs = 0;
  for (std::uint32_t one = 0; one < kPhases; ++one) {
    for (const auto& need : subscriptions.needs_of(one)) {
      ++needs;
      CHECK(need.formats.any());
      CHECK_FALSE(need.formats[index_of(WireFormat::kOpus)]);
    }
  }
  CHECK(needs >= kPhases);
  for (ConnectionId id = 1; id <= 2 * ConnectionId{kPhases}; ++id) subscriptions.remove(id);
  CHECK(subscriptions.next_busy_phase(0) == kPhases);
  CHECK(subscriptions.stations().empty());
}

TEST_CASE("what a listener needs follows it to another station and format") {
  Subscriptions subscriptions;
  subscriptions.add(1, 2, WireFormat::kPcm, kGarden);
  subscriptions.begin(1);
  const std::uint32_t phase = subscriptions.find(1)->phase;
  subscriptions.set_format(1, WireFormat::kOpus);
  subscriptions.switch_station(1, kHarbour);
  auto needs = subscriptions.needs_of(phase);
  REQUIRE(needs.size() == 1);
  CHECK(needs[0].worker == 2);
  CHECK(needs[0].station == kHarbour);
  CHECK(needs[0].formats == FormatSet(1U << index_of(WireFormat::kOpus)));
  subscriptions.move(kHarbour, kGarden);
  CHECK(subscriptions.needs_of(phase)[0].station == kGarden);
  CHECK(subscriptions.stations() == std::vector<StationId>{kGarden});
  // A listener that is gone changes nothing.
  subscriptions.remove(1);
  subscriptions.set_format(1, WireFormat::kPcm);
  subscriptions.begin(1);
  CHECK(subscriptions.size() == 0);
  CHECK(subscriptions.needs_of(phase).empty());
}

TEST_CASE("listeners in Opus are counted by station, however they are added, removed and changed") {
  Subscriptions subscriptions;
  const StationId first{0, 1};
  const StationId second{1, 1};
  subscriptions.add(1, 0, WireFormat::kOpus, first);
  subscriptions.add(2, 0, WireFormat::kOggOpus, first);
  subscriptions.add(3, 0, WireFormat::kPcm, first);
  CHECK(subscriptions.opus_listeners_of(first) == 2);
  CHECK(subscriptions.opus_listeners_of(second) == 0);
  subscriptions.set_format(3, WireFormat::kOpus);
  subscriptions.begin(3);
  CHECK(subscriptions.opus_listeners_of(first) == 3);
  subscriptions.switch_station(1, second);
  CHECK(subscriptions.opus_listeners_of(first) == 2);
  CHECK(subscriptions.opus_listeners_of(second) == 1);
  subscriptions.set_format(3, WireFormat::kWav);
  subscriptions.remove(2);
  CHECK(subscriptions.opus_listeners_of(first) == 0);
  CHECK(subscriptions.listeners_of(first) == 1);
}

}  // namespace
}  // namespace auralis::subscriptions_test
