// SPDX-License-Identifier: MIT
// auralis-top: shows what the daemons do, from their shared memory.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <iostream>
#include <sstream>
#include <thread>

#include "common/base/inherited_state.h"
#include "metricsd/prometheus_exporter.h"
#include "tools/arguments.h"
#include "tools/top/monitor.h"
#include "tools/top/options.h"
#include "tools/top/page.h"
#include "tools/top/screen.h"
#include "tools/top/view_json.h"

namespace auralis {
namespace {

constexpr std::int64_t kPeriodNs = kNsPerSecond;
constexpr std::array<std::int64_t, 3> kWindowsNs{60 * kNsPerSecond, 300 * kNsPerSecond, History::kSpanNs};

// The lines of /metrics with the values of one metric.
std::string metric_lines(Snapshot snapshot, const std::string& name) {
  auto& families = snapshot.families;
  families.erase(std::remove_if(families.begin(), families.end(),
                                [&](const SnapshotFamily& family) { return family.name != name; }),
                 families.end());
  std::istringstream text(exposition(snapshot));
  std::string lines;
  for (std::string line; std::getline(text, line);) {
    if (!line.empty() && line.front() != '#') lines += line + '\n';
  }
  return lines;
}

int print_once(const TopOptions& options, Monitor& monitor) {
  monitor.sample();
  std::this_thread::sleep_for(std::chrono::nanoseconds(kPeriodNs));
  monitor.sample();
  const View view = monitor.view(kWindowsNs.front());
  const int status = static_cast<int>(view.health);
  if (options.mode == TopOptions::Mode::kOnce) {
    std::cout << text_of(page_of(view)) << std::flush;
  } else if (options.mode == TopOptions::Mode::kJson) {
    std::cout << view_json(view, monitor.snapshot()) << std::flush;
  } else {
    const std::string lines = metric_lines(monitor.snapshot(), options.metric);
    if (lines.empty()) throw UsageError(shown(options.metric) + ": no such metric, or it has no value now");
    std::cout << lines << std::flush;
  }
  return status;
}

int run_screen(Monitor& monitor, const Clock& clock) {
  Screen screen(stdin, stdout);
  std::size_t window = 0;
  std::int64_t next_ns = clock.now_ns();
  for (;;) {
    const std::int64_t now_ns = clock.now_ns();
    if (now_ns >= next_ns) {
      monitor.sample();
      next_ns = now_ns + kPeriodNs;
      screen.show(page_of(monitor.view(kWindowsNs.at(window))));
    }
    const std::int64_t left_ns = std::max<std::int64_t>(0, next_ns - clock.now_ns());
    const Key key = screen.wait(static_cast<int>((left_ns + kNsPerMs - 1) / kNsPerMs));
    if (key == Key::kQuit) return 0;
    if (key != Key::kWindow) continue;
    window = (window + 1) % kWindowsNs.size();
    screen.show(page_of(monitor.view(kWindowsNs.at(window))));
  }
}

int top_main(int argc, char** argv) {
  try {
    const auto options = parse_top_options(argc, argv, environ, std::cout);
    if (!options) return 0;
    const SystemClock clock;
    Monitor monitor(options->config, clock);
    return options->mode == TopOptions::Mode::kScreen ? run_screen(monitor, clock)
                                                      : print_once(*options, monitor);
  } catch (const std::exception& error) {
    std::cerr << "auralis-top: " << error.what() << '\n';
    return 2;
  }
}

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  auralis::open_standard_descriptors();
  return auralis::top_main(argc, argv);
}
