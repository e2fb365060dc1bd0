// SPDX-License-Identifier: MIT
// What an HTTP client accepts (RFC 9110, 12.5), as pure functions. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace auralis {

// One of the comma-separated parts of Accept or Accept-Encoding.
struct AcceptChoice {
  std::string name;     // in lower case
  std::string version;  // empty: any
  double quality = 1;   // 0: refused
};

// The parts of such a header's value. A quality that is no number from 0 to 1 counts as 0.
std::vector<AcceptChoice> accept_choices(std::string_view header);

// Whether the value of Accept-Encoding admits gzip. An absent header does not: not every client that sends
// none can decompress.
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace auralis
