// SPDX-License-Identifier: MIT
// Checks whether a folder of segments can be trusted: /dev/shm and /tmp are writable by all users, and
// another user may have created `auralis-1000`, or a link in its place, there first.
#pragma once

#include <filesystem>
#include <string>

namespace auralis {

enum class FolderUse { kRead, kWrite };

// The problem of `folder` or its parent, and what to do, as the rest of a sentence that begins with its path;
// empty if there is none. Accesses the file system; not for the audio path. To be trusted, both
// - are folders, or links created by this user or root;
// - are not world-writable (the folder only, not its parent);
// - belong to this user or root, if their parent is world-writable; for writing, the folder itself in any
//   case. Root reads folders of any owner, and writes where only the owner can have created the folder.
std::string folder_problem(const std::filesystem::path& folder, FolderUse use);

}  // namespace auralis
