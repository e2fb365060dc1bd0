// SPDX-License-Identifier: MIT
// In child processes: a service changes the signals of its process for good.
#include "common/daemon/service.h"

#include "common/base/clock.h"
#include "common/base/log.h"
#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <stdexcept>
#include <thread>
#include <vector>

namespace auralis::service_test {
namespace {

using test::Child;
using test::Pipe;
using test::StderrTo;
using test::TempDir;

const auto nothing = [] {};
const auto always = [] { return true; };

// systemd's end of NOTIFY_SOCKET.
class NotifySocket {
 public:
  explicit NotifySocket(const std::filesystem::path& path)
      : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof address.sun_path - 1);
    test::require(bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  }
  ~NotifySocket() { close(fd_); }
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  std::string receive() const {
    std::array<char, 256> buffer{};
    const ssize_t bytes = recv(fd_, buffer.data(), buffer.size(), 0);
    return {buffer.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0};
  }

 private:
  int fd_;
};

TEST_CASE("a stop from any thread ends run() with its status; of several, the first failure wins") {
  Child daemon([] {
    Service service;
    std::thread worker([&] {
      service.stop(0);
      service.stop(3);
      service.stop(4);
    });
    service.run(nothing, always, nothing);
    worker.join();
    return service.exit_status();
  });
  CHECK(daemon.wait() == 3);
}

TEST_CASE("a stop before run() is not lost") {
  Child daemon([] {
    Service service;
    service.stop(5);
    service.run(nothing, always, nothing);
    return service.exit_status();
  });
  CHECK(daemon.wait() == 5);
}

TEST_CASE("housekeeping runs in run()'s thread, and its exceptions leave run()") {
  Child daemon([] {
    Service service;
    const auto thread = std::this_thread::get_id();
    int calls = 0;
    service.run(
        [&] {
          if (++calls == 2) service.stop(std::this_thread::get_id() == thread ? 0 : 1);
        },
        always, nothing);
    try {
      service.run([] { throw std::runtime_error("out of order"); }, always, nothing);
    } catch (const std::runtime_error&) {
      return service.exit_status();
    }
    return 2;
  });
  CHECK(daemon.wait() == 0);
}

TEST_CASE("frequent SIGHUPs do not delay housekeeping and the watchdog") {
  const TempDir dir;
  const NotifySocket systemd(dir.path() / "notify");
  Child daemon([&] {
    setenv("NOTIFY_SOCKET", (dir.path() / "notify").c_str(), 1);
    setenv("WATCHDOG_USEC", "1000000", 1);
    Service service;
    kill(getpid(), SIGHUP);
    service.run([&] { service.stop(4); }, always, [] { kill(getpid(), SIGHUP); });
    return service.exit_status();
  });
  CHECK(systemd.receive() == "WATCHDOG=1");
  CHECK(daemon.wait() == 4);
}

TEST_CASE(
    "a library's handler does not keep the watchdog's SIGABRT or an operator's SIGQUIT from ending a "
    "daemon") {
  for (const int signal : {SIGABRT, SIGQUIT}) {
    for (const bool before_run : {true, false}) {
      CAPTURE(before_run);
      Child daemon([&] {
        Service service;
        const auto install = [&] { std::signal(signal, [](int) {}); };
        if (before_run) install();
        int seconds = 0;
        const auto housekeeping = [&] {
          ++seconds;
          if (!before_run && seconds == 1) return install();
          kill(getpid(), signal);
          service.stop(3);
        };
        service.run(housekeeping, always, nothing);
        return service.exit_status();
      });
      CHECK(daemon.wait() == -signal);
    }
  }
}

TEST_CASE("systemd is notified when the daemon is ready, alive, and stopping") {
  const TempDir dir;
  const NotifySocket systemd(dir.path() / "notify");
  Child daemon([&] {
    setenv("NOTIFY_SOCKET", (dir.path() / "notify").c_str(), 1);
    setenv("WATCHDOG_USEC", "100000", 1);
    Service service;
    service.ready("serving port 8000");
    service.run(nothing, always, nothing);
    return service.exit_status();
  });
  CHECK(systemd.receive() == "READY=1\nSTATUS=serving port 8000");
  CHECK(systemd.receive() == "WATCHDOG=1");
  CHECK(systemd.receive() == "WATCHDOG=1");
  daemon.send(SIGTERM);
  std::string last = systemd.receive();
  while (last == "WATCHDOG=1") last = systemd.receive();
  CHECK(last == "STOPPING=1");
  CHECK(daemon.wait() == 0);
}

TEST_CASE("systemd is shown the status of a daemon once it is ready") {
  const TempDir dir;
  const NotifySocket systemd(dir.path() / "notify");
  Child daemon([&] {
    setenv("NOTIFY_SOCKET", (dir.path() / "notify").c_str(), 1);
    Service service;
    int seconds = 0;
    const auto housekeeping = [&] {
      if (++seconds == 2) service.ready("serving port 8000");
    };
    service.run(housekeeping, always, nothing, [&] { return "in second " + std::to_string(seconds); });
    return service.exit_status();
  });
  CHECK(systemd.receive() == "READY=1\nSTATUS=serving port 8000");
  CHECK(systemd.receive() == "STATUS=in second 2");
  CHECK(daemon.wait_after(SIGTERM) == 0);
  CHECK(systemd.receive() == "STOPPING=1");
}

TEST_CASE("systemd is notified when a reload begins and ends") {
  const TempDir dir;
  const NotifySocket systemd(dir.path() / "notify");
  Pipe go_on;
  Child daemon([&] {
    setenv("NOTIFY_SOCKET", (dir.path() / "notify").c_str(), 1);
    Service service;
    service.ready("serving port 8000");
    service.run(nothing, always, [&] { go_on.await(); });
    return service.exit_status();
  });
  CHECK(systemd.receive() == "READY=1\nSTATUS=serving port 8000");
  const SystemClock clock;
  const std::int64_t before_us = clock.now_ns() / 1'000;
  daemon.send(SIGHUP);
  const std::string began = systemd.receive();
  const std::string expected = "RELOADING=1\nMONOTONIC_USEC=";
  REQUIRE(began.rfind(expected, 0) == 0);
  const std::int64_t began_us = std::stoll(began.substr(expected.size()));
  CHECK(began_us >= before_us);
  CHECK(began_us <= clock.now_ns() / 1'000);
  go_on.tell();
  CHECK(systemd.receive() == "READY=1");
  CHECK(daemon.wait_after(SIGTERM) == 0);
}

TEST_CASE("a reload before the daemon is ready does not notify systemd") {
  const TempDir dir;
  const NotifySocket systemd(dir.path() / "notify");
  Child daemon([&] {
    setenv("NOTIFY_SOCKET", (dir.path() / "notify").c_str(), 1);
    Service service;
    kill(getpid(), SIGHUP);
    service.run(nothing, always, [&] { service.stop(0); });
    return service.exit_status();
  });
  CHECK(systemd.receive() == "STOPPING=1");
  CHECK(daemon.wait() == 0);
}

TEST_CASE("the watchdog is not fed while the daemon is not healthy") {
  const TempDir dir;
  const NotifySocket systemd(dir.path() / "notify");
  Child daemon([&] {
    setenv("NOTIFY_SOCKET", (dir.path() / "notify").c_str(), 1);
    setenv("WATCHDOG_USEC", "20000", 1);
    Service service;
    int asked = 0;
    service.run(
        nothing,
        [&] {
          if (++asked == 5) service.stop(0);
          return false;
        },
        nothing);
    return service.exit_status();
  });
  CHECK(systemd.receive() == "STOPPING=1");
  CHECK(daemon.wait() == 0);
}

struct Outcome {
  int status;
  std::string standard_error;
};

// daemon_main in a process of its own. The first flags keep the machine's own configuration out.
Outcome run_main(std::vector<std::string> flags,
                 const std::function<int(Service&, const CommandLine&)>& body) {
  flags.insert(flags.begin(), {"synthd", "--config", "/dev/null", "--log-format", "text"});
  Pipe pipe;
  Child daemon([&] {
    const StderrTo redirected(pipe.write_end());
    std::vector<char*> argv(flags.size());
    std::transform(flags.begin(), flags.end(), argv.begin(), [](std::string& flag) { return flag.data(); });
    return daemon_main(Daemon::kSynthd, static_cast<int>(argv.size()), argv.data(), body);
  });
  std::string text = pipe.drain();
  return {daemon.wait(), text};
}

TEST_CASE("main gives the body the configuration and returns its status") {
  const Outcome outcome = run_main({"--seed", "41"}, [](Service&, const CommandLine& command_line) {
    log_info("at work");
    return static_cast<int>(command_line.config.synthd.seed) + 1;
  });
  CHECK(outcome.status == 42);
  CHECK(outcome.standard_error.find("info    synthd: at work\n") != std::string::npos);
}

TEST_CASE("an invalid configuration is one line and status 2, and the body does not run") {
  const Outcome outcome = run_main({"--seed", "x"}, [](Service&, const CommandLine&) { return 0; });
  CHECK(outcome.status == 2);
  CHECK(outcome.standard_error == "synthd: --seed x: must be an integer from 0 to 9223372036854775807\n");
}

TEST_CASE("an invalid configuration is an error in the journal") {
  Pipe pipe;
  Child daemon([&] {
    const StderrTo redirected(pipe.write_end());
    struct stat status {};
    fstat(STDERR_FILENO, &status);
    const std::string stream = std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
    setenv("JOURNAL_STREAM", stream.c_str(), 1);
    std::array argv{std::string("synthd"), std::string("--seed"), std::string("x")};
    std::array pointers{argv[0].data(), argv[1].data(), argv[2].data()};
    return daemon_main(Daemon::kSynthd, static_cast<int>(pointers.size()), pointers.data(),
                       [](Service&, const CommandLine&) { return 0; });
  });
  CHECK(pipe.drain().rfind("<3>synthd: --seed x: must be an integer", 0) == 0);
  CHECK(daemon.wait() == 2);
}

TEST_CASE("an exception of the body is an error in the log and status 1") {
  const Outcome outcome =
      run_main({}, [](Service&, const CommandLine&) -> int { throw std::runtime_error("no device at all"); });
  CHECK(outcome.status == 1);
  CHECK(outcome.standard_error.find("error   synthd: no device at all\n") != std::string::npos);
  CHECK(outcome.standard_error.find('\n') + 1 == outcome.standard_error.size());
}

// Returns what the log says of a reload that changes the file from `before` to `after`, without the time.
std::string log_of_reload(const std::string& before, const std::string& after) {
  const TempDir dir;
  const std::string file = dir.path() / "auralis.toml";
  test::write_file(file, before);
  const Outcome outcome = run_main({"--config", file}, [&](Service&, const CommandLine& command_line) {
    test::write_file(file, after);
    reload_config(command_line);
    return 0;
  });
  CHECK(outcome.status == 0);
  CHECK(std::count(outcome.standard_error.begin(), outcome.standard_error.end(), '\n') == 1);
  std::string said = outcome.standard_error;
  const std::size_t path = said.find(file);
  if (path != std::string::npos) said.replace(path, file.size(), "auralis.toml");
  const std::string time = "2026-01-01 00:00:00.000 ";
  return said.substr(std::min(said.size(), time.size()));
}

TEST_CASE("a reload logs which changed keys need a restart; stations do not") {
  const std::string later = "warning synthd: configuration reloaded: what changed takes effect at a restart ";
  CHECK(log_of_reload("[streamd]\nport = 1", "[streamd]\nport = 1 # the same") ==
        "info    synthd: configuration reloaded\n");
  CHECK(log_of_reload("", "[streamd]\nport = 1\n[audio]\nchunk_ms = 50") ==
        later + "changed=\"audio.chunk_ms, streamd.port\"\n");
  CHECK(log_of_reload("", "[synthd]\nseed = 2") == "info    synthd: configuration reloaded\n");
  CHECK(log_of_reload("[[station]]\nname = \"a\"", "[log]\nlevel = \"error\"") ==
        later + "changed=log.level\n");
}

TEST_CASE("an invalid configuration at a reload is one error in the log, and the daemon continues") {
  CHECK(log_of_reload("", "[streamd]\nport = 0\n[audio]\nchunk_ms = 1") ==
        "error   synthd: configuration not reloaded: auralis.toml:2: [streamd] port = 0: must be an integer "
        "from 1 to 65535\n");
}

TEST_CASE("a reload returns the current configuration, or nothing if it is invalid") {
  const TempDir dir;
  const std::string file = dir.path() / "auralis.toml";
  test::write_file(file, "");
  const Outcome outcome = run_main({"--config", file}, [&](Service&, const CommandLine& command_line) {
    test::write_file(file, "[streamd]\nport = 2");
    const auto second = reload_config(command_line);
    test::write_file(file, "port");
    const auto third = reload_config(command_line);
    test::write_file(file, "[streamd]\nport = 4");
    const auto fourth = reload_config(command_line);
    return second->streamd.port == 2 && !third && fourth->streamd.port == 4 ? 0 : 1;
  });
  CHECK(outcome.status == 0);
}

TEST_CASE("flags such as --help are answered without running the body") {
  for (const char* flag : {"--help", "--version", "--check-config", "--print-config"}) {
    const Outcome outcome = run_main({flag}, [](Service&, const CommandLine&) { return 3; });
    CHECK(outcome.status == 0);
    CHECK(outcome.standard_error.empty());
  }
}

TEST_CASE("the body runs with the signals already blocked, so that its threads never see them") {
  const Outcome outcome = run_main({}, [](Service& service, const CommandLine&) {
    sigset_t blocked;
    std::thread worker([&] { pthread_sigmask(SIG_SETMASK, nullptr, &blocked); });
    worker.join();
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) {
      if (sigismember(&blocked, signal) != 1) return 1;
    }
    service.stop(6);
    return service.exit_status();
  });
  CHECK(outcome.status == 6);
}

}  // namespace
}  // namespace auralis::service_test
