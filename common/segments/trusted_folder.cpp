// SPDX-License-Identifier: MIT
#include "common/segments/trusted_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace auralis {
namespace {

constexpr const char* kAdvice = "; remove it, or choose another runtime directory";

bool is_ours(uid_t owner) { return owner == ::geteuid() || owner == 0; }

bool shared_by_all(const std::filesystem::path& folder) {
  struct stat status {};
  return ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_IWOTH) != 0;
}

// The path may end with a slash, or be a single name.
std::filesystem::path parent_of(const std::filesystem::path& folder) {
  const std::filesystem::path whole = folder.has_filename() ? folder : folder.parent_path();
  return whole.has_parent_path() ? whole.parent_path() : std::filesystem::path(".");
}

// `outermost`: the folder may be one that all users share, such as /dev/shm, or a volume created by a
// container runtime.
std::string problem_of(const std::filesystem::path& folder, FolderUse use, bool outermost) {
  struct stat named {};
  struct stat meant {};
  if (::lstat(folder.c_str(), &named) != 0 || ::stat(folder.c_str(), &meant) != 0)
    return "cannot be examined: " + std::generic_category().message(errno);
  if (S_ISLNK(named.st_mode) && !is_ours(named.st_uid))
    return "is a link that another user made (" + std::to_string(named.st_uid) + ")" + kAdvice;
  if (!S_ISDIR(meant.st_mode)) return std::string("is not a folder") + kAdvice;
  if ((meant.st_mode & S_IWOTH) != 0) {
    if (outermost) return {};
    return "may be written by every user; chmod o-w it, or choose another runtime directory";
  }
  const bool root_reads = ::geteuid() == 0 && use == FolderUse::kRead;
  if (!is_ours(meant.st_uid) && !root_reads && shared_by_all(parent_of(folder)))
    return "belongs to another user (" + std::to_string(meant.st_uid) + ")" + kAdvice;
  return {};
}

}  // namespace

std::string folder_problem(const std::filesystem::path& folder, FolderUse use) {
  struct stat status {};
  if (use == FolderUse::kWrite && ::geteuid() != 0 && ::stat(folder.c_str(), &status) == 0 &&
      status.st_uid != ::geteuid())
    return "belongs to another user (" + std::to_string(status.st_uid) + ")" + kAdvice;
  std::string problem = problem_of(folder, use, false);
  if (!problem.empty()) return problem;
  const std::filesystem::path parent = parent_of(folder);
  problem = problem_of(parent, use, true);
  return problem.empty() ? problem : "lies in " + parent.string() + ", which " + problem;
}

}  // namespace auralis
