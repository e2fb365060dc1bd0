// SPDX-License-Identifier: MIT
// auralis-probe: listens to a running server, renders the same music itself, and compares.
#include <exception>
#include <iostream>

#include "common/base/inherited_state.h"
#include "tools/arguments.h"
#include "tools/probe/check.h"
#include "tools/probe/options.h"
#include "tools/probe/report.h"

namespace auralis {
namespace {

int probe_main(int argc, char** argv) {
  try {
    const auto options = parse_probe_options(argc, argv, std::cout);
    if (!options) return 0;
    const Reception reception = receive(*options);
    const Verdict verdict = check(*options, reception);
    std::cout << (options->json ? probe_json : probe_text)(*options, reception, verdict) << std::flush;
    return verdict.reason.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    std::cerr << "auralis-probe: " << error.what() << '\n';
    return 2;
  }
}

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  auralis::open_standard_descriptors();
  return auralis::probe_main(argc, argv);
}
