// SPDX-License-Identifier: MIT
#include "tools/top/options.h"

#include <ostream>

#include "tools/arguments.h"
#include "tools/runtime_options.h"

namespace auralis {
namespace {

void declare(Arguments& arguments) {
  const std::string output = "Instead of a screen that is redrawn each second";
  arguments.declare_switch("--once", "Print one page of text", output);
  arguments.declare_switch("--json", "Print the same, and all metrics, as JSON", output);
  arguments.declare("--metric", "NAME", "Print the values of that metric, a line each", output);
  declare_runtime_options(arguments);
  arguments.set_footer(
      "Reads shared memory and asks no daemon. The screen shows the last minute; keys: q quits, w chooses "
      "another\n"
      "window, arrows scroll. The others measure for a second, and exit with 0 if all is healthy, 1 if the\n"
      "condition of a high or critical alert holds, 2 if synthd or streamd is down or cannot be read, or the "
      "usage\n"
      "is wrong.");
}

}  // namespace

std::optional<TopOptions> parse_top_options(int argc, const char* const* argv, const char* const* environment,
                                            std::ostream& out) {
  Arguments arguments("Shows what the daemons do.", "auralis-top");
  declare(arguments);
  if (!arguments.parse(argc, argv, out)) return std::nullopt;
  TopOptions options;
  const bool once = arguments.is_given("--once");
  const bool json = arguments.is_given("--json");
  const std::string* const metric = arguments.text("--metric");
  if (int{once} + int{json} + int{metric != nullptr} > 1)
    throw UsageError("--once, --json and --metric exclude each other");
  if (metric != nullptr) {
    options.mode = TopOptions::Mode::kMetric;
    options.metric = *metric;
  } else if (once || json) {
    options.mode = once ? TopOptions::Mode::kOnce : TopOptions::Mode::kJson;
  }
  options.config = read_runtime_config(arguments, environment);
  return options;
}

}  // namespace auralis
