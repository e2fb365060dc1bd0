// SPDX-License-Identifier: MIT
#include "streamd/delivery/audience.h"

#include <doctest/doctest.h>

#include <set>

namespace auralis {
namespace {

constexpr StationId kGarden{0, 1};
constexpr StationId kHarbour{1, 3};

std::size_t index_of(WireFormat format) { return static_cast<std::size_t>(format); }

TEST_CASE("listeners are spread evenly over the phases, the first ones far apart") {
  Audience audience;
  std::set<std::uint32_t> first;
  for (ConnectionId id = 1; id <= 5; ++id) {
    audience.add(id, 0, WireFormat::kPcm, kGarden);
    first.insert(audience.find(id)->phase);
  }
  CHECK(first == std::set<std::uint32_t>{0, 8, 16, 24, 32});
  std::map<std::uint32_t, int> counts;
  for (ConnectionId id = 6; id <= 120; ++id) audience.add(id, 0, WireFormat::kPcm, kGarden);
  for (ConnectionId id = 1; id <= 120; ++id) ++counts[audience.find(id)->phase];
  CHECK(counts.size() == kPhases);
  for (const auto& entry : counts) CHECK(entry.second == 3);
  // Who leaves makes room in its phase.
  const std::uint32_t phase = audience.find(60)->phase;
  audience.remove(60);
  audience.add(121, 0, WireFormat::kPcm, kGarden);
  CHECK(audience.find(121)->phase == phase);
}

TEST_CASE("a phase needs each station once a worker, in the formats of those who are delivered to") {
  Audience audience;
  audience.add(1, 0, WireFormat::kPcm, kGarden);
  CHECK(audience.next_busy_phase(0) == kPhases);  // it waits
  CHECK(audience.listeners_of(kGarden) == 1);
  audience.begin(1);
  const std::uint32_t phase = audience.find(1)->phase;
  CHECK(audience.next_busy_phase(0) == phase);
  CHECK(audience.next_busy_phase(phase + 1) == kPhases);
  for (ConnectionId id = 2; id <= 2 * kPhases; ++id) {
    audience.add(id, id % 2, id % 3 == 0 ? WireFormat::kJson : WireFormat::kPcm,
                 id % 2 == 0 ? kHarbour : kGarden);
    audience.begin(id);
  }
  std::size_t needs = 0;
  for (std::uint32_t one = 0; one < kPhases; ++one) {
    for (const auto& need : audience.needs_of(one)) {
      ++needs;
      CHECK(need.formats.any());
      CHECK_FALSE(need.formats[index_of(WireFormat::kOpus)]);
    }
  }
  CHECK(needs >= kPhases);
  for (ConnectionId id = 1; id <= 2 * kPhases; ++id) audience.remove(id);
  CHECK(audience.next_busy_phase(0) == kPhases);
  CHECK(audience.stations().empty());
}

TEST_CASE("what a listener needs follows it to another station and format") {
  Audience audience;
  audience.add(1, 2, WireFormat::kPcm, kGarden);
  audience.begin(1);
  const std::uint32_t phase = audience.find(1)->phase;
  audience.set_format(1, WireFormat::kOpus);
  audience.retune(1, kHarbour);
  auto needs = audience.needs_of(phase);
  REQUIRE(needs.size() == 1);
  CHECK(needs[0].worker == 2);
  CHECK(needs[0].station == kHarbour);
  CHECK(needs[0].formats == FormatSet(1U << index_of(WireFormat::kOpus)));
  audience.move(kHarbour, kGarden);
  CHECK(audience.needs_of(phase)[0].station == kGarden);
  CHECK(audience.stations() == std::vector<StationId>{kGarden});
  // One who is gone changes nothing.
  audience.remove(1);
  audience.set_format(1, WireFormat::kPcm);
  audience.begin(1);
  CHECK(audience.size() == 0);
  CHECK(audience.needs_of(phase).empty());
}

TEST_CASE("those who hear a station in Opus are counted, however they come, go and change") {
  Audience audience;
  const StationId first{0, 1};
  const StationId second{1, 1};
  audience.add(1, 0, WireFormat::kOpus, first);
  audience.add(2, 0, WireFormat::kOggOpus, first);
  audience.add(3, 0, WireFormat::kPcm, first);
  CHECK(audience.opus_listeners_of(first) == 2);
  CHECK(audience.opus_listeners_of(second) == 0);
  audience.set_format(3, WireFormat::kOpus);
  audience.begin(3);
  CHECK(audience.opus_listeners_of(first) == 3);
  audience.retune(1, second);
  CHECK(audience.opus_listeners_of(first) == 2);
  CHECK(audience.opus_listeners_of(second) == 1);
  audience.set_format(3, WireFormat::kWav);
  audience.remove(2);
  CHECK(audience.opus_listeners_of(first) == 0);
  CHECK(audience.listeners_of(first) == 1);
}

}  // namespace
}  // namespace auralis
