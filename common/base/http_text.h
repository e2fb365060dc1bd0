// SPDX-License-Identifier: MIT
// Characters and parts of an HTTP request's head (RFC 9110, RFC 3986). Pure.
#pragma once

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "common/base/text.h"

namespace auralis {

inline bool is_digit(char c) { return '0' <= c && c <= '9'; }
inline bool is_letter(char c) { return 'a' <= lower(c) && lower(c) <= 'z'; }

// RFC 9110, 5.6.2: a character of a method or of a header's name.
inline bool is_token_char(char c) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return is_digit(c) || is_letter(c) || kMarks.find(c) != std::string_view::npos;
}

// RFC 3986, 2.3: a character that means the same percent-encoded and plain.
inline bool is_unreserved(char c) {
  return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// The character that `text` begins with, percent-encoded; else nothing.
inline std::optional<char> percent_decoded(std::string_view text) {
  unsigned value = 0;
  if (text.size() < 3 || text.front() != '%') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + 3, value, 16);
  if (error != std::errc() || end != text.data() + 3) return std::nullopt;
  return static_cast<char>(value);
}

// Whether `text` is valid as the value of Host: a name or an address, with or without a port; empty where the
// client has no name for the server (RFC 9112, 3.2).
inline bool is_authority(std::string_view text) {
  constexpr std::string_view kMarks = "!$&'()*+,;=%";
  const auto is_name_char = [&](char c) {
    return is_unreserved(c) || kMarks.find(c) != std::string_view::npos;
  };
  if (text.empty()) return true;
  const auto bracket = text.front() == '[' ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return false;
  const auto colon = text.find(':', bracket);
  const std::string_view host = text.substr(0, colon);
  const bool good_host = bracket > 0 ? host.size() == bracket + 1 && bracket > 1 &&
                                           std::all_of(host.begin() + 1, host.end() - 1,
                                                       [](char c) { return c == ':' || is_unreserved(c); })
                                     : std::all_of(host.begin(), host.end(), is_name_char);
  if (colon == std::string_view::npos) return good_host;
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool good_port = digits.empty() || (error == std::errc() && end == digits.data() + digits.size() &&
                                            0 < port && port <= 65'535);
  return good_host && good_port && !host.empty();
}

}  // namespace auralis
