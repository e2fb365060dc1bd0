// SPDX-License-Identifier: MIT
#include "common/music/permalink.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <vector>

namespace auralis {
namespace {

using Fields = std::map<std::string, std::string>;

constexpr std::array<char, kNumberControls.size()> kNumberLetters{'b', 'i', 'c', 'v', 'd'};
constexpr std::array<char, kVoiceGroupNames.size()> kGroupLetters{'p', 'm', 'k', 's'};

[[noreturn]] void refuse(const std::string& what, const std::string& must) {
  throw QueryError("In the link, " + what + " must be " + must + ".");
}

// `text` as a number; nothing if it is not entirely one.
template <typename Number>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size()) return std::nullopt;
  return number;
}

template <typename Number>
Number field_number(const std::string& name, std::string_view text, Number least, Number most) {
  const auto number = number_of<Number>(text);
  if (!number || *number < least || *number > most) {
    refuse(name, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return *number;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// A field's name as given in a link, with all but plain characters escaped: it becomes part of errors, which
// are written to logs and JSON.
std::string escaped(std::string_view text) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
  constexpr std::string_view kHexDigits = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    if (kPlain.find(c) != std::string_view::npos) {
      result += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      result.append(1, '%').append(1, kHexDigits[byte / 16U]).append(1, kHexDigits[byte % 16U]);
    }
  }
  return result.empty() ? "a field without a name" : result;
}

// The shortest digits that parse to this float again; without an exponent or -0, whose sign would end the
// part.
std::string digits(float value) {
  if (value == 0) return "0";
  std::array<char, 64> text{};  // the longest text of a control, near 1e-38, has 48
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  return {text.data(), end.ptr};
}

std::string key_text(const MusicParameters& parameters) {
  std::string key(kKeyNames.at(parameters.key));
  std::replace(key.begin(), key.end(), '#', 's');
  return key;
}

std::string group_text(const MusicParameters& parameters) {
  std::string groups;
  for (std::size_t i = 0; i < kGroupLetters.size(); ++i) {
    if (parameters.has(static_cast<VoiceGroup>(i))) groups += kGroupLetters.at(i);
  }
  return groups;
}

// The parameters in which `now` differs from `before`; all of them if there is no `before`.
std::string differences(const MusicParameters* before, const MusicParameters& now) {
  std::string text;
  if (before == nullptr || now.key != before->key) text += "-k" + key_text(now);
  if (before == nullptr || now.mode != before->mode) {
    text.append("-m").append(kModeNames.at(static_cast<std::size_t>(now.mode)));
  }
  for (std::size_t i = 0; i < kNumberControls.size(); ++i) {
    const auto member = kNumberControls.at(i).member;
    if (before == nullptr || now.*member != before->*member) {
      text.append("-").append(1, kNumberLetters.at(i)).append(digits(now.*member));
    }
  }
  if (before == nullptr || now.voices != before->voices) text += "-g" + group_text(now);
  return text;
}

void set_groups(MusicParameters& parameters, std::string_view text) {
  parameters.voices = 0;
  for (const char letter : text) {
    const auto* const found = std::find(kGroupLetters.begin(), kGroupLetters.end(), letter);
    if (found == kGroupLetters.end()) refuse("g of changes", "of the letters p, m, k and s");
    parameters.voices = static_cast<std::uint8_t>(parameters.voices | 1U << (found - kGroupLetters.begin()));
  }
}

void set_number(MusicParameters& parameters, std::size_t index, std::string_view text) {
  const NumberControl& control = kNumberControls.at(index);
  const auto given = number_of<float>(text);
  // Negated so that NaN, which compares false with everything, is rejected.
  const bool in_range = given && control.min <= double{*given} && double{*given} <= control.max;
  if (!in_range) {
    // The limits of all controls are whole numbers.
    const auto whole = [](double limit) { return std::to_string(static_cast<std::int64_t>(limit)); };
    refuse(std::string(1, kNumberLetters.at(index)) + " of changes, " + std::string(control.name) + ",",
           "a number from " + whole(control.min) + " to " + whole(control.max));
  }
  parameters.*control.member = *given;
}

// Applies one part of a change: a letter and a value.
void set_part(MusicParameters& parameters, std::string_view part) {
  const char letter = part.empty() ? '\0' : part.front();
  const std::string value(part.substr(std::min<std::size_t>(1, part.size())));
  const auto* const number = std::find(kNumberLetters.begin(), kNumberLetters.end(), letter);
  if (number != kNumberLetters.end()) {
    set_number(parameters, static_cast<std::size_t>(number - kNumberLetters.begin()), value);
  } else if (letter == 'k') {
    std::string name = value;
    std::replace(name.begin(), name.end(), 's', '#');
    const auto key = key_from_name(name);
    if (!key) refuse("k of changes", "a key, as C or Cs");
    parameters.key = *key;
  } else if (letter == 'm') {
    const auto mode = mode_from_name(value);
    if (!mode) refuse("m of changes", "the name of a mode");
    parameters.mode = *mode;
  } else if (letter == 'g') {
    set_groups(parameters, value);
  } else {
    refuse("each part of changes", "one of the letters k, m, b, i, c, v, d and g, and a value");
  }
}

// The latest start: leaves a station room to play on before it reaches kMostHistoryChunks.
constexpr std::int64_t kLatestStart = kMostHistoryChunks / 2;

ParameterHistory history_of(std::string_view text) {
  ParameterHistory history = begun_with(kPresets.front().parameters);
  history.count = 0;
  MusicParameters parameters = history.changes[0].parameters;
  for (const std::string_view change : split(text, '_')) {
    if (history.count == history.changes.size()) {
      refuse("changes", "at most " + std::to_string(history.changes.size()));
    }
    const auto parts = split(change, '-');
    const auto chunk = field_number<std::int64_t>("a chunk of changes", parts.front(), 0, kMostHistoryChunks);
    std::string letters;
    for (std::size_t i = 1; i < parts.size(); ++i) {
      set_part(parameters, parts[i]);
      const char letter = parts[i].front();
      if (letters.find(letter) != std::string::npos) {
        refuse(std::string(1, letter) + " of changes", "given once a change");
      }
      letters += letter;
    }
    history.changes.at(history.count++) = {chunk, parameters};
  }
  return history;
}

void read_first_bar(std::string_view text, ParameterHistory& history) {
  const auto parts = split(text, '-');
  if (parts.size() != 2) refuse("bar", "a bar and its first frame, joined by -");
  history.first_bar = field_number<std::int64_t>("bar", parts[0], 0, kMostHistoryChunks);
  history.first_bar_frame =
      field_number<std::int64_t>("the first frame of bar", parts[1], 0, kMostHistoryFrames);
}

int hex_digit(char c) {
  if ('0' <= c && c <= '9') return c - '0';
  if ('a' <= c && c <= 'f') return c - 'a' + 10;
  return 'A' <= c && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      result += text[i] == '+' ? ' ' : text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) throw QueryError("In the link, % must be followed by two hexadecimal digits.");
    result += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return result;
}

// Tracking parameters that social networks, mailers and advertisers add to shared links.
bool is_tracking_field(std::string_view name) {
  constexpr std::string_view kPrefix = "utm_";
  constexpr std::string_view kSuffix = "clid";
  constexpr std::array<std::string_view, 7> kOthers{"msclkid", "igshid", "igsh", "mc_cid",
                                                    "mc_eid",  "_ga",    "_gl"};
  const bool ends_so = name.size() > kSuffix.size() && name.substr(name.size() - kSuffix.size()) == kSuffix;
  return name.substr(0, kPrefix.size()) == kPrefix || ends_so ||
         std::find(kOthers.begin(), kOthers.end(), name) != kOthers.end();
}

}  // namespace

std::map<std::string, std::string> query_fields(std::string_view query) {
  Fields fields;
  for (const std::string_view field : split(query, '&')) {
    if (field.empty()) continue;
    const std::size_t equals = std::min(field.find('='), field.size());
    if (is_tracking_field(field.substr(0, equals))) continue;
    const std::string name = unescaped(field.substr(0, equals));
    const std::string value = unescaped(field.substr(std::min(field.size(), equals + 1)));
    if (!fields.emplace(name, value).second) refuse(escaped(name), "given once");
  }
  return fields;
}

namespace {

// The first change in full if `base` is null, else what it changes in `base`.
std::string query_of(std::uint64_t seed, const ParameterHistory& history, const Timeline& timeline,
                     std::int64_t chunk, const MusicParameters* base) {
  std::string query = "station=new&seed=" + std::to_string(seed);
  query += "&rate=" + std::to_string(timeline.sample_rate);
  query += "&chunk=" + std::to_string(timeline.chunk_ns() / kNsPerMs) + "&at=" + std::to_string(chunk);
  if (history.first_bar != 0 || history.first_bar_frame != 0) {
    query += "&bar=" + std::to_string(history.first_bar) + "-" + std::to_string(history.first_bar_frame);
  }
  query += "&changes=";
  for (std::size_t i = 0; i < history.count; ++i) {
    const ParameterChange& change = history.changes.at(i);
    const MusicParameters* before = i == 0 ? base : &history.changes.at(i - 1).parameters;
    query += (i == 0 ? "" : "_") + std::to_string(change.chunk) + differences(before, change.parameters);
  }
  return query;
}

}  // namespace

std::string to_query(std::uint64_t seed, const ParameterHistory& history, const Timeline& timeline,
                     std::int64_t chunk) {
  return query_of(seed, history, timeline, chunk, nullptr);
}

std::string to_short_query(std::uint64_t seed, const ParameterHistory& history, const Timeline& timeline,
                           std::int64_t chunk) {
  return query_of(seed, trimmed(history, timeline, chunk), timeline, chunk, &kPresets.front().parameters);
}

Permalink permalink_of(const std::map<std::string, std::string>& fields) {
  Permalink link;
  const auto field = [&](const char* name) {
    const auto found = fields.find(name);
    return found == fields.end() ? nullptr : &found->second;
  };
  for (const auto& [name, value] : fields) {
    constexpr std::array<std::string_view, 8> kKnown{"station", "seed", "preset", "changes",
                                                     "bar",     "at",   "rate",   "chunk"};
    if (std::find(kKnown.begin(), kKnown.end(), name) == kKnown.end()) {
      throw QueryError("In the link, " + escaped(name) +
                       " is unknown; known are station, seed, preset, changes, bar, at, "
                       "rate and chunk.");
    }
  }
  if (const auto* seed = field("seed")) {
    link.seed = field_number<std::uint64_t>("seed", *seed, 0, std::numeric_limits<std::uint64_t>::max());
  }
  if (const auto* name = field("preset")) {
    const Preset* const preset = find_preset(*name);
    if (preset == nullptr) refuse("preset", "focus, meditation, sleep or bright");
    if (field("changes") != nullptr) refuse("preset", "left out where changes is given");
    link.history = begun_with(preset->parameters);
  }
  if (const auto* changes = field("changes")) link.history = history_of(*changes);
  if (const auto* bar = field("bar")) read_first_bar(*bar, link.history);
  if (const auto* at = field("at")) link.chunk = field_number<std::int64_t>("at", *at, 0, kLatestStart);
  if (!valid(link.history)) refuse("changes", "of chunks that rise");
  const auto* const rate = field("rate");
  const auto* const chunk = field("chunk");
  if ((rate == nullptr) != (chunk == nullptr)) refuse("rate", "given with chunk, and chunk with rate");
  if (rate != nullptr) {
    link.sample_rate = field_number<std::uint32_t>("rate", *rate, 8'000, 192'000);
    link.chunk_ms = field_number<std::uint32_t>("chunk", *chunk, 1, 1'000);
  } else if (link.chunk != 0 || link.history.count > 1 || link.history.first_bar_frame != 0) {
    refuse("rate and chunk", "given, since at, bar and changes count in them");
  }
  return link;
}

}  // namespace auralis
