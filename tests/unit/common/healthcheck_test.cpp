// SPDX-License-Identifier: MIT
#include "common/healthcheck.h"

#include "common/metrics_segment.h"
#include "support.h"

#include <doctest/doctest.h>

#include <sstream>

namespace auralis {
namespace {

TEST_CASE("a healthcheck tells a daemon that is missing, healthy, hung and stopped, and says which") {
  const test::TempDir dir;
  Config config;
  config.runtime.dir = dir.path();
  const auto check = [&](std::int64_t now_ns, int expected) {
    std::ostringstream out;
    CHECK(healthcheck(config, Daemon::kStreamd, now_ns, out) == expected);
    return out.str();
  };
  CHECK(check(1, 1).find("streamd is not healthy: segment " + (dir.path() / "streamd" / "metrics").string() +
                         " is not there") == 0);
  {
    const MetricsWriter writer(config.daemon_dir(Daemon::kStreamd), {}, 1, 1);
    CHECK(check(1, 0) == "streamd is healthy\n");
    CHECK(check(1 + SegmentReader::kHungAfterNs, 1) == "streamd hangs: its heartbeat stands still\n");
  }
  CHECK(check(1, 1) == "streamd is not running\n");
}

}  // namespace
}  // namespace auralis
