// SPDX-License-Identifier: MIT
// Takes the stations' chunks from their rings when their time has come, each once, and hands them out
// encoded, each encoding made once for all listeners. All stations share one timeline: a turn is the time in
// which one chunk of each goes out. A chunk that is not there becomes silence; a pump that came too late
// skips to the live position. Chunks for listeners of Opus are read ahead of their turn, as far as the ring
// holds them, and encoded on other threads; a chunk whose encoding is late is held for some turns.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/segments/audio_segment.h"
#include "streamd/encode/audio_message.h"
#include "streamd/encode/pcm_message.h"
#include "streamd/encode/station_encoder.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// One thread, the conductor's. `clock`, `metrics` and `encoding` outlive it.
class ChunkPump {
 public:
  // `opus_bitrate` in bits a second.
  ChunkPump(const std::filesystem::path& synthd_directory, const Clock& clock, StreamMetrics& metrics,
            EncodingExecutor& encoding, std::int64_t prefill_chunks, std::int64_t opus_bitrate);

  // Looks for a new or restarted synthd; several times a second. Logs changes, once each. True where the
  // table of stations is another one.
  bool refresh();

  // A station's chunks are taken from now on as soon as its ring is filled, at the begin of each turn if
  // `always`, else where somebody asks for them, so that the work of many is spread; and no longer. Its
  // figures are `figures`, which outlive it.
  void add(const StationId& station, const std::string& name, bool always,
           StreamMetrics::StationMetrics& figures);
  void remove(const StationId& station);

  // True once a timeline with audio is known. It stays known while synthd is away: its chunks are then
  // silence.
  bool has_timeline() const { return timeline_.has_value(); }
  const Timeline& timeline() const { return *timeline_; }

  // True while audio flows: the last chunk taken of some station was music.
  bool flowing() const;

  // Whether the station's chunks are taken; false while its ring is not filled yet.
  bool plays(const StationId& station);

  // Moment at which the next turn may begin: one chunk before its chunk is due, since listeners' phases lie
  // within that chunk.
  std::int64_t next_ns() const { return timeline_->due_ns(next_ - 1); }

  // The chunk whose turn it is; nothing before the first turn and on a new timeline.
  std::optional<std::int64_t> turn() const { return turn_; }

  // Ends the turn and begins the next one. False, and there is no turn, if the pump came too late for it: it
  // then stands at the live position.
  bool begin_turn();

  // The chunk whose turn it is, of one station, in these formats; silence where it does not play, for those
  // who heard it already. No message where there is no turn. `encoding`: the formats to ask for by
  // take_late().
  struct Taken {
    StationAudio audio;
    FormatSet encoding;
  };
  Taken take(const StationId& station, const FormatSet& formats);

  // The same of a chunk whose turn is over, in formats that were `encoding` then. In formats that are in
  // audio.lost the listeners do not get it: it is no longer held, since it was not encoded within
  // kLateNs, or cannot be encoded.
  Taken take_late(const StationId& station, std::int64_t chunk, const FormatSet& formats);

  // Has the chunks from `first` on, `end` among them, encoded for a listener that begins with them, or
  // switches to the format at `end`. True once none of them is still being encoded.
  bool prepare(const StationId& station, WireFormat format, std::int64_t first, std::int64_t end);

  // A chunk of the past, for a listener that has just come; null if it is no longer held.
  AudioMessagePtr recent(const StationId& station, std::int64_t chunk, WireFormat format);

  // What comes over plain HTTP before the first audio of a listener whose first chunk to come is `next`; null
  // where the format has nothing like it.
  WireMessagePtr stream_head(const StationId& station, WireFormat format, std::int64_t next);

  const AudioReader& reader() const { return reader_; }
  double depth_ms(const StationId& station) const;

  static constexpr std::int64_t kAheadNs = 300 * kNsPerMs;  // of sound, that is encoded before its turn
  static constexpr std::int64_t kLateNs = 400 * kNsPerMs;   // after its turn, that encoding may take

 private:
  struct Channel {
    StationId station;
    std::string name;
    bool always;
    StreamMetrics::StationMetrics* figures;
    bool plays = false;
    bool flowing = false;
    std::deque<EncodedChunk> recent;  // had their turn; oldest first
    std::deque<EncodedChunk> ahead;   // follow those
    StationEncoder encoder;

    bool took(std::int64_t chunk) const { return !recent.empty() && recent.back().audio.seq == chunk; }
  };

  StationEncoder make_encoder(const std::string& title, bool personal) const;
  Channel* channel(const StationId& station);
  Channel& channel_or_silence(const StationId& station);
  void adopt_timeline();
  void begin_playing();
  void end_turn();
  bool came_too_late();
  void take_turn(Channel& channel);
  void note_outcome(Channel& channel, RingRead outcome);
  RingRead read(const StationId& station, std::int64_t chunk);
  std::int64_t due_unix_us(std::int64_t chunk) const;
  EncodedChunk make_chunk(std::int64_t chunk, RingRead outcome);
  EncodedChunk* hold(Channel& channel, std::int64_t chunk);
  static EncodedChunk* find_held(Channel& channel, std::int64_t chunk);
  bool take_from_ahead(Channel& channel);
  void read_ahead(Channel& channel);
  void encode_from(Channel& channel, std::int64_t first, bool head_follows);
  void reset(Channel& channel);
  void rest(Channel& channel);
  std::int64_t live_chunk(const Timeline& timeline) const;

  AudioReader reader_;
  const Clock& clock_;
  StreamMetrics& metrics_;
  EncodingExecutor& encoding_;
  std::int64_t prefill_chunks_;
  std::int64_t opus_bitrate_;
  std::size_t keep_ = 1;           // chunks that had their turn
  std::int64_t ahead_chunks_ = 1;  // kAheadNs
  std::optional<Timeline> timeline_;
  std::int64_t ring_chunks_ = 0;
  std::int64_t next_ = 0;
  std::optional<std::int64_t> turn_;
  Channel silence_;  // in place of stations that are gone
  bool logged_missing_ = false;
  std::optional<PcmMessage> read_;           // where the next chunk is read to; kept if a read failed
  std::map<std::size_t, Channel> channels_;  // by place
};

}  // namespace auralis
