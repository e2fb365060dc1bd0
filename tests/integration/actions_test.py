# SPDX-License-Identifier: MIT
"""The log and the metrics say why a listener is gone, and the log who changed the music."""

import json
import socket
import struct
import time

import pytest

from auralis import eventually
from raw_listener import RawListener

TOKEN = "a-token-of-24-characters"


@pytest.fixture(scope="module", autouse=True)
def _operators(stack, tmp_path_factory):
    token_file = tmp_path_factory.mktemp("secrets") / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    stack.restart_streamd({"AURALIS_STREAMD_TOKEN_FILE": str(token_file)})


def records(stack, message):
    """What streamd logged with that message, as dictionaries."""
    lines = (line for line in stack.daemons["streamd"].log().splitlines() if line.startswith("{"))
    return [record for record in map(json.loads, lines) if record["message"] == message]


def total(stack, message, reason):
    return sum(record["count"] for record in records(stack, message) if record["reason"] == reason)


def gone(stack, reason):
    return [record for record in records(stack, "listener gone") if record["reason"] == reason]


def test_a_listener_that_closes_its_connection_is_a_client_that_left(stack, listen):
    before = stack.metric("websocket_disconnections_total", reason="client")
    listener = listen()
    listener.wait_for_more(3)
    listener.close()
    eventually(lambda: gone(stack, "client"), "a line in the log")
    assert stack.metric("websocket_disconnections_total", reason="client") == before + 1
    record = gone(stack, "client")[-1]
    assert record["station"] == "default" and record["format"] == "auralis.json.v1"
    assert record["chunks"] >= 3 and record["dropped"] >= 0 and record["seconds"] >= 0


def test_a_connection_that_breaks_is_a_reset(stack, connect_raw):
    before = stack.metric("websocket_disconnections_total", reason="reset")
    listener = connect_raw()
    assert listener.status == 101
    listener.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    listener._file.close()
    listener.connection.close()
    eventually(lambda: gone(stack, "reset"), "a line in the log")
    assert stack.metric("websocket_disconnections_total", reason="reset") == before + 1


def test_the_log_names_who_changed_the_music_and_what(stack, listen):
    listener = listen()
    listener.wait_for_more(1)
    listener.send({"type": "update_params", "parameters": {"pads": False, "bpm": 71}})
    eventually(lambda: records(stack, "music changed"), "a line in the log")
    record = records(stack, "music changed")[-1]
    assert record["station"] == "default" and record["change"] == "bpm=71 pads=off"
    assert record["actor"].startswith("client-") and "127.0.0.1" not in json.dumps(record)

    change = json.dumps({"type": "update_params", "parameters": {"bpm": 72}})
    answer = stack.http("POST", "/api/control", change, {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status in (200, 202), answer
    eventually(lambda: len(records(stack, "music changed")) == 2, "a second line")
    assert records(stack, "music changed")[-1]["actor"] == "operator"


def test_no_secret_is_logged(stack):
    assert TOKEN not in stack.daemons["streamd"].log()


def test_a_failed_operator_call_is_a_line_with_its_reason_and_without_the_token(stack):
    for _ in range(5):
        answer = stack.http("GET", "/api/listeners", headers={"Authorization": "Bearer not-the-token-of-24-chars"})
        assert answer.status == 401
    eventually(lambda: total(stack, "operator calls refused", "token") == 5, "five calls in the log")
    record = records(stack, "operator calls refused")[-1]
    assert record["level"] == "warning" and record["last"].startswith("client-")
    assert "not-the-token" not in stack.daemons["streamd"].log()

    change = json.dumps({"station": "none", "type": "update_params", "parameters": {"bpm": 72}})
    stack.http("POST", "/api/control", change, {"Authorization": f"Bearer {TOKEN}"})
    eventually(lambda: total(stack, "operator calls refused", "unknown_station") == 1, "the failed call in the log")
    assert records(stack, "operator calls refused")[-1]["last"] == "operator"


def test_refused_connections_are_counted_in_the_log_by_reason(stack):
    for _ in range(30):
        assert stack.refused_upgrade("/ws/stream?station=none").status == 404
    eventually(lambda: total(stack, "connections refused", "station") == 30, "thirty refusals in the log")
    lines = [record for record in records(stack, "connections refused") if record["reason"] == "station"]
    assert all(record["level"] == "warning" and record["last"].startswith("client-") for record in lines)


def test_a_wave_of_listeners_is_a_few_lines_that_count_them_all(stack, many_descriptors):
    before = stack.metric("websocket_connections_total")
    begin = time.monotonic()
    raw = [RawListener(stack) for _ in range(200)]
    connecting_s = time.monotonic() - begin
    assert all(listener.status == 101 for listener in raw)

    def logged(single, others):
        return len(records(stack, single)) + sum(record["count"] for record in records(stack, others))

    # A listener reads 101 before streamd has counted it, so the total is read again with every look at the log.
    def all_in_the_log(single, others):
        return logged(single, others) == stack.metric("websocket_connections_total")

    eventually(lambda: stack.metric("websocket_connections_total") >= before + len(raw), "all counted")
    eventually(lambda: all_in_the_log("listener connected", "more listeners connected"), "all in the log")
    for listener in raw:
        listener.close()
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "all gone")
    eventually(lambda: all_in_the_log("listener gone", "more listeners gone"), "all in the log")
    # At most 20 lines a second are of a single listener.
    assert len(records(stack, "listener connected")) <= 20 * (connecting_s + 2)
