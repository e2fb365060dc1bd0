// SPDX-License-Identifier: MIT
#include "metricsd/runbooks.h"

#include "metricsd/alert_rules.h"
#include "tests/unit/support.h"

#include <doctest/doctest.h>

namespace auralis::runbooks_test {

TEST_CASE("markdown_sections: from heading to heading, by name") {
  const auto sections = markdown_sections("# Title\n\ntext\n\n## One\n\na\n### Part\nb\n\n## Two\nc\n");
  CHECK(sections.size() == 2);
  CHECK(sections.at("One") == "## One\n\na\n### Part\nb\n");
  CHECK(sections.at("Two") == "## Two\nc\n");
  CHECK(markdown_sections("").empty());
  CHECK(markdown_sections("\n## Name alone").at("Name alone") == "## Name alone");
}

TEST_CASE("markdown_sections: the runbooks have one for each alert") {
  const std::string text = test::read_file(AURALIS_SOURCE_DIR "/docs/runbooks.md");
  const auto sections = markdown_sections(text);
  for (const AlertRule& rule : kAlertRules) CHECK_MESSAGE(sections.count(rule.name) == 1, rule.name);
}

}  // namespace auralis::runbooks_test
