// SPDX-License-Identifier: MIT
#include "streamd/api/messages.h"

#include <doctest/doctest.h>

#include <cmath>

#include <nlohmann/json.hpp>

#include "tests/unit/streamd/api/refusal.h"

namespace auralis::messages_test {
namespace {

using test::refusal;

std::string sentence(std::string_view text) {
  return std::get<MessageError>(parse_client_message(text)).message;
}

TEST_CASE("a change of parameters touches what it names and nothing else") {
  const auto patch = std::get<ParameterPatch>(parse_client_message(
      R"({"type":"update_params","parameters":{"key":"F#","mode":"lydian","bpm":90,"kicks":false}})"));
  MusicParameters before;
  before.intensity = 0.7F;
  before.voices = 0b1101;
  const MusicParameters after = patch.applied_to(before);
  CHECK(after.key == 6);
  CHECK(after.mode == Mode::kLydian);
  CHECK(after.bpm == 90.0F);
  CHECK(after.voices == 0b1001);
  CHECK(after.intensity == 0.7F);
}

TEST_CASE("a voice group can be switched on") {
  const auto patch = std::get<ParameterPatch>(
      parse_client_message(R"({"type":"update_params","parameters":{"melody":true}})"));
  MusicParameters off;
  off.voices = 0;
  CHECK(patch.applied_to(off).voices == 0b0010);
}

TEST_CASE("the bounds of a number are allowed, what lies beyond is refused") {
  const auto bpm = [](const char* value) {
    return refusal(std::string(R"({"type":"update_params","parameters":{"bpm":)") + value + "}}");
  };
  CHECK(bpm("40") == "");
  CHECK(bpm("120") == "");
  CHECK(bpm("39.999") == "bad_field");
  CHECK(bpm("120.001") == "bad_field");
  CHECK(bpm("1e999") != "");
  CHECK(bpm("\"60\"") == "bad_field");
  CHECK(bpm("null") == "bad_field");
}

TEST_CASE("a refusal names the field and what is allowed") {
  CHECK(sentence(R"({"type":"update_params","parameters":{"bpm":10}})") ==
        "The field bpm is 10; it must be a number from 40 to 120.");
  CHECK(sentence(R"({"type":"update_params","parameters":{"mode":"blues"}})") ==
        "The field mode must be one of: aeolian, dorian, phrygian, lydian, ionian, mixolydian.");
}

TEST_CASE("what is not a JSON object is bad_json") {
  for (const char* text : {"", "{", "[]", "7", "\"x\"", "null", "\xff\xfe", "{\"type\":\"ping\",}"}) {
    CAPTURE(text);
    CHECK(refusal(text) == "bad_json");
  }
}

TEST_CASE("an unknown type, field, parameter or preset is refused by its code") {
  CHECK(refusal("{}") == "unknown_type");
  CHECK(refusal(R"({"type":7})") == "unknown_type");
  CHECK(refusal(R"({"type":"dance"})") == "unknown_type");
  CHECK(refusal(R"({"type":"ping","client_time":1,"x":2})") == "bad_field");
  CHECK(refusal(R"({"type":"update_params"})") == "bad_field");
  CHECK(refusal(R"({"type":"update_params","parameters":{}})") == "bad_field");
  CHECK(refusal(R"({"type":"update_params","parameters":[]})") == "bad_field");
  CHECK(refusal(R"({"type":"update_params","parameters":{"volume":1}})") == "bad_field");
  CHECK(refusal(R"({"type":"update_params","parameters":{"pads":1}})") == "bad_field");
  CHECK(refusal(R"({"type":"update_params","parameters":{"key":3}})") == "bad_field");
  CHECK(refusal(R"({"type":"select_preset","preset":"disco"})") == "unknown_preset");
  CHECK(refusal(R"({"type":"select_preset"})") == "bad_field");
  CHECK(refusal(R"({"type":"select_preset","preset":7})") == "bad_field");
  CHECK(refusal(R"({"type":"ping"})") == "bad_field");
}

TEST_CASE("a pong returns the client's time as it came, and the server's") {
  const auto ping = std::get<Ping>(parse_client_message(R"({"type":"ping","client_time":1700000000.123})"));
  const auto pong = nlohmann::json::parse(pong_message(ping, 5.5));
  CHECK(pong == nlohmann::json{{"type", "pong"}, {"client_time", 1700000000.123}, {"server_time", 5.5}});
}

TEST_CASE("a listener asks for its station's status") {
  CHECK(std::holds_alternative<StatusRequest>(parse_client_message(R"({"type":"status"})")));
  CHECK(refusal(R"({"type":"status","station":"night"})") == "bad_field");
}

TEST_CASE("a listener's queue is told what to do, one thing or several at once") {
  const auto control = [](std::string_view text) {
    return std::get<BufferControl>(parse_client_message(text));
  };
  const auto age = control(R"({"type":"buffer_control","max_backlog_ms":200})");
  CHECK(age.max_backlog_ms == 200);
  CHECK_FALSE(age.flush);
  CHECK_FALSE(age.format);
  CHECK(control(R"({"type":"buffer_control","max_backlog_ms":10000.0})").max_backlog_ms == 10'000);
  const auto flush = control(R"({"type":"buffer_control","flush":true})");
  CHECK(flush.flush);
  CHECK_FALSE(flush.max_backlog_ms);
  const auto all =
      control(R"({"type":"buffer_control","format":"auralis.pcm.v1","max_backlog_ms":500,"flush":true})");
  CHECK(all.format == WireFormat::kPcm);
  CHECK(all.max_backlog_ms == 500);
  CHECK(all.flush);
}

TEST_CASE("a listener may ask for every format by the name of its subprotocol") {
  for (std::size_t i = 0; i < kSubprotocols.size(); ++i) {
    const nlohmann::json message{{"type", "buffer_control"}, {"format", kSubprotocols[i]}};
    const auto control = std::get<BufferControl>(parse_client_message(message.dump()));
    CHECK(control.format == static_cast<WireFormat>(i));
  }
}

TEST_CASE("what cannot be done with a queue is refused") {
  const auto control = [](const std::string& fields) {
    return refusal(R"({"type":"buffer_control")" + fields + "}");
  };
  for (const char* fields :
       {"", R"(,"max_backlog_ms":199)", R"(,"max_backlog_ms":10001)", R"(,"max_backlog_ms":500.5)",
        R"(,"max_backlog_ms":"500")", R"(,"max_backlog_ms":null)", R"(,"max_backlog_ms":1e300)",
        R"(,"flush":false)", R"(,"flush":1)", R"(,"flush":null)", R"(,"format":"auralis.flac.v1")",
        R"(,"format":1)", R"(,"format":null)", R"(,"flush":true,"x":1)"}) {
    CAPTURE(fields);
    CHECK(control(fields) == "bad_field");
  }
  CHECK(sentence(R"({"type":"buffer_control","max_backlog_ms":500.5})") ==
        "The field max_backlog_ms is 500.5; it must be an integer from 200 to 10000.");
  CHECK(sentence(R"({"type":"buffer_control"})") ==
        "The message must have at least one of the fields: max_backlog_ms, flush, format.");
}

TEST_CASE("a listener goes to another station by its name or by a query, with a ticket if it has one") {
  const auto subscribe = [](std::string_view text) {
    return std::get<Subscribe>(parse_client_message(text));
  };
  const auto named = subscribe(R"({"type":"subscribe","station":"night","ticket":"abc"})");
  CHECK(named.station == "night");
  CHECK_FALSE(named.query);
  CHECK(named.ticket == "abc");
  const auto asked = subscribe(R"({"type":"subscribe","query":"station=new&preset=sleep&seed=42"})");
  CHECK(asked.query == "station=new&preset=sleep&seed=42");
  CHECK_FALSE(asked.station);
  CHECK_FALSE(asked.ticket);
  CHECK(subscribe(R"({"type":"subscribe","query":""})").query == "");
}

TEST_CASE("a subscription that names no station, or two, is refused") {
  CHECK(sentence(R"({"type":"subscribe"})") == "The message must have one of the fields: station, query.");
  CHECK(refusal(R"({"type":"subscribe","ticket":"abc"})") == "bad_field");
  CHECK(refusal(R"({"type":"subscribe","station":"night","query":"station=day"})") == "bad_field");
  CHECK(refusal(R"({"type":"subscribe","station":null})") == "bad_field");
  CHECK(refusal(R"({"type":"subscribe","query":7})") == "bad_field");
  CHECK(refusal(R"({"type":"subscribe","station":"night","ticket":7})") == "bad_field");
  CHECK(refusal(R"({"type":"subscribe","station":"night","seed":7})") == "bad_field");
}

TEST_CASE("a message of every type is known by it, and a refused one by the type that it had") {
  for (const char* fields : {R"("type":"update_params","parameters":{"bpm":60})",
                             R"("type":"select_preset","preset":"focus")", R"("type":"ping","client_time":1)",
                             R"("type":"playback_report","latency_ms":1,"buffer_ms":1)", R"("type":"status")",
                             R"("type":"buffer_control","flush":true)", R"("type":"subscribe","query":"")"}) {
    const std::string text = "{" + std::string(fields) + "}";
    const ClientMessage message = parse_client_message(text);
    CHECK_FALSE(std::holds_alternative<MessageError>(message));
    CHECK(type_of(message) == nlohmann::json::parse(text)["type"].get<std::string>());
  }
  CHECK(type_of(parse_client_message(R"({"type":"subscribe"})")) == "subscribe");
  CHECK(type_of(parse_client_message("{}")).empty());
}

TEST_CASE("a refusal names the type of the message that it answers, where that is known") {
  const auto in_reply_to = [](std::string_view text) {
    return std::get<MessageError>(parse_client_message(text)).in_reply_to;
  };
  CHECK(in_reply_to(R"({"type":"ping"})") == "ping");
  CHECK(in_reply_to(R"({"type":"update_params","parameters":{"bpm":1}})") == "update_params");
  CHECK(in_reply_to(R"({"type":"other"})").empty());
  CHECK(in_reply_to("{").empty());
  const auto error = std::get<MessageError>(parse_client_message(R"({"type":"ping"})"));
  CHECK(nlohmann::json::parse(error_message(error))["in_reply_to"] == "ping");
}

TEST_CASE("a control request is a change of parameters and nothing else") {
  CHECK(std::holds_alternative<PresetChoice>(
      parse_change_request(R"({"type":"select_preset","preset":"sleep"})").message));
  const auto error =
      std::get<MessageError>(parse_change_request(R"({"type":"ping","client_time":1})").message);
  CHECK(error.code == "unknown_type");
  CHECK(error.message == "The field type must be one of: update_params, select_preset.");
  const auto named = parse_change_request(R"({"type":"select_preset","preset":"sleep","station":"night"})");
  CHECK(std::holds_alternative<PresetChoice>(named.message));
  CHECK(named.station == "night");
  const auto numbered = parse_change_request(R"({"type":"select_preset","preset":"sleep","station":7})");
  CHECK(std::get<MessageError>(numbered.message).code == "bad_field");
  // A listener's message is to its own station.
  const auto sent = parse_client_message(R"({"type":"select_preset","preset":"sleep","station":"night"})");
  CHECK(std::get<MessageError>(sent).code == "bad_field");
}

TEST_CASE("a status tells what is in force, what was asked for, and the preset that it equals") {
  StationStatus status;
  status.station = "default";
  status.in_force.bpm = 50;
  status.target = find_preset("sleep")->parameters;
  status.request = 3;
  status.open = true;
  status.seed = 7;
  status.sample_index = 44'100;
  const auto json = nlohmann::json::parse(status_message(status, {Timeline{}, 2, 9.0}, "auralis.pcm.v1"));
  CHECK(json["type"] == "status");
  CHECK(json["parameters"]["bpm"] == 50);
  CHECK(json["target"]["key"] == "E");
  CHECK(json["target"]["mode"] == "phrygian");
  CHECK(json["preset"] == "sleep");
  CHECK(json["request"] == 3);
  CHECK(json["listeners"] == 2);
  CHECK(json["protocol"] == "auralis.pcm.v1");
  CHECK(json["chunk_ms"] == 100);
  CHECK(json["personal"] == false);
  CHECK(json["open"] == true);
  CHECK(json["seed"] == 7);
  CHECK(json["sample_index"] == 44'100);
}

TEST_CASE("a warning says which chunk it is about, and what came of it") {
  const auto underrun = nlohmann::json::parse(underrun_message(7));
  CHECK(underrun["type"] == "warning");
  CHECK(underrun["code"] == "underrun");
  CHECK(underrun["seq"] == 7);
  CHECK(nlohmann::json::parse(skipped_message(8))["code"] == "skipped");
  const auto stepped_down = nlohmann::json::parse(stepped_down_message(9, WireFormat::kPcm));
  CHECK(stepped_down["type"] == "warning");
  CHECK(stepped_down["code"] == "stepped_down");
  CHECK(stepped_down["seq"] == 9);
  CHECK(stepped_down["format"] == "auralis.pcm.v1");
  CHECK_FALSE(stepped_down["message"].get<std::string>().empty());
}

TEST_CASE("a listener that changed its station is told which it is, and where it begins") {
  CHECK(nlohmann::json::parse(subscribed_message("night", 1'234)) ==
        nlohmann::json{{"type", "subscribed"}, {"station", "night"}, {"seq", 1'234}});
}

TEST_CASE("a buffer status tells how a queue stands, and leaves out a round trip that is not known") {
  BufferStatus status{WireFormat::kPcm, 3, 52'992, 204.123456, 2'000, 600, 4, 12.5, 1700000000.5};
  CHECK(nlohmann::json::parse(buffer_status_message(status)) ==
        nlohmann::json{{"type", "buffer_status"},
                       {"format", "auralis.pcm.v1"},
                       {"queued", 3},
                       {"queued_bytes", 52'992},
                       {"backlog_ms", 204.123},
                       {"max_backlog_ms", 2'000},
                       {"sent", 600},
                       {"dropped", 4},
                       {"rtt_ms", 12.5},
                       {"server_time", 1700000000.5}});
  status.rtt_ms.reset();
  CHECK_FALSE(nlohmann::json::parse(buffer_status_message(status)).contains("rtt_ms"));
}

TEST_CASE("a listener is warned before the server stops, and told when to come back") {
  const auto warning = nlohmann::json::parse(shutdown_warning_message({5'000, 1'500}));
  CHECK(warning["type"] == "shutdown_warning");
  CHECK(warning["reason"] == "stopping");
  CHECK(warning["closes_in_ms"] == 5'000);
  CHECK(warning["reconnect_after_ms"] == 1'500);
  CHECK_FALSE(warning["message"].get<std::string>().empty());
}

TEST_CASE("operators are told of every listener, whatever its address is made of") {
  CHECK(nlohmann::json::parse(listeners_body({})) == nlohmann::json{{"listeners", nlohmann::json::array()}});
  const ListenerReport known{17,     "192.0.2.7", "night", "auralis.pcm.v1", "websocket", 12.5,        2,
                             35'328, 90,          1,       1'600'000,        8.25,        1700000000.5};
  ListenerReport unknown;
  unknown.id = 18;
  unknown.address = "\xff";
  unknown.playback = PlaybackReport{{}, 240};
  unknown.playback->way = PlayerWay::kElement;
  const auto listeners = nlohmann::json::parse(listeners_body({known, unknown}))["listeners"];
  CHECK(listeners[0] == nlohmann::json{{"id", 17},
                                       {"address", "192.0.2.7"},
                                       {"station", "night"},
                                       {"format", "auralis.pcm.v1"},
                                       {"transport", "websocket"},
                                       {"backlog_ms", 12.5},
                                       {"queued", 2},
                                       {"queued_bytes", 35'328},
                                       {"sent", 90},
                                       {"dropped", 1},
                                       {"bytes", 1'600'000},
                                       {"rtt_ms", 8.25},
                                       {"since", 1700000000.5}});
  CHECK(listeners[1]["id"] == 18);
  CHECK_FALSE(listeners[1].contains("rtt_ms"));
  CHECK(listeners[1]["playback"] == nlohmann::json{{"buffer_ms", 240}, {"way", "element"}});
}

TEST_CASE("a parameter is printed with its own digits") {
  StationStatus status;
  status.target.intensity = 0.3F;
  CHECK(status_message(status, {}, "").find("\"intensity\":0.3,") != std::string::npos);
}

TEST_CASE("a control is kept to a millionth, and a zero has no sign") {
  const auto intensity = [](const std::string& number) {
    const auto message =
        parse_client_message(R"({"type":"update_params","parameters":{"intensity":)" + number + "}}");
    return std::get<ParameterPatch>(message).numbers[1].value();
  };
  CHECK(intensity("0.1234564") == 0.123456F);
  CHECK(intensity("1e-30") == 0);
  CHECK_FALSE(std::signbit(intensity("-0.0")));
  CHECK_FALSE(std::signbit(intensity("-0")));
}

TEST_CASE("bytes that are no text are no reason to fail") {
  const std::string answer = error_message({"bad_query", "\xff is given twice", {}});
  CHECK(nlohmann::json::parse(answer)["code"] == "bad_query");
}

TEST_CASE("every preset can be chosen by the name that the list gives") {
  const auto presets = nlohmann::json::parse(presets_body())["presets"];
  CHECK(presets.size() == 4);
  for (const auto& preset : presets) {
    const auto choice = std::get<PresetChoice>(
        parse_client_message(nlohmann::json{{"type", "select_preset"}, {"preset", preset["name"]}}.dump()));
    CHECK(choice.preset->name == preset["name"].get<std::string>());
  }
}

}  // namespace
}  // namespace auralis::messages_test
