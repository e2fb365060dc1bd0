// SPDX-License-Identifier: MIT
#include "streamd/net/http_head.h"

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include "common/base/http_text.h"
#include "common/base/text.h"

namespace auralis {
namespace {

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
std::string normalized(std::string_view target) {
  std::string result;
  result.reserve(target.size());
  for (std::size_t i = 0; i < target.size(); ++i) {
    const auto decoded = percent_decoded(target.substr(i));
    const bool plain = decoded && is_unreserved(*decoded);
    result += plain ? *decoded : target[i];
    if (plain) i += 2;
  }
  return result;
}

struct Fault : HttpFault {};
[[noreturn]] void fail(int status, std::string sentence) { throw Fault{{status, std::move(sentence)}}; }

// Cuts the next line off, without its end.
std::string_view next_line(std::string_view& text) {
  const auto end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

void parse_version(std::string_view version, RequestHead& head) {
  constexpr std::string_view kName = "HTTP/";
  if (version.size() != kName.size() + 3 || version.substr(0, kName.size()) != kName ||
      !is_digit(version[5]) || version[6] != '.' || !is_digit(version[7]))
    fail(400, "The request line must end with HTTP/1.1 or HTTP/1.0.");
  if (version[5] != '1') fail(505, "Only HTTP/1.1 and HTTP/1.0 are supported.");
  head.old_version = version[7] == '0';
}

// An absolute URL names the host itself: `host` is set then.
std::string origin_form(std::string_view target, std::optional<std::string>& host) {
  const auto scheme = target.find("://");
  const bool absolute =
      scheme != std::string_view::npos && (same_but_for_case(target.substr(0, scheme), "http") ||
                                           same_but_for_case(target.substr(0, scheme), "https"));
  if (!absolute) return std::string(target);
  const std::string_view rest = target.substr(scheme + 3);
  const auto path = rest.find_first_of("/?");
  host = rest.substr(0, path);
  if (host->empty() || !is_authority(*host)) fail(400, "Invalid host in the request target.");
  if (path == std::string_view::npos) return "/";
  return (rest[path] == '?' ? "/" : "") + std::string(rest.substr(path));
}

void parse_request_line(std::string_view line, RequestHead& head, std::optional<std::string>& host) {
  const auto first = line.find(' ');
  if (!is_token(line.substr(0, first))) fail(400, "The request line must begin with a method.");
  head.method = line.substr(0, first);
  const auto last = line.rfind(' ');
  if (last <= first || last == std::string_view::npos)
    fail(400, "The request line must have a method, a target and a version.");
  parse_version(line.substr(last + 1), head);
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.empty() ||
      std::any_of(target.begin(), target.end(), [](char c) { return c == ' ' || is_control(c); }))
    fail(400, "Invalid request target.");
  head.target = normalized(origin_form(target, host));
  const bool asterisk = head.target == "*" && head.method == "OPTIONS";
  if (head.target.front() != '/' && !asterisk && head.method != "CONNECT")
    fail(400, "The target must be a path, or a URL of http or https.");
}

void parse_field(std::string_view line, RequestHead& head) {
  if (line.front() == ' ' || line.front() == '\t') fail(400, "A header must not be folded.");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
    fail(400, "Invalid header: a name must be followed at once by a colon.");
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; }))
    fail(400, "A header must not contain control characters.");
  const std::string name = lower(line.substr(0, colon));
  const auto [field, added] = head.fields.try_emplace(name, value);
  if (added) return;
  if (name == "host") fail(400, "More than one Host header.");
  if (name == "content-length") fail(400, "More than one Content-Length header.");
  field->second.append(", ").append(value);
}

void check_host(RequestHead& head, const std::optional<std::string>& of_target) {
  const auto host = head.fields.find("host");
  if (host == head.fields.end() && !head.old_version) fail(400, "HTTP/1.1 requires a Host header.");
  if (host != head.fields.end() && !is_authority(host->second)) fail(400, "Invalid Host header.");
  if (of_target) head.fields["host"] = *of_target;
}

void parse_framing(RequestHead& head) {
  const auto length = head.fields.find("content-length");
  const auto coding = head.fields.find("transfer-encoding");
  if (coding != head.fields.end()) {
    if (length != head.fields.end() || head.old_version)
      fail(400, "Transfer-Encoding is not allowed with Content-Length or HTTP/1.0.");
    if (!same_but_for_case(coding->second, "chunked"))
      fail(501, "Only Transfer-Encoding: chunked is supported.");
    head.chunked = true;
  }
  if (length == head.fields.end()) return;
  const std::string& digits = length->second;
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
    fail(400, "Content-Length must be a number.");
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), head.content_length);
  if (result.ec != std::errc()) fail(413, "Request body too large.");
}

bool lists(std::string_view field, std::string_view word) {
  const auto parts = list_parts(field);
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return same_but_for_case(part, word); });
}

}  // namespace

std::size_t HeadEnd::take(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !complete_) {
    const char c = bytes[taken++];
    if (c == '\n') {
      complete_ = line_empty_ && begun_;
      begun_ = begun_ || !line_empty_;
      line_empty_ = true;
    } else if (c != '\r') {
      line_empty_ = false;
    }
  }
  length_ += taken;
  return taken;
}

std::string_view RequestHead::field(const std::string& name) const {
  const auto found = fields.find(name);
  return found == fields.end() ? std::string_view() : found->second;
}
bool RequestHead::expects_continue() const { return !old_version && lists(field("expect"), "100-continue"); }
bool RequestHead::asks_for_websocket() const {
  return method == "GET" && !old_version && lists(field("connection"), "upgrade") &&
         lists(field("upgrade"), "websocket");
}

RequestHead parse_request_head(std::string_view text) {
  RequestHead head;
  try {
    std::optional<std::string> host;
    std::string_view line = next_line(text);
    while (line.empty() && !text.empty()) line = next_line(text);
    parse_request_line(line, head, host);
    while (!(line = next_line(text)).empty()) parse_field(line, head);
    check_host(head, host);
    parse_framing(head);
  } catch (const Fault& fault) {
    head.fault = fault;
  }
  return head;
}

}  // namespace auralis
