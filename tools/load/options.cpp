// SPDX-License-Identifier: MIT
#include "tools/load/options.h"

#include <array>
#include <limits>
#include <ostream>
#include <string_view>

#include "tools/arguments.h"

namespace auralis {
namespace {

// Each connection takes a local port; Linux has about this many for one address.
constexpr std::int64_t kMostListeners = 28'000;
constexpr double kLongestSeconds = 86'400;
constexpr double kFastestRamp = 100'000;
constexpr double kUsualSeconds = 10;
constexpr double kUsualRamp = 200;
constexpr std::array<std::string_view, 3> kProtocols{"auralis.pcm.v1", "auralis.opus.v1", "auralis.json.v1"};

void declare(Arguments& arguments) {
  arguments.declare_plain(
      "URL",
      "ws://HOST:PORT/ws/stream?QUERY for WebSocket listeners, http://HOST:PORT/PATH for listeners of a "
      "plain HTTP stream, whose bytes are counted");
  const std::string group = "The listeners";
  arguments.declare("--listeners", "N", "Number of listeners; default 1", group);
  arguments.declare("--ramp", "X", "New connections a second; default " + number_text(kUsualRamp), group);
  arguments.declare("--protocol", "NAME",
                    choice_of(kProtocols) + "; default " + std::string(kProtocols.front()), group);
  arguments.declare("--stall", "K", "Number of them that read nothing after the handshake; default 0", group);
  arguments.declare(
      "--stall-seconds", "X",
      "Time in seconds, from the beginning of the measurement, after which stalled listeners read again; "
      "chunks that they missed then count as missing; default: never",
      group);
  arguments.declare("--reset", "K",
                    "Number of the others that reset their connection half way through; default 0", group);
  const std::string measuring = "The measurement";
  arguments.declare(
      "--seconds", "X",
      "Duration, from 2 s after the last listener connected; default " + number_text(kUsualSeconds),
      measuring);
  arguments.declare("--pid", "PID", "Also report the processor time and memory of this process, the server",
                    measuring);
  arguments.declare_switch("--json", "Report in JSON", measuring);
  arguments.set_footer(
      "Lateness: of a chunk's last byte, against the earliest line through the listener's own stream.\n"
      "Exit status: 0 all received everything, 1 a listener was refused, was lost or missed a chunk, 2 wrong "
      "usage.");
}

}  // namespace

std::optional<LoadOptions> parse_load_options(int argc, const char* const* argv, std::ostream& out) {
  Arguments arguments("Connects many listeners to a server, and reports what they received.", "auralis-load");
  declare(arguments);
  if (!arguments.parse(argc, argv, out, "one URL at a time")) return std::nullopt;
  if (arguments.plain().empty()) throw UsageError("no URL is given; --help lists the options");

  LoadOptions options;
  options.url = parse_stream_url(arguments.plain());
  if (!options.url.websocket && arguments.text("--protocol") != nullptr) {
    throw UsageError("--protocol needs a ws:// URL");
  }
  if (options.url.websocket) options.protocol = kProtocols.at(arguments.choice("--protocol", kProtocols, 0));
  options.listeners = static_cast<std::size_t>(arguments.whole_number("--listeners", 1, kMostListeners, 1));
  options.stalled = static_cast<std::size_t>(
      arguments.whole_number("--stall", 0, static_cast<std::int64_t>(options.listeners), 0));
  if (arguments.text("--stall-seconds") != nullptr) {
    if (options.stalled == 0) throw UsageError("--stall-seconds needs --stall");
    options.stall_s = arguments.number("--stall-seconds", 0.1, kLongestSeconds, 1);
  }
  options.reset = static_cast<std::size_t>(arguments.whole_number(
      "--reset", 0, static_cast<std::int64_t>(options.listeners - options.stalled), 0));
  options.ramp = arguments.number("--ramp", 0.1, kFastestRamp, kUsualRamp);
  options.seconds = arguments.number("--seconds", 0.1, kLongestSeconds, kUsualSeconds);
  options.server =
      static_cast<pid_t>(arguments.whole_number("--pid", 1, std::numeric_limits<pid_t>::max(), 0));
  options.json = arguments.is_given("--json");
  return options;
}

}  // namespace auralis
