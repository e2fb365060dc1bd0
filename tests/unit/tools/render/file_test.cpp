// SPDX-License-Identifier: MIT
#include "tools/render/file.h"

#include "tests/unit/support.h"

#include <doctest/doctest.h>

#include <unistd.h>
#include <optional>

namespace auralis::file_test {

using namespace test;

namespace {

std::size_t entries(const TempDir& folder) {
  const std::filesystem::directory_iterator begin(folder.path());
  return static_cast<std::size_t>(std::distance(begin, std::filesystem::directory_iterator()));
}

template <typename Call>
std::string failure(const Call& call) {
  try {
    call();
  } catch (const FileError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a file has its name only once it is complete") {
  const TempDir folder;
  const auto path = folder.path() / "a.wav";
  NewFile file(path, false);
  CHECK(file.write("music", 5) == 5);
  CHECK(file.size() == 5);
  CHECK_FALSE(std::filesystem::exists(path));
  file.sync();
  file.publish();
  CHECK(read_file(path) == "music");
  CHECK(entries(folder) == 1);
}

TEST_CASE("a file that is not published leaves nothing behind") {
  const TempDir folder;
  {
    NewFile file(folder.path() / "a.wav", false);
    file.write("music", 5);
    CHECK(entries(folder) == 1);
  }
  CHECK(entries(folder) == 0);
}

TEST_CASE("an existing file is kept, unless it is to be replaced") {
  const TempDir folder;
  const auto path = folder.path() / "a.wav";
  write_file(path, "old");
  CHECK(failure([&] { NewFile(path, false); }).find("--force") != std::string::npos);
  NewFile file(path, true);
  file.write("new", 3);
  CHECK(read_file(path) == "old");
  file.publish();
  CHECK(read_file(path) == "new");
}

TEST_CASE("a file that was created in the meantime is kept") {
  const TempDir folder;
  const auto path = folder.path() / "a.wav";
  NewFile file(path, false);
  file.write("new", 3);
  write_file(path, "other");
  CHECK(failure([&] { file.publish(); }).find("--force") != std::string::npos);
  CHECK(read_file(path) == "other");
}

TEST_CASE("what is no regular file is refused even if it may be replaced") {
  const TempDir folder;
  const auto path = folder.path() / "a.wav";
  std::filesystem::create_directory(path);
  CHECK_FALSE(failure([&] { NewFile(path, true); }).empty());
  CHECK(failure([&] { NewFile(folder.path() / "none" / "a.wav", false); }).find("No such file") !=
        std::string::npos);
}

TEST_CASE("bytes are read back from where the file was moved to") {
  const TempDir folder;
  NewFile file(folder.path() / "a.wav", false);
  file.write("music", 5);
  CHECK(file.seek(2, SEEK_SET) == 2);
  std::string text(8, '\0');
  CHECK(file.read(text.data(), text.size()) == 3);
  CHECK(text.substr(0, 3) == "sic");
}

}  // namespace auralis::file_test
