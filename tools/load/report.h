// SPDX-License-Identifier: MIT
// What a run is told as: some lines for people, or a JSON object.
#pragma once

#include <string>

#include "tools/load/options.h"
#include "tools/load/run.h"

namespace auralis {

std::string report_text(const LoadOptions& options, const LoadResult& result);
std::string report_json(const LoadOptions& options, const LoadResult& result);

}  // namespace auralis
