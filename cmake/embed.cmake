# SPDX-License-Identifier: MIT
# Writes INPUT's bytes into the header OUTPUT as a string_view named SYMBOL. Run by auralis_embed.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${bytes}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
file(WRITE ${OUTPUT} "#pragma once
#include <string_view>
// NOLINTBEGIN(readability-identifier-naming): the files' own names
namespace auralis::embedded {
constexpr char ${SYMBOL}_bytes[] = {
${bytes}'\\0'};
constexpr std::string_view ${SYMBOL}{${SYMBOL}_bytes, sizeof ${SYMBOL}_bytes - 1};
}  // namespace auralis::embedded
// NOLINTEND(readability-identifier-naming)
")
