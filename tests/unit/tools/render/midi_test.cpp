// SPDX-License-Identifier: MIT
// The form of the file. That its notes are those that sound is render_midi_test.py's.
#include "tools/render/midi.h"

#include "common/music/music_parameters.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace auralis::midi_test {
namespace {

struct Event {
  std::int64_t tick;
  std::string bytes;
};

// Reads a file by the specification: its tracks' events.
class MidiParser {
 public:
  explicit MidiParser(const std::string& bytes) : bytes_(bytes) {}

  std::vector<std::vector<Event>> tracks() {
    REQUIRE(take(8) == std::string("MThd\0\0\0\6", 8));
    REQUIRE(number(2) == 1);
    const std::uint64_t count = number(2);
    ticks_per_beat = static_cast<std::int64_t>(number(2));
    std::vector<std::vector<Event>> all;
    for (std::uint64_t i = 0; i < count; ++i) all.push_back(track());
    REQUIRE(at_ == bytes_.size());
    return all;
  }

  std::int64_t ticks_per_beat = 0;

 private:
  std::string take(std::size_t size) {
    REQUIRE(at_ + size <= bytes_.size());
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  std::uint64_t number(std::size_t size) {
    std::uint64_t value = 0;
    for (const char byte : take(size)) value = value << 8U | static_cast<std::uint8_t>(byte);
    return value;
  }
  std::uint64_t variable_length() {
    std::uint64_t value = 0;
    for (;;) {
      const auto byte = static_cast<std::uint8_t>(take(1)[0]);
      value = value << 7U | (byte & 0x7fU);
      if ((byte & 0x80U) == 0) return value;
    }
  }
  std::vector<Event> track() {
    REQUIRE(take(4) == "MTrk");
    const std::uint64_t size = number(4);
    const std::size_t end = at_ + size;
    std::vector<Event> events;
    std::int64_t tick = 0;
    while (at_ < end) {
      tick += static_cast<std::int64_t>(variable_length());
      std::string event = take(1);
      if (event[0] == '\xff') {
        event += take(1);
        event += take(variable_length());
      } else {
        event += take((static_cast<std::uint8_t>(event[0]) & 0xf0U) == 0xc0U ? 1 : 2);
      }
      events.push_back({tick, event});
    }
    REQUIRE(at_ == end);
    REQUIRE(events.back().bytes.substr(0, 2) == "\xff\x2f");
    return events;
  }

  std::string bytes_;
  std::size_t at_ = 0;
};

MidiPiece minute(const MusicParameters& music) {
  MidiPiece piece;
  piece.seed = 7;
  piece.history = begun_with(music);
  piece.frames = std::int64_t{60} * 44'100;
  return piece;
}

bool starts_note(const Event& event) { return (static_cast<std::uint8_t>(event.bytes[0]) & 0xf0U) == 0x90U; }
bool ends_note(const Event& event) { return (static_cast<std::uint8_t>(event.bytes[0]) & 0xf0U) == 0x80U; }

}  // namespace

TEST_CASE("a file has a track for the tempo and one for each group, and all of its notes end") {
  const MidiFile file = midi_file(minute(kPresets[0].parameters));
  MidiParser parser(file.bytes);
  const auto tracks = parser.tracks();
  CHECK(parser.ticks_per_beat == kMidiTicksPerBeat);
  REQUIRE(tracks.size() == 5);
  std::size_t notes = 0;
  for (const auto& track : tracks) {
    std::set<char> sounding;
    for (const Event& event : track) {
      if (starts_note(event)) {
        ++notes;
        CHECK(sounding.insert(event.bytes[1]).second);  // a pitch once at a time
      } else if (ends_note(event)) {
        CHECK(sounding.erase(event.bytes[1]) == 1);
      }
    }
    CHECK(sounding.empty());
  }
  CHECK(notes == file.notes);
  CHECK(notes > 20);
}

TEST_CASE("bars lie on the grid: the pads' chords start every four beats") {
  const MidiFile file = midi_file(minute(kPresets[0].parameters));
  const auto tracks = MidiParser(file.bytes).tracks();
  std::size_t on_bar_lines = 0;
  for (const Event& event : tracks[1]) {
    if (starts_note(event) && event.tick % (4 * kMidiTicksPerBeat) == 0) ++on_bar_lines;
  }
  CHECK(on_bar_lines >= 3 * 15);  // three of a chord, 15 bars of 60 bpm a minute
}

TEST_CASE("the tempo is the controls', in microseconds a beat") {
  MusicParameters music = kPresets[0].parameters;
  music.bpm = 120;
  const auto tracks = MidiParser(midi_file(minute(music)).bytes).tracks();
  std::string tempo;
  for (const Event& event : tracks[0]) {
    if (event.bytes.substr(0, 2) == "\xff\x51") tempo = event.bytes.substr(2);
  }
  CHECK(tempo == std::string("\x07\xa1\x20", 3));  // 500,000
}

TEST_CASE("a group that is off leaves its track empty") {
  MusicParameters music = kPresets[0].parameters;
  music.voices = 0b0010;  // the melody alone
  const auto tracks = MidiParser(midi_file(minute(music)).bytes).tracks();
  const auto count = [&](std::size_t track) {
    return std::count_if(tracks.at(track).begin(), tracks.at(track).end(), starts_note);
  };
  CHECK(count(1) == 0);
  CHECK(count(2) > 0);
  CHECK(count(3) == 0);
  CHECK(count(4) == 0);
}

}  // namespace auralis::midi_test
