// SPDX-License-Identifier: MIT
// A shared-memory segment: a file on tmpfs with one writer and any number of read-only readers.
//
// The writer holds an exclusive flock for life, and beside it an open-file-description lock, which readers
// can ask about without taking anything (F_OFD_GETLK): so no reader, however it is stopped, can stand in a
// starting writer's way. The kernel drops both however the process ends, also across containers, where a pid
// means nothing. A writer that lives but hangs is told by its heartbeat.
//
//     offset  word of SegmentHeader
//          0  magic            "AURALIS1", stored last, with release: before it nothing counts
//          8  kind, version    SegmentKind in the upper half, layout version in the lower
//         16  size             bytes of the whole file
//         24  fingerprint      of whatever the layout depends on; equal fingerprints can be taken over
//         32  generation       rises with every writer that takes over
//         40  writer pid       for people; liveness never rests on it
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

// What a segment must be for a writer to go on with it.
struct SegmentFormat {
  SegmentKind kind;
  std::uint32_t version;
  std::uint64_t payload_bytes;
  std::uint64_t fingerprint;
};

// Failure of a writer, at its start or when its file is to be put back: says what, where and what to do.
struct SegmentError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// What replace() could put into the new file.
enum class SegmentContent {
  kCopied,  // the payload as it was
  kLost,    // zeros: the file had been cut short
};

// The one writer of a segment. One thread at a time, except beat().
class SegmentWriter {
 public:
  // Takes over the file at `path` if it is of exactly this format and its writer is dead; otherwise prepares
  // a fresh one of zeros. Makes missing folders (0750); the file's mode is 0640 whatever the umask. Space is
  // reserved and touched here: a full tmpfs is an error now, never a SIGBUS later. Throws SegmentError, also
  // where a live writer holds the segment, or its folder cannot be trusted (folder_problem).
  SegmentWriter(std::filesystem::path path, const SegmentFormat& format);

  // Lets go of the locks; a published file stays for the next writer, any other goes.
  ~SegmentWriter();
  SegmentWriter(const SegmentWriter&) = delete;
  SegmentWriter& operator=(const SegmentWriter&) = delete;

  // True if the payload is a former writer's: its content goes on.
  bool taken_over() const;

  // payload_bytes of the format, 64-byte aligned.
  std::byte* payload() const;

  // Makes the segment visible to readers, the payload being initialised. Called once.
  void publish(std::int64_t now_ns);

  // "I am at work": any thread of the writer, at least every second. A relaxed store.
  void beat(std::int64_t now_ns);

  // Whether readers find this very file under the path, as long as it was made, in a folder that can be
  // trusted. False after it was removed, replaced or cut short, or its folder was. A header that another
  // process wrote over, and modes that were changed, are put right. After publish(); several times a second
  // at most: system calls.
  bool in_place();

  // Says in the log that another process wrote over the segment, what it wrote being put right: not more
  // often than at every thousandth call of in_place().
  void report_overwritten();

  // Puts a new file in place, unpublished and locked, and maps it where the former one was: payload() stays.
  // The caller stores what was lost, then publish()es it. Another thread may go on writing to the payload; of
  // what it writes meanwhile some may be lost, and is to be stored again after publish(). Throws
  // SegmentError, also if another writer's file is there by now.
  SegmentContent replace();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class SegmentState {
  kReady,         // attached, header valid
  kMissing,       // no such file (yet)
  kDenied,        // no permission
  kNotReady,      // its writer is still preparing it
  kForeign,       // not an Auralis segment of the expected kind
  kWrongVersion,  // another layout version: another release's writer
  kTruncated,     // shorter than its header says
  kUntrusted,     // in a folder that another user could have made
};

// A read-only view. One thread. Never writes a byte, takes no lock, and never reads past the mapping; a file
// that is cut short meanwhile reads as zeros, until refresh().
class SegmentReader {
 public:
  SegmentReader(std::filesystem::path path, SegmentKind kind, std::uint32_t version);
  ~SegmentReader();
  SegmentReader(SegmentReader&&) noexcept;
  SegmentReader& operator=(SegmentReader&&) noexcept;

  // Looks at the file and attaches, or attaches to the one that replaced it. True if the mapping changed
  // (also if it was lost): whatever was read from the old one is void. A file that was removed, or replaced
  // by nothing usable yet, stays attached while its writer lives, which puts one in its place. Cheap if
  // nothing changed (one stat).
  bool refresh();

  SegmentState state() const;

  // The state as a sentence for a log line: what, where, what to do.
  std::string describe() const;

  // Null unless ready.
  const std::byte* payload() const;
  std::size_t payload_bytes() const;

  const std::filesystem::path& path() const;

  // Whether what is attached is what a newcomer would find under the path; false unless ready.
  bool under_its_name() const;

  // Whether the writer still holds its lock, asked of the kernel; false unless ready.
  bool writer_alive() const;

  // Alive and its heartbeat younger than kHungAfterNs.
  bool writer_healthy(std::int64_t now_ns) const;

  std::uint64_t generation() const;

  static constexpr std::int64_t kHungAfterNs = 5'000'000'000;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace auralis
