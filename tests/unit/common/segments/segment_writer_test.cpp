// SPDX-License-Identifier: MIT
#include "common/segments/segment.h"

#include "tests/unit/common/segments/segment_support.h"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace auralis::segment_writer_test {
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

TEST_CASE_FIXTURE(SegmentFixture, "what a writer that was killed while preparing left behind does no harm") {
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
            .find("segment " + (dir.path() / "file" / "synthd").string() +
                  ": the folder cannot be created: ") == 0);
  std::filesystem::create_directory(path);
  CHECK(refusal(path, kFormat).find("segment " + path.string() + ": cannot be opened for writing: ") == 0);
}

// Harm that can come to a segment's file while its writer runs.
struct Harm {
  const char* what;
  std::function<void(const std::filesystem::path& path)> do_it;
  SegmentContent content;
};

const std::vector<Harm>& harms() {
  using Path = std::filesystem::path;
  static const std::vector<Harm> all{
      {"removed", [](const Path& path) { std::filesystem::remove(path); }, SegmentContent::kCopied},
      {"renamed", [](const Path& path) { std::filesystem::rename(path, path.string() + ".moved"); },
       SegmentContent::kCopied},
      {"replaced",
       [](const Path& path) {
         test::write_file(path.string() + ".other", "another file");
         std::filesystem::rename(path.string() + ".other", path);
       },
       SegmentContent::kCopied},
      {"its folder removed", [](const Path& path) { std::filesystem::remove_all(path.parent_path()); },
       SegmentContent::kCopied},
      {"its folder replaced",
       [](const Path& path) {
         std::filesystem::rename(path.parent_path(), path.parent_path().string() + ".moved");
         std::filesystem::create_directory(path.parent_path());
       },
       SegmentContent::kCopied},
      {"cut to nothing", [](const Path& path) { std::filesystem::resize_file(path, 0); },
       SegmentContent::kLost},
      {"cut to half", [](const Path& path) { std::filesystem::resize_file(path, 4'096); },
       SegmentContent::kLost},
      {"cut, and made longer again",
       [](const Path& path) {
         const auto size = std::filesystem::file_size(path);
         std::filesystem::resize_file(path, 0);
         std::filesystem::resize_file(path, size);
       },
       SegmentContent::kLost},
      {"made longer",
       [](const Path& path) { std::filesystem::resize_file(path, std::filesystem::file_size(path) + 4'096); },
       SegmentContent::kCopied}};
  return all;
}

TEST_CASE("a writer puts its segment back whatever was done to the file, and readers follow") {
  constexpr SegmentFormat kTwoPages{SegmentKind::kMetrics, 7, 8'192, 42};
  for (const Harm& harm : harms()) {
    CAPTURE(harm.what);
    const test::TempDir dir;
    const auto path = dir.path() / "daemon" / "metrics";
    SegmentWriter writer(path, kTwoPages);
    std::byte* const payload = writer.payload();
    std::memcpy(payload + 6'000, "before", 7);
    writer.publish(1);
    SegmentReader reader(path, SegmentKind::kMetrics, 7);
    reader.refresh();
    CHECK(writer.in_place());

    harm.do_it(path);
    CHECK_FALSE(writer.in_place());
    std::memcpy(payload + 7'000, "harm", 5);  // also where there are no pages any more
    CHECK(writer.replace() == harm.content);
    CHECK(writer.payload() == payload);
    if (harm.content == SegmentContent::kLost) {
      CHECK(std::all_of(payload, payload + 8'192, [](std::byte byte) { return byte == std::byte{0}; }));
    } else {
      CHECK(std::memcmp(payload + 6'000, "before", 7) == 0);
    }
    std::memcpy(payload, "after", 6);
    writer.publish(2);
    CHECK(writer.in_place());
    CHECK(reader.refresh());
    REQUIRE(reader.state() == SegmentState::kReady);
    CHECK(std::memcmp(reader.payload(), "after", 6) == 0);
    CHECK(reader.generation() == 2);
    CHECK(reader.writer_alive());
    std::memcpy(payload, "lives", 6);
    CHECK(std::memcmp(reader.payload(), "lives", 6) == 0);
  }
}

TEST_CASE_FIXTURE(SegmentFixture, "readers stay with a file that was removed until its copy is published") {
  SegmentWriter writer(path, kFormat);
  writer.publish(1);
  SegmentReader reader(path, SegmentKind::kMetrics, 7);
  CHECK(reader.refresh());
  std::filesystem::remove(path);
  CHECK_FALSE(writer.in_place());
  CHECK(writer.replace() == SegmentContent::kCopied);
  CHECK_FALSE(reader.refresh());
  CHECK(reader.state() == SegmentState::kReady);
  CHECK(reader.writer_alive());
  writer.publish(2);
  CHECK(reader.refresh());
  CHECK(reader.generation() == 2);
}

TEST_CASE_FIXTURE(SegmentFixture, "a header that another process wrote over is put right") {
  SegmentWriter writer(path, kFormat);
  writer.publish(1);
  for (const std::uint64_t offset : {0U, 8U, 16U, 24U, 32U}) {
    test::poke(path, offset, 0x0123456789ABCDEF);
    SegmentReader reader(path, kFormat.kind, kFormat.version);
    CHECK(writer.in_place());
    reader.refresh();
    CHECK(reader.state() == SegmentState::kReady);
    CHECK(reader.generation() == 1);
  }
}

TEST_CASE_FIXTURE(SegmentFixture, "a writer whose place another one took says so, and leaves it alone") {
  SegmentWriter first(path, kFormat);
  first.publish(1);
  std::filesystem::remove(path);
  SegmentWriter second(path, kFormat);
  second.publish(2);
  CHECK_FALSE(first.in_place());
  CHECK_THROWS_WITH_AS(first.replace(), doctest::Contains("is held by a running writer"), SegmentError);
  CHECK(second.in_place());
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "modes are those of the contract under any umask, also of a file taken over") {
  const auto mode = [](const std::filesystem::path& of) { return std::filesystem::status(of).permissions(); };
  using perms = std::filesystem::perms;
  for (const mode_t mask : {mode_t{0}, mode_t{0077}}) {
    const mode_t before = ::umask(mask);
    const auto inner = dir.path() / ("run" + std::to_string(mask)) / "daemon";
    SegmentWriter(inner / "metrics", kFormat).publish(1);
    ::umask(before);
    CHECK(mode(inner / "metrics") == static_cast<perms>(0640));
    CHECK(mode(inner) == static_cast<perms>(0750));
    CHECK(mode(inner.parent_path()) == static_cast<perms>(0750));
    std::filesystem::permissions(inner / "metrics", static_cast<perms>(0666));
    SegmentWriter again(inner / "metrics", kFormat);
    CHECK(again.taken_over());
    CHECK(mode(inner / "metrics") == static_cast<perms>(0640));
  }
}

TEST_CASE_FIXTURE(SegmentFixture, "modes that another process changed are set again while the writer runs") {
  using perms = std::filesystem::perms;
  const auto inner = dir.path() / "daemon";
  SegmentWriter writer(inner / "metrics", kFormat);
  writer.publish(1);
  std::filesystem::permissions(inner / "metrics", perms::none);
  std::filesystem::permissions(inner, static_cast<perms>(0777));
  CHECK(writer.in_place());
  CHECK(std::filesystem::status(inner / "metrics").permissions() == static_cast<perms>(0640));
  CHECK((std::filesystem::status(inner).permissions() & perms::others_write) == perms::none);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a folder that another user has by now is no place" * doctest::skip(::geteuid() != 0)) {
  const auto shared = dir.path() / "shm";
  std::filesystem::create_directory(shared);
  std::filesystem::permissions(shared, static_cast<std::filesystem::perms>(0777));
  SegmentWriter writer(shared / "daemon" / "metrics", kFormat);
  writer.publish(1);
  CHECK(writer.in_place());
  test::require(::chown((shared / "daemon").c_str(), 65'534, 65'534) == 0, "chown");
  CHECK_FALSE(writer.in_place());
  CHECK_THROWS_WITH_AS(writer.replace(), doctest::Contains("belongs to another user"), SegmentError);
}

TEST_CASE_FIXTURE(SegmentFixture, "a file that has another name too is not taken over") {
  SegmentWriter(path, kFormat).publish(1);
  std::filesystem::create_hard_link(path, dir.path() / "another name");
  const SegmentWriter writer(path, kFormat);
  CHECK_FALSE(writer.taken_over());
}

}  // namespace
}  // namespace auralis::segment_writer_test
