// SPDX-License-Identifier: MIT
#include "streamd/api/query_fields.h"

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

}  // namespace auralis
