// SPDX-License-Identifier: MIT
#include "common/config/config_rules.h"

#include "common/access/ip_address.h"
#include "common/access/web_origin.h"
#include "common/base/station_name.h"
#include "common/music/music_parameters.h"

#include <arpa/inet.h>

#include <algorithm>

namespace auralis {
namespace {

bool is_free_station_name(const std::string& name) {
  return is_station_name(name) && name != "new" && name != "personal";
}

bool is_host(const std::string& host) {
  in6_addr address{};
  // Reject zero bytes: inet_pton would ignore everything after one.
  if (host.find('\0') != std::string::npos) return false;
  if (host == "localhost" || inet_pton(AF_INET, host.c_str(), &address) == 1) return true;
  // Reject link-local addresses: without a zone they cannot be bound.
  return inet_pton(AF_INET6, host.c_str(), &address) == 1 && !IN6_IS_ADDR_LINKLOCAL(&address);
}

bool is_port_or_any(const std::string& text) {
  constexpr unsigned long kMaxPort = 65'535;
  if (text == "*") return true;
  const bool number =
      !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string::npos;
  return number && std::stoul(text) <= kMaxPort;
}

// Whether ZeroMQ can bind to `host`: an address or an interface name. It does not resolve host names.
bool is_bindable(const std::string& host) {
  in6_addr address{};
  if (host == "*" || host == "[*]" || inet_pton(AF_INET, host.c_str(), &address) == 1) return true;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &address) == 1;
  }
  constexpr std::size_t kLongestInterface = 15;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kOthers = "0123456789._-";
  const auto allowed = [&](char c) {
    return kLetters.find(c) != std::string_view::npos || kOthers.find(c) != std::string_view::npos;
  };
  return host != "localhost" && host.size() <= kLongestInterface &&
         host.find_first_of(kLetters) != std::string::npos && std::all_of(host.begin(), host.end(), allowed);
}

bool is_endpoint(const std::string& endpoint) {
  constexpr std::size_t kScheme = 6;
  constexpr std::size_t kLongestPath = 107;  // of a Unix socket
  if (endpoint.find('\0') != std::string::npos || endpoint.size() <= kScheme) return false;
  const std::string rest = endpoint.substr(kScheme);
  if (endpoint.compare(0, kScheme, "ipc://") == 0) return rest.size() <= kLongestPath;
  const std::size_t colon = rest.rfind(':');
  return endpoint.compare(0, kScheme, "tcp://") == 0 && colon != std::string::npos &&
         is_bindable(rest.substr(0, colon)) && is_port_or_any(rest.substr(colon + 1));
}

bool is_url_or_empty(const std::string& url) {
  if (url.empty()) return true;
  const auto printable = [](char c) { return '!' <= c && c <= '~' && c != '@'; };
  if (!std::all_of(url.begin(), url.end(), printable)) return false;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (url.compare(0, scheme.size(), scheme) != 0) continue;
    const std::string host =
        url.substr(scheme.size(), url.find_first_of("/?#", scheme.size()) - scheme.size());
    return !host.empty() && host.front() != ':';
  }
  return false;
}

bool is_absolute_or_empty(const std::string& path) { return path.empty() || path.front() == '/'; }

bool is_network_list(const std::string& list) { return parse_ip_networks(list).has_value(); }

bool is_origin_list(const std::string& list) { return parse_allowed_origins(list).has_value(); }

bool is_anything(const std::string&) { return true; }

ConfigRule text(std::string allowed, bool (*check)(const std::string&)) {
  return {std::move(allowed),
          [check](const ConfigValue& value) { return check(std::get<std::string>(value)); }};
}

}  // namespace

ConfigRule integer_from(std::int64_t min, std::int64_t max) {
  return {"an integer from " + std::to_string(min) + " to " + std::to_string(max),
          [=](const ConfigValue& value) {
            const auto number = std::get<std::int64_t>(value);
            return min <= number && number <= max;
          }};
}

ConfigRule multiple_of(std::int64_t step, std::int64_t min, std::int64_t max) {
  return {
      "a multiple of " + std::to_string(step) + " from " + std::to_string(min) + " to " + std::to_string(max),
      [=](const ConfigValue& value) {
        const auto number = std::get<std::int64_t>(value);
        return min <= number && number <= max && number % step == 0;
      }};
}

ConfigRule one_of(std::vector<ConfigValue> choices) {
  std::string allowed;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) allowed += i + 1 == choices.size() ? " or " : ", ";
    const ConfigValue& choice = choices[i];
    allowed += std::holds_alternative<std::string>(choice) ? std::get<std::string>(choice)
                                                           : std::to_string(std::get<std::int64_t>(choice));
  }
  return {allowed, [choices = std::move(choices)](const ConfigValue& value) {
            return std::find(choices.begin(), choices.end(), value) != choices.end();
          }};
}

ConfigRule number_from(double min, double max) {
  // The limits of all controls are whole numbers.
  const auto whole = [](double limit) { return std::to_string(static_cast<std::int64_t>(limit)); };
  return {"a number from " + whole(min) + " to " + whole(max), [=](const ConfigValue& value) {
            // Negated so that NaN, which compares false with everything, is rejected.
            const double number = std::get<double>(value);
            return min <= number && number <= max;
          }};
}

ConfigRule boolean() {
  return {"true or false", [](const ConfigValue&) { return true; }};
}

ConfigRule preset_name() {
  std::vector<ConfigValue> names(kPresets.size());
  std::transform(kPresets.begin(), kPresets.end(), names.begin(),
                 [](const Preset& preset) { return std::string(preset.name); });
  return one_of(std::move(names));
}

ConfigRule station_name() {
  return text("1 to 31 of a-z, 0-9, _ and -, but not new or personal, which are reserved",
              is_free_station_name);
}

ConfigRule host() { return text("an IPv4 address, an IPv6 address (not link-local) or localhost", is_host); }

ConfigRule endpoint() {
  return text("an endpoint that begins with tcp:// or ipc://, such as tcp://127.0.0.1:5556", is_endpoint);
}

ConfigRule path_or_empty() { return text("an absolute path, or empty", is_absolute_or_empty); }

ConfigRule url_or_empty() {
  return text("a URL that begins with http:// or https://, without @, or empty", is_url_or_empty);
}

ConfigRule network_list() {
  return text("addresses and networks such as 10.0.0.0/8, separated by commas, or empty", is_network_list);
}

ConfigRule origin_list() {
  return text("origins such as https://example.org, separated by commas, or *, or empty", is_origin_list);
}

ConfigRule any_text() { return text("text", is_anything); }

}  // namespace auralis
