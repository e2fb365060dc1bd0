// SPDX-License-Identifier: MIT
#include "common/base/accept_choices.h"

#include <algorithm>
#include <charconv>

#include "common/base/text.h"

namespace auralis {
namespace {

double quality_of(std::string_view text) {
  double quality = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quality);
  const bool valid = error == std::errc() && end == text.data() + text.size() && 0 <= quality && quality <= 1;
  return valid ? quality : 0;
}

AcceptChoice choice_of(std::string_view part) {
  AcceptChoice choice;
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

}  // namespace

std::vector<AcceptChoice> accept_choices(std::string_view header) {
  std::vector<AcceptChoice> choices;
  for (const std::string_view part : list_parts(header)) choices.push_back(choice_of(part));
  return choices;
}

bool accepts_gzip(std::string_view accept_encoding) {
  double any = 0;
  for (const AcceptChoice& choice : accept_choices(accept_encoding)) {
    if (choice.name == "gzip" || choice.name == "x-gzip") return choice.quality > 0;
    if (choice.name == "*") any = choice.quality;
  }
  return any > 0;
}

}  // namespace auralis
