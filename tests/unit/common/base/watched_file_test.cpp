// SPDX-License-Identifier: MIT
#include "common/base/watched_file.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/stat.h>

#include <string>

namespace auralis::watched_file_test {
namespace {

class WatchFixture {
 public:
  std::filesystem::path path(const std::string& name) const { return dir_.path() / name; }

  // With a time that the test chooses, so that no two writes are of one moment by chance.
  void write(const std::string& name, const std::string& text, time_t seconds) const {
    test::write_file(path(name), text);
    const timespec times[2] = {{seconds, 0}, {seconds, 0}};
    test::require(utimensat(AT_FDCWD, path(name).c_str(), times, 0) == 0, "utimensat");
  }

  void link(const std::string& target, const std::string& name) const {
    std::filesystem::create_directory_symlink(target, path(name));
  }

 private:
  test::TempDir dir_;
};

TEST_CASE("a file that is left alone has not changed") {
  const WatchFixture files;
  files.write("cert", "one", 1);
  WatchedFile watched(files.path("cert"));
  CHECK_FALSE(watched.changed());
  CHECK_FALSE(watched.changed());
}

TEST_CASE("a write is told once, by its time or by the size") {
  const WatchFixture files;
  files.write("cert", "one", 1);
  WatchedFile watched(files.path("cert"));
  files.write("cert", "two", 2);
  CHECK(watched.changed());
  CHECK_FALSE(watched.changed());
  files.write("cert", "three", 2);
  CHECK(watched.changed());
  CHECK_FALSE(watched.changed());
}

TEST_CASE("a file that others may read from now on is told, since reading it may have failed") {
  const WatchFixture files;
  files.write("key", "one", 1);
  test::require(chmod(files.path("key").c_str(), 0600) == 0, "chmod");
  WatchedFile watched(files.path("key"));
  test::require(chmod(files.path("key").c_str(), 0640) == 0, "chmod");
  CHECK(watched.changed());
  CHECK_FALSE(watched.changed());
}

TEST_CASE("another file of the same name is told, though it be as old and as long") {
  const WatchFixture files;
  files.write("cert", "one", 1);
  WatchedFile watched(files.path("cert"));
  files.write("new", "two", 1);
  std::filesystem::rename(files.path("new"), files.path("cert"));
  CHECK(watched.changed());
  CHECK_FALSE(watched.changed());
}

TEST_CASE("a link that is turned to another file is told, and one to another folder, too") {
  const WatchFixture files;
  for (const std::string folder : {"1", "2"}) {
    std::filesystem::create_directory(files.path(folder));
    files.write(folder + "/cert", "one", 1);
  }
  files.link("1", "live");
  files.link("live/cert", "cert");
  WatchedFile watched(files.path("cert"));
  CHECK_FALSE(watched.changed());
  files.link("2", "next");
  std::filesystem::rename(files.path("next"), files.path("live"));
  CHECK(watched.changed());
  CHECK_FALSE(watched.changed());
}

TEST_CASE("a file that is gone for a moment is told when it is back as another one") {
  const WatchFixture files;
  files.write("cert", "one", 1);
  WatchedFile watched(files.path("cert"));
  std::filesystem::rename(files.path("cert"), files.path("away"));
  CHECK_FALSE(watched.changed());
  std::filesystem::rename(files.path("away"), files.path("cert"));
  CHECK_FALSE(watched.changed());
  std::filesystem::remove(files.path("cert"));
  CHECK_FALSE(watched.changed());
  files.write("cert", "two", 2);
  CHECK(watched.changed());
}

TEST_CASE("a file that comes after the beginning is told") {
  const WatchFixture files;
  WatchedFile watched(files.path("cert"));
  CHECK_FALSE(watched.changed());
  files.write("cert", "one", 1);
  CHECK(watched.changed());
}

}  // namespace
}  // namespace auralis::watched_file_test
