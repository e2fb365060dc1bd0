# SPDX-License-Identifier: MIT
# Makes the files of the player that a browser loads, in the folder SITE, of its modules in SOURCE: few and small, so that
# the page is there soon on a slow line. Each names the others by what they contain, so that a browser keeps them for ever.
# LIBRARIES: the folder of the npm packages. FILES: others, served as they are. STYLE_HASH: a header with the hash by which
# the content security policy allows the page's style sheet. Run by auralis_bundle_player.
include(${CMAKE_CURRENT_LIST_DIR}/file_version.cmake)
file(MAKE_DIRECTORY ${SITE})

# bundle(<name> <format> <out>): the module of that name with all that it imports; sets <out> to its text. <format>: iife, a script, or
# esm, a module that others import. What is imported under a version is a file of its own.
function(bundle name format out)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -E env NODE_PATH=${LIBRARIES}
            ${ESBUILD} ${SOURCE}/${name} --bundle --minify --format=${format} --target=es2022 --external:*?v=VERSION --log-level=warning
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

bundle(threads.js iife unused)
bundle(qr_code.js esm unused)
bundle(player.js iife script)
foreach(name IN ITEMS threads.js qr_code.js)
  version_of(${SITE}/${name} version)
  replace(script "${name}?v=VERSION" "${name}?v=${version}")
endforeach()
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
