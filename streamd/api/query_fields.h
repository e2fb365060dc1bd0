// SPDX-License-Identifier: MIT
// The query of a request or of a message that asks for a station.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/music/permalink.h"

namespace auralis {

// The fields of a query, parsed once. A query that cannot be read is refused where its fields are asked for.
class QueryFields {
 public:
  using Fields = std::map<std::string, std::string>;

  QueryFields() = default;
  // `query`: without its question mark.
  explicit QueryFields(std::string_view query);

  // Throws QueryError if the query cannot be read.
  const Fields& fields() const;
  // The ticket in the query; empty if there is none, or the query cannot be read.
  std::string ticket() const;
  // The number of the newest chunk that a listener has; nothing if it has none. Throws QueryError.
  std::optional<std::int64_t> after() const;
  // By how many milliseconds a listener wants its chunks before they are due: 0 to kMaxLeadMs. Throws
  // QueryError.
  std::int64_t lead_ms() const;
  // As it was sent.
  const std::string& text() const { return text_; }

  static constexpr std::int64_t kMaxLeadMs = 500;

 private:
  // A whole number, 0 or more; nothing if there is no such field. Throws QueryError, which says what it must
  // be.
  std::optional<std::int64_t> number(const std::string& field, const std::string& must_be) const;

  std::string text_;
  Fields fields_;
  std::optional<QueryError> error_;
};

}  // namespace auralis
