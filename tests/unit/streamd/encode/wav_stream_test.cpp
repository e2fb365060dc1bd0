// SPDX-License-Identifier: MIT
#include "streamd/encode/wav_stream.h"

#include <doctest/doctest.h>

namespace auralis::wav_stream_test {
namespace {

using namespace std::string_literals;

TEST_CASE("a WAV stream begins with the 44 bytes of a PCM file of unknown length") {
  CHECK(wav_header(44'100, 2) ==
        "RIFF\xff\xff\xff\xff"
        "WAVEfmt \x10\0\0\0\x01\0\x02\0"
        "\x44\xac\0\0\x10\xb1\x02\0\x04\0\x10\0"  // 44,100 frames and 176,400 bytes a second, 4 bytes a frame
        "data\xff\xff\xff\xff"s);
}

}  // namespace
}  // namespace auralis::wav_stream_test
