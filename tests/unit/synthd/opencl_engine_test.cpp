// SPDX-License-Identifier: MIT
// On the first OpenCL device there is. Proves what one device does with itself; not that two devices agree.
#include "synthd/engine/opencl_engine.h"

#include "synthd/station.h"
#include "tests/unit/synthd/support.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

using namespace auralis;
using namespace auralis::test;

namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr std::int64_t kChunk = 4'410;
constexpr std::int64_t kRate = 44'100;

struct Audio {
  std::vector<std::int16_t> left;
  std::vector<std::int16_t> right;
};

Voice voice(VoiceType type, std::int64_t start, std::uint32_t gate, double hz) {
  Voice v;
  v.type = type;
  v.start_frame = start;
  v.gate_frames = gate;
  v.phase_increment = static_cast<std::uint32_t>(hz * 4'294'967'296.0 / kRate);
  v.seed = 12'345;
  v.gain = 0.5F;
  return v;
}

StationChunk chunk_of(const std::vector<Voice>& voices, std::int64_t chunk) {
  StationChunk result;
  result.first_frame = chunk * kChunk;
  result.voices = voices.data();
  result.voice_count = voices.size();
  result.gains_start = {1, 1, 1, 1};
  result.gains_end = {1, 1, 1, 1};
  return result;
}

void append(Audio& audio, const std::int16_t* samples) {
  for (std::int64_t frame = 0; frame < kChunk; ++frame) {
    audio.left.push_back(samples[2 * frame]);
    audio.right.push_back(samples[2 * frame + 1]);
  }
}

Audio render(Engine& engine, const std::vector<Voice>& voices, std::int64_t chunks) {
  Audio audio;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
    const StationChunk input = chunk_of(voices, chunk);
    engine.render(&input, 1);
    append(audio, engine.samples(0));
  }
  return audio;
}

double rms(const std::vector<std::int16_t>& samples) {
  double sum = 0;
  for (const double sample : samples) sum += sample * sample;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

double mean(const std::vector<std::int16_t>& samples) {
  double sum = 0;
  for (const double sample : samples) sum += sample;
  return sum / static_cast<double>(samples.size());
}

// Of the sides, from -1 to 1.
double correlation(const Audio& audio) {
  double sum = 0;
  for (std::size_t i = 0; i < audio.left.size(); ++i) sum += double{1} * audio.left[i] * audio.right[i];
  return sum / static_cast<double>(audio.left.size()) / (rms(audio.left) * rms(audio.right));
}

int largest(const std::vector<std::int16_t>& samples, std::int64_t from, std::int64_t to) {
  int peak = 0;
  for (std::int64_t i = from; i < to; ++i)
    peak = std::max(peak, std::abs(int{samples.at(static_cast<std::size_t>(i))}));
  return peak;
}

int step_at(const std::vector<std::int16_t>& samples, std::int64_t frame) {
  const auto i = static_cast<std::size_t>(frame);
  return std::abs(samples.at(i) - samples.at(i - 1));
}

// Amplitude of the sine of that frequency in samples[from ..], under a Hann window.
double amplitude_at(const std::vector<std::int16_t>& samples, std::size_t from, double hz) {
  double re = 0;
  double im = 0;
  const auto count = static_cast<double>(samples.size() - from);
  for (std::size_t i = from; i < samples.size(); ++i) {
    const double n = static_cast<double>(i - from);
    const double value = samples[i] * (1 - std::cos(2 * kPi * n / count));
    re += value * std::cos(2 * kPi * hz * n / kRate);
    im += value * std::sin(2 * kPi * hz * n / kRate);
  }
  return 2 * std::hypot(re, im) / count;
}

}  // namespace

TEST_CASE("each voice sounds, in stereo, without offset, and begins and ends without a click") {
  OpenClEngine engine = opencl_engine({});
  // In the middle of the field: pads and swells differ between the sides, leads and kicks stand where they
  // are put.
  const std::array<double, kVoiceTypes> sides_at_most{0.98, 1.01, 1.01, 0.3};
  for (const VoiceType type : {VoiceType::kPad, VoiceType::kLead, VoiceType::kKick, VoiceType::kSwell}) {
    CAPTURE(static_cast<int>(type));
    Voice v = voice(type, 1'000, 3 * kRate, type == VoiceType::kKick ? 40 : 220);
    const std::int64_t end = v.start_frame + voice_frames(v, kRate);
    const Audio audio = render(engine, {v}, end / kChunk + 1);
    CHECK(rms(audio.left) > 200);
    CHECK(rms(audio.right) > 200);
    CHECK(correlation(audio) < sides_at_most.at(static_cast<std::size_t>(type)));
    CHECK(std::abs(mean(audio.left)) < 0.01 * largest(audio.left, 0, end));
    // 16 frames from its ends a voice is 40 dB below its peak or more; before and after it there is only
    // dither.
    const int quiet = largest(audio.left, 0, end) / 100 + 2;
    CHECK(largest(audio.left, 0, v.start_frame) <= 1);
    CHECK(largest(audio.left, v.start_frame, v.start_frame + 16) <= quiet);
    CHECK(largest(audio.left, end - 16, end) <= quiet);
    CHECK(largest(audio.left, end, static_cast<std::int64_t>(audio.left.size())) <= 1);
  }
}

TEST_CASE("chunks rendered in any order, in any place of a batch, are the same samples") {
  EngineShape shape;
  shape.stations = 3;
  OpenClEngine engine = opencl_engine(shape);
  const std::vector<Voice> voices{
      voice(VoiceType::kPad, 100, 2 * kRate, 220), voice(VoiceType::kLead, 5'000, kRate, 660),
      voice(VoiceType::kKick, 9'000, kRate, 40), voice(VoiceType::kSwell, 0, 3 * kRate, 0)};
  constexpr std::int64_t kChunks = 30;
  const Audio forward = render(engine, voices, kChunks);

  std::vector<std::int16_t> backward(forward.left.size());
  for (std::int64_t chunk = kChunks - 1; chunk >= 0; --chunk) {
    const std::array<StationChunk, 3> batch{chunk_of({}, 7), chunk_of(voices, (chunk + 5) % kChunks),
                                            chunk_of(voices, chunk)};
    engine.render(batch.data(), batch.size());
    for (std::int64_t frame = 0; frame < kChunk; ++frame) {
      backward.at(static_cast<std::size_t>(chunk * kChunk + frame)) = engine.samples(2)[2 * frame];
    }
  }
  CHECK(backward == forward.left);
}

TEST_CASE("a lead of 440 Hz is 440 Hz, and a pad of 440 Hz has its saw 5 cents above") {
  OpenClEngine engine = opencl_engine({});
  const Audio lead = render(engine, {voice(VoiceType::kLead, 0, 4 * kRate, 440)}, 40);
  const std::size_t settled = 2 * kRate;
  CHECK(amplitude_at(lead.left, settled, 440) > 30 * amplitude_at(lead.left, settled, 447));
  // The third harmonic is the saw's, but for a little that tanh makes of the sine.
  const Audio pad = render(engine, {voice(VoiceType::kPad, 0, 8 * kRate, 440)}, 80);
  const double five_cents = std::pow(2.0, 5.0 / 1'200);
  CHECK(amplitude_at(pad.left, settled, 3 * 440 * five_cents) > 5 * amplitude_at(pad.left, settled, 3 * 440));
}

TEST_CASE("a pad's harmonics beyond half the sample rate do not fold back") {
  OpenClEngine engine = opencl_engine({});
  const double hz = 554.37;
  const Audio pad = render(engine, {voice(VoiceType::kPad, 0, 8 * kRate, hz)}, 80);
  const double saw_hz = hz * std::pow(2.0, 5.0 / 1'200);
  // Harmonic 77 lies just under the sample rate: a plain saw would fold it to about 1.3 kHz at 1/77 of the
  // fundamental.
  const double folded = kRate - 77 * saw_hz;
  REQUIRE(folded > 1'000);
  const double second = amplitude_at(pad.left, kRate, 2 * saw_hz);  // 1/2 of the fundamental
  CHECK(amplitude_at(pad.left, kRate, folded) < second * 2 / 77 / 30);
}

TEST_CASE("group gains ramp over the chunk, from silence and to it, without a step") {
  OpenClEngine engine = opencl_engine({});
  const std::vector<Voice> voices{voice(VoiceType::kLead, -2 * kRate, 10 * kRate, 220)};
  Audio audio;
  for (std::int64_t chunk = 0; chunk < 4; ++chunk) {
    StationChunk input = chunk_of(voices, chunk);
    input.gains_start[1] = chunk == 2 ? 1.0F : 0.0F;
    input.gains_end[1] = chunk == 1 ? 1.0F : 0.0F;
    engine.render(&input, 1);
    append(audio, engine.samples(0));
  }
  const int peak = largest(audio.left, 0, 4 * kChunk);
  CHECK(largest(audio.left, 0, kChunk) <= 1);
  CHECK(largest(audio.left, 3 * kChunk, 4 * kChunk) <= 1);
  // The steepest that a sine of 226 Hz at that peak can be.
  const int steepest = static_cast<int>(peak * 2 * kPi * 226 / kRate) + 3;
  for (std::int64_t frame = 1; frame < 4 * kChunk; ++frame) CHECK(step_at(audio.left, frame) <= steepest);
}

TEST_CASE("silence is dithered by one step at most, alike each time") {
  OpenClEngine engine = opencl_engine({});
  const Audio silence = render(engine, {}, 2);
  CHECK(largest(silence.left, 0, 2 * kChunk) == 1);
  CHECK(std::abs(mean(silence.left)) < 0.02);
  CHECK(silence.left != silence.right);
  CHECK(render(engine, {}, 2).left == silence.left);
}

TEST_CASE("the engine reports its device's time, its memory, and voices that did not fit") {
  EngineShape shape;
  shape.voices = 2;
  OpenClEngine engine = opencl_engine(shape);
  const std::vector<Voice> voices(5, voice(VoiceType::kPad, 0, kRate, 220));
  const StationChunk input = chunk_of(voices, 0);
  const RenderReport report = engine.render(&input, 1);
  CHECK(report.voices_dropped == 3);
  CHECK(report.device_busy_ns > 0);
  CHECK(report.device_busy_ns < kNsPerSecond);
  CHECK(engine.device_bytes() >= kChunk * 4);
}

// AddressSanitizer ends a process that asks for too much memory instead of throwing.
#ifdef __SANITIZE_ADDRESS__
constexpr bool kMemoryErrorsThrow = false;
#else
constexpr bool kMemoryErrorsThrow = true;
#endif

TEST_CASE("a shape that the device cannot hold is an error" * doctest::skip(!kMemoryErrorsThrow)) {
  EngineShape shape;
  shape.stations = 1'000'000'000;
  CHECK_THROWS_AS(opencl_engine(shape), std::exception);
}

TEST_CASE(
    "each preset plays for a minute at a good level, unclipped, without offset or clicks, no voice dropped") {
  OpenClEngine engine = opencl_engine({});
  for (const auto& preset : kPresets) {
    CAPTURE(std::string(preset.name));
    Station station(1, kRate, Station::fresh_state(preset.parameters));
    const Timeline timeline;
    Audio audio;
    std::size_t dropped = 0;
    for (std::int64_t chunk = 0; chunk < 600; ++chunk) {
      const StationChunk input = station.prepare(timeline, chunk);
      dropped += engine.render(&input, 1).voices_dropped;
      append(audio, engine.samples(0));
    }
    const auto end = static_cast<std::int64_t>(audio.left.size());
    const double level_db = 20 * std::log10(rms(audio.left) / 32'768);
    CHECK(level_db > -26);
    CHECK(level_db < -16);
    CHECK(largest(audio.left, 0, end) < 26'000);  // -2 dBFS
    CHECK(std::abs(mean(audio.left)) < 10);
    CHECK(dropped == 0);
    int border = 0;
    int within = 0;
    for (std::int64_t frame = 1; frame < end; ++frame) {
      int& widest = frame % kChunk == 0 ? border : within;
      widest = std::max(widest, step_at(audio.left, frame));
    }
    CHECK(border <= within);
    CHECK(within < 32'768 / 8);
  }
}
