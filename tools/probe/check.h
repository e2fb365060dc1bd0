// SPDX-License-Identifier: MIT
// Asks a server what it should have sent, renders that, and judges what it has sent.
#pragma once

#include "tools/probe/verdict.h"

namespace auralis {

// Throws ConnectionError if the server does not say what its music is, unless something is wrong already;
// EngineError.
Verdict check(const ProbeOptions& options, const Reception& reception);

}  // namespace auralis
