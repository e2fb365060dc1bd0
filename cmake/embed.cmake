# SPDX-License-Identifier: MIT
# Writes INPUT's bytes into the header OUTPUT as a string_view named SYMBOL. With SITE also what else a WebFile needs of
# them: SYMBOL_gzip and SYMBOL_version. Run by auralis_embed.
include(${CMAKE_CURRENT_LIST_DIR}/file_version.cmake)

function(to_characters out)
  string(REGEX REPLACE "(................................................................)" "\\1\n" bytes "${ARGN}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," bytes "${bytes}")
  set(${out} "${bytes}" PARENT_SCOPE)
endfunction()

function(to_view out symbol hex)
  to_characters(bytes ${hex})
  set(${out} "constexpr char ${symbol}_bytes[] = {
${bytes}'\\0'};
constexpr std::string_view ${symbol}{${symbol}_bytes, sizeof ${symbol}_bytes - 1};
" PARENT_SCOPE)
endfunction()

file(READ ${INPUT} hex HEX)
to_view(views ${SYMBOL} "${hex}")
if(SITE)
  execute_process(COMMAND gzip -9nc ${INPUT} OUTPUT_FILE ${OUTPUT}.gz COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${OUTPUT}.gz compressed HEX)
  file(SIZE ${INPUT} size)
  file(SIZE ${OUTPUT}.gz compressed_size)
  if(compressed_size LESS size)
    to_view(gzip ${SYMBOL}_gzip "${compressed}")
  else()
    set(gzip "constexpr std::string_view ${SYMBOL}_gzip;\n")
  endif()
  version_of(${INPUT} version)
  string(APPEND views "${gzip}constexpr std::string_view ${SYMBOL}_version = \"${version}\";\n")
endif()
file(WRITE ${OUTPUT} "#pragma once
#include <string_view>
// NOLINTBEGIN(readability-identifier-naming): the files' own names
namespace auralis::embedded {
${views}}  // namespace auralis::embedded
// NOLINTEND(readability-identifier-naming)
")
