// SPDX-License-Identifier: MIT
#include "tools/top/options.h"

#include <ostream>

#include "common/config/config_loader.h"
#include "common/config/config_table.h"
#include "tools/arguments.h"

namespace auralis {
namespace {

void declare(Arguments& arguments) {
  const std::string output = "Instead of a screen that is redrawn each second";
  arguments.declare_switch("--once", "Print one page of text", output);
  arguments.declare_switch("--json", "Print the same, and all metrics, as JSON", output);
  arguments.declare("--metric", "NAME", "Print the values of that metric, a line each", output);
  const std::string where = "Where the daemons are";
  arguments.declare("--runtime-dir", "DIR", "Folder of their shared memory; default: theirs", where);
  arguments.declare("--config", "FILE",
                    "Their configuration file; default " + std::string(kDefaultConfigFile) + ", if it exists",
                    where);
  arguments.set_footer(
      "Reads shared memory and asks no daemon. The screen shows the last minute; keys: q quits, w chooses "
      "another\n"
      "window, arrows scroll. The others measure for a second, and exit with 0 if all is healthy, 1 if the\n"
      "condition of a high or critical alert holds, 2 if synthd or streamd is down or cannot be read, or the "
      "usage\n"
      "is wrong.");
}

Config read_config(const Arguments& arguments, const char* const* environment) {
  ConfigLoader loader;
  const std::string* const file = arguments.text("--config");
  loader.read_file(file != nullptr ? *file : std::string(kDefaultConfigFile), file != nullptr);
  loader.read_environment(environment);
  if (const std::string* const folder = arguments.text("--runtime-dir"))
    loader.set_flag(config_key_index("runtime", "dir"), "--runtime-dir", *folder);
  loader.check_together();
  loader.resolve_stations();
  loader.resolve_runtime_dir(environment);
  return loader.config();
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
  options.config = read_config(arguments, environment);
  return options;
}

}  // namespace auralis
