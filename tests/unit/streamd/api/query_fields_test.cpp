// SPDX-License-Identifier: MIT
#include "streamd/api/query_fields.h"

#include <doctest/doctest.h>

namespace auralis::query_fields_test {

TEST_CASE("a query is parsed into its fields, with escapes resolved, and kept as it was sent") {
  const QueryFields query("station=gar%64en&ticket=a.b&utm_source=x");
  CHECK(query.fields() == QueryFields::Fields{{"station", "garden"}, {"ticket", "a.b"}});
  CHECK(query.ticket() == "a.b");
  CHECK(query.text() == "station=gar%64en&ticket=a.b&utm_source=x");
}

TEST_CASE("no query has no fields and no ticket") {
  CHECK(QueryFields().fields().empty());
  CHECK(QueryFields("").fields().empty());
  CHECK(QueryFields("station=garden").ticket().empty());
}

TEST_CASE("a query that cannot be read is refused where its fields are asked for, and has no ticket") {
  const QueryFields query("ticket=a.b&ticket=c.d");
  CHECK_THROWS_AS(query.fields(), QueryError);
  CHECK(query.ticket().empty());
  // A copy, as it travels to the conductor.
  CHECK_THROWS_AS(QueryFields(query).fields(), QueryError);
}

}  // namespace auralis::query_fields_test
