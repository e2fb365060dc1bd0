// SPDX-License-Identifier: MIT
#include "streamd/encode/ogg_opus.h"

#include <doctest/doctest.h>
#include <ogg/ogg.h>

#include <cstring>
#include <optional>

#include "streamd/encode/opus_stream.h"
#include "tests/unit/streamd/encode/opus_support.h"

namespace auralis::ogg_opus_test {
namespace {

using namespace test;
using namespace std::string_literals;

constexpr std::uint32_t kSerial = 0xFFFF'FFFF;

// One page as libogg finds it; its checksum was right.
struct Page {
  std::uint32_t serial;
  std::int64_t number;
  std::int64_t granule;
  bool begins;
  bool ends;
  bool continued;
  std::vector<std::string> packets;
};

// All of `bytes` must be whole pages.
std::vector<Page> pages_of(const std::string& bytes) {
  ogg_sync_state sync{};
  ogg_sync_init(&sync);
  std::memcpy(ogg_sync_buffer(&sync, static_cast<long>(bytes.size())), bytes.data(), bytes.size());
  ogg_sync_wrote(&sync, static_cast<long>(bytes.size()));
  std::vector<Page> pages;
  ogg_page page{};
  long taken = 0;
  for (long size = 0; (size = ogg_sync_pageseek(&sync, &page)) > 0; taken += size) {
    pages.push_back({static_cast<std::uint32_t>(ogg_page_serialno(&page)),
                     ogg_page_pageno(&page),
                     ogg_page_granulepos(&page),
                     ogg_page_bos(&page) != 0,
                     ogg_page_eos(&page) != 0,
                     ogg_page_continued(&page) != 0,
                     {}});
    ogg_stream_state stream{};
    ogg_stream_init(&stream, ogg_page_serialno(&page));
    stream.pageno = ogg_page_pageno(&page);
    ogg_stream_pagein(&stream, &page);
    ogg_packet packet{};
    while (ogg_stream_packetout(&stream, &packet) == 1) {
      pages.back().packets.emplace_back(reinterpret_cast<char*>(packet.packet),
                                        static_cast<std::size_t>(packet.bytes));
    }
    ogg_stream_clear(&stream);
  }
  ogg_sync_clear(&sync);
  CHECK(taken == static_cast<long>(bytes.size()));
  return pages;
}

// A station that is on the air.
struct Broadcast {
  OggOpus::Pages play(std::int64_t seq) {
    chunk = stream.encode(station.chunk(seq));
    return ogg.add(chunk);
  }

  TestStation station{44'100, 100, tone(440, 0.5)};
  OpusStream stream{44'100};
  OggOpus ogg{"Nachtmusik", 44'100, stream.delay_frames(), kSerial};
  OpusChunk chunk;
};

TEST_CASE("the headers are those of RFC 7845, a page each") {
  Broadcast broadcast;
  CHECK(broadcast.ogg.headers().empty());
  broadcast.play(0);
  const std::vector<Page> headers = pages_of(broadcast.ogg.headers());
  REQUIRE(headers.size() == 2);
  CHECK((headers[0].begins && headers[0].number == 0 && headers[0].granule == 0));
  CHECK(headers[0].packets == std::vector{"OpusHead\x01\x02\x8f\x01\x44\xac\0\0\0\0\0"s});  // 399 frames
  CHECK((!headers[1].begins && headers[1].number == 1 && headers[1].granule == 0));
  const std::string encoder = "Auralis " AURALIS_VERSION;
  const auto text = [](const std::string& of) {
    return std::string{static_cast<char>(of.size()), 0, 0, 0} + of;
  };
  CHECK(headers[1].packets == std::vector{"OpusTags" + text(encoder) + "\x02\0\0\0"s +
                                          text("TITLE=Nachtmusik") + text("ENCODER=" + encoder)});
  CHECK(headers[0].serial == kSerial);
  CHECK(headers[1].serial == kSerial);
}

TEST_CASE("a chunk is a page with its packets, numbered, and placed by the frames up to its end") {
  Broadcast broadcast;
  for (std::int64_t seq = 0; seq < 20; ++seq) {
    const OggOpus::Pages out = broadcast.play(100 + seq);
    CHECK(out.joint.empty());
    const std::vector<Page> pages = pages_of(out.page);
    REQUIRE(pages.size() == 1);
    CHECK(pages[0].packets == broadcast.chunk.packets);
    CHECK(pages[0].number == 2 + seq);
    CHECK(pages[0].granule == (seq + 1) * 4'800);
    CHECK(pages[0].serial == kSerial);
    CHECK_FALSE((pages[0].begins || pages[0].ends || pages[0].continued));
  }
}

TEST_CASE("the longest chunk at the highest bit rate is still one page") {
  const TestStation station{48'000, 200, tone(440, 0.5)};
  OpusStream stream(station.sample_rate, 510'000);
  OggOpus ogg("loud", 48'000, stream.delay_frames(), 1);
  for (std::int64_t seq = 0; seq < 5; ++seq) {
    CHECK(pages_of(ogg.add(stream.encode(station.chunk(seq))).page).size() == 1);
  }
}

TEST_CASE("if the encoder was reset, one stream ends and another one is chained to it") {
  Broadcast broadcast;
  broadcast.play(0);
  broadcast.play(1);
  const OggOpus::Pages out = broadcast.play(5);
  const std::vector<Page> joint = pages_of(out.joint);
  REQUIRE(joint.size() == 3);
  CHECK((joint[0].ends && joint[0].packets.empty() && joint[0].serial == kSerial));
  CHECK((joint[0].number == 4 && joint[0].granule == -1));
  CHECK((joint[1].begins && joint[1].number == 0 && joint[1].serial == kSerial + 1));
  CHECK((joint[2].number == 1 && joint[2].serial == kSerial + 1));
  const std::vector<Page> page = pages_of(out.page);
  REQUIRE(page.size() == 1);
  CHECK((page[0].number == 2 && page[0].granule == 4'800 && page[0].serial == kSerial + 1));
  // A listener that comes now begins with the new stream.
  CHECK(out.joint.substr(out.joint.size() - broadcast.ogg.headers().size()) == broadcast.ogg.headers());
  CHECK(broadcast.play(6).joint.empty());
}

TEST_CASE("a late joiner hears the music within some packets") {
  Broadcast broadcast;
  for (std::int64_t seq = 0; seq < 10; ++seq) broadcast.play(seq);
  std::string bytes = broadcast.ogg.headers();
  for (std::int64_t seq = 10; seq < 30; ++seq) bytes += broadcast.play(seq).page;
  TestDecoder listener;
  for (const Page& page : pages_of(bytes)) {
    if (page.number >= 2) listener.add(page.packets);
  }
  const FittedTone fit = fit_tone(listener.heard.left, 440, 48'000, 4'800, 52'800);
  CHECK(fit.ratio_db > 30);
  CHECK(std::abs(decibels(fit.amplitude / 0.5)) < 0.5);
}

}  // namespace
}  // namespace auralis::ogg_opus_test
