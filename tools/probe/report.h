// SPDX-License-Identifier: MIT
// The result of a probe, for people and for programs. Pure; any thread.
#pragma once

#include <string>

#include "tools/probe/verdict.h"

namespace auralis {

// One line.
std::string probe_text(const ProbeOptions& options, const Reception& reception, const Verdict& verdict);

// An object; what could not be measured is absent.
std::string probe_json(const ProbeOptions& options, const Reception& reception, const Verdict& verdict);

}  // namespace auralis
