// SPDX-License-Identifier: MIT
// The life of a daemon: signals, readiness, housekeeping, a clean stop.
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string_view>

#include "common/config/load_config.h"

namespace auralis {

// Blocks the signals that stop or reload a daemon, in the calling thread and all that it starts later, and
// ignores SIGPIPE and SIGXFSZ, so that a peer that closes, or a limit on file sizes, is an error of that
// write. Constructed first in main, after reset_inherited_state(), before any thread and any OpenCL call:
// PoCL's LLVM would otherwise replace the handlers.
class Service {
 public:
  Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Tells systemd (where it listens) that the daemon is ready. Any thread, once.
  void ready(std::string_view status);

  // Waits in the calling thread for SIGTERM or SIGINT, or until stop() is called; runs `housekeeping` each
  // second (memory, log figures: nothing of the audio path), `reload` at each SIGHUP (several that come at a
  // time count as one), and, while `healthy` says so, feeds systemd's watchdog. All are called by this
  // thread, and what they throw comes out.
  void run(const std::function<void()>& housekeeping, const std::function<bool()>& healthy,
           const std::function<void()>& reload);

  // Ends run(), also one that is still to come, with the exit status that main shall return. Any thread; the
  // first status that is not 0 counts.
  void stop(int exit_status);

  int exit_status() const;

 private:
  void reload_now(const std::function<void()>& reload) const;

  std::atomic<int> exit_status_{0};
  std::atomic<bool> ready_{false};
};

// What the command line's configuration is by now; nothing where it is refused. The log says which keys have
// changed since the daemon started, since they come into force at its next start, or why it is refused.
// Stations are synthd's to take up at once.
std::optional<Config> reload_config(const CommandLine& command_line);

// main of a daemon, but for what is its own: resets what is inherited, loads the configuration, answers
// --help, --version and
// --check-config, starts the log, and runs `body`. A bad configuration is one line on standard error and exit
// status 2; an exception of `body` is an error in the log and exit status 1.
int daemon_main(Daemon daemon, int argc, char** argv,
                const std::function<int(Service&, const CommandLine&)>& body);

}  // namespace auralis
