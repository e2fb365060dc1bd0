// SPDX-License-Identifier: MIT
#include "tools/arguments.h"

#include <CLI/CLI.hpp>

#include <charconv>
#include <sstream>

namespace auralis {

std::string shown(const std::string& text) {
  constexpr std::string_view kBare =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:@%,#~";
  return !text.empty() && text.find_first_not_of(kBare) == std::string::npos ? text : to_toml(text);
}

std::string number_text(double number) {
  std::ostringstream text;
  text.precision(12);
  text << number;
  return text.str();
}

std::string flag_of(std::string_view name) {
  std::string flag = "--" + std::string(name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

Arguments::Arguments(const std::string& description, const std::string& name)
    : app_(std::make_unique<CLI::App>(description, name)) {
  app_->set_help_flag("");  // ours, so that it is answered on the caller's stream
  app_->allow_extras();     // refused in the words of the other errors
  app_->add_flag("-h,--help", help_, "Print this help");
  app_->add_flag("--version", version_, "Print the version");
}

Arguments::~Arguments() = default;

void Arguments::declare_plain(const std::string& name, const std::string& help) {
  app_->add_option(name, plain_, help)->type_name("");
}

void Arguments::declare_switch(const std::string& flag, const std::string& help, const std::string& group) {
  app_->add_flag(flag, switches_[flag], help)->group(group);
}

void Arguments::set_footer(const std::string& text) { app_->footer(text); }

bool Arguments::parse(int argc, const char* const* argv, std::ostream& out, const std::string& surplus) {
  const std::string problem = parse_command_line(*app_, argc, argv, shown, surplus);
  if (!problem.empty()) throw UsageError(problem);
  if (!help_ && !version_) return true;
  out << (help_ ? app_->help() : app_->get_name() + " " + AURALIS_VERSION + "\n");
  return false;
}

void Arguments::declare(const std::string& flag, const std::string& type, const std::string& help,
                        const std::string& group) {
  Given& given = given_[flag];
  given.option = app_->add_option(flag, given.text, help)->type_name(type)->take_last()->group(group);
}

const std::string* Arguments::text(const std::string& flag) const {
  const Given& given = given_.at(flag);
  return given.option->count() > 0 ? &given.text : nullptr;
}

void Arguments::refuse(const std::string& flag, const std::string& allowed) const {
  throw UsageError(flag + " " + shown(given_.at(flag).text) + ": must be " + allowed);
}

void Arguments::read(const std::string& flag, const ConfigKey& key, Config& config) const {
  const std::string* given = text(flag);
  if (given != nullptr && !key.set_text(config, *given)) refuse(flag, key.rule.allowed);
}

double Arguments::number(const std::string& flag, double min, double max, double fallback) const {
  const std::string* given = text(flag);
  if (given == nullptr) return fallback;
  double value = 0;
  const char* const end = given->data() + given->size();
  const auto [stop, error] = std::from_chars(given->data(), end, value);
  // Written so that NaN, which compares false with everything, is refused.
  const bool in_range = min <= value && value <= max;
  if (error != std::errc() || stop != end || !in_range) {
    refuse(flag, "a number from " + number_text(min) + " to " + number_text(max));
  }
  return value;
}

std::int64_t Arguments::whole_number(const std::string& flag, std::int64_t min, std::int64_t max,
                                     std::int64_t fallback) const {
  const std::string* given = text(flag);
  if (given == nullptr) return fallback;
  std::int64_t value = 0;
  const char* const end = given->data() + given->size();
  const auto [stop, error] = std::from_chars(given->data(), end, value);
  if (error != std::errc() || stop != end || value < min || max < value) {
    refuse(flag, "a whole number from " + std::to_string(min) + " to " + std::to_string(max));
  }
  return value;
}

}  // namespace auralis
