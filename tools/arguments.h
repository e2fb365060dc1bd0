// SPDX-License-Identifier: MIT
// The options of a command line, as texts that are checked when they are read. Errors have the wording of the
// daemons' configuration errors. One thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/config/command_line.h"
#include "common/config/config_table.h"

namespace CLI {  // NOLINT(readability-identifier-naming): its name
class App;
class Option;
}  // namespace CLI

namespace auralis {

// Wrong usage, in one line: what was given, and what is allowed.
struct UsageError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A name or text for an error message, quoted and escaped if it has other than plain characters.
std::string shown(const std::string& text);

// At most twelve significant digits.
std::string number_text(double number);

// A list in prose: a, b or c.
template <typename Names>
std::string choice_of(const Names& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    text.append(i == 0 ? "" : i + 1 == names.size() ? " or " : ", ").append(names[i]);
  }
  return text;
}

// --melody-complexity for melody_complexity.
std::string flag_of(std::string_view name);

class Arguments {
 public:
  // Declares --help, which begins with `description`, and --version of the program `name`.
  Arguments(const std::string& description, const std::string& name);
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  ~Arguments();

  // The only argument that is no option; `name` stands for it in the help.
  void declare_plain(const std::string& name, const std::string& help);

  // An option without a value.
  void declare_switch(const std::string& flag, const std::string& help, const std::string& group);

  // The last lines of the help.
  void set_footer(const std::string& text);

  // An option with a value of that `type`.
  void declare(const std::string& flag, const std::string& type, const std::string& help,
               const std::string& group);

  // Parses, after the last declare(). If help or the version is asked for, prints it on `out` and returns
  // false. `surplus`: the error for an unexpected plain argument. Throws UsageError.
  bool parse(int argc, const char* const* argv, std::ostream& out,
             const std::string& surplus = kUnknownOption);

  // The argument that is no option; empty if it was not given.
  const std::string& plain() const { return plain_; }

  // Whether the option without a value was given.
  bool is_given(const std::string& flag) const { return switches_.at(flag); }

  // The text of an option; null if it was not given. Of several the last one.
  const std::string* text(const std::string& flag) const;

  // Throws the UsageError that the option's text must be `allowed`.
  [[noreturn]] void refuse(const std::string& flag, const std::string& allowed) const;

  // Sets the key in `config` if the flag was given. Throws UsageError, as all functions below.
  void read(const std::string& flag, const ConfigKey& key, Config& config) const;

  // The value of the option; `fallback` if it was not given.
  double number(const std::string& flag, double min, double max, double fallback) const;
  std::int64_t whole_number(const std::string& flag, std::int64_t min, std::int64_t max,
                            std::int64_t fallback) const;

  template <typename Names>
  std::size_t choice(const std::string& flag, const Names& names, std::size_t fallback) const {
    const std::string* given = text(flag);
    if (given == nullptr) return fallback;
    const auto found = std::find(names.begin(), names.end(), *given);
    if (found == names.end()) refuse(flag, choice_of(names));
    return static_cast<std::size_t>(found - names.begin());
  }

 private:
  struct Given {
    std::string text;
    CLI::Option* option = nullptr;
  };

  std::unique_ptr<CLI::App> app_;
  std::string plain_;
  std::map<std::string, bool> switches_;
  std::map<std::string, Given> given_;
  bool help_ = false;
  bool version_ = false;
};

}  // namespace auralis
