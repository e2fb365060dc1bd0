// SPDX-License-Identifier: MIT
// A strict reader of Prometheus' text format 0.0.4, as far as metricsd uses it.
#pragma once

#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace auralis::test {

struct Exposition {
  using Labels = std::map<std::string, std::string>;
  struct Sample {
    std::string name;
    Labels labels;
    double value = 0;
  };
  std::map<std::string, std::string> help;
  std::map<std::string, std::string> type;
  std::vector<Sample> samples;

  const Sample* find(const std::string& name, const Labels& labels = {}) const {
    for (const auto& sample : samples) {
      if (sample.name == name && sample.labels == labels) return &sample;
    }
    return nullptr;
  }
};

inline std::string unescaped(const std::string& text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\\' && at + 1 < text.size()) {
      ++at;
      plain += text[at] == 'n' ? '\n' : text[at];
    } else {
      plain += text[at];
    }
  }
  return plain;
}

inline void parse_sample(const std::string& line, Exposition& page) {
  static const std::regex sample_line(R"re(([A-Za-z_:][A-Za-z0-9_:]*)(?:\{(.*)\})? (\S+))re");
  static const std::regex label(R"re(([A-Za-z_][A-Za-z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$))re");
  std::smatch match;
  if (!std::regex_match(line, match, sample_line)) throw std::runtime_error("not a sample: " + line);
  Exposition::Sample sample{match[1], {}, 0};
  const std::string labels = match[2];
  std::size_t matched = 0;
  for (std::sregex_iterator at(labels.begin(), labels.end(), label); at != std::sregex_iterator(); ++at) {
    sample.labels[(*at)[1]] = unescaped((*at)[2]);
    matched += static_cast<std::size_t>(at->length());
  }
  if (matched != labels.size()) throw std::runtime_error("bad labels: " + line);
  const std::string number = match[3];
  std::size_t used = 0;
  sample.value = std::stod(number, &used);
  if (used != number.size() || !std::isfinite(sample.value)) throw std::runtime_error("bad number: " + line);
  const std::string family = std::regex_replace(sample.name, std::regex("_(bucket|sum|count)$"), "");
  const bool histogram = page.type.count(family) != 0 && page.type.at(family) == "histogram";
  if (!histogram && page.type.count(sample.name) == 0) throw std::runtime_error("no TYPE before: " + line);
  if (page.find(sample.name, sample.labels) != nullptr) throw std::runtime_error("twice: " + line);
  page.samples.push_back(std::move(sample));
}

// Throws std::runtime_error where the text breaks the format, repeats itself, or has a number that is none.
inline Exposition parse_exposition(const std::string& text) {
  static const std::regex comment(R"re(# (HELP|TYPE) ([A-Za-z_:][A-Za-z0-9_:]*) (.*))re");
  if (text.empty() || text.back() != '\n') throw std::runtime_error("does not end with a line");
  Exposition page;
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    std::smatch match;
    if (!std::regex_match(line, match, comment)) {
      parse_sample(line, page);
      continue;
    }
    auto& known = match[1] == "HELP" ? page.help : page.type;
    if (!known.emplace(match[2], unescaped(match[3])).second) throw std::runtime_error("twice: " + line);
  }
  return page;
}

}  // namespace auralis::test
