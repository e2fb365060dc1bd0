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

std::optional<std::int64_t> QueryFields::after() const {
  const auto after = fields().find("after");
  if (after == fields().end()) return std::nullopt;
  const std::string& text = after->second;
  std::int64_t chunk = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), chunk);
  if (error != std::errc() || end != text.data() + text.size() || chunk < 0)
    throw QueryError("after must be the number of a chunk.");
  return chunk;
}

}  // namespace auralis
