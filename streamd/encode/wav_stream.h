// SPDX-License-Identifier: MIT
// A station as an endless WAV file, for programs that know nothing else: a header, then the samples of each
// chunk.
#pragma once

#include <cstdint>
#include <string>

namespace auralis {

// The 44 bytes at its beginning. The length is the greatest possible, which programs that read from a stream
// take for unknown.
std::string wav_header(std::uint32_t sample_rate, std::uint32_t channels);

}  // namespace auralis
