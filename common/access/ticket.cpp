// SPDX-License-Identifier: MIT
#include "common/access/ticket.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <stdexcept>

namespace auralis {
namespace {

// Domain separation: a signature of anything else made with the same key is not a ticket.
constexpr std::string_view kPurpose = "auralis-ticket-v1\n";
constexpr std::size_t kMostStationBytes = 31;
constexpr std::size_t kSignatureBytes = 32;
constexpr std::size_t kSignatureCharacters = 43;  // of base64url, without its padding

using Signature = std::array<char, kSignatureCharacters>;

// EVP_EncodeBlock writes the padding and a terminating zero.
using Base64 = std::array<unsigned char, kSignatureCharacters + 2>;

Signature signature_of(std::string_view claims, const Secret& key) {
  const std::string message = std::string(kPurpose).append(claims);
  std::array<unsigned char, kSignatureBytes> digest{};
  const auto* data = reinterpret_cast<const unsigned char*>(message.data());
  if (HMAC(EVP_sha256(), key.bytes().data(), static_cast<int>(key.bytes().size()), data, message.size(),
           digest.data(), nullptr) == nullptr)
    throw std::runtime_error("OpenSSL cannot compute HMAC-SHA256");
  Base64 base64{};
  EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(digest.size()));
  Signature signature{};
  std::transform(base64.begin(), base64.begin() + kSignatureCharacters, signature.begin(),
                 [](unsigned char c) {
                   if (c == '+') return '-';
                   return c == '/' ? '_' : static_cast<char>(c);
                 });
  return signature;
}

bool is_signature(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  return text.size() == kSignatureCharacters && text.find_first_not_of(kAlphabet) == std::string_view::npos;
}

// Accepts only the form that signed_ticket writes, so that a ticket has one form.
std::optional<std::int64_t> parse_expiry(std::string_view text) {
  std::int64_t expires_s = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), expires_s);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  const bool in_range = 0 <= expires_s && expires_s <= kLatestExpiry;
  return in_range && std::to_string(expires_s) == text ? std::optional(expires_s) : std::nullopt;
}

std::string claims_of(const Ticket& ticket) {
  return ticket.station + "." + std::to_string(ticket.expires_s);
}

}  // namespace

bool is_ticket_station(std::string_view station) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
  if (station == kEveryStation) return true;
  return !station.empty() && station.size() <= kMostStationBytes &&
         station.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string signed_ticket(const Ticket& ticket, const Secret& key) {
  assert(is_ticket_station(ticket.station) && ticket.expires_s >= 0 && ticket.expires_s <= kLatestExpiry);
  const std::string claims = claims_of(ticket);
  const Signature signature = signature_of(claims, key);
  return claims + "." + std::string(signature.data(), signature.size());
}

std::optional<Ticket> parse_ticket(std::string_view text) {
  const auto first = text.find('.');
  const auto last = text.rfind('.');
  if (first == last) return std::nullopt;
  const std::string_view station = text.substr(0, first);
  const auto expires_s = parse_expiry(text.substr(first + 1, last - first - 1));
  if (!is_ticket_station(station) || !expires_s || !is_signature(text.substr(last + 1))) return std::nullopt;
  return Ticket{std::string(station), *expires_s};
}

TicketOutcome check_ticket(std::string_view text, std::string_view station, const Secret& key,
                           std::int64_t unix_s) {
  const auto ticket = parse_ticket(text);
  if (!ticket) return TicketOutcome::kMalformed;
  const Signature right = signature_of(claims_of(*ticket), key);
  const std::string_view given = text.substr(text.size() - right.size());
  // Compare in constant time: the duration must not reveal how much of it matches.
  if (CRYPTO_memcmp(given.data(), right.data(), right.size()) != 0) return TicketOutcome::kForged;
  if (unix_s >= ticket->expires_s) return TicketOutcome::kExpired;
  const bool fits = ticket->station == kEveryStation || ticket->station == station;
  return fits ? TicketOutcome::kValid : TicketOutcome::kOtherStation;
}

std::string_view sentence(TicketOutcome outcome) {
  switch (outcome) {
    case TicketOutcome::kValid:
      return "The ticket is valid.";
    case TicketOutcome::kMalformed:
      return "A ticket is needed, and what was given is none.";
    case TicketOutcome::kForged:
      return "The ticket was not made for this server, or was changed.";
    case TicketOutcome::kExpired:
      return "The ticket has expired.";
    case TicketOutcome::kOtherStation:
      return "The ticket is for another station.";
  }
  return {};
}

}  // namespace auralis
