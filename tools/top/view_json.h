// SPDX-License-Identifier: MIT
// A view for programs. Pure; any thread.
#pragma once

#include <string>

#include "tools/top/view.h"

namespace auralis {

// An object: the view, and as `metrics` all series of the snapshot, in the form that ZeroMQ has them. What is
// absent is left out.
std::string view_json(const View& view, const Snapshot& snapshot);

}  // namespace auralis
