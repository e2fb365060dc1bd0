# SPDX-License-Identifier: MIT
"""Changes of the music take effect, invalid messages are refused with a code, and none ends a connection or the daemon."""

import json
import time

import pytest

from auralis import eventually, raw_request
from listener import JSON, PCM, Listener

MAX_MESSAGE_BYTES = 4_096

# Refusals here are for the content, not for the rate.
SETTINGS = {"AURALIS_STREAMD_MESSAGES_PER_SECOND": "1000", "AURALIS_STREAMD_CHANGES_PER_SECOND": "100"}

PRESETS = ["focus", "meditation", "sleep", "bright"]
PARAMETERS = {
    "key", "mode", "bpm", "intensity", "melody_complexity", "chord_progression_variety", "harmonic_density",
    "pads", "melody", "kicks", "swells",
}  # fmt: skip


def update(**parameters):
    return {"type": "update_params", "parameters": parameters}


def preset(name):
    return {"type": "select_preset", "preset": name}


def report(latency_ms=250, buffer_ms=300, **events):
    return {"type": "playback_report", "latency_ms": latency_ms, "buffer_ms": buffer_ms, **events}


# Message, and the code of the refusal; two codes if the protocol leaves it open.
REFUSED = [
    ("", "bad_json"),
    ("music, please", "bad_json"),
    ("[]", "bad_json"),
    ("42", "bad_json"),
    ("null", "bad_json"),
    ('{"type":"ping","client_time":1', "bad_json"),
    ('{"type":"ping","client_time":1} trailing', "bad_json"),
    ("[" * 4_000, "bad_json"),
    ('{"a":' * 800, "bad_json"),
    ('{"type":"update_params","parameters":{"bpm":NaN}}', "bad_json"),
    ('{"type":"update_params","parameters":{"bpm":Infinity}}', "bad_json"),
    ('{"type":"update_params","parameters":{"bpm":1e999}}', "bad_json bad_field"),
    ('{"type":"update_params","parameters":{"intensity":-1e999}}', "bad_json bad_field"),
    ({}, "unknown_type"),
    ({"type": 5}, "unknown_type"),
    ({"type": None}, "unknown_type"),
    ({"type": "dance"}, "unknown_type"),
    ({"type": "accepted"}, "unknown_type"),
    ({"type": "status", "station": "default"}, "bad_field"),
    ({"type": "buffer_control"}, "bad_field"),
    ({"type": "buffer_control", "max_backlog_ms": 199}, "bad_field"),
    ({"type": "buffer_control", "max_backlog_ms": 10_001}, "bad_field"),
    ({"type": "buffer_control", "flush": False}, "bad_field"),
    ({"type": "buffer_control", "format": "auralis.flac.v1"}, "bad_field"),
    ({"type": "subscribe"}, "bad_field"),
    ({"type": "subscribe", "station": "default", "query": "station=new"}, "bad_field"),
    ({"type": "subscribe", "station": 1}, "bad_field"),
    ({"type": "update_params"}, "bad_field"),
    ({"type": "update_params", "parameters": [60]}, "bad_field"),
    ({"type": "update_params", "parameters": {}}, "bad_field"),
    ({**update(bpm=60), "station": "default"}, "bad_field"),
    (update(volume=1), "bad_field"),
    (update(bpm="60"), "bad_field"),
    (update(bpm=None), "bad_field"),
    (update(bpm=[60]), "bad_field"),
    (update(bpm=True), "bad_field"),
    (update(bpm=39.99), "bad_field"),
    (update(bpm=120.01), "bad_field"),
    (update(bpm=10**30), "bad_field"),
    (update(intensity=-0.01), "bad_field"),
    (update(melody_complexity=1.01), "bad_field"),
    (update(chord_progression_variety=2), "bad_field"),
    (update(harmonic_density=-1), "bad_field"),
    (update(pads=1), "bad_field"),
    (update(kicks="on"), "bad_field"),
    (update(key="H"), "bad_field"),
    (update(key=2), "bad_field"),
    (update(mode="locrian"), "bad_field"),
    (update(intensity=0.5, mode="Dorian"), "bad_field"),
    ({"type": "ping"}, "bad_field"),
    ({"type": "ping", "client_time": "now"}, "bad_field"),
    ({"type": "playback_report", "latency_ms": 100}, "bad_field"),
    (report(latency_ms="100"), "bad_field"),
    (report(latency_ms=60_000.1), "bad_field"),
    (report(latency_ms=-1_000.1), "bad_field"),
    (report(buffer_ms=-1), "bad_field"),
    (report(underruns=-1), "bad_field"),
    (report(gaps=1.5), "bad_field"),
    (report(skips=1_000_001), "bad_field"),
    (report(glitches=1), "bad_field"),
    (preset("disco"), "unknown_preset"),
    (preset(""), "unknown_preset"),
    (preset(3), "bad_field"),
    ({"type": "select_preset"}, "bad_field"),
    ({**preset("focus"), "fade": 3}, "bad_field"),
    (json.dumps(update(bpm=60)).encode(), "not_text"),
    (b"\0\xff", "not_text"),
]


def confirmed(listener, request):
    """The first status in which that request is in force."""
    return eventually(
        lambda: [status for status in listener.texts("status") if status["request"] >= request], f"request {request}"
    )[0]


def assert_alive(listener):
    before = time.time()
    pong = listener.ask({"type": "ping", "client_time": 12.5})
    assert pong["type"] == "pong", pong
    assert pong["client_time"] == 12.5
    # Both are clocks of this machine.
    assert before - 1 < pong["server_time"] < time.time() + 1


def test_a_change_is_accepted_and_confirmed_to_all(listen):
    listeners = [listen(PCM), listen(JSON), listen()]
    wanted = {"intensity": 0.875, "melody_complexity": 1, "kicks": False}
    answer = listeners[0].ask(update(**wanted))
    assert answer["type"] == "accepted"
    assert wanted.items() <= answer["target"].items()
    for listener in listeners:
        status = confirmed(listener, answer["request"])
        assert status["target"] == answer["target"]
        # Levels and switches are in force at once.
        assert wanted.items() <= status["parameters"].items()
        assert status["preset"] is None
    # Only the requesting listener gets a reply.
    assert [len(listener.texts("accepted")) for listener in listeners] == [1, 0, 0]


def test_a_preset_is_accepted_and_confirmed_to_all(listen):
    listeners = [listen(PCM), listen(JSON)]
    previous = 0
    for name in ("bright", "sleep"):
        answer = listeners[1].ask(preset(name))
        assert answer["type"] == "accepted"
        assert answer["request"] > previous
        previous = answer["request"]
        for listener in listeners:
            assert confirmed(listener, answer["request"])["preset"] == name


def test_key_mode_and_tempo_come_into_force_as_well(listen):
    listener = listen(PCM)
    answer = listener.ask(update(key="F#", mode="mixolydian", bpm=120))
    confirmed(listener, answer["request"])
    status = eventually(
        lambda: [status for status in listener.texts("status") if status["parameters"] == answer["target"]],
        "the next bar",
    )[0]
    assert (status["parameters"]["key"], status["parameters"]["mode"], status["parameters"]["bpm"]) == (
        "F#",
        "mixolydian",
        120,
    )


@pytest.mark.parametrize("parameters", [{"bpm": 40}, {"bpm": 120}, {"intensity": 0}, {"intensity": 1}, {"key": "A#"}])
def test_the_ends_of_a_range_belong_to_it(listen, parameters):
    assert listen(PCM).ask(update(**parameters))["type"] == "accepted"


@pytest.fixture(scope="module")
def stubborn(stack):
    """One listener that sends all the invalid messages."""
    listener = Listener(stack.stream_url(), PCM)
    yield listener
    listener.close()


@pytest.mark.parametrize("message, codes", REFUSED, ids=[str(message)[:60] or "empty" for message, _ in REFUSED])
def test_invalid_messages_are_refused_with_a_code_and_the_connection_stays(stubborn, message, codes):
    time.sleep(0.005)  # two messages a test are less than 1,000 a second, on any machine
    answer = stubborn.ask(message)
    assert answer["type"] == "error"
    assert answer["code"] in codes.split()
    assert set(answer) - {"in_reply_to"} == {"type", "code", "message"}
    assert answer["message"].endswith(".")
    assert_alive(stubborn)


def test_refused_parameters_change_nothing(stack, stubborn):
    before = json.loads(stack.http("GET", "/api/status").text)["stations"][0]["request"]
    assert stubborn.ask(update(intensity=0.125, bpm=1))["type"] == "error"
    accepted = stubborn.ask(update(swells=True))
    assert accepted["request"] == before + 1
    assert accepted["target"]["intensity"] != 0.125


def test_a_refusal_says_what_is_expected(stubborn):
    message = stubborn.ask(update(bpm=200))["message"]
    assert all(part in message for part in ("bpm", "200", "40", "120"))
    message = stubborn.ask(preset("disco"))["message"]
    assert all(name in message for name in PRESETS)


def test_a_message_has_at_most_4096_bytes(listen):
    listener = listen(PCM)
    ping = '{"type":"ping","client_time":1}'
    assert listener.ask(ping.ljust(MAX_MESSAGE_BYTES))["type"] == "pong"
    listener.send(ping.ljust(MAX_MESSAGE_BYTES + 1))
    listener.wait_until_closed()
    assert listener.close_code == 1009


def test_only_known_subprotocols_are_served(stack, listen):
    before = stack.scrape()
    assert stack.refused_upgrade("/ws/stream", "auralis.flac.v1").status == 400
    assert stack.refused_upgrade("/ws/other").status == 404
    assert stack.refused_upgrade("/").status == 404
    after = stack.scrape()
    name = "websocket_connections_rejected_total"
    assert after.value(name, reason="protocol") == before.value(name, reason="protocol") + 1
    assert after.value(name, reason="path") == before.value(name, reason="path") + 2

    listener = listen("auralis.flac.v1", PCM, JSON)
    assert listener.subprotocol == PCM


def test_playback_reports_are_counted_one_a_second(stack, listen):
    name = "audio_end_to_end_latency_ms"
    before = stack.scrape()
    listener = listen(PCM)
    burst = 5
    for _ in range(burst):
        listener.send(report(latency_ms=250, buffer_ms=90, underruns=1, gaps=2, skips=3))

    def counted():
        return stack.metric(f"{name}_count") - before.value(f"{name}_count")

    eventually(lambda: counted() + len(listener.texts("error")) == burst, "each is counted or refused")
    refused = listener.texts("error")
    assert {error["code"] for error in refused} == {"rate_limited"}
    assert counted() >= 1
    after = stack.scrape()

    def rise(metric):
        return after.value(metric) - before.value(metric)

    assert rise(f"{name}_sum") == (250 - 90) * counted()
    assert rise("auralis_player_buffer_ms_sum") == 90 * counted()
    events = [rise(f"auralis_player_{event}_total") for event in ("underruns", "gaps", "skips")]
    assert events == [counted(), 2 * counted(), 3 * counted()]


def test_the_api_shows_what_plays(stack, listen):
    answer = listen(PCM).ask(preset("meditation"))
    assert answer["type"] == "accepted"

    def in_force():
        body = json.loads(stack.http("GET", "/api/status").text)
        return body["stations"][0]["request"] >= answer["request"] and body

    body = eventually(in_force, "the preset in /api/status")
    assert set(body) == {"download_minutes", "places", "ready", "stations", "version"}
    assert body["ready"] is True
    (status,) = body["stations"]
    assert (status["station"], status["preset"]) == ("default", "meditation")
    assert set(status["parameters"]) == set(status["target"]) == PARAMETERS
    assert status["depth_ms"] > 0

    presets = json.loads(stack.http("GET", "/api/presets").text)["presets"]
    assert [entry["name"] for entry in presets] == PRESETS
    assert presets[1]["parameters"] == status["target"]


def test_the_api_obeys_as_a_listener_does(stack, listen):
    listener = listen(PCM)
    for message in (preset("bright"), update(bpm=80, pads=False)):
        answer = stack.http("POST", "/api/control", json.dumps(message))
        assert answer.status == 200
        accepted = json.loads(answer.text)
        assert accepted["type"] == "accepted"
        assert confirmed(listener, accepted["request"])["target"] == accepted["target"]


@pytest.mark.parametrize(
    "body, code",
    [
        ("", "bad_json"),
        ("{", "bad_json"),
        (json.dumps(preset("disco")), "unknown_preset"),
        (json.dumps(update(bpm=1)), "bad_field"),
        (json.dumps({"type": "ping", "client_time": 1}), "unknown_type"),
    ],
)
def test_the_api_refuses_as_a_listener_is_refused(stack, body, code):
    answer = stack.http("POST", "/api/control", body)
    assert answer.status == 400
    error = json.loads(answer.text)
    assert (error["type"], error["code"]) == ("error", code)


def test_the_player_is_served(stack):
    answer = stack.http("GET", "/")
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<html" in answer.text.lower()


def test_paths_and_methods(stack):
    for path in ("/healthz", "/readyz", "/api/status", "/api/presets"):
        assert stack.http("GET", path).status == 200
        wrong = stack.http("POST", path, "{}")
        assert (wrong.status, wrong.headers["Allow"]) == (405, "GET, HEAD")
        head = stack.http("HEAD", path)
        assert (head.status, head.text) == (200, "")
        assert int(head.headers["Content-Length"]) > 0
    wrong = stack.http("GET", "/api/control")
    assert (wrong.status, wrong.headers["Allow"]) == (405, "POST")
    for path in ("/nothing", "/api", "/api/", "/../etc/passwd", "/%2e%2e/etc/passwd", "/ws/stream/"):
        assert stack.http("GET", path).status == 404


def test_a_body_without_its_length_is_refused(stack):
    request = b"POST /api/control HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    assert raw_request(stack.stream_port, request).split(b" ")[1] == b"411"


@pytest.mark.parametrize(
    "data",
    [
        b"POST /api/control HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1_000_000,
        b"POST /api/control HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\nx",
        b"POST /api/control HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/control HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: " + b"y" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"\0" * 1_000 + b"\r\n\r\n",
    ],
    ids=["body", "huge length", "negative length", "no length", "header", "path", "tls", "zeros"],
)
def test_bytes_that_are_no_request_are_refused_without_harm(stack, stubborn, data):
    pid = stack.daemons["streamd"].pid
    reply = raw_request(stack.stream_port, data)
    assert reply == b"" or reply.split(b" ")[1].startswith(b"4")
    assert stack.daemons["streamd"].running() and stack.daemons["streamd"].pid == pid
    assert stack.http("GET", "/healthz").status == 200
    assert_alive(stubborn)
