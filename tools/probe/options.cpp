// SPDX-License-Identifier: MIT
#include "tools/probe/options.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <string_view>

#include "common/base/station_name.h"
#include "common/config/config.h"
#include "tools/arguments.h"
#include "tools/runtime_options.h"

namespace auralis {
namespace {

constexpr double kUsualSeconds = 5;
constexpr double kLongestSeconds = 600;
constexpr std::array<std::string_view, 2> kFormats{"pcm", "opus"};
constexpr std::array<std::string_view, 2> kComparisons{"exact", "close"};

void declare(Arguments& arguments) {
  arguments.declare_plain("URL", "ws://HOST:PORT/ws/stream?QUERY, as a player connects");
  const std::string group = "The check";
  arguments.declare("--station", "NAME", "Station to listen to; default: the server's", group);
  arguments.declare("--format", "NAME", choice_of(kFormats) + "; default pcm", group);
  arguments.declare("--seconds", "X", "Music to receive; default " + number_text(kUsualSeconds), group);
  arguments.declare(
      "--compare", "HOW",
      "With pcm: exact, bit for bit, the default; or close, for a server that renders with OpenCL", group);
  arguments.declare_switch("--json", "Report in JSON", group);
  arguments.declare_switch(
      "--publish",
      "Show the result among the daemons' metrics, until the next one of that station and format", group);
  declare_runtime_options(arguments);
  arguments.set_footer(
      "Receives music as any listener, renders the same moments itself, and compares.\n"
      "Exit status: 0 all chunks came and are right, 1 not, 2 wrong usage, no connection, or not published.");
}

// `url` with the station in its query, which must not name one already.
StreamUrl with_station(StreamUrl url, const std::string& station) {
  const std::size_t query = url.target.find('?');
  const std::string fields = query == std::string::npos ? "" : "&" + url.target.substr(query + 1);
  if (fields.find("&station=") != std::string::npos) {
    throw UsageError("--station: the URL names a station already; leave one of them out");
  }
  url.target += (query == std::string::npos ? "?station=" : "&station=") + station;
  return url;
}

StreamUrl read_url(const Arguments& arguments, const std::string& text) {
  StreamUrl url = parse_stream_url(text);
  if (!url.websocket) throw UsageError(shown(text) + ": must begin with ws://");
  const std::string path = url.target.substr(0, url.target.find('?'));
  if (path.size() < kStreamPath.size() ||
      path.compare(path.size() - kStreamPath.size(), kStreamPath.size(), kStreamPath) != 0) {
    throw UsageError(shown(text) + ": the path must end in " + std::string(kStreamPath));
  }
  const std::string* const station = arguments.text("--station");
  if (station == nullptr) return url;
  if (!is_station_name(*station)) arguments.refuse("--station", "1 to 31 of a-z, 0-9, _ and -");
  return with_station(url, *station);
}

// The station that the URL names; empty: none, the server chooses.
std::string station_in(const StreamUrl& url) {
  constexpr std::string_view kField = "station=";
  for (std::size_t at = url.target.find('?'); at != std::string::npos; at = url.target.find('&', at + 1)) {
    if (url.target.compare(at + 1, kField.size(), kField) != 0) continue;
    const std::size_t begin = at + 1 + kField.size();
    return url.target.substr(begin, url.target.find('&', begin) - begin);
  }
  return {};
}

// The label of the result. Only a configured station's: the name of a personal one is known to its listeners
// alone, and a page of metrics has other readers.
std::string published_station(const std::string& asked, const std::vector<StationConfig>& stations) {
  constexpr std::string_view kServersChoice = "default";  // of its stations, else its first
  const auto named = [&](std::string_view name) {
    return std::any_of(stations.begin(), stations.end(),
                       [&](const StationConfig& station) { return station.name == name; });
  };
  if (asked.empty()) return named(kServersChoice) ? std::string(kServersChoice) : stations.front().name;
  if (!named(asked)) throw UsageError("--publish: " + shown(asked) + " is not a configured station");
  return asked;
}

std::optional<PublishOptions> read_publishing(const Arguments& arguments, const StreamUrl& url,
                                              const char* const* environment) {
  if (arguments.is_given("--publish")) {
    const Config config = read_runtime_config(arguments, environment);
    return PublishOptions{config.probe_dir(), published_station(station_in(url), config.stations)};
  }
  for (const char* const flag : {kRuntimeDirFlag, kConfigFlag}) {
    if (arguments.text(flag) != nullptr) throw UsageError(std::string(flag) + " needs --publish");
  }
  return std::nullopt;
}

}  // namespace

std::optional<ProbeOptions> parse_probe_options(int argc, const char* const* argv,
                                                const char* const* environment, std::ostream& out) {
  Arguments arguments("Checks a running server by listening to it.", "auralis-probe");
  declare(arguments);
  if (!arguments.parse(argc, argv, out, "one URL at a time")) return std::nullopt;
  if (arguments.plain().empty()) throw UsageError("no URL is given; --help lists the options");

  ProbeOptions options;
  options.url = read_url(arguments, arguments.plain());
  const bool opus = arguments.choice("--format", kFormats, 0) == 1;
  options.format = opus ? WireFormat::kOpus : WireFormat::kPcm;
  if (opus && arguments.text("--compare") != nullptr) throw UsageError("--compare needs --format pcm");
  options.strictness =
      arguments.choice("--compare", kComparisons, 0) == 0 ? Strictness::kExact : Strictness::kClose;
  options.seconds = arguments.number("--seconds", 1, kLongestSeconds, kUsualSeconds);
  options.json = arguments.is_given("--json");
  options.publish = read_publishing(arguments, options.url, environment);
  return options;
}

}  // namespace auralis
