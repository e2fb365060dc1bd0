// SPDX-License-Identifier: MIT
#include "common/config/config_keys.h"
#include "common/config/config_rules.h"

namespace auralis {
namespace {

std::vector<ConfigKey> serving_keys() {
  return {
      {"streamd", "host", [](Config& c) -> std::string& { return c.streamd.host; }, host(),
       "Address to serve the player and the stream on"},
      {"streamd", "port", [](Config& c) -> std::int64_t& { return c.streamd.port; }, integer_from(1, 65'535),
       "TCP port of the player and the stream"},
      {"streamd", "tls_certificate", [](Config& c) -> std::string& { return c.streamd.tls_certificate; },
       path_or_empty(),
       "File of the certificate chain, in PEM; with tls_key, the port serves https and wss only. Empty: http "
       "and ws"},
      {"streamd", "tls_key", [](Config& c) -> std::string& { return c.streamd.tls_key; }, path_or_empty(),
       "File of the certificate's private key, in PEM; required with tls_certificate"},
      {"streamd", "threads", [](Config& c) -> std::int64_t& { return c.streamd.threads; },
       integer_from(0, 64), "Threads that serve listeners; 0: one less than there are cores, 1 to 8"},
      {"streamd", "drain_ms", [](Config& c) -> std::int64_t& { return c.streamd.drain_ms; },
       integer_from(0, 30'000),
       "Graceful drain: time over which listeners are disconnected when streamd stops, so that they do not "
       "all reconnect at once, in milliseconds"},
  };
}

std::vector<ConfigKey> delivery_keys() {
  return {
      {"streamd", "prefill_ms", [](Config& c) -> std::int64_t& { return c.streamd.prefill_ms; },
       integer_from(0, 1'000),
       "Past audio sent to a new listener at once, in milliseconds; at most ring_ms - target_depth_ms - "
       "chunk_ms, or as much as that if it is not given"},
      {"streamd", "max_backlog_ms", [](Config& c) -> std::int64_t& { return c.streamd.max_backlog_ms; },
       integer_from(200, 10'000),
       "Audio queued for a slow listener before chunks are dropped, in milliseconds"},
      // The minimum holds the longest prefill in the largest format, base64 at 48,000 Hz.
      {"streamd", "max_backlog_kb", [](Config& c) -> std::int64_t& { return c.streamd.max_backlog_kb; },
       integer_from(320, 65'536),
       "Data queued for a slow listener before chunks are dropped, whatever their age, in KiB"},
      {"streamd", "opus_kbps", [](Config& c) -> std::int64_t& { return c.streamd.opus_kbps; },
       integer_from(6, 510), "Bit rate of Opus, in kilobits per second"},
      {"streamd", "encoding_threads", [](Config& c) -> std::int64_t& { return c.streamd.encoding_threads; },
       integer_from(0, 64),
       "Threads that encode Opus ahead of time; 0: one less than there are cores, 1 to 4"},
  };
}

std::vector<ConfigKey> limit_keys() {
  return {
      {"streamd", "max_listeners", [](Config& c) -> std::int64_t& { return c.streamd.max_listeners; },
       integer_from(1, 60'000), "Maximum number of listeners; more are refused"},
      {"streamd", "max_listeners_per_address",
       [](Config& c) -> std::int64_t& { return c.streamd.max_listeners_per_address; },
       integer_from(1, 60'000),
       "Maximum number of listeners per address, or per /64 of IPv6; more are refused. Connections of "
       "all kinds are limited to 32 more. Loopback addresses are not limited, unless they are in "
       "trusted_proxies"},
      {"streamd", "max_opus_stations", [](Config& c) -> std::int64_t& { return c.streamd.max_opus_stations; },
       integer_from(0, 4'096),
       "Maximum number of personal stations encoded in Opus; more are available in PCM only. 0: as many as "
       "encoding_threads encode in half of their time, less the configured stations, measured at each start"},
      {"streamd", "max_personal_stations_per_address",
       [](Config& c) -> std::int64_t& { return c.streamd.max_personal_stations_per_address; },
       integer_from(1, 4'096),
       "Maximum number of personal stations per client address, or per /64 of IPv6, including those that "
       "linger after their last listener; more are refused. Loopback addresses are not limited, unless they "
       "are in trusted_proxies"},
      {"streamd", "trusted_proxies", [](Config& c) -> std::string& { return c.streamd.trusted_proxies; },
       network_list(), "Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are trusted"},
      {"streamd", "handshakes_per_second",
       [](Config& c) -> std::int64_t& { return c.streamd.handshakes_per_second; }, integer_from(1, 100'000),
       "Rate limit of new connections per second, of all clients together; more are refused"},
      {"streamd", "handshakes_per_second_per_address",
       [](Config& c) -> std::int64_t& { return c.streamd.handshakes_per_second_per_address; },
       integer_from(1, 100'000),
       "Rate limit of new connections per second and address, or /64 of IPv6, with bursts of twice as many; "
       "more are refused. Loopback addresses and trusted_proxies are not limited"},
      {"streamd", "tls_handshakes_per_second",
       [](Config& c) -> std::int64_t& { return c.streamd.tls_handshakes_per_second; },
       integer_from(1, 100'000),
       "Rate limit of TLS handshakes per second, of all clients together; more connections are closed "
       "unanswered. With an RSA 2048 key, 1,000 handshakes take more than half of a second of a core"},
      {"streamd", "handshake_timeout_ms",
       [](Config& c) -> std::int64_t& { return c.streamd.handshake_timeout_ms; }, integer_from(100, 60'000),
       "Deadline for a connection's request, TLS included, before it is closed, in milliseconds"},
      {"streamd", "idle_timeout_s", [](Config& c) -> std::int64_t& { return c.streamd.idle_timeout_s; },
       integer_from(5, 3'600),
       "Time without any data from a listener, such as a pong, before it is disconnected, in seconds"},
      {"streamd", "max_header_bytes", [](Config& c) -> std::int64_t& { return c.streamd.max_header_bytes; },
       integer_from(1'024, 65'536), "Maximum size of a request's headers, in bytes; larger ones are refused"},
      {"streamd", "max_message_bytes", [](Config& c) -> std::int64_t& { return c.streamd.max_message_bytes; },
       integer_from(512, 65'536),
       "Maximum size of a message or a body from a client, in bytes; larger ones are refused"},
      {"streamd", "messages_per_second",
       [](Config& c) -> std::int64_t& { return c.streamd.messages_per_second; }, integer_from(1, 1'000),
       "Rate limit of messages per second and listener; more are refused"},
      {"streamd", "changes_per_second",
       [](Config& c) -> std::int64_t& { return c.streamd.changes_per_second; }, integer_from(1, 100),
       "Rate limit of changes of the music per second and listener; more are refused"},
  };
}

std::vector<ConfigKey> download_keys() {
  return {
      {"streamd", "max_downloads", [](Config& c) -> std::int64_t& { return c.streamd.max_downloads; },
       integer_from(0, 64),
       "Maximum number of downloads of music at a time, of which an address may have one; more are refused. "
       "Each is rendered and encoded in processor time that nothing else wants. 0: none are offered"},
      {"streamd", "download_minutes", [](Config& c) -> std::int64_t& { return c.streamd.download_minutes; },
       integer_from(1, 1'440), "Length of the longest download, in minutes"},
      {"streamd", "render_program", [](Config& c) -> std::string& { return c.streamd.render_program; },
       path_or_empty(),
       "auralis-render's file, which renders downloads. Empty: the one beside streamd; without it none are "
       "offered"},
  };
}

std::vector<ConfigKey> permission_keys() {
  return {
      {"streamd", "allowed_origins", [](Config& c) -> std::string& { return c.streamd.allowed_origins; },
       origin_list(),
       "Origins, besides streamd's own, whose pages may use the WebSocket and change the music; *: any. "
       "Clients "
       "that send no Origin, such as programs and <audio> elements, are not checked"},
      {"streamd", "ticket_key_file", [](Config& c) -> std::string& { return c.streamd.ticket_key_file; },
       path_or_empty(),
       "File of the key that auralis-ticket signs tickets with; listeners need a ticket then. Empty: "
       "everyone "
       "may listen"},
      {"streamd", "token_file", [](Config& c) -> std::string& { return c.streamd.token_file; },
       path_or_empty(),
       "File of the operators' token (Authorization: Bearer). Empty: operators' requests are refused"},
      {"streamd", "control_by",
       ConfigKey::ChoiceField{
           [](const Config& c) { return choice_name(kControlByChoices, c.streamd.control_by); },
           [](Config& c, std::string_view name) {
             c.streamd.control_by = choice_named<ControlBy>(kControlByChoices, name);
           }},
       one_of_names(kControlByChoices),
       "Clients that may change the music of stations that are open to changes. With operators, requests "
       "must present "
       "the token of token_file, which must be given"},
  };
}

}  // namespace

std::vector<ConfigKey> streamd_keys() {
  std::vector<ConfigKey> all;
  for (const auto& group :
       {serving_keys(), delivery_keys(), limit_keys(), download_keys(), permission_keys()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace auralis
