// SPDX-License-Identifier: MIT
#include "common/segments/trusted_folder.h"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/unit/common/support.h"

namespace auralis::trusted_folder_test {
namespace {

constexpr uid_t kOther = 65'534;

struct FolderFixture {
  test::TempDir dir;
  std::filesystem::path shared = dir.path() / "shm";  // as /dev/shm
  std::filesystem::path runtime = shared / "auralis-1000";
  std::filesystem::path daemon = runtime / "synthd";

  FolderFixture() {
    std::filesystem::create_directories(daemon);
    chmod(shared, 01777);
    chmod(dir.path(), 0755);
    chmod(runtime, 0750);
    chmod(daemon, 0750);
  }
  static void chmod(const std::filesystem::path& path, mode_t mode) {
    test::require(::chmod(path.c_str(), mode) == 0, "chmod");
  }
  static void give_away(const std::filesystem::path& path) {
    test::require(::lchown(path.c_str(), kOther, kOther) == 0, "lchown");
  }
  std::string read() const { return folder_problem(daemon, FolderUse::kRead); }
  std::string write() const { return folder_problem(daemon, FolderUse::kWrite); }
  bool refused(const char* why) const { return write().find(why) != std::string::npos; }
};

TEST_CASE_FIXTURE(FolderFixture, "folders that this user made are trusted, also in one that all share") {
  CHECK(read().empty());
  CHECK(write().empty());
  CHECK(folder_problem(runtime, FolderUse::kWrite).empty());
  CHECK(folder_problem(daemon.string() + "/", FolderUse::kWrite).empty());
}

TEST_CASE_FIXTURE(FolderFixture, "a folder that anybody may write into is refused") {
  chmod(daemon, 0777);
  CHECK(refused("may be written by every user"));
  CHECK_FALSE(read().empty());
}

TEST_CASE_FIXTURE(FolderFixture, "what is no folder, or is not there, is refused") {
  std::filesystem::remove(daemon);
  CHECK(refused("cannot be examined"));
  test::write_file(daemon, "a file");
  CHECK(refused("is not a folder"));
}

TEST_CASE_FIXTURE(FolderFixture, "a link is trusted if this user made it") {
  std::filesystem::rename(daemon, runtime / "elsewhere");
  std::filesystem::create_directory_symlink(runtime / "elsewhere", daemon);
  CHECK(write().empty());
}

TEST_CASE_FIXTURE(FolderFixture, "what another user made in a folder that all share is refused" *
                                     doctest::skip(::geteuid() != 0)) {
  give_away(runtime);
  CHECK(refused("lies in"));
  CHECK(refused("belongs to another user (65534)"));
  CHECK(read().empty());  // root looks at any user's daemons
  chmod(shared, 0755);    // only root could make it here, and gave it away
  CHECK(write().empty());
}

TEST_CASE_FIXTURE(FolderFixture,
                  "a link that another user made is refused" * doctest::skip(::geteuid() != 0)) {
  std::filesystem::rename(runtime, dir.path() / "elsewhere");
  std::filesystem::create_directory_symlink(dir.path() / "elsewhere", runtime);
  give_away(runtime);
  CHECK(refused("is a link that another user made"));
}

TEST_CASE_FIXTURE(FolderFixture,
                  "an ordinary user trusts root and himself alone" * doctest::skip(::geteuid() != 0)) {
  chmod(daemon, 0755);
  chmod(runtime, 0755);
  test::Child child([&] {
    test::require(::setuid(kOther - 1) == 0, "setuid");
    const bool reads_roots = read().empty();
    const bool writes_none_of_roots = refused("belongs to another user (0)");
    return reads_roots && writes_none_of_roots ? 0 : 1;
  });
  CHECK(child.wait() == 0);
  give_away(runtime);
  test::Child stranger([&] {
    test::require(::setuid(kOther - 1) == 0, "setuid");
    return read().find("belongs to another user (65534)") != std::string::npos ? 0 : 1;
  });
  CHECK(stranger.wait() == 0);
}

}  // namespace
}  // namespace auralis::trusted_folder_test
