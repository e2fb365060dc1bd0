// SPDX-License-Identifier: MIT
#include "metricsd/http_negotiation.h"

#include <zlib.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <new>
#include <vector>

#include "common/base/text.h"

namespace auralis {
namespace {

// One of the comma-separated parts of Accept or Accept-Encoding.
struct Choice {
  std::string name;     // in lower case
  std::string version;  // empty: any
  double quality = 1;   // 0: refused
};

double quality_of(std::string_view text) {
  double quality = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quality);
  const bool valid = error == std::errc() && end == text.data() + text.size() && 0 <= quality && quality <= 1;
  return valid ? quality : 0;
}

Choice choice_of(std::string_view part) {
  Choice choice;
  std::size_t end = part.find(';');
  choice.name = lower(trimmed(part.substr(0, end)));
  while (end != std::string_view::npos) {
    part.remove_prefix(end + 1);
    end = part.find(';');
    const std::string_view parameter = trimmed(part.substr(0, end));
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    const std::string name = lower(trimmed(parameter.substr(0, equals)));
    const std::string_view value = trimmed(parameter.substr(std::min(equals + 1, parameter.size())));
    if (name == "q") choice.quality = quality_of(value);
    if (name == "version") choice.version = value;
  }
  return choice;
}

std::vector<Choice> choices_of(std::string_view header) {
  std::vector<Choice> choices;
  for (const std::string_view part : list_parts(header)) choices.push_back(choice_of(part));
  return choices;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  double any = 0;
  for (const Choice& choice : choices_of(accept_encoding)) {
    if (choice.name == "gzip" || choice.name == "x-gzip") return choice.quality > 0;
    if (choice.name == "*") any = choice.quality;
  }
  return any > 0;
}

bool prefers_openmetrics(std::string_view accept) {
  double openmetrics = 0;
  double text = 0;
  for (const Choice& choice : choices_of(accept)) {
    const std::string& version = choice.version;
    if (choice.name == "application/openmetrics-text") {
      const bool written = version.empty() || version == "1.0.0" || version == "0.0.1";
      if (written) openmetrics = std::max(openmetrics, choice.quality);
    } else if (choice.name == "text/plain" && (version.empty() || version == "0.0.4")) {
      text = std::max(text, choice.quality);
    }
  }
  return openmetrics > 0 && openmetrics >= text;
}

std::string gzipped(std::string_view text) {
  constexpr int kGzip = 15 + 16;  // the largest window, and the header of gzip
  constexpr int kMemoryLevel = 8;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzip, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  const std::unique_ptr<z_stream, decltype(&deflateEnd)> end(&stream, deflateEnd);
  std::string compressed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(compressed.data());
  stream.avail_out = static_cast<uInt>(compressed.size());
  deflate(&stream, Z_FINISH);  // ends at once: there is room for all
  compressed.resize(stream.total_out);
  return compressed;
}

}  // namespace auralis
