// SPDX-License-Identifier: MIT
// Each refusal is one line: where, what, and what is allowed.
#include "common/config/config.h"

#include "tests/unit/common/config/config_support.h"

#include <doctest/doctest.h>

#include <initializer_list>

namespace auralis::config_refusal_test {
namespace {

using test::ConfigFixture;

struct Case {
  std::string given;
  std::string refusal;
};

TEST_CASE("an endpoint that ZeroMQ cannot bind, or would change silently, is rejected") {
  for (const char* good :
       {"tcp://127.0.0.1:5556", "tcp://*:*", "tcp://0.0.0.0:0", "tcp://[::1]:65535", "tcp://[*]:1",
        "tcp://eth0:5556", "tcp://eth0.100:*", "ipc:///run/auralis/zmq", "ipc://@abstract", "ipc://*"}) {
    ConfigFixture fixture;
    const std::string file = std::string("[metricsd]\nzmq_endpoint = \"") + good + "\"";
    CHECK_MESSAGE(fixture.refusal({Daemon::kMetricsd, {}, {}, file}) == "not refused", good);
  }
  const std::string long_path = "ipc:///" + std::string(107, 'x');
  for (const std::string& bad :
       {std::string("udp://x"), std::string("tcp://"), std::string("ipc://"), std::string("tcp://127.0.0.1"),
        std::string("tcp://127.0.0.1:"), std::string("tcp://127.0.0.1:65536"),
        std::string("tcp://127.0.0.1:99999"), std::string("tcp://127.0.0.1:+1"),
        std::string("tcp://127.0.0.1:5556/x"), std::string("tcp://:5556"), std::string("tcp://::1:5556"),
        std::string("tcp://[::1:5556"), std::string("tcp://localhost:5556"),
        std::string("tcp://999.1.1.1:5556"), std::string("tcp://a.name.that.is.long:1"), long_path}) {
    ConfigFixture fixture;
    CHECK(fixture.refusal({Daemon::kMetricsd, {}, {}, "[metricsd]\nzmq_endpoint = \"" + bad + "\""}) ==
          "auralis.toml:2: [metricsd] zmq_endpoint = \"" + bad +
              "\": must be an endpoint that begins with tcp:// or ipc://, such as tcp://127.0.0.1:5556");
  }
}

TEST_CASE("an invalid value in the file is rejected with its line") {
  ConfigFixture fixture;
  for (
      const Case& c : std::initializer_list<Case>{
          {"[audio]\nchunk_ms = 15", "2: [audio] chunk_ms = 15: must be a multiple of 10 from 20 to 200"},
          {"[audio]\nchunk_ms = 210", "2: [audio] chunk_ms = 210: must be a multiple of 10 from 20 to 200"},
          {"[audio]\nchunk_ms = 10", "2: [audio] chunk_ms = 10: must be a multiple of 10 from 20 to 200"},
          {"[audio]\nsample_rate = 22050", "2: [audio] sample_rate = 22050: must be 44100 or 48000"},
          {"[audio]\nring_ms = 999", "2: [audio] ring_ms = 999: must be an integer from 1000 to 10000"},
          {"[audio]\nring_ms = 10001", "2: [audio] ring_ms = 10001: must be an integer from 1000 to 10000"},
          {"[audio]\ntarget_depth_ms = 499",
           "2: [audio] target_depth_ms = 499: must be an integer from 500 to 1000"},
          {"[audio]\ntarget_depth_ms = 1001",
           "2: [audio] target_depth_ms = 1001: must be an integer from 500 to 1000"},
          {"\n# a comment\n[streamd]\nport = 0", "4: [streamd] port = 0: must be an integer from 1 to 65535"},
          {"streamd.port = 65536", "1: [streamd] port = 65536: must be an integer from 1 to 65535"},
          {"[streamd]\nprefill_ms = -1", "2: [streamd] prefill_ms = -1: must be an integer from 0 to 1000"},
          {"[streamd]\nmax_listeners = 0",
           "2: [streamd] max_listeners = 0: must be an integer from 1 to 60000"},
          {"[streamd]\nmax_backlog_ms = 199",
           "2: [streamd] max_backlog_ms = 199: must be an integer from 200 to 10000"},
          {"[streamd]\nhost = \"example.org\"",
           "2: [streamd] host = \"example.org\": must be an IPv4 address, an IPv6 address (not link-local) "
           "or localhost"},
          {"[metricsd]\nhost = \"\"",
           "2: [metricsd] host = \"\": must be an IPv4 address, an IPv6 address (not link-local) or "
           "localhost"},
          {"[metricsd]\nhost = \"fe80::1\"",
           "2: [metricsd] host = \"fe80::1\": must be an IPv4 address, an IPv6 address (not link-local) or "
           "localhost"},
          {"[metricsd]\nhost = \"1.2.3.4\\u0000x\"",
           "2: [metricsd] host = \"1.2.3.4\\u0000x\": must be an IPv4 address, an IPv6 address (not "
           "link-local) or localhost"},
          {"[streamd]\nthreads = -1", "2: [streamd] threads = -1: must be an integer from 0 to 64"},
          {"[streamd]\nthreads = 65", "2: [streamd] threads = 65: must be an integer from 0 to 64"},
          {"[streamd]\ndrain_ms = -1", "2: [streamd] drain_ms = -1: must be an integer from 0 to 30000"},
          {"[streamd]\ndrain_ms = 30001",
           "2: [streamd] drain_ms = 30001: must be an integer from 0 to 30000"},
          {"[streamd]\nmax_backlog_kb = 319",
           "2: [streamd] max_backlog_kb = 319: must be an integer from 320 to 65536"},
          {"[streamd]\nmax_backlog_kb = 65537",
           "2: [streamd] max_backlog_kb = 65537: must be an integer from 320 to 65536"},
          {"[streamd]\nopus_kbps = 5", "2: [streamd] opus_kbps = 5: must be an integer from 6 to 510"},
          {"[streamd]\nopus_kbps = 511", "2: [streamd] opus_kbps = 511: must be an integer from 6 to 510"},
          {"[streamd]\nmax_listeners_per_address = 0",
           "2: [streamd] max_listeners_per_address = 0: must be an integer from 1 to 60000"},
          {"[streamd]\nmax_listeners_per_address = 60001",
           "2: [streamd] max_listeners_per_address = 60001: must be an integer from 1 to 60000"},
          {"[streamd]\nhandshakes_per_second = 0",
           "2: [streamd] handshakes_per_second = 0: must be an integer from 1 to 100000"},
          {"[streamd]\nhandshakes_per_second = 100001",
           "2: [streamd] handshakes_per_second = 100001: must be an integer from 1 to 100000"},
          {"[streamd]\nhandshakes_per_second_per_address = 0",
           "2: [streamd] handshakes_per_second_per_address = 0: must be an integer from 1 to 100000"},
          {"[streamd]\ntls_handshakes_per_second = 100001",
           "2: [streamd] tls_handshakes_per_second = 100001: must be an integer from 1 to 100000"},
          {"[streamd]\nhandshake_timeout_ms = 99",
           "2: [streamd] handshake_timeout_ms = 99: must be an integer from 100 to 60000"},
          {"[streamd]\nhandshake_timeout_ms = 60001",
           "2: [streamd] handshake_timeout_ms = 60001: must be an integer from 100 to 60000"},
          {"[streamd]\nidle_timeout_s = 4",
           "2: [streamd] idle_timeout_s = 4: must be an integer from 5 to 3600"},
          {"[streamd]\nidle_timeout_s = 3601",
           "2: [streamd] idle_timeout_s = 3601: must be an integer from 5 to 3600"},
          {"[streamd]\nmax_header_bytes = 1023",
           "2: [streamd] max_header_bytes = 1023: must be an integer from 1024 to 65536"},
          {"[streamd]\nmax_header_bytes = 65537",
           "2: [streamd] max_header_bytes = 65537: must be an integer from 1024 to 65536"},
          {"[streamd]\nmax_message_bytes = 511",
           "2: [streamd] max_message_bytes = 511: must be an integer from 512 to 65536"},
          {"[streamd]\nmax_message_bytes = 65537",
           "2: [streamd] max_message_bytes = 65537: must be an integer from 512 to 65536"},
          {"[streamd]\nmessages_per_second = 0",
           "2: [streamd] messages_per_second = 0: must be an integer from 1 to 1000"},
          {"[streamd]\nmessages_per_second = 1001",
           "2: [streamd] messages_per_second = 1001: must be an integer from 1 to 1000"},
          {"[streamd]\nchanges_per_second = 0",
           "2: [streamd] changes_per_second = 0: must be an integer from 1 to 100"},
          {"[streamd]\nchanges_per_second = 101",
           "2: [streamd] changes_per_second = 101: must be an integer from 1 to 100"},
          {"[streamd]\ntrusted_proxies = \"10.0.0.0/33\"",
           "2: [streamd] trusted_proxies = \"10.0.0.0/33\": must be addresses and networks such as "
           "10.0.0.0/8, separated by commas, or empty"},
          {"[streamd]\ntrusted_proxies = \"proxy\"",
           "2: [streamd] trusted_proxies = \"proxy\": must be addresses and networks such as 10.0.0.0/8, "
           "separated by commas, or empty"},
          {"[streamd]\ntrusted_proxies = \"127.0.0.1,\"",
           "2: [streamd] trusted_proxies = \"127.0.0.1,\": must be addresses and networks such as "
           "10.0.0.0/8, separated by commas, or empty"},
          {"[streamd]\ntrusted_proxies = \"::1/129\"",
           "2: [streamd] trusted_proxies = \"::1/129\": must be addresses and networks such as 10.0.0.0/8, "
           "separated by commas, or empty"},
          {"[streamd]\nallowed_origins = \"example.org\"",
           "2: [streamd] allowed_origins = \"example.org\": must be origins such as https://example.org, "
           "separated by commas, or *, or empty"},
          {"[streamd]\nallowed_origins = \"https://example.org/\"",
           "2: [streamd] allowed_origins = \"https://example.org/\": must be origins such as "
           "https://example.org, separated by commas, or *, or empty"},
          {"[streamd]\nallowed_origins = \"null\"",
           "2: [streamd] allowed_origins = \"null\": must be origins such as https://example.org, separated "
           "by commas, or *, or empty"},
          {"[streamd]\nallowed_origins = \"https://a b\"",
           "2: [streamd] allowed_origins = \"https://a b\": must be origins such as https://example.org, "
           "separated by commas, or *, or empty"},
          {"[streamd]\nallowed_origins = \"https://example.org:0\"",
           "2: [streamd] allowed_origins = \"https://example.org:0\": must be origins such as "
           "https://example.org, separated by commas, or *, or empty"},
          {"[streamd]\ntls_certificate = \"here\"",
           "2: [streamd] tls_certificate = \"here\": must be an absolute path, or empty"},
          {"[streamd]\ntls_key = \"here\"",
           "2: [streamd] tls_key = \"here\": must be an absolute path, or empty"},
          {"[streamd]\ntoken_file = \"here\"",
           "2: [streamd] token_file = \"here\": must be an absolute path, or empty"},
          {"[streamd]\nticket_key_file = \"here\"",
           "2: [streamd] ticket_key_file = \"here\": must be an absolute path, or empty"},
          {"[streamd]\ncontrol_by = \"nobody\"",
           "2: [streamd] control_by = \"nobody\": must be listeners or operators"},
          {"[synthd]\nseed = -1", "2: [synthd] seed = -1: must be an integer from 0 to 9223372036854775807"},
          {"[synthd]\npreset = \"loud\"",
           "2: [synthd] preset = \"loud\": must be focus, meditation, sleep or bright"},
          {"[synthd]\nstation = \"\"",
           "2: [synthd] station = \"\": must be 1 to 31 of a-z, 0-9, _ and -, but not new or personal, which "
           "are reserved"},
          {"[synthd]\nstation = \"Big\"",
           "2: [synthd] station = \"Big\": must be 1 to 31 of a-z, 0-9, _ and -, but not new or personal, "
           "which are reserved"},
          {"[synthd]\nstation = \"abcdefghijklmnopqrstuvwxyz012345\"",
           "2: [synthd] station = \"abcdefghijklmnopqrstuvwxyz012345\": must be 1 to 31 of a-z, 0-9, _ and "
           "-, but not new or personal, which are reserved"},
          {"[synthd]\nstation = \"personal\"",
           "2: [synthd] station = \"personal\": must be 1 to 31 of a-z, 0-9, _ and -, but not new or "
           "personal, which are reserved"},
          {"[log]\nlevel = \"trace\"", "2: [log] level = \"trace\": must be debug, info, warning or error"},
          {"[log]\nformat = \"xml\"", "2: [log] format = \"xml\": must be auto, text or json"},
          {"[runtime]\ndir = \"here\"", "2: [runtime] dir = \"here\": must be an absolute path, or empty"},
      }) {
    // Every daemon checks the whole file.
    for (const Daemon daemon : {Daemon::kSynthd, Daemon::kStreamd, Daemon::kMetricsd}) {
      CHECK(fixture.refusal({daemon, {}, {}, c.given}) == "auralis.toml:" + c.refusal);
    }
  }
}

TEST_CASE("a value of another type is rejected, with its type") {
  ConfigFixture fixture;
  const std::string rule = "must be an integer from 1 to 65535, is ";
  for (const Case& c : std::initializer_list<Case>{
           {"\"8000\"", " = \"8000\": " + rule + "a string"},
           {"8000.0", " = 8000.0: " + rule + "a floating-point number"},
           {"true", " = true: " + rule + "a boolean"},
           {"[8000]", ": " + rule + "an array"},
           {"{}", ": " + rule + "a table"},
           {"2026-01-01", ": " + rule + "a date or time"},
       }) {
    CHECK(fixture.refusal({Daemon::kStreamd, {}, {}, "[streamd]\nport = " + c.given}) ==
          "auralis.toml:2: [streamd] port" + c.refusal);
  }
  CHECK(fixture.refusal({Daemon::kStreamd, {}, {}, "[log]\nlevel = 3"}) ==
        "auralis.toml:2: [log] level = 3: must be debug, info, warning or error, is an integer");
}

TEST_CASE("an unknown section or key is rejected with the known ones") {
  ConfigFixture fixture;
  const std::string sections =
      "; the sections are runtime, audio, synthd, streamd, metricsd, log and [[station]]";
  for (const Case& c : std::initializer_list<Case>{
           {"[audio]\nchunk = 1",
            "2: [audio] chunk: unknown key; the keys of this section are sample_rate, chunk_ms, ring_ms, "
            "target_depth_ms"},
           {"[adio]\nchunk_ms = 100", "1: [adio]: unknown section" + sections},
           {"[[adio]]", "1: [[adio]]: unknown section" + sections},
           {"port = 1", "1: port: is outside any section" + sections},
           {"audio = 1", "1: audio: must be a section, is an integer"},
           {"[[audio]]", "1: audio: must be a section, is an array"},
       }) {
    CHECK(fixture.refusal({Daemon::kStreamd, {}, {}, c.given}) == "auralis.toml:" + c.refusal);
  }
}

TEST_CASE("of several errors in the file the first line's is reported") {
  ConfigFixture fixture;
  CHECK(fixture.refusal(
            {Daemon::kStreamd, {}, {}, "[streamd]\nport = 0\n[audio]\nring_ms = 1\nchunk_ms = 1"}) ==
        "auralis.toml:2: [streamd] port = 0: must be an integer from 1 to 65535");
}

TEST_CASE("a syntax error is reported with its line and column") {
  ConfigFixture fixture;
  for (const Case& c : std::initializer_list<Case>{
           {"[audio]\nchunk_ms = = 1", "auralis.toml:2:12: syntax error: "},
           {"[audio\n", "auralis.toml:1:7: syntax error: "},
           {"[log]\nlevel = \"info\"\nlevel = \"info\"", "auralis.toml:3:"},
           {"[log]\nlevel = \"\xff\"", "auralis.toml:2:"},
       }) {
    const std::string message = fixture.refusal({Daemon::kStreamd, {}, {}, c.given});
    CHECK(message.rfind(c.refusal, 0) == 0);
    CHECK(message.find("syntax error") != std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
}

TEST_CASE("an unreadable file is rejected, if it was given by --config") {
  ConfigFixture fixture;
  CHECK(fixture.refusal({Daemon::kStreamd, {"--config", "/nowhere/auralis.toml"}, {}, {}}) ==
        "/nowhere/auralis.toml: cannot be read: No such file or directory");
  CHECK(fixture.refusal({Daemon::kStreamd, {"--config", "/dev/shm"}, {}, {}}) ==
        "/dev/shm: cannot be read: Is a directory");
  CHECK(fixture.refusal({Daemon::kStreamd, {"--config", ""}, {}, {}}) ==
        ": cannot be read: No such file or directory");
}

TEST_CASE("invalid environment variables are rejected by name") {
  ConfigFixture fixture;
  const auto refusal = [&](const std::string& entry) {
    return fixture.refusal({Daemon::kMetricsd, {}, {entry}, {}});
  };
  CHECK(refusal("AURALIS_STREAMD_PORT=abc") ==
        "environment variable AURALIS_STREAMD_PORT = \"abc\": must be an integer from 1 to 65535");
  for (const std::string text : {" ", " 1", "1 ", "0x10", "1e3", "+1", "1.0", "99999999999999999999"}) {
    CHECK(refusal("AURALIS_STREAMD_PORT=" + text) ==
          "environment variable AURALIS_STREAMD_PORT = \"" + text + "\": must be an integer from 1 to 65535");
  }
  CHECK(refusal("AURALIS_LOG_LEVEL=INFO") ==
        "environment variable AURALIS_LOG_LEVEL = \"INFO\": must be debug, info, warning or error");
  for (const std::string name :
       {"AURALIS_PORT", "AURALIS_STREAMD_PORTS", "AURALIS_streamd_port", "AURALIS_"}) {
    CHECK(refusal(name + "=1")
              .find("environment variable " + name +
                    ": unknown; known are AURALIS_RUNTIME_DIR, AURALIS_AUDIO_SAMPLE_RATE, ") == 0);
  }
}

TEST_CASE("invalid flags are rejected as they were given") {
  ConfigFixture fixture;
  const auto refusal = [&](std::vector<std::string> flags) {
    return fixture.refusal({Daemon::kStreamd, std::move(flags), {}, {}});
  };
  CHECK(refusal({"--port", "70000"}) == "--port 70000: must be an integer from 1 to 65535");
  CHECK(refusal({"--port=70000"}) == "--port 70000: must be an integer from 1 to 65535");
  CHECK(refusal({"--port", "-1"}) == "--port -1: must be an integer from 1 to 65535");
  CHECK(refusal({"--port", "1\n2"}) == "--port \"1\\n2\": must be an integer from 1 to 65535");
  CHECK(refusal({"--host", ""}) ==
        "--host \"\": must be an IPv4 address, an IPv6 address (not link-local) or localhost");
  CHECK(refusal({"--audio-chunk-ms", "25"}) ==
        "--audio-chunk-ms 25: must be a multiple of 10 from 20 to 200");
  CHECK(refusal({"--prot", "1"}) == "--prot: unknown option; --help lists them");
  CHECK(refusal({"--seed", "1"}) == "--seed: unknown option; --help lists them");
  CHECK(refusal({"--por", "1"}) == "--por: unknown option; --help lists them");
  CHECK(refusal({"listen"}) == "listen: unknown option; --help lists them");
  const std::string missing = refusal({"--port"});
  CHECK(missing.rfind("--port: ", 0) == 0);
  CHECK(missing.find('\n') == std::string::npos);
}

TEST_CASE("inconsistent values are rejected at the place of the one to fix") {
  ConfigFixture fixture;
  CHECK(fixture.refusal({Daemon::kStreamd, {}, {}, "[audio]\nring_ms = 2050"}) ==
        "auralis.toml:2: [audio] ring_ms = 2050: must be a multiple of chunk_ms, which is 100");
  CHECK(fixture.refusal({Daemon::kStreamd, {"--audio-chunk-ms", "150"}, {}, {}}) ==
        "[audio] ring_ms = 2000 (the default): must be a multiple of chunk_ms, which is 150");
  CHECK(fixture.refusal(
            {Daemon::kMetricsd, {"--audio-ring-ms", "1000", "--audio-target-depth-ms", "900"}, {}, {}}) ==
        "--audio-ring-ms 1000: must be at least target_depth_ms + 2 * chunk_ms, which is 1100");
  CHECK(
      fixture.refusal({Daemon::kSynthd, {}, {"AURALIS_STREAMD_PREFILL_MS=500"}, "[audio]\nring_ms = 1200"}) ==
      "environment variable AURALIS_STREAMD_PREFILL_MS = \"500\": must be at most [audio] ring_ms - "
      "target_depth_ms "
      "- chunk_ms, which is 350");
}

TEST_CASE("a key that requires another is rejected alone, and the missing one is named") {
  ConfigFixture fixture;
  CHECK(fixture.refusal({Daemon::kStreamd, {}, {}, "[streamd]\ntls_certificate = \"/c.pem\""}) ==
        "[streamd] tls_key = \"\" (the default): must be given, since tls_certificate is");
  CHECK(fixture.refusal({Daemon::kSynthd, {}, {"AURALIS_STREAMD_TLS_KEY=/k.pem"}, {}}) ==
        "[streamd] tls_certificate = \"\" (the default): must be given, since tls_key is");
  CHECK(fixture.refusal(
            {Daemon::kStreamd, {"--token-file", ""}, {}, "[streamd]\ncontrol_by = \"operators\""}) ==
        "--token-file \"\": must be given, since control_by is operators, who show its token");
}

TEST_CASE("values just consistent with each other are accepted") {
  ConfigFixture fixture;
  const std::string file =
      "[audio]\nring_ms = 1200\ntarget_depth_ms = 1000\nchunk_ms = 100\n[streamd]\nprefill_ms = 100\n";
  CHECK(fixture.refusal({Daemon::kStreamd, {}, {}, file}) == "not refused");
}

}  // namespace
}  // namespace auralis::config_refusal_test
