// SPDX-License-Identifier: MIT
#include "tools/render/midi.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <string_view>
#include <tuple>
#include <vector>

#include "synthd/composer/composer.h"
#include "synthd/composer/harmony.h"

namespace auralis {
namespace {

constexpr std::uint8_t kBassDrum = 36;  // General MIDI
constexpr std::uint8_t kMiddleC = 60;

// How a group is played by an instrument of General MIDI; channels and programs count from 0.
struct Part {
  std::string_view name;
  std::uint8_t channel;
  std::uint8_t program;
};
// In the order of VoiceGroup.
constexpr std::array<Part, 4> kParts{{
    {"Pads", 0, 89},     // warm pad
    {"Melody", 1, 79},   // ocarina
    {"Kicks", 9, 0},     // the drums' channel
    {"Swells", 2, 122},  // seashore
}};

struct MidiNote {
  std::int64_t start;  // in ticks
  std::int64_t end;
  std::uint8_t pitch;
  std::uint8_t velocity;
};

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int byte = bytes - 1; byte >= 0; --byte) text += static_cast<char>(value >> (8 * byte) & 0xff);
  return text;
}

// A number in groups of seven bits, the higher first.
std::string variable_length(std::uint64_t value) {
  std::string text(1, static_cast<char>(value & 0x7f));
  while ((value >>= 7) != 0) text.insert(0, 1, static_cast<char>(0x80 | (value & 0x7f)));
  return text;
}

std::string message(std::uint8_t status, std::uint8_t first, std::uint8_t second) {
  return {static_cast<char>(status), static_cast<char>(first), static_cast<char>(second)};
}

std::string meta(std::uint8_t type, std::string_view data) {
  return std::string{'\xff', static_cast<char>(type)} + variable_length(data.size()) + std::string(data);
}

// Events in the order of their ticks.
class TrackChunk {
 public:
  void add(std::int64_t tick, const std::string& event) {
    assert(tick >= last_);
    bytes_ += variable_length(static_cast<std::uint64_t>(tick - last_)) + event;
    last_ = tick;
  }
  std::string end() {
    add(last_, meta(0x2f, ""));
    return "MTrk" + big_endian(bytes_.size(), 4) + bytes_;
  }

 private:
  std::string bytes_;
  std::int64_t last_ = 0;
};

// Sharps, or flats below 0, of the scale.
int accidentals(const MusicParameters& parameters) {
  // Semitones from the root down to that of the major scale with the same tones; in the order of Mode.
  constexpr std::array<int, 6> kToMajor{9, 2, 4, 5, 0, 7};
  const int major = (parameters.key - kToMajor.at(static_cast<std::size_t>(parameters.mode)) + 12) % 12;
  const int fifths = major * 7 % 12;
  return fifths > 6 ? fifths - 12 : fifths;
}

// As the scale writes it: Db where there are flats, C# where there are sharps.
std::string_view key_name(const MusicParameters& parameters) {
  constexpr std::array<std::string_view, kKeyNames.size()> kFlatNames{"C",  "Db", "D",  "Eb", "E",  "F",
                                                                      "Gb", "G",  "Ab", "A",  "Bb", "B"};
  return accidentals(parameters) < 0 ? kFlatNames.at(parameters.key) : kKeyNames.at(parameters.key);
}

constexpr std::int64_t kTicksPerBar = 4 * kMidiTicksPerBeat;

// The bars that the piece touches.
std::vector<BarRecord> bars_of(const MidiPiece& piece) {
  std::vector<BarRecord> bars;
  std::int64_t frame = piece.first_frame;
  while (frame < piece.first_frame + piece.frames) {
    const Bars known = bars_before(piece.history, piece.timeline, frame + 1);
    if (known.count == 0) {  // before all that the history tells of
      frame = piece.history.first_bar_frame;
      continue;
    }
    bars.push_back(*(known.end() - 1));
    frame = bars.back().start_frame + bars.back().frames;
  }
  return bars;
}

void add_key(TrackChunk& track, std::int64_t tick, const MusicParameters& music) {
  track.add(tick, meta(0x01, std::string(key_name(music)) + " " +
                                 std::string(kModeNames.at(static_cast<std::size_t>(music.mode)))));
  const bool minor = music.mode == Mode::kAeolian;
  track.add(tick,
            meta(0x59, std::string{static_cast<char>(accidentals(music)), static_cast<char>(minor ? 1 : 0)}));
}

std::string conductor_track(const MidiPiece& piece, const std::vector<BarRecord>& bars) {
  TrackChunk track;
  track.add(0, meta(0x03, "Auralis, seed " + std::to_string(piece.seed)));
  track.add(0, meta(0x58, std::string{4, 2, 24, 8}));  // 4/4; clocks a click, 32nds a quarter
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const MusicParameters& music = bars[i].parameters;
    const MusicParameters& before = bars[i == 0 ? 0 : i - 1].parameters;
    const auto tick = static_cast<std::int64_t>(i) * kTicksPerBar;
    if (i == 0 || music.key != before.key || music.mode != before.mode) add_key(track, tick, music);
    if (i > 0 && music.bpm == before.bpm) continue;
    const auto beat_us = static_cast<std::uint64_t>(std::llround(60e6 / double{music.bpm}));
    track.add(tick, meta(0x51, big_endian(beat_us, 3)));
  }
  return track.end();
}

std::uint8_t pitch_of(const Note& note) {
  if (note.group == VoiceGroup::kKicks) return kBassDrum;
  return note.group == VoiceGroup::kSwells ? kMiddleC : note.pitch;
}

// A channel holds each pitch once: what still sounds where it is struck again ends there, or is not struck at
// all.
void end_where_struck_again(std::vector<MidiNote>& notes) {
  std::array<MidiNote*, 128> sounding{};
  for (MidiNote& note : notes) {
    MidiNote*& before = sounding.at(note.pitch);
    if (before != nullptr) before->end = std::min(before->end, note.start);
    before = &note;
  }
  notes.erase(
      std::remove_if(notes.begin(), notes.end(), [](const MidiNote& note) { return note.end <= note.start; }),
      notes.end());
}

std::string track_of(const Part& part, std::vector<MidiNote>& notes) {
  std::stable_sort(notes.begin(), notes.end(),
                   [](const MidiNote& a, const MidiNote& b) { return a.start < b.start; });
  end_where_struck_again(notes);
  // Ends before starts, so that a pitch that goes on is struck again.
  std::vector<std::tuple<std::int64_t, bool, std::string>> events;
  for (const MidiNote& note : notes) {
    const auto on = static_cast<std::uint8_t>(0x90 | part.channel);
    const auto off = static_cast<std::uint8_t>(0x80 | part.channel);
    events.emplace_back(note.start, true, message(on, note.pitch, note.velocity));
    events.emplace_back(note.end, false, message(off, note.pitch, 64));
  }
  std::stable_sort(events.begin(), events.end(), [](const auto& a, const auto& b) {
    return std::tie(std::get<0>(a), std::get<1>(a)) < std::tie(std::get<0>(b), std::get<1>(b));
  });
  TrackChunk track;
  track.add(0, meta(0x03, part.name));
  track.add(0, {static_cast<char>(0xc0 | part.channel), static_cast<char>(part.program)});
  for (const auto& [tick, starts, bytes] : events) track.add(tick, bytes);
  return track.end();
}

}  // namespace

MidiFile midi_file(const MidiPiece& piece) {
  const std::int64_t end = piece.first_frame + piece.frames;
  const std::vector<BarRecord> bars = bars_of(piece);
  std::array<std::vector<MidiNote>, kParts.size()> notes;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const BarRecord& bar = bars[i];
    const auto tick = [&](std::int64_t frame) {
      const double into = static_cast<double>(frame - bar.start_frame) / static_cast<double>(bar.frames);
      return static_cast<std::int64_t>(i) * kTicksPerBar + std::llround(into * kTicksPerBar);
    };
    for (const Note& note : compose_bar(piece.seed, bar, piece.timeline.sample_rate)) {
      if (note.start_frame < piece.first_frame || note.start_frame >= end) continue;
      const std::int64_t chunk = note.start_frame / piece.timeline.chunk_frames;
      if (!levels_in(piece.history, chunk).end->has(note.group)) continue;
      const std::int64_t start = tick(note.start_frame);
      notes.at(static_cast<std::size_t>(note.group))
          .push_back({start, std::max<std::int64_t>(tick(note.start_frame + note.gate_frames), start + 1),
                      pitch_of(note),
                      static_cast<std::uint8_t>(std::lround(20 + 100 * double{note.accent}))});
    }
  }
  MidiFile file;
  file.bytes = "MThd" + big_endian(6, 4) + big_endian(1, 2) + big_endian(1 + kParts.size(), 2) +
               big_endian(kMidiTicksPerBeat, 2) + conductor_track(piece, bars);
  for (std::size_t group = 0; group < kParts.size(); ++group) {
    file.bytes += track_of(kParts.at(group), notes.at(group));
    file.notes += notes.at(group).size();
  }
  return file;
}

}  // namespace auralis
