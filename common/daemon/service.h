// SPDX-License-Identifier: MIT
// The lifecycle of a daemon: signals, readiness, housekeeping, a clean stop.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/config/load_config.h"

namespace auralis {

// Blocks the signals that stop, reload or debug a daemon, in the calling thread and all threads that it
// starts later, and ignores the others of 1 to 31 that would end or suspend it (SIGPIPE and SIGXFSZ: a closed
// peer, or a limit on file sizes, is an error of the write), except those of a crash. SIGQUIT ends it at
// once, with a core dump. Construct it first in main, after reset_inherited_state(), before any thread and
// any OpenCL call: PoCL's LLVM replaces handlers, so only what is blocked never reaches one of them.
class Service {
 public:
  Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Notifies systemd (if it listens) that the daemon is ready. Any thread, once.
  void ready(std::string_view status);

  // Waits in the calling thread for SIGTERM or SIGINT, or until stop() is called; runs `housekeeping` each
  // second (memory, log metrics: nothing of the audio path), `reload` at each SIGHUP (several pending ones
  // count as one), and feeds systemd's watchdog while `healthy` returns true. SIGUSR1 begins a DebugPeriod,
  // SIGUSR2 ends it. At its start and each second, SIGABRT and SIGQUIT get their default action back, which a
  // library may have replaced. Under systemd, shows what `status` returns, one line, and every five seconds
  // again, once the daemon is ready. All are called by this thread; run() passes their exceptions on.
  void run(const std::function<void()>& housekeeping, const std::function<bool()>& healthy,
           const std::function<void()>& reload, const std::function<std::string()>& status = {});

  // Ends run(), even before it is called, with the exit status for main to return. Any thread; the first
  // status that is not 0 wins.
  void stop(int exit_status);

  int exit_status() const;

 private:
  void reload_now(const std::function<void()>& reload) const;
  void show(const std::function<std::string()>& status, std::int64_t now_ns);

  std::atomic<int> exit_status_{0};
  std::atomic<bool> ready_{false};
  std::int64_t next_status_ns_ = 0;
};

// Loads the configuration again; nothing if it is invalid. Logs which keys have changed since the daemon
// started, because they take effect at a restart, or why the configuration is invalid. Changed stations are
// not logged: synthd applies them at once.
std::optional<Config> reload_config(const CommandLine& command_line);

// The common part of a daemon's main: resets inherited state, loads the configuration, answers --help,
// --version and --check-config, starts the log, and runs `body`. An invalid configuration is one line on
// standard error and exit status 2; an exception of `body` is an error in the log and exit status 1.
int daemon_main(Daemon daemon, int argc, char** argv,
                const std::function<int(Service&, const CommandLine&)>& body);

}  // namespace auralis
