// SPDX-License-Identifier: MIT
// The result of a probe, for people and for programs. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "tools/probe/publication.h"
#include "tools/probe/verdict.h"

namespace auralis {

// One line.
std::string probe_text(const ProbeOptions& options, const Reception& reception, const Verdict& verdict);

// An object; what could not be measured is absent.
std::string probe_json(const ProbeOptions& options, const Reception& reception, const Verdict& verdict);

// What --publish shows, of a probe at `unix_ns`; options.publish is given. `verdict`: null if there is none.
ProbeResult probe_result(const ProbeOptions& options, const Reception& reception, const Verdict* verdict,
                         std::int64_t unix_ns);

}  // namespace auralis
