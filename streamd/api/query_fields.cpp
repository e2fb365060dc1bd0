// SPDX-License-Identifier: MIT
#include "streamd/api/query_fields.h"

#include <charconv>

namespace auralis {

QueryFields::QueryFields(std::string_view query) : text_(query) {
  try {
    fields_ = query_fields(query);
  } catch (const QueryError& error) {
    error_ = error;
  }
}

const QueryFields::Fields& QueryFields::fields() const {
  if (error_) throw QueryError(*error_);
  return fields_;
}

std::string QueryFields::ticket() const {
  const auto ticket = fields_.find("ticket");
  return ticket == fields_.end() ? std::string() : ticket->second;
}

std::optional<std::int64_t> QueryFields::number(const std::string& field, const std::string& must_be) const {
  const auto found = fields().find(field);
  if (found == fields().end()) return std::nullopt;
  const std::string& text = found->second;
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    throw QueryError(field + " must be " + must_be + ".");
  return value;
}

std::optional<std::int64_t> QueryFields::after() const { return number("after", "the number of a chunk"); }

std::int64_t QueryFields::lead_ms() const {
  const std::string must_be = "a whole number from 0 to " + std::to_string(kMaxLeadMs);
  const std::int64_t lead_ms = number("lead_ms", must_be).value_or(0);
  if (lead_ms > kMaxLeadMs) throw QueryError("lead_ms must be " + must_be + ".");
  return lead_ms;
}

}  // namespace auralis
