// SPDX-License-Identifier: MIT
// Tickets: who shows one may listen, until it expires. A ticket says for which station and until when, signed
// with a key that its maker and streamd share, so that streamd need not know of it beforehand:
//
//     night.1798761600.ywfInvw-UtqNga25GnAYew9VHXNzFP_5hVEFbV9rjtU
//
// the station, the Unix time in seconds at which it expires, and HMAC-SHA256 of "auralis-ticket-v1\n" and
// what stands before the last point, in base64url (RFC 4648, not padded). Fit for a URL's query as it is.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/access/secret_file.h"

namespace auralis {

// In place of a station's name: all stations, and stations of the listener's own.
inline constexpr std::string_view kEveryStation = "*";
inline constexpr std::string_view kNewStation = "new";

// The end of the year 9999.
inline constexpr std::int64_t kLatestExpiry = 253'402'300'799;

struct Ticket {
  std::string station;         // a name, kNewStation or kEveryStation
  std::int64_t expires_s = 0;  // Unix time; from then on it is void
};

// 1 to 31 of a-z, 0-9, _ and -, or kEveryStation.
bool is_ticket_station(std::string_view station);

// Of a station for which is_ticket_station holds, and a time from 0 to kLatestExpiry.
std::string signed_ticket(const Ticket& ticket, const Secret& key);

enum class TicketOutcome {
  kValid,
  kMalformed,     // no ticket, or none at all
  kForged,        // signed with another key, or changed since
  kExpired,       // and genuine, as the next one
  kOtherStation,  // not for the station that was asked for
};

// Whether `text` lets its bearer listen to `station`, which is kNewStation for a listener's own, whatever its
// name.
TicketOutcome check_ticket(std::string_view text, std::string_view station, const Secret& key,
                           std::int64_t unix_s);

// What the ticket says, whether or not it is genuine; nothing where it is malformed.
std::optional<Ticket> parse_ticket(std::string_view text);

// One sentence for the listener.
std::string_view sentence(TicketOutcome outcome);

}  // namespace auralis
