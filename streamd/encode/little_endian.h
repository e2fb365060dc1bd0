// SPDX-License-Identifier: MIT
// Appends numbers in the byte order of streamd's wire formats.
#pragma once

#include <cstdint>
#include <string>

namespace auralis {

template <typename T>
void append_little_endian(std::string& out, T value) {
  for (std::size_t byte = 0; byte < sizeof(T); ++byte) {
    out.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> 8 * byte & 0xFFU));
  }
}

}  // namespace auralis
