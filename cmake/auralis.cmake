# SPDX-License-Identifier: MIT
# Settings of every target: warnings, sanitizers, and files embedded into a binary.

# The commit that is built, for auralis_build_info. Given by -DBUILD_COMMIT where the sources are no git clone.
set(BUILD_COMMIT "" CACHE STRING "Commit that is built; empty: asked of git")
if(NOT BUILD_COMMIT)
  set(BUILD_COMMIT unknown)
  find_package(Git QUIET)
  if(GIT_FOUND AND EXISTS ${PROJECT_SOURCE_DIR}/.git)
    execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --short=12 HEAD
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --git-path logs/HEAD
      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} OUTPUT_VARIABLE head_log OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    if(commit)
      set(BUILD_COMMIT ${commit})
    endif()
    get_filename_component(head_log "${head_log}" ABSOLUTE BASE_DIR ${PROJECT_SOURCE_DIR})
    if(EXISTS "${head_log}")
      set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${head_log}")
    endif()
  endif()
endif()

add_library(auralis_options INTERFACE)
target_include_directories(auralis_options INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(auralis_options INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
target_compile_definitions(auralis_options INTERFACE AURALIS_VERSION="${PROJECT_VERSION}")
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Checks what mutexes guard (common/base/mutex.h). Not, as GCC does not: signs of integers, and the engine's constants,
  # which are an enum because OpenCL C has no other.
  target_compile_options(auralis_options INTERFACE -Wthread-safety -Wno-sign-conversion -Wno-enum-float-conversion)
  if(AURALIS_SANITIZE)
    target_compile_options(auralis_options INTERFACE -Wno-pass-failed)  # loops are not vectorised then
  endif()
endif()
if(AURALIS_SANITIZE)
  # Which __SANITIZE_ADDRESS__ says with GCC alone.
  target_compile_definitions(auralis_options INTERFACE AURALIS_SANITIZED)
  # No recovery: an error found by UBSan ends the test, as with ASan. GCC's TSan does not model fences and warns about
  # each; the ring's fences are paired with atomics, which TSan does model.
  target_compile_options(auralis_options INTERFACE
    -fsanitize=${AURALIS_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  if(AURALIS_SANITIZE STREQUAL "thread")
    target_compile_options(auralis_options INTERFACE
      $<$<CXX_COMPILER_ID:GNU>:-Wno-error=tsan> $<$<CXX_COMPILER_ID:GNU>:-Wno-tsan>)
  else()
    # These two checks, made at each access of a member, are a third of the time to compile. A null pointer that is
    # followed stops at ASan, too; and only where memory is cast to a type (AURALIS_CASTS_MEMORY) can it be misaligned.
    target_compile_options(auralis_options INTERFACE
      $<$<NOT:$<BOOL:$<TARGET_PROPERTY:AURALIS_CASTS_MEMORY>>>:-fno-sanitize=null,alignment>)
  endif()
  target_link_options(auralis_options INTERFACE -fsanitize=${AURALIS_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    # lld links unit_tests in a quarter of the time; and each of some 200 starts of it relocates nothing.
    string(APPEND CMAKE_EXE_LINKER_FLAGS " -fuse-ld=lld -no-pie")
  endif()
endif()
if(CMAKE_UNITY_BUILD)
  # Sources compiled together look to GCC like headers, in which a type must not use an unnamed namespace.
  target_compile_options(auralis_options INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
endif()

# Compiler options of the engine's stages (synthd/engine/dsp). None that changes the order of additions: the bits of a
# sample must not depend on the vector width.
set(AURALIS_STAGE_OPTIONS
  -O3 -fno-math-errno -fno-trapping-math -fno-signed-zeros -ffinite-math-only -ffp-contract=off)

# auralis_embed(<target> [SITE] <file>...)
#
# Adds to <target> a generated header for each file, included as "embedded/<name>.h", that holds the file's bytes
# as `auralis::embedded::<name>` (a std::string_view; every character but letters and digits becomes `_`). SITE: for
# auralis_embed_site.
function(auralis_embed target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SITE" "" "")
  foreach(file IN LISTS arg_UNPARSED_ARGUMENTS)
    get_filename_component(path ${file} ABSOLUTE)
    get_filename_component(name ${file} NAME)
    string(REGEX REPLACE "[^A-Za-z0-9]" "_" symbol ${name})
    set(header ${CMAKE_CURRENT_BINARY_DIR}/generated/embedded/${symbol}.h)
    add_custom_command(
      OUTPUT ${header}
      COMMAND ${CMAKE_COMMAND} -DINPUT=${path} -DOUTPUT=${header} -DSYMBOL=${symbol}
              -DSITE=${arg_SITE} -P ${PROJECT_SOURCE_DIR}/cmake/embed.cmake
      DEPENDS ${path} ${PROJECT_SOURCE_DIR}/cmake/embed.cmake ${PROJECT_SOURCE_DIR}/cmake/file_version.cmake
      VERBATIM)
    target_sources(${target} PRIVATE ${header})
  endforeach()
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/generated)
endfunction()

# auralis_embed_site(<target> <file>...)
#
# Embeds the files of a web site, and generates "embedded/web_files.h" with the table of them (common/base/web_file.h)
# as `auralis::embedded::kWebFiles`. Each is served at / and its name; index.html also at /.
function(auralis_embed_site target)
  set(text "\\; charset=utf-8")
  set(types .html "text/html${text}" .css "text/css${text}" .js "text/javascript${text}" .svg "image/svg+xml${text}"
    .webmanifest "application/manifest+json" .png "image/png")
  set(includes "")
  set(rows "")
  foreach(file IN LISTS ARGN)
    cmake_path(GET file FILENAME name)
    cmake_path(GET file EXTENSION LAST_ONLY extension)
    string(REGEX REPLACE "[^A-Za-z0-9]" "_" symbol ${name})
    list(FIND types ${extension} index)
    if(index EQUAL -1)
      message(FATAL_ERROR "${file}: no content type is known for ${extension}; add it to auralis_embed_site")
    endif()
    math(EXPR index "${index} + 1")
    list(GET types ${index} type)
    string(APPEND includes "#include \"embedded/${symbol}.h\"\n")
    set(paths "/${name}")
    if(name STREQUAL "index.html")
      list(APPEND paths "/")
    endif()
    foreach(path IN LISTS paths)
      string(APPEND rows "    {\"${path}\", \"${type}\", ${symbol}, ${symbol}_gzip, ${symbol}_version},\n")
    endforeach()
  endforeach()
  configure_file(${PROJECT_SOURCE_DIR}/cmake/web_files.h.in
    ${CMAKE_CURRENT_BINARY_DIR}/generated/embedded/web_files.h @ONLY)
  auralis_embed(${target} SITE ${ARGN})
endfunction()

# auralis_bundle_player(<out> <folder>)
#
# Makes the files that a browser loads of the player's modules in <folder> (cmake/bundle.cmake), and sets <out> to their
# paths.
set(AURALIS_PLAYER_FILES icon.svg icon-180.png icon-192.png icon-512.png icon-maskable-512.png manifest.webmanifest service_worker.js)
function(auralis_bundle_player out folder)
  find_program(ESBUILD esbuild REQUIRED)
  find_path(NODE_LIBRARIES qrcode-generator/qrcode.js PATHS /usr/share/nodejs REQUIRED)
  set(site ${CMAKE_CURRENT_BINARY_DIR}/generated/site)
  file(GLOB sources CONFIGURE_DEPENDS ${folder}/*)
  set(files "")
  foreach(name IN ITEMS index.html player.js threads.js qr_code.js ${AURALIS_PLAYER_FILES})
    list(APPEND files ${site}/${name})
  endforeach()
  set(style_hash ${CMAKE_CURRENT_BINARY_DIR}/generated/embedded/style_hash.h)
  add_custom_command(
    OUTPUT ${files} ${style_hash}
    COMMAND ${CMAKE_COMMAND} -DESBUILD=${ESBUILD} -DSOURCE=${folder} -DSITE=${site} -DLIBRARIES=${NODE_LIBRARIES} -DSTYLE_HASH=${style_hash}
            "-DFILES=${AURALIS_PLAYER_FILES}"
            -P ${PROJECT_SOURCE_DIR}/cmake/bundle.cmake
    DEPENDS ${sources} ${ESBUILD} ${NODE_LIBRARIES}/qrcode-generator/qrcode.js ${PROJECT_SOURCE_DIR}/cmake/bundle.cmake ${PROJECT_SOURCE_DIR}/cmake/file_version.cmake
    VERBATIM)
  set(${out} ${files} ${style_hash} PARENT_SCOPE)
endfunction()
