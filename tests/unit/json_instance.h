// SPDX-License-Identifier: MIT
// nlohmann's JSON, compiled once for all unit tests: its templates are most of what a test that uses them
// compiles.
#pragma once

#include <nlohmann/json.hpp>

extern template class nlohmann::basic_json<>;
extern template class nlohmann::detail::serializer<nlohmann::json>;
