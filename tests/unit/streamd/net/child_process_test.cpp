// SPDX-License-Identifier: MIT
// Real processes, on the loop of a worker's server.
#include "streamd/net/child_process.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/file_descriptor.h"
#include "streamd/net/websocket_server.h"
#include "tests/unit/streamd/net/no_connections.h"

namespace auralis::child_process_test {
namespace {

struct Fixture {
  SystemClock clock;
  WebSocketServer server{ServerLimits{}, nullptr, clock};
  std::unique_ptr<ChildOutput> child;
  std::string output;
  std::vector<int> ends;
  bool gone = false;
  std::function<void()> on_first_output = [] {};

  ~Fixture() { child.reset(); }

  void start(std::vector<std::string> words) {
    const std::shared_ptr<const void> hold(this, [this](const void*) { gone = true; });
    child = server.run_child({std::move(words), hold,
                              [this](std::string_view piece) {
                                const bool first = output.empty();
                                output += piece;
                                if (first) on_first_output();
                                if (child) child->read_on();
                              },
                              [this](int status) { ends.push_back(status); }});
  }
  // Until the process is gone, and its output read to the end unless it was given up.
  void run(const std::string& script) {
    start({"/bin/sh", "-c", script});
    server.every_step([this] {
      if (gone && (!child || !ends.empty())) server.finish();
      return clock.now_ns() + kNsPerMs;
    });
    test::NoConnections none;
    server.run(none);
  }
};

TEST_CASE_FIXTURE(Fixture, "all that the process writes is read, and then its end is reported") {
  run("printf one; sleep 0.05; printf two; exit 3");
  CHECK(output == "onetwo");
  CHECK(ends == std::vector<int>{3});
}

TEST_CASE_FIXTURE(Fixture, "more than a pipe holds comes whole") {
  run("head -c 1000000 /dev/zero");
  CHECK(output.size() == 1'000'000);
  CHECK(ends == std::vector<int>{0});
}

TEST_CASE_FIXTURE(Fixture, "the process ends with its holder, which hears nothing more") {
  on_first_output = [this] { child.reset(); };
  run("echo; exec sleep 60");
  CHECK(gone);
  CHECK(ends.empty());
}

TEST_CASE_FIXTURE(Fixture, "a process that was killed has failed") {
  run("kill -KILL $$");
  CHECK(ends == std::vector<int>{-1});
}

TEST_CASE_FIXTURE(Fixture, "a program that is not there is an error that names it") {
  try {
    start({"/nowhere/auralis-render"});
    FAIL("it was started");
  } catch (const std::system_error& error) {
    CHECK(error.code().value() == ENOENT);
    CHECK(std::string(error.what()).find("/nowhere/auralis-render") != std::string::npos);
  }
}

TEST_CASE_FIXTURE(Fixture, "the process inherits no descriptor, no blocked signal and no input") {
  const FileDescriptor inheritable(::open("/dev/null", O_RDONLY));  // NOLINT: it is to be inherited
  sigset_t blocked;
  sigset_t before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  // ls has one more open: the folder that it lists.
  run("cat; ls /proc/self/fd | wc -l; kill -TERM $$; echo survived");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(output.find("survived") == std::string::npos);
  CHECK(std::stoi(output) == 4);
  CHECK(ends == std::vector<int>{-1});
}

}  // namespace
}  // namespace auralis::child_process_test
