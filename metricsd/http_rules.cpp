// SPDX-License-Identifier: MIT
#include "metricsd/http_rules.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "common/base/http_text.h"

namespace auralis {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr int kBadRequest = 400;
constexpr int kVersionNotSupported = 505;

// The version at the end of a request line, "HTTP/" and a digit on each side of a dot; else empty.
std::string_view version_of(std::string_view line) {
  constexpr std::size_t kLength = 8;
  if (line.size() < kLength) return {};
  const std::string_view version = line.substr(line.size() - kLength);
  const bool well_formed =
      version.substr(0, 5) == "HTTP/" && is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
  return well_formed ? version : std::string_view{};
}

// Whether `head` contains a line feed without a carriage return, or a zero byte: parsers interpret them
// differently.
bool ambiguous(std::string_view head) {
  for (std::size_t at = 0; at < head.size(); ++at) {
    if (head[at] == '\0') return true;
    if (head[at] == '\n' && (at == 0 || head[at - 1] != '\r')) return true;
  }
  return false;
}

// Cuts scheme and authority from the absolute-form; false if `target` is not of that form.
bool cut_authority(std::string_view& target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() <= scheme.size() || !same_but_for_case(target.substr(0, scheme.size()), scheme))
      continue;
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    if (end == 0 || !is_authority(target.substr(0, end))) return false;
    target.remove_prefix(end);
    return true;
  }
  return false;
}

// Only unreserved characters are equivalent encoded and decoded; the others stay encoded.
std::optional<std::string> decode_unreserved(std::string_view path) {
  std::string decoded;
  for (std::size_t at = 0; at < path.size(); ++at) {
    if (path[at] != '%') {
      decoded += path[at];
      continue;
    }
    const auto c = percent_decoded(path.substr(at));
    if (!c) return std::nullopt;
    if (is_unreserved(*c)) {
      decoded += *c;
    } else {
      decoded.append(path.substr(at, 3));
    }
    at += 2;
  }
  return decoded;
}

}  // namespace

int head_fault(std::string_view received) {
  if (!received.empty() && !is_token_char(received.front())) return kBadRequest;
  if (ambiguous(received.substr(0, received.find("\r\n\r\n")))) return kBadRequest;
  const std::size_t end = received.find(kLineEnd);
  if (end == std::string_view::npos) return 0;
  const std::string_view line = received.substr(0, end);
  // The preface of HTTP/2, which an HTTP/1 server must not accept as a request.
  if (line == "PRI * HTTP/2.0") return kBadRequest;
  const std::string_view version = version_of(line);
  if (version.empty()) return kBadRequest;
  return version[5] == '1' ? 0 : kVersionNotSupported;
}

bool later_minor_version(std::string_view line) {
  const std::string_view version = version_of(line);
  return !version.empty() && version[5] == '1' && version[7] > '1';
}

std::optional<std::string> path_of_target(std::string_view target) {
  if (target == "*") return std::string(target);
  if (target.find('#') != std::string_view::npos) return std::nullopt;
  const bool absolute = !target.empty() && target.front() != '/';
  if (absolute && !cut_authority(target)) return std::nullopt;
  const std::string_view path = target.substr(0, target.find('?'));
  if (path.empty()) return absolute ? std::optional<std::string>("/") : std::nullopt;
  return decode_unreserved(path);
}

std::string_view query_of_target(std::string_view target) {
  const std::size_t mark = std::min(target.find('?'), target.size());
  return target.substr(std::min(mark + 1, target.size()));
}

std::string event_message(std::string_view data) {
  std::string message = "data: ";
  for (const char c : data) {
    message += c;
    if (c == '\n') message += "data: ";
  }
  return message + "\n\n";
}

std::string http_date(std::int64_t unix_s) {
  // Independent of the locale: strftime would use the names of the current one.
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t time = unix_s;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                utc.tm_sec);
  return text.data();
}

}  // namespace auralis
