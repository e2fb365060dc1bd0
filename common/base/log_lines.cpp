// SPDX-License-Identifier: MIT
#include "common/base/log_lines.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <ctime>

#include "common/base/clock.h"
#include "common/base/utc_text.h"

namespace auralis {
namespace {

// Keeps the order of the fields.
using Json = nlohmann::ordered_json;

std::string to_json(const Json& value) {
  return value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string to_json(const LogValue& value) {
  return std::visit([](const auto& held) { return to_json(Json(held)); }, value);
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// `text`, quoted unless it is one plain word.
std::string text_value(const std::string& text) {
  const bool plain = !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
    return is_control(c) || c == ' ' || c == '"' || c == '=';
  });
  return plain ? text : to_json(Json(text));
}

Json parsed(const LogRecord& record) { return Json::parse("{" + std::string(record.members) + "}"); }

std::string text_of(const Json& members) {
  std::string text;
  for (const auto& [name, value] : members.items()) {
    if (name == "message") {
      text.append(value.get<std::string>());
      // Keep a message on one line, even if it quotes a client's input.
      std::replace_if(text.begin(), text.end(), is_control, ' ');
    } else {
      text.append(" ").append(name).append("=");
      text.append(value.is_string() ? text_value(value.get<std::string>()) : to_json(value));
    }
  }
  return text;
}

std::int64_t unix_ns(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// 2026-12-31 23:59:59.007, where the machine is.
std::string local_text_ms(std::chrono::system_clock::time_point time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm fields{};
  localtime_r(&seconds, &fields);
  std::array<char, 32> text{};
  const std::size_t length = std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S.", &fields);
  const auto milliseconds = static_cast<int>(unix_ns(time) % kNsPerSecond / kNsPerMs);
  std::snprintf(text.data() + length, text.size() - length, "%03d", milliseconds);
  return text.data();
}

std::string_view colour_of(LogLevel level) {
  constexpr std::array<std::string_view, 4> kColours{"\x1b[36m", "\x1b[32m", "\x1b[33m", "\x1b[31m"};
  return kColours.at(static_cast<std::size_t>(level));
}

// Journald drops fields whose names have other characters, or begin with another one than a letter.
std::string journal_name(const std::string& name) {
  std::string capitals;
  for (const char c : name) {
    const bool letter = ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z');
    const bool inside = letter || (!capitals.empty() && ('0' <= c && c <= '9'));
    if (inside) {
      capitals.push_back('a' <= c && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    } else if (!capitals.empty()) {
      capitals.push_back('_');
    }
  }
  return capitals;
}

// A value with a line feed is preceded by its length.
void append_field(std::string& entry, const std::string& name, std::string_view value) {
  if (value.find('\n') == std::string_view::npos) {
    entry.append(name).append("=").append(value).append("\n");
    return;
  }
  entry.append(name).append("\n");
  for (unsigned shift = 0; shift < 64; shift += 8)
    entry.push_back(static_cast<char>(std::uint64_t{value.size()} >> shift & 0xffU));
  entry.append(value).append("\n");
}

}  // namespace

std::string json_members(std::string_view message, LogFields fields) {
  std::string members = "\"message\":" + to_json(Json(message));
  for (const auto& [name, value] : fields)
    members.append(",").append(to_json(Json(name))).append(":").append(to_json(value));
  return members;
}

std::string json_line(const LogRecord& record) {
  std::string line = R"({"time":")" + utc_text_ms(unix_ns(record.time));
  line.append(R"(","level":")").append(log_level_name(record.level));
  line.append(R"(","process":")").append(record.process).append("\",");
  return line.append(record.members).append("}\n");
}

std::string text_line(const LogRecord& record, bool colour) {
  constexpr std::size_t kLevelWidth = 8;
  const std::string_view level = log_level_name(record.level);
  std::string line = local_text_ms(record.time) + " ";
  if (colour) line.append(colour_of(record.level));
  line.append(level);
  if (colour) line.append("\x1b[0m");
  line.append(kLevelWidth - level.size(), ' ').append(record.process).append(": ");
  return line.append(text_of(parsed(record))).append("\n");
}

std::string journal_entry(const LogRecord& record) {
  const Json members = parsed(record);
  std::string entry;
  append_field(entry, "MESSAGE", text_of(members));
  append_field(entry, "PRIORITY", journal_prefix(record.level).substr(1, 1));
  append_field(entry, "SYSLOG_IDENTIFIER", record.process);
  for (const auto& [name, value] : members.items()) {
    const std::string capitals = journal_name(name);
    if (name == "message" || capitals.empty()) continue;
    append_field(entry, capitals, value.is_string() ? value.get<std::string>() : to_json(value));
  }
  return entry;
}

std::string_view journal_prefix(LogLevel level) {
  // LOG_DEBUG, LOG_INFO, LOG_WARNING and LOG_ERR of syslog(3).
  constexpr std::array<std::string_view, 4> kPrefixes{"<7>", "<6>", "<4>", "<3>"};
  return kPrefixes.at(static_cast<std::size_t>(level));
}

std::string utc_date(std::chrono::system_clock::time_point time) {
  return utc_text(unix_ns(time) / kNsPerSecond).substr(0, std::string_view("2026-11-30").size());
}

}  // namespace auralis
