// SPDX-License-Identifier: MIT
// FNV-1a, 64 bit (http://www.isthe.com/chongo/tech/comp/fnv/): distinguishes segment layouts. Not a
// protection against forgery.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace auralis {

class Fingerprint {
 public:
  Fingerprint& add(std::string_view bytes) {
    for (const char byte : bytes) add_byte(static_cast<unsigned char>(byte));
    add_byte(0);  // keeps "ab","c" apart from "a","bc"
    return *this;
  }
  Fingerprint& add(std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<unsigned char>(number >> shift));
    return *this;
  }
  std::uint64_t value() const { return hash_; }

 private:
  void add_byte(unsigned char byte) { hash_ = (hash_ ^ byte) * 0x100000001b3ULL; }

  std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

}  // namespace auralis
