// SPDX-License-Identifier: MIT
#include "common/access/ticket.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <sys/stat.h>

#include <set>
#include <string>

namespace auralis::ticket_test {
namespace {

Secret key_of(const std::string& text) {
  const test::TempDir dir;
  const auto path = dir.path() / "key";
  test::write_file(path, text);
  test::require(chmod(path.c_str(), 0600) == 0, "chmod");
  return Secret::from_file(path);
}

const Secret& key() {
  static const Secret secret = key_of("0123456789abcdef");
  return secret;
}

constexpr std::int64_t kExpiry = 1'798'761'600;
constexpr std::int64_t kBefore = kExpiry - 1;

TicketOutcome check(const std::string& text, std::string_view station = "night",
                    std::int64_t now_s = kBefore) {
  return check_ticket(text, station, key(), now_s);
}

TEST_CASE("a ticket matches the documented format, as computed by Python") {
  // python3: base64.urlsafe_b64encode(hmac.digest(b"0123456789abcdef",
  //                                   b"auralis-ticket-v1\nnight.1798761600", "sha256")).rstrip(b"=")
  CHECK(signed_ticket({"night", kExpiry}, key()) ==
        "night.1798761600.ywfInvw-UtqNga25GnAYew9VHXNzFP_5hVEFbV9rjtU");
}

TEST_CASE("a ticket is valid for its station until the second in which it expires") {
  const std::string ticket = signed_ticket({"night", kExpiry}, key());
  CHECK(check(ticket) == TicketOutcome::kValid);
  CHECK(check(ticket, "night", 0) == TicketOutcome::kValid);
  CHECK(check(ticket, "night", kExpiry) == TicketOutcome::kExpired);
  CHECK(check(ticket, "night", kExpiry + 1) == TicketOutcome::kExpired);
  CHECK(check(ticket, "day") == TicketOutcome::kOtherStation);
  CHECK(check(ticket, kNewStation) == TicketOutcome::kOtherStation);
  CHECK(check(ticket, "nigh") == TicketOutcome::kOtherStation);
}

TEST_CASE("a ticket may be for all stations, or for the listener's own stations") {
  const std::string every = signed_ticket({std::string(kEveryStation), kExpiry}, key());
  CHECK(check(every, "night") == TicketOutcome::kValid);
  CHECK(check(every, kNewStation) == TicketOutcome::kValid);
  CHECK(check(every, "night", kExpiry) == TicketOutcome::kExpired);
  const std::string own = signed_ticket({std::string(kNewStation), kExpiry}, key());
  CHECK(check(own, kNewStation) == TicketOutcome::kValid);
  CHECK(check(own, "night") == TicketOutcome::kOtherStation);
}

TEST_CASE("a ticket that was changed anywhere is not valid") {
  const std::string ticket = signed_ticket({"night", kExpiry}, key());
  for (std::size_t i = 0; i < ticket.size(); ++i) {
    for (const char c : std::string("aZ09-_.*")) {
      std::string changed = ticket;
      changed[i] = c;
      if (changed == ticket) continue;
      CAPTURE(changed);
      const TicketOutcome outcome = check(changed);
      const bool refused = outcome == TicketOutcome::kForged || outcome == TicketOutcome::kMalformed;
      CHECK(refused);
    }
  }
  CHECK(check("day" + ticket.substr(5), "day") == TicketOutcome::kForged);
  CHECK(check("*" + ticket.substr(5)) == TicketOutcome::kForged);
  CHECK(check("night.1798761601" + ticket.substr(16), "night", kExpiry) == TicketOutcome::kForged);
}

TEST_CASE("a ticket of another key is forged, expired or not") {
  const std::string other = signed_ticket({"night", kExpiry}, key_of("0123456789abcdeg"));
  CHECK(check(other) == TicketOutcome::kForged);
  CHECK(check(other, "day", kExpiry) == TicketOutcome::kForged);
}

TEST_CASE("a text without the form of a ticket is malformed") {
  const std::string ticket = signed_ticket({"night", kExpiry}, key());
  const std::string signature = ticket.substr(ticket.rfind('.') + 1);
  REQUIRE(signature.size() == 43);
  for (const std::string& text : {std::string(),
                                  std::string("."),
                                  std::string(".."),
                                  std::string("night"),
                                  "night." + signature,
                                  "night.." + signature,
                                  ".1798761600." + signature,
                                  "Night.1798761600." + signature,
                                  "night.01798761600." + signature,
                                  "night.-1." + signature,
                                  "night.+1." + signature,
                                  "night.1e9." + signature,
                                  "night. 1." + signature,
                                  "night.253402300800." + signature,
                                  "night.99999999999999999999." + signature,
                                  "night.1798761600.x." + signature,
                                  "**.1798761600." + signature,
                                  ticket + "=",
                                  ticket + "\n",
                                  " " + ticket,
                                  ticket.substr(0, ticket.size() - 1),
                                  ticket + "A",
                                  "night.1798761600." + signature.substr(1) + "+",
                                  "night.1798761600." + signature.substr(1) + '\0',
                                  std::string(32, 'a') + ".1798761600." + signature,
                                  std::string(1'000'000, '.'),
                                  std::string(1'000'000, 'a')}) {
    CHECK(check(text) == TicketOutcome::kMalformed);
    CHECK_FALSE(parse_ticket(text));
  }
}

TEST_CASE("the content of a ticket can be read without the key") {
  const auto ticket = parse_ticket(signed_ticket({"night_1-b", 0}, key()));
  REQUIRE(ticket);
  CHECK(ticket->station == "night_1-b");
  CHECK(ticket->expires_s == 0);
  CHECK(parse_ticket(signed_ticket({"*", kLatestExpiry}, key()))->expires_s == kLatestExpiry);
}

TEST_CASE("a ticket may name any valid station name, or all stations") {
  for (const std::string station : {"night", "*", "new", "0_-", "abcdefghijklmnopqrstuvwxyz01234"})
    CHECK(is_ticket_station(station));
  for (const std::string station :
       {"", "Night", "a.b", "a b", "**", "n*", "abcdefghijklmnopqrstuvwxyz012345"})
    CHECK_FALSE(is_ticket_station(station));
}

TEST_CASE("each outcome has a sentence of its own") {
  std::set<std::string_view> sentences;
  for (const auto outcome : {TicketOutcome::kValid, TicketOutcome::kMalformed, TicketOutcome::kForged,
                             TicketOutcome::kExpired, TicketOutcome::kOtherStation}) {
    CHECK(sentence(outcome).back() == '.');
    sentences.insert(sentence(outcome));
  }
  CHECK(sentences.size() == 5);
}

}  // namespace
}  // namespace auralis::ticket_test
