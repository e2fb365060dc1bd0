// SPDX-License-Identifier: MIT
#include "synthd/composer/melody.h"

#include <algorithm>

#include "synthd/composer/arc.h"
#include "synthd/composer/random_stream.h"

namespace auralis {
namespace {

constexpr int kEighths = 8;  // per bar
constexpr int kPhraseEighths = kPhraseBars * kEighths;
constexpr int kContourLow = 67;  // G4
constexpr std::uint32_t kContourSpan = 12;
constexpr int kWander = 4;    // maximum distance of a target from the contour, in semitones
constexpr int kStep = 3;      // maximum distance of a target from the note before, in semitones
constexpr int kFarthest = 4;  // maximum distance of a note from its target, in semitones

// Contour of a phrase of the melody.
struct Phrase {
  int from;    // MIDI note of the contour at the phrase's start
  int to;      // ... and at its end, where the next phrase starts
  int breath;  // first eighth of the rest at the end: no note starts from there on
};

Phrase phrase_at(std::uint64_t seed, std::int64_t index) {
  RandomStream random(seed, Purpose::kPhrase, index);
  const auto point = [](RandomStream& stream) {
    return kContourLow + static_cast<int>(stream.below(kContourSpan));
  };
  Phrase phrase{};
  phrase.from = point(random);
  phrase.breath = kPhraseEighths - 4 - static_cast<int>(random.below(7));
  RandomStream next(seed, Purpose::kPhrase, index + 1);
  phrase.to = point(next);
  return phrase;
}

// Pitch classes that sound at an eighth: a suspended third sounds only in the bar's second half.
PitchClasses sounding_classes(const Chord& chord, int eighth) {
  if (chord.suspension == 0 || eighth >= kEighths / 2) return chord.classes;
  const unsigned third = 1U << chord.pitches[Chord::kThird] % 12;
  return static_cast<PitchClasses>((chord.classes & ~third) | 1U << chord.suspension % 12);
}

// Draws the set of pitch classes that the next note is chosen from.
PitchClasses draw_classes(RandomStream& random, const MusicParameters& parameters, PitchClasses chord) {
  const ToneShares shares = tone_shares(parameters.melody_complexity);
  const PitchClasses scale = scale_of(parameters);
  const std::uint32_t percent = random.below(100);
  if (percent < shares.chord) return chord;
  const unsigned classes =
      percent < shares.chord + shares.scale ? unsigned{scale} & ~unsigned{chord} : ~unsigned{scale} & 0xFFFU;
  return static_cast<PitchClasses>(classes);
}

// Returns the pitch among `classes` nearest to `target`; `upward` decides between two at the same distance.
// If none is within kFarthest, falls back to `scale`.
int nearest(PitchClasses classes, PitchClasses scale, int target, bool upward) {
  for (int distance = 0; distance <= kFarthest; ++distance) {
    const int first = target + (upward ? distance : -distance);
    const int second = target + (upward ? -distance : distance);
    if (contains(classes, first)) return first;
    if (contains(classes, second)) return second;
  }
  return nearest(scale, scale, target, upward);
}

}  // namespace

ToneShares tone_shares(float complexity) {
  const std::uint32_t level = in_256ths(complexity);
  const std::uint32_t scale = 25 + 15 * level / 256;
  const std::uint32_t chromatic = 5 + 15 * level / 256;
  return {100 - scale - chromatic, scale, chromatic};
}

void compose_melody(std::uint64_t seed, const BarRecord& bar, const Chord& chord, std::uint32_t sample_rate,
                    Score& score) {
  const std::uint32_t intensity = in_256ths(bar.parameters.intensity);
  const PitchClasses scale = scale_of(bar.parameters);
  const Phrase phrase = phrase_at(seed, bar.index / kPhraseBars);
  const Arc arc = arc_at(seed, bar.index);
  RandomStream random(seed, Purpose::kMelody, bar.index);
  // Whole bar of rest.
  const int chance = 160 + static_cast<int>(80 * intensity / 256) + arc.fullness / 2;
  if (random.below(256) >= static_cast<std::uint32_t>(chance)) return;

  const std::uint32_t shortest_ms = 2'000 - 1'500 * intensity / 256;
  const std::uint32_t longest_ms = 5'000 - 3'000 * intensity / 256;
  const int bar_eighth = static_cast<int>(bar.index % kPhraseBars) * kEighths;
  int last = 0;
  for (auto eighth = static_cast<int>(random.below(3)); eighth < kEighths;) {
    const int position = bar_eighth + eighth;
    if (position >= phrase.breath) return;
    const int centre =
        (phrase.from * (kPhraseEighths - position) + phrase.to * position) / kPhraseEighths + arc.height;
    int target = centre - kWander + static_cast<int>(random.below(2 * kWander + 1));
    if (last != 0) target = std::clamp(target, last - kStep, last + kStep);
    const PitchClasses classes = draw_classes(random, bar.parameters, sounding_classes(chord, eighth));
    last = nearest(classes, scale, target, random.below(2) == 0);

    const std::uint32_t length_ms = shortest_ms + random.below(longest_ms - shortest_ms + 1);
    const std::int64_t length = std::int64_t{length_ms} * sample_rate / 1'000;
    Note note;
    note.group = VoiceGroup::kMelody;
    note.start_frame = bar.start_frame + bar.frames * eighth / kEighths;
    note.gate_frames = static_cast<std::uint32_t>(length);
    note.pitch = static_cast<std::uint8_t>(last);
    // Notes outside the scale are softer. The random steps are exact in binary, so that a fused multiply-add
    // gives the same result.
    note.accent =
        (contains(scale, last) ? 0.7F : 0.45F) + static_cast<float>(random.below(256)) * (1.0F / 1'024);
    note.pan = static_cast<float>(random.below(256)) * (1.0F / 256) - 0.5F;
    note.seed = random.next();
    score.add(note);

    const auto held = static_cast<int>((length * kEighths + bar.frames - 1) / bar.frames);
    const bool rest = random.below(256) < 112;
    eighth += held + (rest ? 1 + static_cast<int>(random.below(3)) : 0);
  }
}

}  // namespace auralis
