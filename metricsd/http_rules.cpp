// SPDX-License-Identifier: MIT
#include "metricsd/http_rules.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace auralis {
namespace {

constexpr std::string_view kLineEnd = "\r\n";
constexpr int kBadRequest = 400;
constexpr int kVersionNotSupported = 505;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }
bool is_token(char c) { return is_alnum(c) || is_one_of(c, "!#$%&'*+-.^_`|~"); }
bool is_unreserved(char c) { return is_alnum(c) || is_one_of(c, "-._~"); }

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

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
    const auto same = [](char a, char b) { return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b); };
    if (target.size() <= scheme.size() ||
        !std::equal(scheme.begin(), scheme.end(), target.begin(),
                    [&](char wanted, char given) { return same(given, wanted); })) {
      continue;
    }
    target.remove_prefix(scheme.size());
    const std::size_t end = std::min(target.find_first_of("/?"), target.size());
    if (end == 0 || !valid_host(target.substr(0, end))) return false;
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
    const int high = at + 2 < path.size() ? hex_digit(path[at + 1]) : -1;
    const int low = at + 2 < path.size() ? hex_digit(path[at + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    const char c = static_cast<char>(high * 16 + low);
    if (is_unreserved(c)) {
      decoded += c;
    } else {
      decoded.append(path.substr(at, 3));
    }
    at += 2;
  }
  return decoded;
}

}  // namespace

int head_fault(std::string_view received) {
  if (!received.empty() && !is_token(received.front())) return kBadRequest;
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

bool valid_host(std::string_view value) {
  const bool literal = !value.empty() && value.front() == '[';
  const std::size_t name_end = literal ? value.find(']') : std::min(value.find(':'), value.size());
  if (name_end == std::string_view::npos) return false;
  const std::string_view name = value.substr(0, name_end);
  const auto in_name = [](char c) { return is_unreserved(c) || is_one_of(c, "%!$&'()*+,;="); };
  const auto in_literal = [](char c) { return is_alnum(c) || is_one_of(c, ":."); };
  const bool good_name = literal ? name.size() > 1 && std::all_of(name.begin() + 1, name.end(), in_literal)
                                 : std::all_of(name.begin(), name.end(), in_name);
  std::string_view rest = value.substr(name_end + (literal ? 1 : 0));
  if (!good_name || (!rest.empty() && rest.front() != ':')) return false;
  if (!rest.empty()) rest.remove_prefix(1);
  return rest.size() <= 5 && std::all_of(rest.begin(), rest.end(), is_digit);
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
