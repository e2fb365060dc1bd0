// SPDX-License-Identifier: MIT
#include "streamd/admission/grouped_log.h"

#include "common/base/log.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <functional>
#include <sstream>
#include <string>
#include <vector>

namespace auralis::grouped_log_test {
namespace {

using Event = GroupedLog::Event;

const AccessPolicy access{Config{}};
const IpAddress client = parse_ip_address("192.0.2.1").value();

// Returns the lines of the log while `body` runs, without times.
std::vector<std::string> logged(const std::function<void(GroupedLog&)>& body) {
  test::Pipe pipe;
  {
    const test::StderrTo redirected(pipe.write_end());
    const Log log("streamd", LogLevel::kInfo, LogFormat::kText);
    GroupedLog grouped(access);
    body(grouped);
  }
  std::vector<std::string> lines;
  std::istringstream stream(pipe.drain());
  for (std::string line; std::getline(stream, line);) lines.push_back(line.substr(line.find('.') + 5));
  return lines;
}

TEST_CASE("refusals of a second are one line for each reason, with their number and who was last") {
  const auto lines = logged([](GroupedLog& log) {
    for (int i = 0; i < 1'000; ++i) CHECK_FALSE(log.note(Event::kConnectionRefused, "rate", client));
    log.note(Event::kConnectionRefused, "limit", "unknown");
    log.note(Event::kOperatorRefused, "token", client);
    log.flush();
    log.flush();
    log.note(Event::kConnectionRefused, "rate", client);
    log.flush();
  });
  const std::string actor = access.actor(client, false);
  CHECK(lines == std::vector<std::string>{
                     "warning streamd: connections refused reason=limit count=1 last=unknown",
                     "warning streamd: connections refused reason=rate count=1000 last=" + actor,
                     "warning streamd: operator calls refused reason=token count=1 last=" + actor,
                     "warning streamd: connections refused reason=rate count=1 last=" + actor,
                 });
}

TEST_CASE("what listeners ask for in vain is no warning") {
  const auto lines = logged([](GroupedLog& log) {
    log.note(Event::kMessageRefused, "rate_limited", "client-1");
    log.note(Event::kControlRefused, "origin", "client-2");
  });
  CHECK(lines ==
        std::vector<std::string>{
            "info    streamd: messages of listeners refused reason=rate_limited count=1 last=client-1",
            "info    streamd: control requests refused reason=origin count=1 last=client-2",
        });
}

TEST_CASE("the first listeners of each second that come or go have lines of their own, the others one") {
  const auto lines = logged([](GroupedLog& log) {
    for (int second = 0; second < 2; ++second) {
      for (std::size_t i = 0; i < GroupedLog::kSingle; ++i) {
        CHECK(log.note(Event::kConnected, {}, client));
        CHECK(log.note(Event::kGone, "client", client));
      }
      for (int i = 0; i < 3; ++i) CHECK_FALSE(log.note(Event::kConnected, {}, client));
      CHECK_FALSE(log.note(Event::kGone, "reset", client));
      CHECK_FALSE(log.note(Event::kGone, "drain", client));
      log.flush();
    }
  });
  const std::vector<std::string> of_a_second{
      "info    streamd: more listeners connected count=3",
      "info    streamd: more listeners gone reason=drain count=1",
      "info    streamd: more listeners gone reason=reset count=1",
  };
  std::vector<std::string> expected = of_a_second;
  expected.insert(expected.end(), of_a_second.begin(), of_a_second.end());
  CHECK(lines == expected);
}

TEST_CASE("what was counted when the process ends is logged") {
  const auto lines =
      logged([](GroupedLog& log) { log.note(Event::kConnectionRefused, "ticket", "unknown"); });
  CHECK(lines.size() == 1);
}

}  // namespace
}  // namespace auralis::grouped_log_test
