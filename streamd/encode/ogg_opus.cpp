// SPDX-License-Identifier: MIT
#include "streamd/encode/ogg_opus.h"

#include <ogg/ogg.h>

#include <new>
#include <utility>

#include "streamd/encode/little_endian.h"

namespace auralis {
namespace {

constexpr int kMaxPageBytes = 65'307;  // the most that a page can hold: a chunk is always one page
constexpr unsigned char kFlagEndOfStream = 4;

std::string opus_head(std::uint32_t sample_rate, std::uint32_t delay_frames) {
  std::string out = "OpusHead";
  append_little_endian(out, std::uint8_t{1});  // version
  append_little_endian(out, std::uint8_t{2});  // channels
  append_little_endian(out, static_cast<std::uint16_t>(delay_frames));
  append_little_endian(out, sample_rate);       // of the source, for information
  append_little_endian(out, std::uint16_t{0});  // gain
  append_little_endian(out, std::uint8_t{0});   // channel mapping: left and right in one Opus stream
  return out;
}

void append_text(std::string& out, const std::string& text) {
  append_little_endian(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}

std::string opus_tags(const std::string& title) {
  const std::string encoder = "Auralis " AURALIS_VERSION;
  std::string out = "OpusTags";
  append_text(out, encoder);  // the vendor
  append_little_endian(out, std::uint32_t{2});
  append_text(out, "TITLE=" + title);
  append_text(out, "ENCODER=" + encoder);
  return out;
}

void append_part(std::string& out, const unsigned char* bytes, long count) {
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(count));
}

}  // namespace

// libogg's state of one logical stream. Each call yields whole pages at once.
struct OggOpus::LogicalStream {
  explicit LogicalStream(std::uint32_t serial) {
    if (ogg_stream_init(&state, static_cast<int>(serial)) != 0) throw std::bad_alloc();
  }
  ~LogicalStream() { ogg_stream_clear(&state); }
  LogicalStream(const LogicalStream&) = delete;
  LogicalStream& operator=(const LogicalStream&) = delete;

  // `end`: frames at 48 kHz up to the end of the packet.
  void add(const std::string& bytes, std::int64_t end) {
    ogg_packet packet{};
    packet.packet = reinterpret_cast<unsigned char*>(const_cast<char*>(bytes.data()));  // only read
    packet.bytes = static_cast<long>(bytes.size());
    packet.b_o_s = packets == 0 ? 1 : 0;
    packet.granulepos = end;
    packet.packetno = packets++;
    ogg_stream_packetin(&state, &packet);
  }

  std::string page() {
    std::string out;
    ogg_page page{};
    while (ogg_stream_flush_fill(&state, &page, kMaxPageBytes) != 0) {
      append_part(out, page.header, page.header_len);
      append_part(out, page.body, page.body_len);
    }
    return out;
  }

  // Makes a page without packets, which libogg cannot.
  std::string last_page() const {
    std::string out = "OggS";
    append_little_endian(out, std::uint8_t{0});
    append_little_endian(out, kFlagEndOfStream);
    append_little_endian(out, std::int64_t{-1});  // no packet ends on the page
    append_little_endian(out, static_cast<std::uint32_t>(state.serialno));
    append_little_endian(out, static_cast<std::uint32_t>(state.pageno));
    append_little_endian(out, std::uint32_t{0});  // checksum
    append_little_endian(out, std::uint8_t{0});   // no packets
    ogg_page page{reinterpret_cast<unsigned char*>(out.data()), static_cast<long>(out.size()), nullptr, 0};
    ogg_page_checksum_set(&page);
    return out;
  }

  ogg_stream_state state{};
  std::int64_t packets = 0;
};

OggOpus::OggOpus(std::string title, std::uint32_t sample_rate, std::uint32_t delay_frames,
                 std::uint32_t serial)
    : title_(std::move(title)),
      sample_rate_(sample_rate),
      delay_frames_(delay_frames),
      next_serial_(serial) {}

OggOpus::~OggOpus() = default;

OggOpus::Pages OggOpus::add(const OpusChunk& chunk) {
  Pages pages;
  if (chunk.begins || !stream_) {
    if (stream_) pages.joint = stream_->last_page();
    begin();
    if (!pages.joint.empty()) pages.joint += headers_;
  }
  std::int64_t end = chunk.first_frame;
  const auto packets = static_cast<std::int64_t>(chunk.packets.size());
  for (const std::string& packet : chunk.packets) stream_->add(packet, end += chunk.frames / packets);
  pages.page = stream_->page();
  return pages;
}

std::string OggOpus::last_page() const { return stream_->last_page(); }

void OggOpus::begin() {
  stream_ = std::make_unique<LogicalStream>(next_serial_++);
  stream_->add(opus_head(sample_rate_, delay_frames_), 0);
  headers_ = stream_->page();
  stream_->add(opus_tags(title_), 0);
  headers_ += stream_->page();
}

}  // namespace auralis
