// SPDX-License-Identifier: MIT
#include "tools/top/page.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace auralis::page_test {
namespace {

View healthy_view() {
  View view;
  view.unix_ns = 1'700'000'000 * kNsPerSecond;
  view.window_s = 60;
  view.health = Health::kHealthy;
  view.daemons = {{Daemon::kSynthd, DaemonStatus::kUp, {}, 0.1, 3.25, 77.0},
                  {Daemon::kStreamd, DaemonStatus::kUp, {}, 0.2, {}, {}},
                  {Daemon::kMetricsd, DaemonStatus::kUp, {}, {}, {}, {}}};
  view.listeners = 12;
  view.listeners_by_format = {{"opus", 3}, {"pcm", 9}};
  view.realtime_factor = 41.25;
  view.latencies = {{"synthesis", 1.25, 2.5, 5.0}, {"delivery", {}, {}, {}}};
  view.drops = {{"backlog", 0}};
  view.stations = {{"day", 799.4, 40.0, 12'345.0, 0.4, {}, 0}};
  return view;
}

// The first line that begins so.
Line line_of(const View& view, const std::string& beginning) {
  const auto page = page_of(view);
  const auto found = std::find_if(page.begin(), page.end(), [&](const Line& line) {
    return line.text.compare(0, beginning.size(), beginning) == 0;
  });
  REQUIRE(found != page.end());
  return *found;
}

}  // namespace

TEST_CASE("a page has what an operator looks for, and a dash for what is absent") {
  const View view = healthy_view();
  CHECK(line_of(view, "Auralis is healthy at ").text.find("; last 60 s") != std::string::npos);
  CHECK(line_of(view, "synthd").text ==
        "synthd    up         heartbeat  0.1 s   CPU   3.2 %   memory    77.0 MB");
  CHECK(line_of(view, "streamd").text ==
        "streamd   up         heartbeat  0.2 s   CPU     - %   memory       - MB");
  CHECK(line_of(view, "listeners").text.find("listeners 12, - behind   success - %") == 0);
  CHECK(line_of(view, "hearing").text == "hearing opus 3, pcm 9; synthd renders at 41.2 x real time");
  CHECK(line_of({}, "hearing").text == "hearing -; synthd renders at - x real time");
  CHECK(line_of(view, "synthesis").text == "synthesis                  1.2       2.5       5.0");
  CHECK(line_of(view, "delivery").text == "delivery                     -         -         -");
  CHECK(line_of(view, "dropped").text == "dropped a second: none; overruns 0");
  CHECK(line_of(view, "none holds").emphasis == Emphasis::kPlain);
  CHECK(line_of(view, "day").text ==
        "day                               799    40    -8      12345         0");
}

TEST_CASE("trouble stands out") {
  View view = healthy_view();
  view.health = Health::kDown;
  view.daemons[0] = {
      Daemon::kSynthd, DaemonStatus::kHung, "synthd hangs: its heartbeat has stopped", 7.0, {}, {}};
  view.drops[0].per_s = 2.5;
  view.overruns = 2;
  view.stations[0].depth_ms = 150;
  Condition& low = view.conditions.at(alert_index("RingBufferDepthLow"));
  low = {AlertState::kPending, view.unix_ns, "day", 150.0};
  CHECK(line_of(view, "Auralis is down").emphasis == Emphasis::kBad);
  const Line synthd = line_of(view, "synthd");
  CHECK(synthd.text == "synthd    hung       heartbeat  7.0 s");
  CHECK(synthd.emphasis == Emphasis::kBad);
  CHECK(line_of(view, "  synthd hangs: its heartbeat has stopped").emphasis == Emphasis::kBad);
  CHECK(line_of(view, "dropped").text == "dropped a second: backlog 2.5; overruns 2");
  CHECK(line_of(view, "day").emphasis == Emphasis::kWarning);
  const Line condition = line_of(view, "high RingBufferDepthLow");
  CHECK(condition.text.find("high RingBufferDepthLow of day pending, 150 (< 200 ms), since ") == 0);
  CHECK(condition.emphasis == Emphasis::kWarning);
  low.state = AlertState::kFiring;
  CHECK(line_of(view, "high RingBufferDepthLow").emphasis == Emphasis::kBad);
}

TEST_CASE("digital silence has a level, and what was not measured has none") {
  View view = healthy_view();
  view.stations[0].peak = 0;
  CHECK(line_of(view, "day").text.find(" -99 ") != std::string::npos);
  view.stations[0].peak.reset();
  CHECK(line_of(view, "day").text.find("    -  ") != std::string::npos);
}

TEST_CASE("no line is wider than a terminal, and the text has them all") {
  View view = healthy_view();
  view.daemons[1].problem = std::string(300, 'x');
  view.daemons[1].status = DaemonStatus::kUnreadable;
  view.stations[0].name = std::string(31, 'n');
  for (auto& condition : view.conditions)
    condition = {AlertState::kFiring, view.unix_ns, std::string(31, 's'), 123'456.0};
  for (const char* reason : {"step_down", "disconnect", "error", "encoding", "overrun"})
    view.drops.push_back({reason, 12'345.6});
  const auto page = page_of(view);
  for (const Line& line : page) CHECK(line.text.size() <= 80);
  const std::string text = text_of(page);
  CHECK(std::count(text.begin(), text.end(), '\n') == static_cast<std::ptrdiff_t>(page.size()));
}

}  // namespace auralis::page_test
