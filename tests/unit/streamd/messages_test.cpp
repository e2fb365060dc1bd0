// SPDX-License-Identifier: MIT
#include "streamd/messages.h"

#include <doctest/doctest.h>

#include <cmath>

#include <nlohmann/json.hpp>

namespace auralis {
namespace {

// The code of the refusal, or "" if the message was accepted.
std::string refusal(std::string_view text) {
  const ClientMessage message = parse_client_message(text);
  const auto* error = std::get_if<MessageError>(&message);
  return error != nullptr ? error->code : "";
}

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

TEST_CASE("a playback report is bounded") {
  const auto report = std::get<PlaybackReport>(
      parse_client_message(R"({"type":"playback_report","latency_ms":180.5,"buffer_ms":200})"));
  CHECK(report.latency_ms == 180.5);
  CHECK(report.buffer_ms == 200);
  CHECK(refusal(R"({"type":"playback_report","latency_ms":60001,"buffer_ms":0})") == "bad_field");
  CHECK(refusal(R"({"type":"playback_report","latency_ms":1,"buffer_ms":-1})") == "bad_field");
  CHECK(refusal(R"({"type":"playback_report","latency_ms":1})") == "bad_field");
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
}  // namespace auralis
