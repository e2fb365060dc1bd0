// SPDX-License-Identifier: MIT
#include "tools/probe/check.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "tools/connection.h"
#include "tools/probe/opus_audio.h"
#include "tools/probe/station_music.h"

namespace auralis {
namespace {

constexpr int kMostRequests = 20;
constexpr std::int64_t kLongestAgoUs = 3'600'000'000;  // more than any reception takes

// Chunks `first` to `first + count` of the station's own; what is before its beginning is silence.
std::vector<std::int16_t> music_of(const StationFacts& facts, std::int64_t first, std::size_t count) {
  const std::size_t before = first < 0 ? std::min(count, static_cast<std::size_t>(-first)) : 0;
  std::vector<std::int16_t> samples(before * facts.timeline.chunk_samples());
  if (count > before) {
    const auto rest = render_chunks(facts, first + static_cast<std::int64_t>(before), count - before);
    samples.insert(samples.end(), rest.begin(), rest.end());
  }
  return samples;
}

// What the server says of the station, and the station's own number of the first received chunk.
struct Placed {
  StationFacts facts;
  std::int64_t first;
};
Placed placed(const ProbeOptions& options, const Reception& reception) {
  const ServerMessage& head = reception.chunks.front().head;
  for (int i = 0; i < kMostRequests; ++i) {
    const StationFacts facts = fetch_station_facts(options.url, reception.station);
    const std::int64_t due_us =
        options.format == WireFormat::kOpus ? opus_chunk_due_us(facts.timeline, head) : head.due_us;
    if (std::abs(facts.server_time_us - due_us) > kLongestAgoUs) break;
    if (!is_ambiguous(facts, due_us)) return {facts, own_chunk(facts, due_us)};
    std::this_thread::sleep_for(std::chrono::nanoseconds(facts.timeline.chunk_ns() / 3));
  }
  throw ConnectionError("/api/status does not agree with the audio on time");
}

// Renders the music of the first `count` chunks, and compares.
Verdict compare(const ProbeOptions& options, const Reception& reception, std::size_t count) {
  const bool opus = options.format == WireFormat::kOpus;
  const auto [facts, first] = placed(options, reception);
  const std::int64_t begin = opus ? first - 1 : first;
  if (facts.timeline.first_frame(std::max<std::int64_t>(0, begin)) < facts.history.first_bar_frame)
    throw ConnectionError("the station's permalink does not reach back to what was received");
  if (opus) return judge_opus(reception, facts.timeline, music_of(facts, begin, count + 1));
  return judge_pcm(reception, facts.timeline, music_of(facts, begin, count), options.strictness);
}

}  // namespace

Verdict check(const ProbeOptions& options, const Reception& reception) {
  const Verdict delivery = judge_delivery(reception);
  const std::size_t count = consecutive_chunks(reception);
  if (count == 0) return delivery;
  try {
    return compare(options, reception, count);
  } catch (const ConnectionError&) {
    // What is known to be wrong is told, although the rest cannot be compared.
    if (delivery.reason.empty()) throw;
    return delivery;
  }
}

}  // namespace auralis
