// SPDX-License-Identifier: MIT
#include "tools/probe/report.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/base/clock.h"

namespace auralis {
namespace {

std::string_view short_name(WireFormat format) { return format == WireFormat::kOpus ? "opus" : "pcm"; }

std::optional<double> lateness_ms(const Reception& reception, double share) {
  const auto us = reception.lateness.percentile_us(share);
  if (!us) return std::nullopt;
  return static_cast<double>(*us) / 1e3;
}

// To a hundredth of a decibel.
std::optional<double> rounded_snr(const Verdict& verdict) {
  if (!verdict.snr_db) return std::nullopt;
  return std::round(*verdict.snr_db * 100) / 100;
}

}  // namespace

std::string probe_text(const ProbeOptions& options, const Reception& reception, const Verdict& verdict) {
  std::string text = reception.station.empty() ? "no station" : "station " + reception.station;
  text += ", " + std::string(short_name(options.format)) + ": ";
  if (!verdict.reason.empty()) return text + verdict.reason + "\n";
  text += std::to_string(reception.chunks.size()) + " chunks, ";
  std::array<char, 128> numbers{};
  if (verdict.exact) {
    text += "bit-exact";
  } else {
    std::snprintf(numbers.data(), numbers.size(), "%.1f dB above the difference", verdict.snr_db.value_or(0));
    text += numbers.data();
  }
  std::snprintf(numbers.data(), numbers.size(), "; first audio after %.0f ms, lateness p50 %.1f p99 %.1f ms",
                static_cast<double>(reception.first_audio_ns.value_or(0)) / 1e6,
                lateness_ms(reception, 0.5).value_or(0), lateness_ms(reception, 0.99).value_or(0));
  return text + numbers.data() + "; peak " + std::to_string(verdict.peak) + "\n";
}

std::string probe_json(const ProbeOptions& options, const Reception& reception, const Verdict& verdict) {
  nlohmann::ordered_json json{{"url", options.url.text},
                              {"station", reception.station},
                              {"format", short_name(options.format)},
                              {"chunks", reception.chunks.size()},
                              {"gaps", verdict.gaps},
                              {"wrong", verdict.wrong}};
  const auto add = [&](const char* name, const std::optional<double>& value) {
    if (value) json[name] = *value;
  };
  if (reception.first_audio_ns) json["first_audio_ms"] = static_cast<double>(*reception.first_audio_ns) / 1e6;
  add("lateness_p50_ms", lateness_ms(reception, 0.5));
  add("lateness_p99_ms", lateness_ms(reception, 0.99));
  add("snr_db", rounded_snr(verdict));
  json["peak"] = verdict.peak;
  json["exact"] = verdict.exact;
  json["reason"] = verdict.reason;
  return json.dump(2) + "\n";
}

ProbeResult probe_result(const ProbeOptions& options, const Reception& reception, const Verdict* verdict,
                         std::int64_t unix_ns) {
  ProbeResult result;
  result.station = options.publish->station;
  result.format = short_name(options.format);
  result.run_seconds = static_cast<double>(unix_ns / kNsPerMs) / 1e3;
  result.received = reception.chunks.size();
  if (verdict != nullptr) {
    result.success = verdict->reason.empty();
    result.wrong = verdict->wrong;
    result.snr_db = rounded_snr(*verdict);
  }
  return result;
}

}  // namespace auralis
