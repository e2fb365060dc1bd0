// SPDX-License-Identifier: MIT
#include "tools/load/report.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <utility>

namespace auralis {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::pair<const char*, double>, 6> kShares{
    {{"p50", 0.5}, {"p90", 0.9}, {"p95", 0.95}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}}};

template <typename... Values>
std::string formatted(const char* format, Values... values) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), format, values...);
  return text.data();
}

// A histogram without values has no percentiles: they are absent.
Json milliseconds_of(const LatencyHistogram& histogram) {
  Json json{{"count", histogram.count()}};
  for (const auto& [name, share] : kShares) {
    if (const auto us = histogram.percentile_us(share)) json[name] = static_cast<double>(*us) / 1e3;
  }
  return json;
}

std::string line_of(const char* what, const LatencyHistogram& histogram) {
  if (histogram.count() == 0) return "";
  std::string line = formatted("%-12s", what);
  for (const auto& [name, share] : kShares) {
    line += formatted("  %s %.2f", name, static_cast<double>(*histogram.percentile_us(share)) / 1e3);
  }
  return line + "  ms\n";
}

// Numbers as names, since JSON has no others.
Json by_number(const std::map<int, std::size_t>& counts) {
  Json json = Json::object();
  for (const auto& [number, count] : counts) json[std::to_string(number)] = count;
  return json;
}

struct ServerCost {
  double cpu_s;
  double cpu_percent;
  double ns_per_byte;
};

std::optional<ServerCost> server_cost(const LoadResult& result) {
  if (!result.server_begin || !result.server_end || result.tally.bytes == 0) return std::nullopt;
  const double cpu_s = result.server_end->cpu_s - result.server_begin->cpu_s;
  return ServerCost{cpu_s, cpu_s / result.measured_s * 100,
                    cpu_s * 1e9 / static_cast<double>(result.tally.bytes)};
}

Json server_json(const LoadOptions& options, const LoadResult& result) {
  Json json{{"pid", options.server}};
  if (const auto cost = server_cost(result)) {
    json["cpu_s"] = cost->cpu_s;
    json["cpu_percent"] = cost->cpu_percent;
    json["cpu_ns_per_byte"] = cost->ns_per_byte;
  }
  const auto memory = [&](const char* name, const std::optional<ProcessUsage>& usage) {
    if (!usage) return;
    json[std::string("rss_kib_") + name] = usage->rss_kib;
    if (usage->pss_kib) json[std::string("pss_kib_") + name] = *usage->pss_kib;
  };
  memory("before", result.server_before);
  memory("after", result.server_end);
  return json;
}

std::string troubles(const LoadOptions& options, const Tally& tally) {
  std::string text;
  for (const auto& [status, count] : tally.refused)
    text += formatted("%zu refused with HTTP %d\n", count, status);
  for (const auto& [what, count] : tally.failed) {
    text += std::to_string(count) + " not connected: " + what + "\n";
  }
  for (const auto& [code, count] : tally.lost) text += formatted("%zu lost with code %d\n", count, code);
  if (const std::size_t others = tally.heard + options.stalled; tally.opened > others) {
    text += std::to_string(tally.opened - others) + " received no audio\n";
  }
  if (options.stalled > 0 && tally.opened > 0) {
    text += formatted("%zu stalled, %zu of them disconnected by the server\n", options.stalled,
                      tally.stalled_lost);
  }
  return text;
}

}  // namespace

std::string report_text(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  std::string text =
      formatted("%zu of %zu listeners connected in %.1f s\n", tally.opened, options.listeners, result.ramp_s);
  text += troubles(options, tally);
  text += line_of("handshake", tally.handshake) + line_of("first audio", tally.first_audio);
  if (result.measured_s == 0) return text;
  text += formatted("%.1f s: %.1f MB/s, longest pause %.1f ms\n", result.measured_s,
                    static_cast<double>(tally.bytes) / 1e6 / result.measured_s,
                    static_cast<double>(tally.longest_pause_ns) / 1e6);
  if (options.url.websocket) {
    text += line_of("lateness", tally.lateness) + line_of("jitter", tally.jitter);
    text += formatted(
        "%llu chunks; of all: %llu missing, %llu skipped, %llu repeated, %llu silent, %llu malformed\n",
        static_cast<unsigned long long>(tally.chunks), static_cast<unsigned long long>(tally.missing),
        static_cast<unsigned long long>(tally.skipped), static_cast<unsigned long long>(tally.repeats),
        static_cast<unsigned long long>(tally.silence), static_cast<unsigned long long>(tally.malformed));
  }
  text += formatted("processor: this tool %.1f %% of a core", result.own_cpu_s / result.measured_s * 100);
  if (const auto cost = server_cost(result)) {
    text +=
        formatted(", the server %.1f %%, %.2f ns a byte; its memory %lld kB, %lld kB before",
                  cost->cpu_percent, cost->ns_per_byte, static_cast<long long>(result.server_end->rss_kib),
                  static_cast<long long>(result.server_before->rss_kib));
  }
  return text + "\n";
}

std::string report_json(const LoadOptions& options, const LoadResult& result) {
  const Tally& tally = result.tally;
  Json failed = Json::object();
  for (const auto& [what, count] : tally.failed) failed[what] = count;
  Json json{{"url", options.url.text},
            {"protocol", options.url.websocket ? options.protocol : "http"},
            {"listeners", options.listeners},
            {"opened", tally.opened},
            {"heard", tally.heard},
            {"refused", by_number(tally.refused)},
            {"failed", failed},
            {"lost", by_number(tally.lost)},
            {"stalled", options.stalled},
            {"stalled_lost", tally.stalled_lost},
            {"reset", tally.reset},
            {"ramp_s", result.ramp_s},
            {"handshake_ms", milliseconds_of(tally.handshake)},
            {"first_audio_ms", milliseconds_of(tally.first_audio)},
            {"measured_s", result.measured_s},
            {"bytes", tally.bytes},
            {"longest_pause_ms", static_cast<double>(tally.longest_pause_ns) / 1e6},
            {"own_cpu_s", result.own_cpu_s}};
  if (result.ramp_s > 0) json["connections_per_s"] = static_cast<double>(tally.opened) / result.ramp_s;
  if (options.url.websocket) {
    json["chunks"] = tally.chunks;
    json["missing"] = tally.missing;
    json["repeats"] = tally.repeats;
    json["skipped"] = tally.skipped;
    json["dropped_by_listener"] = result.dropped;
    json["server_dropped_by_listener"] = result.server_dropped;
    json["silence"] = tally.silence;
    json["malformed"] = tally.malformed;
    json["lateness_ms"] = milliseconds_of(tally.lateness);
    json["jitter_ms"] = milliseconds_of(tally.jitter);
  }
  if (options.server > 0) json["server"] = server_json(options, result);
  return json.dump(2) + "\n";
}

}  // namespace auralis
