// SPDX-License-Identifier: MIT
// Whether a folder of segments can be trusted: /dev/shm and /tmp are everybody's, and another user may have
// made `auralis-1000` there first, or put a link in its place.
#pragma once

#include <filesystem>
#include <string>

namespace auralis {

enum class FolderUse { kRead, kWrite };

// What is wrong with `folder` or the one that it lies in, as the rest of a sentence that begins with its
// path, and what to do; empty if nothing is. To be trusted, both
// - are folders, or links that this user or root made;
// - may not be written by everybody, if it is the folder itself;
// - belong to this user or root, if the folder that they lie in may be written by everybody; for writing, the
//   folder itself in any case. Root reads what belongs to anybody, and writes where only its owner can have
//   made the folder.
// Looks at the file system; not for the audio path.
std::string folder_problem(const std::filesystem::path& folder, FolderUse use);

}  // namespace auralis
