// SPDX-License-Identifier: MIT
// A station as an Ogg Opus stream (RFC 7845, RFC 3533) for ordinary players. A chunk becomes one page, made
// once for all who listen; who comes in the middle gets the headers first, and after them the pages that all
// get. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "streamd/encode/frame.h"

namespace auralis {

class OggOpus {
 public:
  // `delay_frames`: of the OpusStream, which a player drops at the beginning. `serial`: of the first logical
  // stream; those of others that a player may get on the same connection must differ.
  OggOpus(std::string title, std::uint32_t sample_rate, std::uint32_t delay_frames, std::uint32_t serial);
  ~OggOpus();

  // The next chunk's pages. Where its decoder begins anew, so does a logical stream.
  struct Pages {
    std::string joint;  // for who listened before, ahead of the rest: the end of the old stream and the
                        // headers of the new one; empty where the stream goes on
    std::string page;   // empty where the chunk completes no packet
  };
  Pages add(const OpusChunk& chunk);

  // What a listener gets ahead of its first page: the headers of the stream to which the page that came last
  // belongs.
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
