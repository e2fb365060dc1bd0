// SPDX-License-Identifier: MIT
#include "common/segment.h"

#include "segment_support.h"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

namespace auralis {
namespace {

using test::Child;
using test::kFormat;
using test::peek;
using test::Pipe;
using test::SegmentFixture;

constexpr std::size_t kGeneration = offsetof(SegmentHeader, generation);

std::string refusal(const std::filesystem::path& path, const SegmentFormat& format) {
  try {
    const SegmentWriter writer(path, format);
  } catch (const SegmentError& error) {
    return error.what();
  }
  return "not refused";
}

std::size_t files_in(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  test::require(stat(path.c_str(), &status) == 0, "stat");
  return status.st_mode & 0777U;
}

bool all_zero(const std::byte* bytes, std::size_t count) {
  return std::all_of(bytes, bytes + count, [](std::byte byte) { return byte == std::byte{0}; });
}

TEST_CASE(
    "a fresh segment is zeros, aligned to a cache line, and its folder and file are the group's to read") {
  const test::TempDir dir;
  const auto path = dir.path() / "synthd" / "metrics";
  SegmentWriter writer(path, kFormat);
  CHECK_FALSE(writer.taken_over());
  CHECK(all_zero(writer.payload(), kFormat.payload_bytes));
  CHECK(reinterpret_cast<std::uintptr_t>(writer.payload()) % 64 == 0);
  writer.publish(1);
  CHECK(mode_of(path) == 0640);
  CHECK(mode_of(path.parent_path()) == 0750);
  CHECK(files_in(path.parent_path()) == 1);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a segment that was stopped is taken over with its content, one generation on") {
  {
    SegmentWriter writer(path, kFormat);
    std::memcpy(writer.payload(), "counted", 8);
    writer.publish(1);
    CHECK(peek(path, kGeneration) == 1);
  }
  SegmentWriter next(path, kFormat);
  CHECK(next.taken_over());
  CHECK(std::memcmp(next.payload(), "counted", 8) == 0);
  next.publish(2);
  CHECK(peek(path, kGeneration) == 2);
}

TEST_CASE_FIXTURE(SegmentFixture, "a segment of a writer that was killed is taken over likewise") {
  Pipe published;
  Child killed([&]() -> int {
    SegmentWriter writer(path, kFormat);
    std::memcpy(writer.payload(), "counted", 8);
    writer.publish(1);
    published.tell();
    for (;;) pause();
  });
  published.await();
  CHECK(refusal(path, kFormat).find("pid " + std::to_string(killed.pid())) != std::string::npos);
  REQUIRE(killed.wait_after(SIGKILL) == -SIGKILL);

  const SegmentWriter next(path, kFormat);
  CHECK(next.taken_over());
  CHECK(std::memcmp(next.payload(), "counted", 8) == 0);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a live writer's segment is refused, and the message says whose it is and what to do") {
  SegmentWriter writer(path, kFormat);
  // While a fresh one is prepared there is no telling yet by whom.
  CHECK(refusal(path, kFormat) ==
        "segment " + path.string() +
            ": is held by a running writer; stop it first, or choose another runtime directory");
  writer.publish(1);
  CHECK(refusal(path, kFormat) == "segment " + path.string() + ": is held by a running writer (pid " +
                                      std::to_string(getpid()) +
                                      "); stop it first, or choose another runtime directory");
  // The refused one has left no trace.
  CHECK(files_in(dir.path()) == 1);
  CHECK(peek(path, kGeneration) == 1);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a segment of another format is replaced by a fresh one, whose generation goes on") {
  SegmentFormat other = kFormat;
  SUBCASE("kind") { other.kind = SegmentKind::kControl; }
  SUBCASE("layout version") { other.version = 8; }
  SUBCASE("size") { other.payload_bytes += 64; }
  SUBCASE("fingerprint") { other.fingerprint = 43; }
  {
    SegmentWriter writer(path, kFormat);
    std::memcpy(writer.payload(), "counted", 8);
    writer.publish(1);
  }
  SegmentWriter next(path, other);
  CHECK_FALSE(next.taken_over());
  CHECK(all_zero(next.payload(), other.payload_bytes));
  next.publish(2);
  CHECK(peek(path, kGeneration) == 2);
}

TEST_CASE_FIXTURE(SegmentFixture, "whatever bears the name and is no segment is replaced") {
  SUBCASE("empty") { test::write_file(path, ""); }
  SUBCASE("short") { test::write_file(path, "AURALIS1"); }
  SUBCASE("foreign") { test::write_file(path, std::string(8'192, 'x')); }
  SUBCASE("a segment that was cut short, and its generation with it") {
    SegmentWriter(path, kFormat).publish(1);
    std::filesystem::resize_file(path, kGeneration);
  }
  SegmentWriter writer(path, kFormat);
  CHECK_FALSE(writer.taken_over());
  writer.publish(1);
  CHECK(peek(path, kGeneration) == 1);
}

TEST_CASE_FIXTURE(SegmentFixture, "a segment that is not as long as it says is replaced") {
  SegmentWriter(path, kFormat).publish(1);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 64);
  const SegmentWriter writer(path, kFormat);
  CHECK_FALSE(writer.taken_over());
  CHECK(all_zero(writer.payload(), kFormat.payload_bytes));
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a writer that never published leaves the former segment as it was, and no other file") {
  std::optional<SegmentWriter> writer(std::in_place, path, kFormat);
  writer->publish(1);
  writer.reset();
  const std::string before = test::read_file(path);
  SegmentFormat other = kFormat;
  other.fingerprint = 43;
  writer.emplace(path, other);
  CHECK(files_in(dir.path()) == 2);
  writer.reset();
  CHECK(files_in(dir.path()) == 1);
  CHECK(test::read_file(path) == before);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "what a writer that was killed while preparing left behind is in nobody's way") {
  test::write_file(path.string() + ".new", "half made");
  SegmentWriter writer(path, kFormat);
  writer.publish(1);
  CHECK(files_in(dir.path()) == 1);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a full tmpfs is an error at start that says so, and leaves nothing behind") {
  struct statvfs space {};
  REQUIRE(statvfs(dir.path().c_str(), &space) == 0);
  // Without a limit the kernel would try to find the memory.
  if (space.f_blocks == 0) return;
  SegmentFormat huge = kFormat;
  huge.payload_bytes = (std::uint64_t{space.f_blocks} + 1) * space.f_frsize;
  const std::string error = refusal(path, huge);
  CHECK(error.find("segment " + path.string() + ": no space for ") == 0);
  CHECK(error.find("enlarge the tmpfs or choose another runtime directory") != std::string::npos);
  CHECK(files_in(dir.path()) == 0);
}

TEST_CASE_FIXTURE(SegmentFixture, "a place where no file can be made is named in the error") {
  test::write_file(dir.path() / "file", "");
  CHECK(refusal(dir.path() / "file" / "synthd" / "metrics", kFormat)
            .find("segment " + (dir.path() / "file" / "synthd").string() + ": the folder cannot be made: ") ==
        0);
  CHECK(refusal(dir.path(), kFormat)
            .find("segment " + dir.path().string() + ": cannot be opened for writing: ") == 0);
}

}  // namespace
}  // namespace auralis
