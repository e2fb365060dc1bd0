// SPDX-License-Identifier: MIT
// A station as an Ogg Opus stream (RFC 7845, RFC 3533) for ordinary players. A chunk becomes one page, made
// once for all listeners; a late joiner gets the headers first, and then the same pages as all others. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "streamd/encode/frame.h"

namespace auralis {

class OggOpus {
 public:
  // `delay_frames`: of the OpusStream; a player drops this many frames at the beginning. `serial`: of the
  // first logical stream, unlike those of other stations that a player may get on the same connection.
  OggOpus(std::string title, std::uint32_t sample_rate, std::uint32_t delay_frames, std::uint32_t serial);
  ~OggOpus();

  // The pages of the next chunk. If its encoder was reset, a logical stream begins.
  struct Pages {
    std::string joint;  // for present listeners, before the page: the end of the old logical stream and the
                        // headers of the new one; empty if the stream goes on
    std::string page;   // empty if the chunk completes no packet
  };
  Pages add(const OpusChunk& chunk);

  // The end of the newest page's logical stream. After the last add().
  std::string last_page() const;

  // The headers of the newest page's logical stream, which a new listener gets before its first page.
  const std::string& headers() const { return headers_; }

 private:
  struct LogicalStream;

  void begin();

  std::string title_;
  std::uint32_t sample_rate_;
  std::uint32_t delay_frames_;
  std::uint32_t next_serial_;
  std::unique_ptr<LogicalStream> stream_;  // null before the first chunk
  std::string headers_;
};

}  // namespace auralis
