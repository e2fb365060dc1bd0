// SPDX-License-Identifier: MIT
// auralis-probe: listens to a running server, renders the same music itself, and compares.
#include <unistd.h>

#include <exception>
#include <iostream>
#include <optional>

#include "common/base/clock.h"
#include "common/base/inherited_state.h"
#include "tools/probe/check.h"
#include "tools/probe/options.h"
#include "tools/probe/publication.h"
#include "tools/probe/report.h"

namespace auralis {
namespace {

void tell(const std::exception& error) { std::cerr << "auralis-probe: " << error.what() << '\n'; }

int probe_main(int argc, char** argv) {
  int status = 2;
  std::optional<ProbeOptions> options;
  Reception reception;
  std::optional<Verdict> verdict;
  try {
    options = parse_probe_options(argc, argv, environ, std::cout);
    if (!options) return 0;
    reception = receive(*options);
    verdict = check(*options, reception);
    std::cout << (options->json ? probe_json : probe_text)(*options, reception, *verdict) << std::flush;
    status = verdict->reason.empty() ? 0 : 1;
  } catch (const std::exception& error) {
    tell(error);
  }
  // Also that it could not listen.
  if (!options || !options->publish) return status;
  try {
    const SystemClock clock;
    const Verdict* const found = verdict ? &*verdict : nullptr;
    publish(options->publish->folder, probe_result(*options, reception, found, clock.unix_ns()),
            clock.now_ns());
  } catch (const std::exception& error) {
    tell(error);
    return 2;
  }
  return status;
}

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  auralis::open_standard_descriptors();
  return auralis::probe_main(argc, argv);
}
