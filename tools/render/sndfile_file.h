// SPDX-License-Identifier: MIT
// Sound files in WAV, FLAC and Ogg Vorbis. The only user of libsndfile.
#pragma once

#include <filesystem>
#include <memory>

#include "tools/render/sound.h"

namespace auralis {

// As NewFile.
std::unique_ptr<SoundFile> create_sndfile_file(const std::filesystem::path& path, const SoundFormat& format,
                                               bool replace);

}  // namespace auralis
