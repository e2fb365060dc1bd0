// SPDX-License-Identifier: MIT
// Reports of a run: lines of text, or a JSON object. Pure; any thread.
#pragma once

#include <string>

#include "tools/load/options.h"
#include "tools/load/run.h"

namespace auralis {

std::string report_text(const LoadOptions& options, const LoadResult& result);
std::string report_json(const LoadOptions& options, const LoadResult& result);

}  // namespace auralis
