// SPDX-License-Identifier: MIT
#include "common/daemon/service.h"

#include "common/base/clock.h"
#include "common/base/inherited_state.h"
#include "common/base/log.h"
#include "common/base/log_console.h"
#include "common/base/log_lines.h"
#include "common/daemon/debug_period.h"

#include <systemd/sd-daemon.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <optional>
#include <string>

namespace auralis {
namespace {

constexpr std::array kStopSignals{SIGTERM, SIGINT};
constexpr std::array kRequestSignals{SIGHUP, SIGUSR1, SIGUSR2};
constexpr std::array kIgnoredSignals{SIGPIPE, SIGXFSZ, SIGXCPU, SIGALRM, SIGVTALRM, SIGPROF,
                                     SIGIO,   SIGPWR,  SIGTSTP, SIGTTIN, SIGTTOU,   SIGSTKFLT};

constexpr std::array kCoreSignals{SIGQUIT, SIGABRT};

// LLVM, which PoCL loads, handles these, and its handler swallows the first one that another process sends:
// the watchdog's SIGABRT, or an operator's SIGQUIT. It installs them at a moment of its own, only once.
void restore_core_signals() {
  for (const int signal : kCoreSignals) std::signal(signal, SIG_DFL);
}

template <std::size_t N>
void add(sigset_t& set, const std::array<int, N>& signals) {
  for (const int signal : signals) sigaddset(&set, signal);
}

sigset_t stop_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  add(signals, kStopSignals);
  return signals;
}

sigset_t awaited_signals() {
  sigset_t signals = stop_signals();
  add(signals, kRequestSignals);
  return signals;
}

enum class Event { kStop, kReload, kDebug, kEndDebug, kDeadline };

Event event_of(int signal) {
  if (signal == SIGHUP) return Event::kReload;
  if (signal == SIGUSR1) return Event::kDebug;
  return signal == SIGUSR2 ? Event::kEndDebug : Event::kStop;
}

// Waits for a signal, or until `deadline_ns` (CLOCK_MONOTONIC). A pending signal returns at once.
Event wait_for_event(const Clock& clock, std::int64_t deadline_ns) {
  const sigset_t signals = awaited_signals();
  for (;;) {
    const std::int64_t left_ns = std::max<std::int64_t>(deadline_ns - clock.now_ns(), 0);
    const timespec timeout{left_ns / kNsPerSecond, left_ns % kNsPerSecond};
    const int signal = sigtimedwait(&signals, nullptr, &timeout);
    if (signal > 0) {
      // The kernel delivers the lowest number first: check for a stop, which must not wait for a reload.
      const sigset_t stops = stop_signals();
      const timespec at_once{};
      return sigtimedwait(&stops, nullptr, &at_once) > 0 ? Event::kStop : event_of(signal);
    }
    // On EINTR (another signal, a debugger), wait for the remaining time.
    if (left_ns == 0) return Event::kDeadline;
  }
}

// A deadline that recurs each period.
class Tick {
 public:
  Tick(std::int64_t period_ns, std::int64_t now_ns) : period_ns_(period_ns), next_ns_(now_ns + period_ns) {}

  std::int64_t next_ns() const { return next_ns_; }

  bool due(std::int64_t now_ns) {
    if (now_ns < next_ns_) return false;
    next_ns_ += period_ns_;
    // Missed periods (a stopped process, a suspended machine) are skipped.
    if (next_ns_ <= now_ns) next_ns_ = now_ns + period_ns_;
    return true;
  }

 private:
  std::int64_t period_ns_;
  std::int64_t next_ns_;
};

// Interval of feeding systemd's watchdog; nothing if there is none.
std::optional<Tick> watchdog(std::int64_t now_ns) {
  std::uint64_t timeout_us = 0;
  if (sd_watchdog_enabled(0, &timeout_us) <= 0) return std::nullopt;
  // Half of the timeout, at most a second: a single delay must not cause a restart.
  constexpr std::uint64_t kLongestUs = 1'000'000;
  const auto period_us = static_cast<std::int64_t>(std::min(timeout_us / 2 + 1, kLongestUs));
  return Tick(period_us * 1'000, now_ns);
}

LogLevel log_level(const std::string& name) {
  if (name == "debug") return LogLevel::kDebug;
  if (name == "warning") return LogLevel::kWarning;
  return name == "error" ? LogLevel::kError : LogLevel::kInfo;
}

LogFormat log_format(const std::string& name) {
  if (name == "text") return LogFormat::kText;
  return name == "json" ? LogFormat::kJson : LogFormat::kAuto;
}

// An error before the log has begun: its configuration may be what is wrong.
void report_without_log(Daemon daemon, std::string_view error) {
  if (journal_reads_standard_error()) std::cerr << journal_prefix(LogLevel::kError);
  std::cerr << daemon_name(daemon) << ": " << error << '\n';
}

int run_body(Service& service, const CommandLine& command_line,
             const std::function<int(Service&, const CommandLine&)>& body) {
  try {
    return body(service, command_line);
  } catch (const std::exception& error) {
    log_error(error.what());
    return 1;
  }
}

}  // namespace

Service::Service() {
  sigset_t signals = awaited_signals();
  // Blocked as well: LLVM's handler of SIGXCPU unblocks all signals of the thread that it interrupts.
  add(signals, kIgnoredSignals);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  for (const int signal : kIgnoredSignals) std::signal(signal, SIG_IGN);
}

void Service::ready(std::string_view status) {
  const std::string message = "READY=1\nSTATUS=" + std::string(status);
  sd_notify(0, message.c_str());
  ready_ = true;
}

void Service::run(const std::function<void()>& housekeeping, const std::function<bool()>& healthy,
                  const std::function<void()>& reload, const std::function<std::string()>& status) {
  const SystemClock clock;
  Tick second(kNsPerSecond, clock.now_ns());
  std::optional<Tick> feeding = watchdog(clock.now_ns());
  DebugPeriod debugging(clock);
  restore_core_signals();
  for (;;) {
    const Event event =
        wait_for_event(clock, feeding ? std::min(second.next_ns(), feeding->next_ns()) : second.next_ns());
    if (event == Event::kStop) break;
    if (event == Event::kReload) reload_now(reload);
    if (event == Event::kDebug) debugging.begin();
    if (event == Event::kEndDebug) debugging.end();
    debugging.step();
    if (second.due(clock.now_ns())) {
      restore_core_signals();
      housekeeping();
    }
    if (status) show(status, clock.now_ns());
    if (feeding && feeding->due(clock.now_ns()) && healthy()) sd_notify(0, "WATCHDOG=1");
  }
  sd_notify(0, "STOPPING=1");
  log_info("stopping");
}

void Service::show(const std::function<std::string()>& status, std::int64_t now_ns) {
  constexpr std::int64_t kPeriodNs = 5 * kNsPerSecond;
  if (!ready_ || now_ns < next_status_ns_ || std::getenv("NOTIFY_SOCKET") == nullptr) return;
  next_status_ns_ = now_ns + kPeriodNs;
  sd_notify(0, ("STATUS=" + status()).c_str());
}

void Service::reload_now(const std::function<void()>& reload) const {
  // Before the daemon is ready, send nothing: READY=1 would claim that it is, and systemd does not wait for a
  // reload.
  const bool tell = ready_;
  if (tell) {
    // The time tells systemd which reload the READY=1 completes.
    const std::string began = std::to_string(SystemClock().now_ns() / 1'000);
    sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + began).c_str());
  }
  reload();
  if (tell) sd_notify(0, "READY=1");
}

void Service::stop(int exit_status) {
  int none_yet = 0;
  exit_status_.compare_exchange_strong(none_yet, exit_status);
  // Signal the process: blocked in all threads, SIGTERM stays pending until run() takes it, so that no stop
  // is lost.
  kill(getpid(), SIGTERM);
}

int Service::exit_status() const { return exit_status_; }

std::optional<Config> reload_config(const CommandLine& command_line) {
  try {
    Config reloaded = command_line.load_again();
    std::string changed;
    for (const std::string& key : changed_keys(command_line.config, reloaded)) {
      changed.append(changed.empty() ? "" : ", ").append(key);
    }
    if (changed.empty()) {
      log_info("configuration reloaded");
    } else {
      log_warning("configuration reloaded: what changed takes effect at a restart", {{"changed", changed}});
    }
    return reloaded;
  } catch (const ConfigError& error) {
    log_error(std::string("configuration not reloaded: ") + error.what());
    return std::nullopt;
  }
}

int daemon_main(Daemon daemon, int argc, char** argv,
                const std::function<int(Service&, const CommandLine&)>& body) {
  reset_inherited_state();
  Service service;
  try {
    const CommandLine command_line = load_config(daemon, argc, argv, environ, std::cout);
    if (command_line.done) return 0;
    const auto& log = command_line.config.log;
    const Log logging(daemon_name(daemon), log_level(log.level), log_format(log.format), {log.dir});
    for (const std::string& warning : command_line.warnings) log_warning(warning);
    return run_body(service, command_line, body);
  } catch (const ConfigError& error) {
    report_without_log(daemon, error.what());
    return 2;
  } catch (const std::exception& error) {
    report_without_log(daemon, error.what());
    return 1;
  }
}

}  // namespace auralis
