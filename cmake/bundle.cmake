# SPDX-License-Identifier: MIT
# Makes the files of the player that a browser loads, in the folder SITE, of its modules in SOURCE: few and small, so that
# the page is there soon on a slow line. Each names the others by what they contain, so that a browser keeps them for ever.
# FILES: others, served as they are. STYLE_HASH: a header with the hash by which the content security policy allows the
# page's style sheet. Run by auralis_bundle_player.
include(${CMAKE_CURRENT_LIST_DIR}/file_version.cmake)
file(MAKE_DIRECTORY ${SITE})

# bundle(<name> <out>): the module of that name with all that it imports, as a script; sets <out> to its text.
function(bundle name out)
  execute_process(
    COMMAND ${ESBUILD} ${SOURCE}/${name} --bundle --minify --format=iife --target=es2022 --log-level=warning
    OUTPUT_FILE ${SITE}/${name} COMMAND_ERROR_IS_FATAL ANY)
  file(READ ${SITE}/${name} text)
  set(${out} "${text}" PARENT_SCOPE)
endfunction()

# replace(<variable> <old> <new>): in its text, where <old> must be.
function(replace variable old new)
  string(FIND "${${variable}}" "${old}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "the player's ${variable} has no ${old}")
  endif()
  string(REPLACE "${old}" "${new}" text "${${variable}}")
  set(${variable} "${text}" PARENT_SCOPE)
endfunction()

bundle(audio_threads.js unused)
version_of(${SITE}/audio_threads.js version)
bundle(player.js script)
replace(script "audio_threads.js?v=VERSION" "audio_threads.js?v=${version}")
file(WRITE ${SITE}/player.js "${script}")
version_of(${SITE}/player.js player_version)

file(READ ${SOURCE}/player.css page_style)
file(READ ${SOURCE}/controls.css controls_style)
file(WRITE ${SITE}/style.css "${page_style}${controls_style}")
execute_process(COMMAND ${ESBUILD} ${SITE}/style.css --minify --log-level=warning
  OUTPUT_VARIABLE style COMMAND_ERROR_IS_FATAL ANY)
string(STRIP "${style}" style)
file(WRITE ${SITE}/style.css "${style}")

file(READ ${SOURCE}/index.html page)
replace(page "<link rel=\"stylesheet\" href=\"player.css\">" "<style>${style}</style>")
replace(page "  <link rel=\"stylesheet\" href=\"controls.css\">\n" "")
replace(page "src=\"player.js\"" "src=\"player.js?v=${player_version}\"")
file(WRITE ${SITE}/index.html "${page}")
foreach(name IN LISTS FILES)
  file(COPY ${SOURCE}/${name} DESTINATION ${SITE})
  file(TOUCH ${SITE}/${name})
endforeach()

file(SHA256 ${SITE}/style.css hash)
string(REGEX REPLACE "(..)" "\\\\x\\1" escaped ${hash})
execute_process(COMMAND printf ${escaped} COMMAND base64 -w0 OUTPUT_VARIABLE hash COMMAND_ERROR_IS_FATAL ANY)
file(CONFIGURE OUTPUT ${STYLE_HASH} CONTENT "#pragma once
// As a source of a content security policy.
#define AURALIS_STYLE_HASH \"'sha256-${hash}'\"
")
