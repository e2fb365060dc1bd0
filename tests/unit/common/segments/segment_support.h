// SPDX-License-Identifier: MIT
// Support for the tests of both sides of a segment.
#pragma once

#include "common/segments/segment.h"
#include "tests/unit/common/support.h"

#include <filesystem>

namespace auralis::test {

constexpr SegmentFormat kFormat{SegmentKind::kMetrics, 7, 4'096, 42};

// Where a segment is to be; there is none yet.
struct SegmentFixture {
  TempDir dir;
  std::filesystem::path path = dir.path() / "metrics";
};

}  // namespace auralis::test
