// SPDX-License-Identifier: MIT
#include "common/daemon/healthcheck.h"

#include "common/base/clock.h"
#include "common/metrics/metrics_segment.h"
#include "common/segments/audio_segment.h"
#include "common/segments/control_segment.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <sstream>
#include <vector>

namespace auralis::healthcheck_test {
namespace {

struct HealthFixture {
  test::TempDir dir;
  Config config = in(dir.path());

  static Config in(const std::filesystem::path& path) {
    Config config;
    config.runtime.dir = path;
    return config;
  }
  std::string check(Daemon daemon, std::int64_t now_ns, int expected) const {
    std::ostringstream out;
    CHECK(healthcheck(config, daemon, now_ns, out) == expected);
    return out.str();
  }
  std::string path(Daemon daemon, const char* segment) const {
    return (config.daemon_dir(daemon) / segment).string();
  }
};

TEST_CASE_FIXTURE(HealthFixture,
                  "a healthcheck distinguishes a daemon that is missing, healthy, hung or stopped") {
  CHECK(check(Daemon::kStreamd, 1, 1)
            .find("streamd is not healthy: segment " + path(Daemon::kStreamd, "metrics") +
                  " does not exist") == 0);
  {
    const MetricsWriter metrics(config.daemon_dir(Daemon::kStreamd), {}, 1, 1);
    const ControlWriter control(config.daemon_dir(Daemon::kStreamd), 1);
    CHECK(check(Daemon::kStreamd, 1, 0) == "streamd is healthy\n");
    CHECK(check(Daemon::kStreamd, 1 + SegmentReader::kHungAfterNs, 1) ==
          "streamd hangs: its heartbeat has stopped\n");
  }
  CHECK(check(Daemon::kStreamd, 1, 1) == "streamd is not running\n");
}

TEST_CASE_FIXTURE(HealthFixture, "a daemon is not healthy while one of its segments is unavailable") {
  const MetricsWriter metrics(config.daemon_dir(Daemon::kStreamd), {}, 1, 1);
  ControlWriter control(config.daemon_dir(Daemon::kStreamd), 1);
  DaemonHealth watched(config, Daemon::kStreamd);
  CHECK_FALSE(watched.problem(1));
  std::filesystem::remove(path(Daemon::kStreamd, "control"));
  CHECK(check(Daemon::kStreamd, 1, 1).find(path(Daemon::kStreamd, "control") + " does not exist") !=
        std::string::npos);
  CHECK(watched.problem(1) == "streamd is not healthy: " + path(Daemon::kStreamd, "control") +
                                  " was removed, replaced or overwritten");
  control.beat(1);
  CHECK(check(Daemon::kStreamd, 1, 0) == "streamd is healthy\n");
  CHECK_FALSE(watched.problem(1));
}

TEST_CASE_FIXTURE(HealthFixture, "synthd is healthy while the current chunk is in a ring") {
  const MetricsWriter metrics(config.daemon_dir(Daemon::kSynthd), {}, 1, 1);
  AudioWriter audio(config.daemon_dir(Daemon::kSynthd), Timeline{0, 44'100, 4'410, 2}, 20, 1);
  audio.publish(1);
  audio.open(0, named_state("day"));
  CHECK(check(Daemon::kSynthd, 1, 1) == "synthd is not healthy: no station's ring holds the current chunk\n");
  audio.write_chunk(0, 0, std::vector<std::int16_t>(std::size_t{2} * 4'410).data());
  CHECK(check(Daemon::kSynthd, 1, 0) == "synthd is healthy\n");
  CHECK(check(Daemon::kSynthd, 100 * kNsPerMs, 1).find("no station's ring") != std::string::npos);
}

}  // namespace
}  // namespace auralis::healthcheck_test
