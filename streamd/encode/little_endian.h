// SPDX-License-Identifier: MIT
// Numbers as the wire formats and files of streamd have them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace auralis {

template <typename T>
void append_little_endian(std::string& out, T value) {
  for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> 8 * byte & 0xFFU));
  }
}

inline void append_samples(std::string& out, const std::vector<std::int16_t>& samples) {
  for (const std::int16_t sample : samples) append_little_endian(out, static_cast<std::uint16_t>(sample));
}

}  // namespace auralis
