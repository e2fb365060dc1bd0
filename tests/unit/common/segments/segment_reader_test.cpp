// SPDX-License-Identifier: MIT
#include "common/segments/segment.h"

#include "tests/unit/common/segments/segment_support.h"

#include <doctest/doctest.h>

#include <sys/file.h>
#include <sys/stat.h>

#include <cstddef>
#include <cstring>
#include <optional>
#include <random>

namespace auralis::segment_reader_test {
namespace {

using test::Child;
using test::kFormat;
using test::Pipe;
using test::SegmentFixture;

constexpr std::size_t kManyPages = std::size_t{64} * 4'096;

SegmentReader reader_of(const std::filesystem::path& path) { return {path, kFormat.kind, kFormat.version}; }

// One that has looked at what is there.
SegmentReader refreshed_reader_of(const std::filesystem::path& path) {
  SegmentReader reader = reader_of(path);
  reader.refresh();
  return reader;
}

// Attaches again and returns what it found.
SegmentState state_of(const std::filesystem::path& path) {
  const SegmentReader reader = refreshed_reader_of(path);
  CHECK(reader.describe().find("segment " + path.string() + " ") == 0);
  CHECK((reader.payload() != nullptr) == (reader.state() == SegmentState::kReady));
  return reader.state();
}

void make_segment(const std::filesystem::path& path, const SegmentFormat& format = kFormat) {
  SegmentWriter(path, format).publish(1);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a reader sees a segment once it is published, with what stands in its header") {
  SegmentReader reader = reader_of(path);
  CHECK_FALSE(reader.refresh());
  CHECK(reader.state() == SegmentState::kMissing);

  SegmentWriter writer(path, kFormat);
  CHECK(reader.refresh());
  CHECK(reader.state() == SegmentState::kNotReady);
  CHECK(reader.payload() == nullptr);
  CHECK(reader.payload_bytes() == 0);

  std::memcpy(writer.payload(), "payload", 8);
  writer.publish(1);
  CHECK(reader.refresh());
  CHECK(reader.state() == SegmentState::kReady);
  REQUIRE(reader.payload_bytes() >= kFormat.payload_bytes);
  CHECK(std::memcmp(reader.payload(), "payload", 8) == 0);
  CHECK(reader.generation() == 1);
  CHECK_FALSE(reader.refresh());

  const SegmentReader moved = std::move(reader);
  CHECK(std::memcmp(moved.payload(), "payload", 8) == 0);
}

TEST_CASE_FIXTURE(SegmentFixture, "each kind of unusable file has its name") {
  CHECK(state_of(path) == SegmentState::kMissing);
  test::write_file(path, "");
  CHECK(state_of(path) == SegmentState::kNotReady);
  test::write_file(path, "AURALIS1");
  CHECK(state_of(path) == SegmentState::kForeign);
  test::write_file(path, std::string(4'096, 'x'));
  CHECK(state_of(path) == SegmentState::kForeign);
  make_segment(path);
  std::filesystem::resize_file(path, 16);
  CHECK(state_of(path) == SegmentState::kForeign);
  make_segment(path);
  test::poke(path, offsetof(SegmentHeader, magic), 1);
  CHECK(state_of(path) == SegmentState::kForeign);
  // All there but the magic, which is stored last.
  make_segment(path);
  test::poke(path, offsetof(SegmentHeader, magic), 0);
  CHECK(state_of(path) == SegmentState::kNotReady);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a segment of another kind is foreign, one of another layout version is called so") {
  make_segment(path);
  CHECK(state_of(path) == SegmentState::kReady);
  SegmentReader other_kind(path, SegmentKind::kAudio, kFormat.version);
  other_kind.refresh();
  CHECK(other_kind.state() == SegmentState::kForeign);
  SegmentReader other_version(path, kFormat.kind, kFormat.version + 1);
  other_version.refresh();
  CHECK(other_version.state() == SegmentState::kWrongVersion);
  CHECK(other_version.describe().find("a different layout version; run daemons of one release") !=
        std::string::npos);
}

TEST_CASE_FIXTURE(SegmentFixture, "a segment that is not as long as it says is refused") {
  make_segment(path);
  const auto whole = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, whole - 8);
  CHECK(state_of(path) == SegmentState::kTruncated);
  std::filesystem::resize_file(path, sizeof(SegmentHeader));
  CHECK(state_of(path) == SegmentState::kTruncated);
  std::filesystem::resize_file(path, whole + 4'096);
  CHECK(state_of(path) == SegmentState::kTruncated);
}

TEST_CASE_FIXTURE(SegmentFixture, "a path that is no regular file neither crashes a reader nor blocks it") {
  SUBCASE("folder") { std::filesystem::create_directory(path); }
  SUBCASE("pipe without a writer") { REQUIRE(mkfifo(path.c_str(), 0600) == 0); }
  SUBCASE("device") { std::filesystem::create_symlink("/dev/zero", path); }
  CHECK(state_of(path) == SegmentState::kForeign);
}

TEST_CASE_FIXTURE(SegmentFixture, "a file that may not be read is called so") {
  make_segment(path);
  test::require(chmod(dir.path().c_str(), 0755) == 0 && chmod(path.c_str(), 0) == 0, "chmod");
  // Root may read everything.
  Child stranger([&] {
    if (geteuid() == 0 && seteuid(65'534) != 0) return 1;
    return refreshed_reader_of(path).state() == SegmentState::kDenied ? 0 : 2;
  });
  CHECK(stranger.wait() == 0);
}

TEST_CASE_FIXTURE(SegmentFixture, "random bytes never crash a reader, nor does it take them for a segment") {
  std::mt19937_64 random(1);
  for (int round = 0; round < 500; ++round) {
    std::string bytes(random() % 300, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    if (random() % 2 == 0) bytes.replace(0, 8, "AURALIS1");
    test::write_file(path, bytes);
    CHECK(state_of(path) != SegmentState::kReady);
  }
}

TEST_CASE_FIXTURE(SegmentFixture, "a segment that was replaced under its name is attached again") {
  make_segment(path);
  SegmentReader reader = refreshed_reader_of(path);

  SegmentFormat longer = kFormat;
  longer.payload_bytes *= 2;
  SegmentWriter writer(path, longer);
  CHECK_FALSE(reader.refresh());
  std::memcpy(writer.payload(), "renewed", 8);
  writer.publish(2);
  CHECK(reader.refresh());
  REQUIRE(reader.payload_bytes() >= longer.payload_bytes);
  CHECK(std::memcmp(reader.payload(), "renewed", 8) == 0);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a segment that was removed and created again is attached again, though nothing in it "
                  "tells the two apart") {
  make_segment(path);
  SegmentReader reader = refreshed_reader_of(path);
  std::filesystem::remove(path);
  SegmentWriter writer(path, kFormat);
  writer.publish(1);
  CHECK(reader.refresh());
  CHECK(reader.generation() == 1);
  CHECK(reader.writer_alive());
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a segment that was taken over is reported as changed, and one that vanished as missing") {
  make_segment(path);
  SegmentReader reader = refreshed_reader_of(path);
  make_segment(path);
  CHECK(reader.refresh());
  CHECK(reader.generation() == 2);
  CHECK_FALSE(reader.refresh());

  std::filesystem::remove(path);
  CHECK(reader.refresh());
  CHECK(reader.state() == SegmentState::kMissing);
  CHECK(reader.payload() == nullptr);
  CHECK(reader.generation() == 0);
  CHECK_FALSE(reader.writer_alive());
  CHECK_FALSE(reader.refresh());
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a file that is cut short under a reader is reported by the next refresh, and let go of") {
  make_segment(path);
  SegmentReader reader = refreshed_reader_of(path);
  std::filesystem::resize_file(path, 2'048);
  CHECK(reader.refresh());
  CHECK(reader.state() == SegmentState::kTruncated);
  CHECK(reader.payload() == nullptr);
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a file that is cut short under a reader reads as zeros, and ends no process") {
  for (const std::uintmax_t left : {std::uintmax_t{0}, std::uintmax_t{sizeof(SegmentHeader)}}) {
    SegmentWriter writer(path, {SegmentKind::kMetrics, 7, kManyPages, 42});
    std::memset(writer.payload(), 'x', kManyPages);
    writer.publish(1);
    SegmentReader reader = refreshed_reader_of(path);
    std::filesystem::resize_file(path, left);
    const std::byte* const last = reader.payload() + reader.payload_bytes() - 1;
    CHECK(*static_cast<const volatile std::byte*>(last) == std::byte{0});
    CHECK(*static_cast<const volatile std::byte*>(reader.payload() + 8'192) == std::byte{0});
    CHECK(reader.refresh());
    CHECK(reader.state() != SegmentState::kReady);
    std::filesystem::remove(path);
  }
}

TEST_CASE_FIXTURE(SegmentFixture,
                  "a file that was cut short and made longer again is not taken for what it was") {
  SegmentWriter writer(path, {SegmentKind::kMetrics, 7, kManyPages, 42});
  writer.publish(1);
  SegmentReader reader = refreshed_reader_of(path);
  const auto size = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, 0);
  CHECK(*static_cast<const volatile std::byte*>(reader.payload() + 8'192) == std::byte{0});
  std::filesystem::resize_file(path, size);
  CHECK(reader.refresh());
  CHECK(reader.state() == SegmentState::kNotReady);
}

TEST_CASE_FIXTURE(
    SegmentFixture,
    "a segment that was removed stays attached while its writer lives, until the next one is ready") {
  std::optional<SegmentWriter> writer(std::in_place, path, kFormat);
  writer->publish(1);
  SegmentReader reader = refreshed_reader_of(path);
  CHECK(reader.under_its_name());
  std::filesystem::remove(path);
  CHECK_FALSE(reader.refresh());
  CHECK(reader.state() == SegmentState::kReady);
  CHECK_FALSE(reader.under_its_name());
  std::memcpy(writer->payload(), "goes on", 8);
  CHECK(std::memcmp(reader.payload(), "goes on", 8) == 0);
  test::write_file(path, "garbage");
  CHECK_FALSE(reader.refresh());
  writer.reset();
  CHECK(reader.refresh());
  CHECK(reader.state() == SegmentState::kForeign);
}

TEST_CASE_FIXTURE(SegmentFixture, "a writer lives while it holds its lock, however it ends") {
  SegmentReader reader = reader_of(path);
  SUBCASE("a clean stop") {
    std::optional<SegmentWriter> writer(std::in_place, path, kFormat);
    writer->publish(1);
    reader.refresh();
    CHECK(reader.writer_alive());
    writer.reset();
  }
  SUBCASE("SIGKILL") {
    Pipe published;
    Child killed([&]() -> int {
      SegmentWriter writer(path, kFormat);
      writer.publish(1);
      published.tell();
      for (;;) pause();
    });
    published.await();
    reader.refresh();
    CHECK(reader.writer_alive());
    killed.wait_after(SIGKILL);
  }
  CHECK_FALSE(reader.writer_alive());
  CHECK_FALSE(reader.writer_healthy(1));
  // Its last words can still be read.
  CHECK_FALSE(reader.refresh());
  CHECK(reader.state() == SegmentState::kReady);
}

TEST_CASE_FIXTURE(SegmentFixture, "a writer that lives and does not beat for five seconds is not healthy") {
  SegmentWriter writer(path, kFormat);
  writer.publish(1'000);
  SegmentReader reader = refreshed_reader_of(path);
  CHECK(reader.writer_healthy(1'000 + SegmentReader::kHungAfterNs - 1));
  CHECK_FALSE(reader.writer_healthy(1'000 + SegmentReader::kHungAfterNs));
  writer.beat(2'000);
  CHECK(reader.writer_healthy(1'000 + SegmentReader::kHungAfterNs));
}

TEST_CASE_FIXTURE(SegmentFixture, "a reader maps read-only, and no lock of its own hinders a writer") {
  make_segment(path);
  SegmentReader reader = refreshed_reader_of(path);

  std::ifstream maps("/proc/self/maps");
  std::string mapping;
  for (std::string line; std::getline(maps, line);) {
    if (line.find(path.string()) != std::string::npos) mapping += line + "\n";
  }
  CHECK(mapping.find(" r--s ") != std::string::npos);
  CHECK(mapping.find(" rw-s ") == std::string::npos);

  const SegmentWriter next(path, kFormat);
  CHECK(next.taken_over());
}

}  // namespace
}  // namespace auralis::segment_reader_test
