// SPDX-License-Identifier: MIT
// A view as lines of plain text, at most 80 columns wide. Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "tools/top/view.h"

namespace auralis {

enum class Emphasis { kPlain, kHeading, kWarning, kBad };

struct Line {
  std::string text;
  Emphasis emphasis = Emphasis::kPlain;
};

std::vector<Line> page_of(const View& view);

// The same as one text.
std::string text_of(const std::vector<Line>& page);

std::string_view status_name(DaemonStatus status);
std::string_view health_name(Health health);
std::string_view state_name(AlertState state);

}  // namespace auralis
