// SPDX-License-Identifier: MIT
// auralis-ticket: makes and checks the tickets that streamd requires if it has a ticket_key_file.
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "common/access/ticket.h"
#include "common/base/clock.h"
#include "common/base/inherited_state.h"
#include "common/base/utc_text.h"
#include "tools/arguments.h"
#include "tools/ticket/time.h"

namespace auralis {
namespace {

// A ticket that is not valid, in one line.
struct TicketError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void declare(Arguments& arguments) {
  const auto add = [&arguments](const std::string& flag, const std::string& type, const std::string& help) {
    arguments.declare(flag, type, help, "Options");
  };
  add("--key-file", "FILE", "The key file: the ticket_key_file of [streamd]");
  add("--station", "NAME", "Station that the ticket admits to; new: the listener's own stations; *: all");
  add("--valid", "TIME", "Validity from now on: 30s, 90m, 2h, 7d");
  add("--until", "TIME", "Instead of --valid: expiry, as Unix time in seconds or as 2026-12-31T23:59:59Z");
  add("--check", "TICKET", "Check this ticket instead of making one (for --station, if that is given)");
  arguments.set_footer("Exit status: 0 made or valid, 1 failed or not valid, 2 wrong usage.");
}

// The text of an option that has to be given; `why` ends the error.
const std::string& required(const Arguments& arguments, const char* flag, const char* why) {
  const std::string* given = arguments.text(flag);
  if (given == nullptr) throw UsageError(std::string(flag) + ": must be given" + why);
  return *given;
}

void check_station(const Arguments& arguments) {
  const std::string* station = arguments.text("--station");
  if (station != nullptr && !is_ticket_station(*station))
    arguments.refuse("--station", "1 to 31 of a-z, 0-9, _ and -, or new, or *");
}

std::int64_t unix_s() { return SystemClock().unix_ns() / kNsPerSecond; }

std::int64_t expiry(const Arguments& arguments) {
  const std::int64_t now_s = unix_s();
  if (const std::string* until = arguments.text("--until")) {
    if (arguments.text("--valid") != nullptr) throw UsageError("--valid and --until exclude each other");
    const auto time_s = parse_time(*until);
    if (!time_s) arguments.refuse("--until", "Unix time in seconds, or a time such as 2026-12-31T23:59:59Z");
    if (*time_s <= now_s) arguments.refuse("--until", "in the future; it is " + utc_text(now_s));
    return *time_s;
  }
  const auto duration_s = parse_duration(
      required(arguments, "--valid", ", or --until instead; one of them sets when the ticket expires"));
  if (!duration_s || *duration_s > kLatestExpiry - now_s) {
    arguments.refuse(
        "--valid", "a whole number with its unit, such as 30s, 90m, 2h or 7d, and end before the year 10000");
  }
  return now_s + *duration_s;
}

std::string make(const Arguments& arguments, const std::string& key_file) {
  const std::string& station = required(arguments, "--station", ", as --station night");
  check_station(arguments);
  const std::int64_t expires_s = expiry(arguments);
  return signed_ticket({station, expires_s}, Secret::from_file(key_file));
}

std::string check(const Arguments& arguments, const std::string& key_file, const std::string& text) {
  if (arguments.text("--valid") != nullptr || arguments.text("--until") != nullptr)
    throw UsageError("--valid and --until do not apply to --check");
  check_station(arguments);
  const Secret key = Secret::from_file(key_file);
  const auto ticket = parse_ticket(text);
  const std::string* asked = arguments.text("--station");
  const std::string station = asked != nullptr ? *asked : ticket ? ticket->station : "";
  const TicketOutcome outcome = check_ticket(text, station, key, unix_s());
  std::string answer(sentence(outcome));
  // The claims of a forged ticket are not shown.
  if (outcome != TicketOutcome::kMalformed && outcome != TicketOutcome::kForged)
    answer += " Station " + ticket->station + ", until " + utc_text(ticket->expires_s) + ".";
  if (outcome != TicketOutcome::kValid) throw TicketError(answer);
  return answer;
}

void run(int argc, const char* const* argv) {
  Arguments arguments("Makes and checks tickets for listeners.", "auralis-ticket");
  declare(arguments);
  if (!arguments.parse(argc, argv, std::cout)) return;
  const std::string& key_file =
      required(arguments, "--key-file", "; it is the file that ticket_key_file in [streamd] names");
  const std::string* text = arguments.text("--check");
  std::cout << (text != nullptr ? check(arguments, key_file, *text) : make(arguments, key_file)) << '\n';
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
