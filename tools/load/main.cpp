// SPDX-License-Identifier: MIT
// auralis-load: connects many listeners from one process, and reports what they received.
#include <exception>
#include <iostream>

#include "common/base/inherited_state.h"
#include "tools/arguments.h"
#include "tools/load/options.h"
#include "tools/load/report.h"
#include "tools/load/run.h"

namespace auralis {
namespace {

int load_main(int argc, char** argv) {
  try {
    const auto options = parse_load_options(argc, argv, std::cout);
    if (!options) return 0;
    LoadRun load(*options);
    const LoadResult result = load.run();
    std::cout << (options->json ? report_json(*options, result) : report_text(*options, result))
              << std::flush;
    return result.tally.clean(options->listeners - options->stalled) ? 0 : 1;
  } catch (const UsageError& error) {
    std::cerr << "auralis-load: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "auralis-load: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  auralis::open_standard_descriptors();
  return auralis::load_main(argc, argv);
}
