// SPDX-License-Identifier: MIT
// auralis-ticket: makes and checks the tickets that streamd requires if it has a ticket_key_file.
#include <CLI/CLI.hpp>

#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "common/access/ticket.h"
#include "common/base/clock.h"
#include "common/base/inherited_state.h"
#include "common/config/command_line.h"
#include "common/config/config_table.h"
#include "tools/ticket/time.h"

namespace auralis {
namespace {

// Wrong usage, in one line: what was given, and what is allowed.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A ticket that is not valid, in one line.
struct TicketError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// An option and its text; true if it was given.
struct Given {
  std::string text;
  const CLI::Option* option = nullptr;

  explicit operator bool() const { return option->count() > 0; }
};

struct Options {
  Given key_file;
  Given station;
  Given valid;
  Given until;
  Given check;
  bool help = false;
  bool version = false;
};

void declare(CLI::App& app, Options& options) {
  const auto add = [&app](Given& given, const std::string& flag, const std::string& type,
                          const std::string& help) {
    given.option = app.add_option(flag, given.text, help)->type_name(type)->take_last();
  };
  app.set_help_flag("");  // ours, so that it is answered beside --version
  app.allow_extras();     // refused in the words of the other errors
  app.add_flag("-h,--help", options.help, "Print this help");
  app.add_flag("--version", options.version, "Print the version");
  add(options.key_file, "--key-file", "FILE", "The key file: the ticket_key_file of [streamd]");
  add(options.station, "--station", "NAME",
      "Station that the ticket admits to; new: the listener's own stations; *: all");
  add(options.valid, "--valid", "TIME", "Validity from now on: 30s, 90m, 2h, 7d");
  add(options.until, "--until", "TIME",
      "Instead of --valid: expiry, as Unix time in seconds or as 2026-12-31T23:59:59Z");
  add(options.check, "--check", "TICKET",
      "Check this ticket instead of making one (for --station, if that is given)");
  app.footer("Exit status: 0 made or valid, 1 failed or not valid, 2 wrong usage.");
}

[[noreturn]] void refuse(const Given& given, const std::string& allowed) {
  throw UsageError(given.option->get_name() + " " + to_toml(given.text) + ": must be " + allowed);
}

void require(const Given& given, const std::string& why) {
  if (!given) throw UsageError(given.option->get_name() + ": must be given" + why);
}

void check_station(const Given& station) {
  if (!is_ticket_station(station.text)) refuse(station, "1 to 31 of a-z, 0-9, _ and -, or new, or *");
}

std::int64_t unix_s() { return SystemClock().unix_ns() / kNsPerSecond; }

std::int64_t expiry(const Options& options) {
  const std::int64_t now_s = unix_s();
  if (options.valid && options.until) throw UsageError("--valid and --until exclude each other");
  if (options.until) {
    const auto time_s = parse_time(options.until.text);
    if (!time_s) refuse(options.until, "Unix time in seconds, or a time such as 2026-12-31T23:59:59Z");
    if (*time_s <= now_s) refuse(options.until, "in the future; it is " + time_text(now_s));
    return *time_s;
  }
  require(options.valid, ", or --until instead; one of them sets when the ticket expires");
  const auto duration_s = parse_duration(options.valid.text);
  if (!duration_s || *duration_s > kLatestExpiry - now_s) {
    refuse(options.valid,
           "a whole number with its unit, such as 30s, 90m, 2h or 7d, and end before the year 10000");
  }
  return now_s + *duration_s;
}

std::string make(const Options& options) {
  require(options.station, ", as --station night");
  check_station(options.station);
  const std::int64_t expires_s = expiry(options);
  return signed_ticket({options.station.text, expires_s}, Secret::from_file(options.key_file.text));
}

std::string check(const Options& options) {
  if (options.valid || options.until) throw UsageError("--valid and --until do not apply to --check");
  if (options.station) check_station(options.station);
  const Secret key = Secret::from_file(options.key_file.text);
  const auto ticket = parse_ticket(options.check.text);
  const std::string station = options.station || !ticket ? options.station.text : ticket->station;
  const TicketOutcome outcome = check_ticket(options.check.text, station, key, unix_s());
  std::string answer(sentence(outcome));
  // The claims of a forged ticket are not shown.
  if (outcome != TicketOutcome::kMalformed && outcome != TicketOutcome::kForged)
    answer += " Station " + ticket->station + ", until " + time_text(ticket->expires_s) + ".";
  if (outcome != TicketOutcome::kValid) throw TicketError(answer);
  return answer;
}

void run(int argc, const char* const* argv) {
  CLI::App app("Makes and checks tickets for listeners.", "auralis-ticket");
  Options options;
  declare(app, options);
  const std::string problem =
      parse_command_line(app, argc, argv, [](const std::string& text) { return to_toml(text); });
  if (!problem.empty()) throw UsageError(problem);
  if (options.help || options.version) {
    std::cout << (options.help ? app.help() : std::string("auralis-ticket ") + AURALIS_VERSION + "\n");
    return;
  }
  require(options.key_file, "; it is the file that ticket_key_file in [streamd] names");
  std::cout << (options.check ? check(options) : make(options)) << '\n';
}

int ticket_main(int argc, const char* const* argv) {
  try {
    run(argc, argv);
    return std::cout.flush() ? 0 : 1;
  } catch (const UsageError& error) {
    std::cerr << "auralis-ticket: " << error.what() << '\n';
    return 2;
  } catch (const std::exception& error) {
    std::cerr << "auralis-ticket: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace
}  // namespace auralis

int main(int argc, char** argv) {
  auralis::open_standard_descriptors();
  return auralis::ticket_main(argc, argv);
}
