// SPDX-License-Identifier: MIT
// auralis-render's command line. Names and ranges are those of the tables: common/music/music_parameters.h
// for the music, common/config/config_table.h for what the daemons are configured with too.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/config/config.h"
#include "common/music/parameter_history.h"
#include "tools/arguments.h"
#include "tools/render/sound.h"

namespace auralis {

// A group of voices alone, by what its file is called after; in the order of VoiceGroup.
inline constexpr std::array<std::string_view, 4> kStemNames{"pads", "lead", "kicks", "swells"};

struct RenderOptions {
  Config config;  // rate, chunk, engine and device; else as the daemons have it by default
  std::uint64_t seed = 0;
  ParameterHistory history;
  std::int64_t first_frame = 0;
  std::int64_t frames = 0;
  SoundFormat format;
  std::filesystem::path file;       // of sound; empty: none
  std::filesystem::path midi_file;  // of the composition; empty: none
  bool stems = false;
  bool force = false;
  std::int64_t fade_frames = 0;  // of each of the fades, in and out
  bool background = false;       // takes only processor time that nothing else wants

  // Sound files to write: none, one, or one a stem.
  std::vector<std::filesystem::path> files() const;
};

// Prints --help or --version on `out` and returns nothing, else the options. Throws UsageError.
std::optional<RenderOptions> parse_render_options(int argc, const char* const* argv, std::ostream& out);

}  // namespace auralis
