// SPDX-License-Identifier: MIT
// A shared-memory segment: a file on tmpfs with one writer and any number of read-only readers.
//
// The writer holds an exclusive flock for life, and beside it an open-file-description lock, which readers
// can query without taking a lock (F_OFD_GETLK): so a stopped reader can never block a starting writer. The
// kernel releases both however the process ends, also across containers, where a pid is meaningless. A writer
// that is alive but hangs is detected by its heartbeat.
//
//     offset  word of SegmentHeader
//          0  magic            "AURALIS1", stored last, with release: validates all others
//          8  kind, version    SegmentKind in the upper half, layout version in the lower
//         16  size             bytes of the whole file
//         24  fingerprint      of the layout; equal fingerprints can be taken over
//         32  generation       rises with every writer that takes over
//         40  writer pid       for people; never used for liveness
//         48  heartbeat        CLOCK_MONOTONIC ns of the writer's last beat
//         56  reserved
//         64  payload ...
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "common/segments/shared_words.h"

namespace auralis {

enum class SegmentKind : std::uint32_t { kAudio = 1, kMetrics = 2, kControl = 3 };

struct SegmentHeader {
  SharedWord magic;
  SharedWord kind_and_version;
  SharedWord size_bytes;
  SharedWord fingerprint;
  SharedWord generation;
  SharedWord writer_pid;
  SharedWord heartbeat_ns;
  SharedWord reserved;
};
static_assert(sizeof(SegmentHeader) == 64);

// The format of a segment: a writer takes over only a segment of exactly this format.
struct SegmentFormat {
  SegmentKind kind;
  std::uint32_t version;
  std::uint64_t payload_bytes;
  std::uint64_t fingerprint;
};

// Failure of a writer, at its start or when restoring its file: says what, where and what to do.
struct SegmentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// The content of the new file after replace().
enum class SegmentContent {
  kCopied,  // the former payload
  kLost,    // zeros: the file had been truncated
};

// The only writer of a segment. One thread at a time, except beat().
class SegmentWriter {
 public:
  // Takes over the file at `path` if it has exactly this format and its writer is dead; otherwise prepares a
  // fresh one of zeros. Creates missing folders (0750); the file's mode is 0640 whatever the umask. Reserves
  // and touches the space: a full tmpfs is an error now, never a SIGBUS later. Throws SegmentError, also if a
  // live writer holds the segment, or its folder cannot be trusted (folder_problem).
  SegmentWriter(std::filesystem::path path, const SegmentFormat& format);

  // Releases the locks; a published file stays for the next writer, an unpublished one is removed.
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // Whether the payload is a former writer's, to be continued.
  bool taken_over() const;

  // payload_bytes of the format, 64-byte aligned.
  std::byte* payload() const;

  // Makes the segment visible to readers. Once, after initialising the payload.
  void publish(std::int64_t now_ns);

  // Heartbeat: any thread of the writer, at least every second. A relaxed store.
  void beat(std::int64_t now_ns);

  // Whether readers find this file under the path, with its full size, in a trusted folder. False after it
  // was removed, replaced or truncated, or its folder was. Restores a header that another process overwrote,
  // and changed modes. After publish(); several times a second at most: makes system calls.
  bool in_place();

  // Logs that another process overwrote the segment, and that it was restored. Rate limit: once per thousand
  // calls of in_place().
  void report_overwritten();

  // Prepares a new file, unpublished and locked, and maps it in place of the former one: payload() stays
  // valid. The caller stores what was lost, then calls publish(). Another thread may write to the payload
  // meanwhile; some of its writes may be lost, and must be repeated after publish(). Throws SegmentError,
  // also if another writer has taken the path.
  SegmentContent replace();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class SegmentState {
  kReady,         // attached, header valid
  kMissing,       // no such file (yet)
  kDenied,        // no permission
  kNotReady,      // still being prepared by its writer
  kForeign,       // not an Auralis segment of the expected kind
  kWrongVersion,  // another layout version: another release's writer
  kTruncated,     // shorter than its header says
  kUntrusted,     // in a folder that another user could have made
};

// A read-only view. One thread at a time. Never writes, takes no lock, and never reads past the mapping; a
// file that is truncated meanwhile reads as zeros, until refresh().
class SegmentReader {
 public:
  SegmentReader(std::filesystem::path path, SegmentKind kind, std::uint32_t version);
  ~SegmentReader();
  SegmentReader(SegmentReader&&) noexcept;
  SegmentReader& operator=(SegmentReader&&) noexcept;

  // Attaches to the file, or to the one that replaced it. True if the mapping changed or was lost: pointers
  // into the old one are invalid. A file that was removed, or replaced by one that is not ready, stays
  // attached while its writer is alive, because the writer restores it. Cheap if nothing changed (one stat).
  bool refresh();

  SegmentState state() const;

  // The state as a sentence for a log line: what, where, what to do.
  std::string describe() const;

  // Null unless ready.
  const std::byte* payload() const;
  std::size_t payload_bytes() const;

  const std::filesystem::path& path() const;

  // Whether the attached file is still the one under the path; false unless ready.
  bool under_its_name() const;

  // Whether the writer still holds its lock, asked of the kernel; false unless ready.
  bool writer_alive() const;

  // Time of the writer's last heartbeat (CLOCK_MONOTONIC); 0 unless ready.
  std::int64_t heartbeat_ns() const;

  // Alive and its heartbeat younger than kHungAfterNs.
  bool writer_healthy(std::int64_t now_ns) const;

  std::uint64_t generation() const;

  static constexpr std::int64_t kHungAfterNs = 5'000'000'000;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
