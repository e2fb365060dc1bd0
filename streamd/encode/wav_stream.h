// SPDX-License-Identifier: MIT
// A station as an endless WAV file, for programs that know nothing else: a header, then raw PCM.
#pragma once

#include <cstdint>
#include <string>

namespace auralis {

// The 44 bytes with which it begins. Its length is given as the greatest there is, which programs that read
// from a stream take for unknown.
std::string wav_header(std::uint32_t sample_rate, std::uint32_t channels);

}  // namespace auralis
