// SPDX-License-Identifier: MIT
// Takes each station's chunks from its ring when they are due, each once, and hands them out encoded, each
// format made once for all listeners. All stations share one timeline: a turn is the time in which one chunk
// of each goes out. A missing chunk becomes silence; a lapped pump skips to the live position. Chunks for
// Opus are read ahead of their turn, as far as the ring holds them, and encoded on other threads; a chunk
// whose encoding is late is held for some turns.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/thread_checker.h"
#include "common/segments/audio_segment.h"
#include "streamd/delivery/hole_tracker.h"
#include "streamd/delivery/sent_meter.h"
#include "streamd/encode/audio_message.h"
#include "streamd/encode/pcm_message.h"
#include "streamd/encode/station_encoder.h"
#include "streamd/stream_metrics.h"

namespace auralis {

// One thread, the conductor's, except construction and destruction. All references outlive it.
class ChunkPump {
 public:
  // `opus_bitrate` in bits a second.
  ChunkPump(const std::filesystem::path& synthd_directory, const Clock& clock, StreamMetrics& metrics,
            EncodingExecutor& encoding, SentMeter& meter, std::int64_t prefill_chunks,
            std::int64_t opus_bitrate);

  // Looks for a new or restarted synthd; call it several times a second. Logs each change once. True if the
  // station table is another one.
  bool refresh();

  // Takes the station's chunks as soon as its ring is filled, until remove(): at the beginning of each turn
  // if `always`, else when a listener needs them, so that the work for many stations is spread. Counts in
  // `metrics`, which outlives it. Replaces the former station of that index.
  void add(const StationId& station, const std::string& name, bool always,
           StreamMetrics::StationMetrics& metrics);
  void remove(const StationId& station);

  // True once a timeline with audio is known. It stays known while synthd is away: the chunks are then
  // silence.
  bool has_timeline() const { return timeline_.has_value(); }
  // Only if has_timeline().
  const Timeline& timeline() const { return *timeline_; }

  // Chunks that are held after their turn, at most, for listeners that begin.
  std::int64_t past_chunks() const { return static_cast<std::int64_t>(keep_) - 1; }

  // True while audio flows: the last chunk taken of some station was music.
  bool flowing() const;

  // True if the station's chunks are taken; false until its ring is filled.
  bool plays(const StationId& station);

  // When the next turn may begin, CLOCK_MONOTONIC: one chunk before its chunk is due, since listeners' phases
  // lie within that chunk. Only if has_timeline().
  std::int64_t next_ns() const { return timeline_->due_ns(next_ - 1); }

  // The chunk whose turn it is; nothing before the first turn and on a new timeline.
  std::optional<std::int64_t> turn() const { return turn_; }

  // Ends the turn and begins the next one. False, and there is no turn, if the pump was lapped or is a ring
  // behind: it then stands at the live position. Only if has_timeline().
  bool begin_turn();

  // A station's chunk of this turn, or with a lead the chunk `lead` turns later, in `formats`; silence if the
  // station does not play, for listeners that it had before. No message if there is no turn. `awaited`: the
  // formats to ask for by take_late(). `rendered`: false if they are because the ring does not have the chunk
  // yet, which happens to listeners with a lead only; else it is being encoded.
  struct Taken {
    StationAudio audio;
    FormatSet awaited;
    bool rendered = true;
  };
  Taken take(const StationId& station, const FormatSet& formats, std::int64_t lead = 0);

  // False while there is no use in take_late() for a chunk that is not rendered yet.
  bool rendered(const StationId& station, std::int64_t chunk) const;

  // A chunk in formats that were `awaited` before. Formats in `audio.lost` are never to come: the chunk was
  // not encoded within kLateNs, or cannot be.
  Taken take_late(const StationId& station, std::int64_t chunk, const FormatSet& formats);

  // Has the chunks from `first` to `end`, which may be of a later turn, encoded, for a listener that begins
  // with them or switches to the format at `end`. True once none of them is being encoded any more.
  bool prepare(const StationId& station, WireFormat format, std::int64_t first, std::int64_t end);

  // A past chunk for a new listener, or one of a later turn; null if it is no longer held, not rendered yet
  // or not encoded yet.
  AudioMessagePtr held(const StationId& station, std::int64_t chunk, WireFormat format);

  // Returns the bytes that a new listener over plain HTTP is sent before its first audio, its next live chunk
  // being `next`; null for formats that need none.
  WireMessagePtr stream_head(const StationId& station, WireFormat format, std::int64_t next);

  const AudioReader& reader() const { return reader_; }

  // A hole in what listeners of a station hear, by HoleTracker. Of personal stations only what was skipped:
  // they may be thousands.
  struct StationHole {
    StationId station;
    std::string name;
    bool personal = false;
    Hole hole;
  };
  // Holes that began or ended since the last call.
  std::vector<StationHole> take_holes() { return std::exchange(holes_, {}); }

  // Audio in the station's ring ahead of now; negative once it ran dry. Only if has_timeline().
  double depth_ms(const StationId& station) const;

  static constexpr std::int64_t kAheadNs = 300 * kNsPerMs;       // of audio, that is encoded before its turn
  static constexpr std::int64_t kLateNs = 400 * kNsPerMs;        // after its turn, that encoding may take
  static constexpr std::int64_t kMeasuredNs = 3 * kNsPerSecond;  // after its turn, that measuring may take

 private:
  struct Channel {
    StationId station;
    std::string name;
    bool always;
    StreamMetrics::StationMetrics* metrics;
    bool plays = false;
    bool flowing = false;
    HoleTracker holes = {};
    HoleTracker encoding_holes = {};
    std::deque<EncodedChunk> recent;  // had their turn; oldest first
    std::deque<EncodedChunk> ahead;   // follow those
    StationEncoder encoder;
    std::int64_t offered = -1;   // the newest chunk that was sent, and handed to the meter
    std::int64_t measured = -1;  // the newest one whose level is shown

    bool took(std::int64_t chunk) const { return !recent.empty() && recent.back().audio.seq == chunk; }
  };

  StationEncoder make_encoder(const std::string& title, bool personal) const;
  Channel* channel(const StationId& station);
  Channel& channel_or_silence(const StationId& station);
  void apply_timeline();
  void begin_playing();
  void end_turn();
  bool came_too_late();
  void skip_to(std::int64_t live, HoleCause cause);
  void take_turn(Channel& channel);
  void note_outcome(Channel& channel, RingRead outcome);
  Taken take_held(Channel& from, std::int64_t chunk, const FormatSet& formats);
  void add_hole(const Channel& channel, const std::optional<Hole>& hole);
  RingRead read(const StationId& station, std::int64_t chunk);
  std::int64_t due_unix_us(std::int64_t chunk) const;
  EncodedChunk make_chunk(std::int64_t chunk, RingRead outcome);
  EncodedChunk* hold(Channel& channel, std::int64_t chunk);
  static EncodedChunk* find_held(Channel& channel, std::int64_t chunk);
  bool take_from_ahead(Channel& channel);
  void read_ahead(Channel& channel, std::int64_t end);
  void encode_from(Channel& channel, std::int64_t first, std::int64_t end, bool head_follows);
  void reset(Channel& channel);
  void offer_to_meter(Channel& channel);
  void show_measured();
  void release_if_idle(Channel& channel);
  std::int64_t live_chunk(const Timeline& timeline) const;

  AudioReader reader_;
  const Clock& clock_;
  // Wall time minus monotonic time, read once: between two readings the thread may have to wait.
  std::int64_t unix_ahead_ns_;
  StreamMetrics& metrics_;
  EncodingExecutor& encoding_;
  SentMeter& meter_;
  std::int64_t prefill_chunks_;
  std::int64_t opus_bitrate_;
  std::size_t keep_ = 1;           // chunks held after their turn
  std::int64_t ahead_chunks_ = 1;  // kAheadNs
  std::optional<Timeline> timeline_;
  std::int64_t ring_chunks_ = 0;
  std::int64_t next_ = 0;
  std::optional<std::int64_t> turn_;
  Channel silence_;  // in place of stations that are gone
  bool logged_missing_ = false;
  std::vector<StationHole> holes_;
  std::optional<PcmMessage> read_;           // what the next chunk is read into; kept if a read failed
  std::map<std::size_t, Channel> channels_;  // by index in the station table
  ThreadChecker thread_;
};

}  // namespace auralis
