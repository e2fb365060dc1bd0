// SPDX-License-Identifier: MIT
// In child processes: a service changes the signals of its process for good.
#include "common/daemon/service.h"

#include "common/base/log.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <string>
#include <thread>

namespace auralis::service_signals_test {
namespace {

using test::Child;
using test::Pipe;
using test::StderrTo;

const auto nothing = [] {};
const auto always = [] { return true; };

TEST_CASE("each signal that stops a daemon ends its run, with status 0") {
  for (const int signal : {SIGTERM, SIGINT}) {
    Pipe ready;
    Child daemon([&] {
      Service service;
      ready.tell();
      service.run(nothing, always, nothing);
      return service.exit_status();
    });
    ready.await();
    CHECK(daemon.wait_after(signal) == 0);
  }
}

TEST_CASE("a signal before run() is not lost, nor one while other threads are busy") {
  Child daemon([] {
    Service service;
    std::thread worker([] { kill(getpid(), SIGTERM); });
    worker.join();
    service.run(nothing, always, nothing);
    return 7;
  });
  CHECK(daemon.wait() == 7);
}

TEST_CASE("each SIGHUP reloads in run()'s thread, without stopping it") {
  Pipe ready;
  Pipe reloaded;
  Child daemon([&] {
    Service service;
    const auto thread = std::this_thread::get_id();
    int reloads = 0;
    ready.tell();
    service.run(nothing, always, [&] {
      if (std::this_thread::get_id() == thread) ++reloads;
      reloaded.tell();
    });
    return reloads;
  });
  ready.await();
  for (int i = 0; i < 3; ++i) {
    daemon.send(SIGHUP);
    reloaded.await();
  }
  CHECK(daemon.wait_after(SIGTERM) == 3);
}

TEST_CASE("exceptions of a reload leave run()") {
  Child daemon([] {
    Service service;
    kill(getpid(), SIGHUP);
    try {
      service.run(nothing, always, [] { throw std::runtime_error("out of order"); });
    } catch (const std::runtime_error&) {
      return 8;
    }
    return 0;
  });
  CHECK(daemon.wait() == 8);
}

TEST_CASE("a stop takes precedence over a simultaneous SIGHUP") {
  for (const int signal : {SIGTERM, SIGINT}) {
    Child daemon([signal] {
      Service service;
      kill(getpid(), SIGHUP);
      kill(getpid(), signal);
      int reloads = 0;
      service.run(nothing, always, [&] { ++reloads; });
      return reloads;
    });
    CHECK(daemon.wait() == 0);
  }
}

TEST_CASE("each SIGUSR1 and SIGUSR2 changes the level of the log in run()'s thread, without stopping it") {
  Pipe ready;
  Pipe log_lines;
  Child daemon([&] {
    const StderrTo redirected(log_lines.write_end());
    Service service;
    const Log log("echod", LogLevel::kWarning, LogFormat::kText);
    ready.tell();
    service.run(nothing, always, [] { log_debug("seen"); });
    return 0;
  });
  log_lines.close_write();
  const auto next_line = [&] {
    std::string line;
    for (char c = 0; read(log_lines.read_end(), &c, 1) == 1 && c != '\n';) line.push_back(c);
    return line;
  };
  ready.await();
  daemon.send(SIGUSR1);
  CHECK(next_line().find("log level is debug for 10 minutes") != std::string::npos);
  daemon.send(SIGHUP);
  CHECK(next_line().find("debug   echod: seen") != std::string::npos);
  daemon.send(SIGUSR2);
  CHECK(next_line().find("log level is the configured one level=warning") != std::string::npos);
  CHECK(daemon.wait_after(SIGTERM) == 0);
}

TEST_CASE("a closed peer is an error of the write, not the end of the process") {
  Child daemon([] {
    const Service service;
    Pipe pipe;
    pipe.close_read();
    return write(pipe.write_end(), "x", 1) == -1 && errno == EPIPE ? 0 : 1;
  });
  CHECK(daemon.wait() == 0);
}

// Signals that an operator may send in vain. A stop, a crash and SIGQUIT are not among them.
constexpr std::array kHarmless{SIGHUP,  SIGUSR1, SIGPIPE, SIGALRM,   SIGUSR2, SIGSTKFLT, SIGTSTP, SIGTTIN,
                               SIGTTOU, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF, SIGIO,     SIGPWR};

// A daemon that was suspended would not come back from the wait.
TEST_CASE("no signal but those of a stop or a crash ends or suspends a daemon") {
  Pipe ready;
  Child daemon([&] {
    Service service;
    ready.tell();
    service.run(nothing, always, nothing);
    return 7;
  });
  ready.await();
  for (const int signal : kHarmless) daemon.send(signal);
  CHECK(daemon.wait_after(SIGTERM) == 7);
}

TEST_CASE("no thread of a daemon runs a foreign handler of such a signal") {
  Pipe ready;
  Child daemon([&] {
    Service service;
    // As PoCL's LLVM replaces them; its handlers unblock all signals of the thread.
    for (const int signal : kHarmless) std::signal(signal, [](int) { _exit(50); });
    std::thread worker([&] { ready.tell(); });
    worker.join();
    service.run(nothing, always, nothing);
    return 7;
  });
  ready.await();
  for (const int signal : kHarmless) daemon.send(signal);
  CHECK(daemon.wait_after(SIGTERM) == 7);
}

}  // namespace
}  // namespace auralis::service_signals_test
