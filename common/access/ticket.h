// SPDX-License-Identifier: MIT
// Tickets: a client that presents one may listen until it expires. A ticket names the station and the expiry,
// signed with a key that its issuer and streamd share, so that streamd need not store tickets:
//
//     night.1798761600.ywfInvw-UtqNga25GnAYew9VHXNzFP_5hVEFbV9rjtU
//
// the station, the Unix time in seconds at which it expires, and HMAC-SHA256 of "auralis-ticket-v1\n" and the
// text before the last dot, in base64url (RFC 4648, not padded). Needs no escapes in a URL's query. Pure; any
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/access/secret_file.h"

namespace auralis {

// In place of a station's name: every station, and the listener's own new station.
inline constexpr std::string_view kEveryStation = "*";
inline constexpr std::string_view kNewStation = "new";

// The end of the year 9999.
inline constexpr std::int64_t kLatestExpiry = 253'402'300'799;

struct Ticket {
  std::string station;         // a name, kNewStation or kEveryStation
  std::int64_t expires_s = 0;  // Unix time; invalid from then on
};

// 1 to 31 of a-z, 0-9, _ and -, or kEveryStation.
bool is_ticket_station(std::string_view station);

// `station`: is_ticket_station holds; expiry: 0 to kLatestExpiry.
std::string signed_ticket(const Ticket& ticket, const Secret& key);

enum class TicketOutcome {
  kValid,
  kMalformed,     // not a ticket, or empty
  kForged,        // signed with another key, or changed since
  kExpired,       // genuine but expired
  kOtherStation,  // genuine, for another station than requested
};

// Whether `text` admits its bearer to `station`; kNewStation for a listener's own station, whatever its name.
TicketOutcome check_ticket(std::string_view text, std::string_view station, const Secret& key,
                           std::int64_t unix_s);

// The content of the ticket, without checking the signature; nothing if it is malformed.
std::optional<Ticket> parse_ticket(std::string_view text);

// Describes the outcome in one sentence for the listener.
std::string_view sentence(TicketOutcome outcome);

}  // namespace auralis
