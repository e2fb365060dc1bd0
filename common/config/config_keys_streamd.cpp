// SPDX-License-Identifier: MIT
#include "common/config/config_keys.h"
#include "common/config/config_rules.h"

namespace auralis {
namespace {

std::vector<ConfigKey> serving_keys() {
  return {
      {"streamd", "host", [](Config& c) -> std::string& { return c.streamd.host; }, host(),
       "Address that the player and the stream are served on"},
      {"streamd", "port", [](Config& c) -> std::int64_t& { return c.streamd.port; }, integer_from(1, 65'535),
       "TCP port of the player and the stream"},
      {"streamd", "tls_certificate", [](Config& c) -> std::string& { return c.streamd.tls_certificate; },
       path_or_empty(),
       "File of the certificate and those that lead to its authority, in PEM; with tls_key, the port speaks "
       "https and wss only. Empty: http and ws"},
      {"streamd", "tls_key", [](Config& c) -> std::string& { return c.streamd.tls_key; }, path_or_empty(),
       "File of the certificate's private key, in PEM; given with tls_certificate, or empty as that is"},
      {"streamd", "threads", [](Config& c) -> std::int64_t& { return c.streamd.threads; },
       integer_from(0, 64), "Threads that serve listeners; 0: one for each core but one, 8 at most"},
      {"streamd", "drain_ms", [](Config& c) -> std::int64_t& { return c.streamd.drain_ms; },
       integer_from(0, 30'000),
       "Time over which listeners are sent away when streamd stops, so that they do not all come back in one "
       "moment, in milliseconds"},
  };
}

std::vector<ConfigKey> delivery_keys() {
  return {
      {"streamd", "prefill_ms", [](Config& c) -> std::int64_t& { return c.streamd.prefill_ms; },
       integer_from(0, 1'000),
       "Past audio that a new listener is sent at once, in milliseconds; at most ring_ms - target_depth_ms - "
       "chunk_ms"},
      {"streamd", "max_backlog_ms", [](Config& c) -> std::int64_t& { return c.streamd.max_backlog_ms; },
       integer_from(200, 10'000),
       "Audio queued for a slow listener before chunks are dropped, in milliseconds"},
      // The least holds the longest prefill in the format that takes most, base64 at 48,000 Hz.
      {"streamd", "max_backlog_kb", [](Config& c) -> std::int64_t& { return c.streamd.max_backlog_kb; },
       integer_from(320, 65'536),
       "Bytes queued for a slow listener before chunks are dropped, whatever their age, in units of 1,024"},
      {"streamd", "opus_kbps", [](Config& c) -> std::int64_t& { return c.streamd.opus_kbps; },
       integer_from(6, 510), "Bit rate of Opus, in kilobits a second"},
      {"streamd", "encoding_threads", [](Config& c) -> std::int64_t& { return c.streamd.encoding_threads; },
       integer_from(0, 64),
       "Threads that encode Opus, ahead of time; 0: one for each core but one, 4 at most"},
  };
}

std::vector<ConfigKey> limit_keys() {
  return {
      {"streamd", "max_listeners", [](Config& c) -> std::int64_t& { return c.streamd.max_listeners; },
       integer_from(1, 60'000), "Listeners served at a time; more are refused"},
      {"streamd", "max_listeners_per_address",
       [](Config& c) -> std::int64_t& { return c.streamd.max_listeners_per_address; },
       integer_from(1, 60'000),
       "Listeners served at a time at one address, or in one /64 of IPv6; more are refused, and so are "
       "connections beyond 32 more than that. Loopback addresses are not limited, unless they are among "
       "trusted_proxies"},
      {"streamd", "max_opus_stations", [](Config& c) -> std::int64_t& { return c.streamd.max_opus_stations; },
       integer_from(0, 4'096),
       "Personal stations that are encoded in Opus at a time; more are to be had in PCM alone. 0: as many as "
       "encoding_threads encode in half of their time, less the configured stations, measured at each start"},
      {"streamd", "max_personal_stations_per_address",
       [](Config& c) -> std::int64_t& { return c.streamd.max_personal_stations_per_address; },
       integer_from(1, 4'096),
       "Personal stations that play at a time for listeners at one address, or in one /64 of IPv6, those "
       "that were left a moment ago included; more are refused. Loopback addresses are not limited, unless "
       "they are among trusted_proxies"},
      {"streamd", "trusted_proxies", [](Config& c) -> std::string& { return c.streamd.trusted_proxies; },
       network_list(),
       "Reverse proxies that are believed when they say whom they ask for, and whether by https "
       "(X-Forwarded-For, X-Forwarded-Proto)"},
      {"streamd", "handshakes_per_second",
       [](Config& c) -> std::int64_t& { return c.streamd.handshakes_per_second; }, integer_from(1, 100'000),
       "New connections a second, of all clients together; more are refused"},
      {"streamd", "handshakes_per_second_per_address",
       [](Config& c) -> std::int64_t& { return c.streamd.handshakes_per_second_per_address; },
       integer_from(1, 100'000),
       "New connections a second of one address, or of one /64 of IPv6, and twice as many at once after a "
       "pause; more are refused. Loopback addresses and trusted_proxies are not limited"},
      {"streamd", "tls_handshakes_per_second",
       [](Config& c) -> std::int64_t& { return c.streamd.tls_handshakes_per_second; },
       integer_from(1, 100'000),
       "TLS handshakes a second, of all clients together; more connections are closed before they begin. "
       "With a "
       "key of RSA 2048, 1,000 of them take more than half of a processor core"},
      {"streamd", "handshake_timeout_ms",
       [](Config& c) -> std::int64_t& { return c.streamd.handshake_timeout_ms; }, integer_from(100, 60'000),
       "Time that a connection has for its request, TLS included, before it is closed, in milliseconds"},
      {"streamd", "idle_timeout_s", [](Config& c) -> std::int64_t& { return c.streamd.idle_timeout_s; },
       integer_from(5, 3'600),
       "Time without any sign of life, such as the answer to a ping, before a listener is "
       "closed, in seconds"},
      {"streamd", "max_header_bytes", [](Config& c) -> std::int64_t& { return c.streamd.max_header_bytes; },
       integer_from(1'024, 65'536), "Length of a request's headers; longer ones are refused, in bytes"},
      {"streamd", "max_message_bytes", [](Config& c) -> std::int64_t& { return c.streamd.max_message_bytes; },
       integer_from(512, 65'536),
       "Length of a message or a body that a client sends; longer ones are refused, in bytes"},
      {"streamd", "messages_per_second",
       [](Config& c) -> std::int64_t& { return c.streamd.messages_per_second; }, integer_from(1, 1'000),
       "Messages a second that a listener may send; more are refused"},
      {"streamd", "changes_per_second",
       [](Config& c) -> std::int64_t& { return c.streamd.changes_per_second; }, integer_from(1, 100),
       "Changes of the music a second that a listener may ask for; more are refused"},
  };
}

std::vector<ConfigKey> permission_keys() {
  return {
      {"streamd", "allowed_origins", [](Config& c) -> std::string& { return c.streamd.allowed_origins; },
       origin_list(),
       "Sites whose pages may use the WebSocket and change the music, beside streamd's own; *: any. What is "
       "no page, such as a program or an <audio> element, names no site and is not asked"},
      {"streamd", "ticket_key_file", [](Config& c) -> std::string& { return c.streamd.ticket_key_file; },
       path_or_empty(),
       "File of the key that auralis-ticket signs tickets with; listeners need one then. Empty: anybody may "
       "listen"},
      {"streamd", "token_file", [](Config& c) -> std::string& { return c.streamd.token_file; },
       path_or_empty(),
       "File of the token that operators show (Authorization: Bearer). Empty: operators' calls are refused"},
      {"streamd", "control_by",
       ConfigKey::ChoiceField{
           [](const Config& c) { return choice_name(kControlByChoices, c.streamd.control_by); },
           [](Config& c, std::string_view name) {
             c.streamd.control_by = choice_named<ControlBy>(kControlByChoices, name);
           }},
       one_of_names(kControlByChoices),
       "Who may change the music of stations that are open to changes; operators, who need a token_file, "
       "show its token"},
  };
}

}  // namespace

std::vector<ConfigKey> streamd_keys() {
  std::vector<ConfigKey> all;
  for (const auto& group : {serving_keys(), delivery_keys(), limit_keys(), permission_keys()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

}  // namespace auralis
