// SPDX-License-Identifier: MIT
// Times as text, in UTC by ISO 8601. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

namespace auralis {

// 2026-12-31T23:59:59Z. From the year 1970 to 9999.
std::string utc_text(std::int64_t unix_s);

// 2026-12-31T23:59:59.007Z
std::string utc_text_ms(std::int64_t unix_ns);

}  // namespace auralis
