// SPDX-License-Identifier: MIT
#include "tools/probe/station_music.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "common/config/config_table.h"
#include "common/music/permalink.h"
#include "synthd/engine/make_engine.h"
#include "synthd/engine/native_engine.h"
#include "synthd/ring_shape.h"
#include "tools/connection.h"
#include "tools/music.h"
#include "tools/probe/reception.h"

namespace auralis {
namespace {

constexpr std::int64_t kAnswerLimitNs = 10 * kNsPerSecond;

// Throws QueryError unless a server may be configured so.
void set(Config& config, std::string_view key, std::uint32_t value) {
  const ConfigKey& rule = config_keys().at(config_key_index("audio", key));
  if (!rule.set(config, std::int64_t{value}))
    throw QueryError("its " + std::string(key) + " must be " + rule.rule.allowed);
}

std::int64_t chunk_us(const StationFacts& facts) { return facts.timeline.chunk_ns() / 1'000; }

// Microseconds from `due_us` to the server's reading, in whole chunks and the rest.
struct Distance {
  std::int64_t chunks;
  std::int64_t rest_us;
};
Distance distance(const StationFacts& facts, std::int64_t due_us) {
  const std::int64_t us = facts.server_time_us - due_us;
  const std::int64_t rest = (us % chunk_us(facts) + chunk_us(facts)) % chunk_us(facts);
  return {(us - rest) / chunk_us(facts), rest};
}

}  // namespace

StationFacts parse_station_facts(std::string_view body) {
  try {
    const auto json = nlohmann::json::parse(body);
    const auto& station = json.at("stations").at(0);
    const auto text = station.at("permalink").get<std::string>();
    const Permalink link = permalink_of(query_fields(std::string_view(text).substr(text.find('?') + 1)));
    if (!link.seed || !link.sample_rate || !link.chunk_ms) throw QueryError("it is incomplete");
    Config config;
    set(config, "sample_rate", *link.sample_rate);
    set(config, "chunk_ms", *link.chunk_ms);
    const double time_us = station.at("server_time").get<double>() * 1e6;
    // Written so that NaN, which compares false with everything, is refused.
    if (!(0 <= time_us && time_us <= static_cast<double>(kLatestUs)))
      throw ConnectionError("/api/status has an impossible time");
    return {*link.seed, link.history, make_timeline(config, 0), link.chunk, std::llround(time_us)};
  } catch (const nlohmann::json::exception&) {
    throw ConnectionError("/api/status is not that of streamd");
  } catch (const QueryError& error) {
    throw ConnectionError(std::string("the station's permalink in /api/status: ") + error.what());
  }
}

std::int64_t own_chunk(const StationFacts& facts, std::int64_t due_us) {
  return facts.live_chunk - distance(facts, due_us).chunks;
}

bool is_ambiguous(const StationFacts& facts, std::int64_t due_us) {
  const std::int64_t rest = distance(facts, due_us).rest_us;
  const std::int64_t margin = chunk_us(facts) / 10;
  return rest < margin || rest > chunk_us(facts) - margin;
}

StationFacts fetch_station_facts(const StreamUrl& url, const std::string& station) {
  const std::string path = url.target.substr(0, url.target.find('?'));
  const std::string target =
      path.substr(0, path.size() - kStreamPath.size()) + "/api/status?station=" + station;
  return parse_station_facts(http_get(url, target, SystemClock().now_ns() + kAnswerLimitNs));
}

std::vector<std::int16_t> render_chunks(const StationFacts& facts, std::int64_t first, std::size_t count) {
  NativeEngine engine(engine_shape(facts.timeline, 1), 1);
  const std::int64_t first_frame = facts.timeline.first_frame(first);
  Music music(engine, facts.timeline, facts.seed, facts.history, {kAllVoices}, first_frame);
  const std::size_t chunk_samples = facts.timeline.chunk_samples();
  std::vector<std::int16_t> samples;
  samples.reserve(count * chunk_samples);
  while (samples.size() < count * chunk_samples) {
    music.render_chunk();
    if (music.chunk_begin() < first_frame) continue;  // warm-up
    samples.insert(samples.end(), engine.samples(0), engine.samples(0) + chunk_samples);
  }
  return samples;
}

}  // namespace auralis
