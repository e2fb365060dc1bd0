# SPDX-License-Identifier: MIT
"""Limits on listeners, on what one of them sends, and on what is queued to it: beyond them streamd refuses or
disconnects, and keeps serving all others."""

import json
import socket
import struct
import time

import pytest

from auralis import eventually
from limits import (
    CONFIGURATION,
    MAX_HEADER_BYTES,
    MAX_LISTENERS,
    MAX_MESSAGE_BYTES,
    connect,
    cpu_seconds,
    rejected,
    resident_bytes,
)
from listener import JSON, OPUS, PCM, SMALL_BUFFER, Listener, gaps
from raw_listener import BINARY, CLOSE, PING, PONG, TEXT, masked_frame, upgrade_request

TOKEN = "operators-0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

pytestmark = pytest.mark.usefixtures("balanced")


def dropped(stack):
    return stack.metric("websocket_chunks_dropped_total", reason="backlog")


def test_listeners_beyond_the_limit_are_asked_to_come_later(stack, other, connect_raw):
    inside = [connect_raw() for _ in range(MAX_LISTENERS - 1)]
    assert {one.status for one in inside} == {101}
    before = rejected(stack, "limit")
    late = connect_raw()
    assert late.status == 503 and int(late.headers["Retry-After"]) > 0
    plain = stack.http("GET", "/listen/default.opus")
    assert plain.status == 503 and int(plain.headers["Retry-After"]) > 0
    assert rejected(stack, "limit") == before + 2
    inside[0].close()
    eventually(lambda: connect_raw().status == 101, "a permit that became free")


@pytest.mark.parametrize("step", [None, 100], ids=["at once", "in pieces"])
def test_a_head_that_is_too_long_is_refused(stack, other, step):
    def answer(size):
        head = upgrade_request("/ws/stream?station=none", {"X-Long": "x"})
        head = head.replace(b"X-Long: x", b"X-Long: " + b"x" * (size - len(head) + 1))
        assert len(head) == size
        with connect(stack) as connection:
            try:
                for begin in range(0, size, step or size):
                    connection.sendall(head[begin : begin + (step or size)])
            except ConnectionError:
                pass  # refused before the end; the response arrives nevertheless
            return connection.makefile("rb").readline().rstrip()

    assert answer(MAX_HEADER_BYTES) == b"HTTP/1.1 404 Not Found"
    assert answer(MAX_HEADER_BYTES + 1).startswith(b"HTTP/1.1 431 ")
    assert answer(20 * MAX_HEADER_BYTES).startswith(b"HTTP/1.1 431 ")


def test_a_message_that_is_too_long_ends_the_connection(stack, other, connect_raw):
    talker = connect_raw()
    talker.send(TEXT, b"x" * MAX_MESSAGE_BYTES)
    assert json.loads(talker.wait_for(TEXT))["type"] in ("status", "error")
    talker.send(TEXT, b"x" * (MAX_MESSAGE_BYTES + 1))
    assert talker.close_code() == 1009
    body = json.dumps({"preset": "x" * MAX_MESSAGE_BYTES})
    assert stack.http("POST", "/api/control", body).status == 413


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_a_flooding_listener_is_closed(stack, other, connect_raw, opcode):
    def refused():
        return stack.metric("auralis_control_messages_total", result="refused")

    before = refused()
    talker = connect_raw()
    talker.connection.sendall(masked_frame(opcode, b"{}") * 1_000)
    assert talker.close_code() == 1008
    assert refused() - before < 200, "not an answer to each"


def test_the_answer_to_a_body_that_is_too_long_ends_in_order(stack, other):
    body = b"x" * 500_000
    head = f"POST /api/control HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with connect(stack) as connection:
        connection.sendall(head + body)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 413 ") and answer.endswith(b"\n")
        other.wait_for_more(3)
        # On many systems a reset discards data not read yet.
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0


def test_nothing_follows_a_close_frame(stack, other, connect_raw):
    errors = stack.metric("websocket_send_errors_total")
    slow = connect_raw(receive_buffer=SMALL_BUFFER)
    eventually(lambda: stack.metric("auralis_chunks_queued") >= 3, "chunks that wait")
    slow.send(CLOSE, struct.pack("!H", 1000))
    opcodes = []
    while frame := slow.frame():
        opcodes.append(frame[0])
    assert opcodes[-1] == CLOSE and opcodes.count(CLOSE) == 1
    eventually(lambda: stack.metric("websocket_active_connections") == 1, "it is gone")
    assert stack.metric("websocket_send_errors_total") == errors


def test_messages_queued_while_streamd_is_stopped_are_no_flood(stack):
    streamd = stack.daemons["streamd"]
    listener = Listener(stack.stream_url(), PCM)
    listener.wait_for_more(3)
    messages = 60  # allowed in six seconds
    streamd.hang()
    try:
        for number in range(messages):
            listener.send({"type": "ping", "client_time": number})
        time.sleep(6)
    finally:
        streamd.go_on()
    eventually(lambda: len(listener.texts("pong", "error")) == messages, "an answer to each")
    assert listener.texts("error") == []
    listener.close()


def test_a_listeners_queue_is_bounded_in_bytes(stack, restart_streamd, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN)
    token_file.chmod(0o600)
    limit_kb = 320
    restart_streamd(
        {
            "AURALIS_STREAMD_MAX_BACKLOG_MS": "10000",
            "AURALIS_STREAMD_MAX_BACKLOG_KB": str(limit_kb),
            "AURALIS_STREAMD_TOKEN_FILE": str(token_file),
        }
    )
    live = Listener(stack.stream_url(), PCM)
    slow = Listener(stack.stream_url(), JSON, receive_buffer=SMALL_BUFFER)
    before_that = dropped(stack)
    slow.wait_for_more(3)
    slow.pause()
    eventually(lambda: dropped(stack) >= before_that + 3, "chunks left out")
    rows = json.loads(stack.http("GET", "/api/listeners", headers=BEARER).text)["listeners"]
    (row,) = [row for row in rows if row["format"] == JSON]
    assert limit_kb * 1_024 * 0.8 < row["queued_bytes"] <= limit_kb * 1_024
    assert row["backlog_ms"] < 10_000, "it is not their age"
    stack.check_books()
    slow.resume()
    eventually(lambda: slow.newest_seq >= live.newest_seq, "the live position")
    missing = sum(after - before - 1 for before, after in gaps(slow.chunks))
    assert missing == len(slow.warnings_of_streamd()) >= 3
    assert gaps(live.chunks) == []
    for one in (live, slow):
        one.close()


def test_a_slow_listener_that_knows_opus_gets_opus(stack, restart_streamd):
    restart_streamd({"AURALIS_STREAMD_MAX_BACKLOG_MS": "500"})
    live = Listener(stack.stream_url(), PCM)
    slow = Listener(stack.stream_url(), PCM, OPUS, receive_buffer=SMALL_BUFFER)
    stubborn = Listener(stack.stream_url(), PCM, receive_buffer=SMALL_BUFFER)
    for one in (slow, stubborn):
        one.wait_for_more(3)
        one.pause()
    def stepped_down():
        return stack.metric("auralis_listeners_stepped_down_total")

    before_that, dropped_before = stepped_down(), dropped(stack)
    eventually(lambda: stepped_down() == before_that + 1, "one stepped down")
    eventually(lambda: dropped(stack) >= dropped_before + 10, "both left behind")
    stack.check_books()
    for one in (slow, stubborn):
        one.resume()
        eventually(lambda: one.newest_seq >= live.newest_seq, "the live position")
    (warning,) = [warning for warning in slow.texts("warning") if warning["code"] == "stepped_down"]
    assert warning["format"] == OPUS
    told = slow.messages.index(warning)
    after = [chunk for chunk in slow.messages[told:] if not isinstance(chunk, dict)]
    assert after and all(chunk.packets and chunk.seq >= warning["seq"] for chunk in after)
    before = [chunk for chunk in slow.messages[:told] if not isinstance(chunk, dict)]
    assert before and all(chunk.pcm and chunk.seq < warning["seq"] for chunk in before)
    assert {warning["code"] for warning in stubborn.warnings_of_streamd()} == {"skipped"}
    assert all(chunk.pcm for chunk in stubborn.chunks)
    # A retry succeeds.
    assert slow.ask({"type": "buffer_control", "format": PCM})["format"] == PCM
    eventually(lambda: slow.chunks[-1].pcm, "PCM")
    assert stepped_down() == before_that + 1 and gaps(live.chunks) == []
    for one in (live, slow, stubborn):
        one.close()


def flood(connection, frames, other):
    """How many repeated bytes are read while the other listener hears three seconds."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL_BUFFER)
    connection.setblocking(False)
    sent, end = 0, len(other.chunks) + 30
    while len(other.chunks) < end:
        try:
            sent += connection.send(frames[sent % len(frames) :])
        except BlockingIOError:
            time.sleep(0.001)
    return sent


@pytest.mark.parametrize(
    "frame",
    [masked_frame(PING, b"p" * 125), masked_frame(PONG, b""), masked_frame(0, b"")],
    ids=["pings", "pongs", "continuations"],
)
def test_reads_are_throttled_for_a_client_that_sends_without_end(stack, other, connect_raw, frame):
    streamd = stack.daemons["streamd"]
    deaf = connect_raw(receive_buffer=SMALL_BUFFER)
    eventually(lambda: stack.metric("auralis_chunks_queued") >= 3, "a connection that is full")
    if frame[0] == 0x80:  # the first frame of a message that never ends
        deaf.connection.sendall(masked_frame(TEXT, b"x").replace(b"\x81", b"\x01", 1))
        frame = b"\x00" + frame[1:]
    before, cpu_before = resident_bytes(streamd), cpu_seconds(streamd)
    taken = flood(deaf.connection, frame * 10_000, other)
    # The kernel buffers some megabytes; an unthrottled streamd would read hundreds.
    assert taken < 10_000_000
    assert cpu_seconds(streamd) - cpu_before < 1
    assert resident_bytes(streamd) - before < 4_000_000
    assert stack.metric("websocket_active_connections") == 2


def test_a_plain_listener_that_sends_data_is_closed(stack, other):
    with connect(stack) as connection:
        connection.sendall(b"GET /listen/default.opus HTTP/1.1\r\nHost: x\r\n\r\n")
        eventually(lambda: stack.metric("websocket_active_connections") == 2, "a listener")
        connection.sendall(b"x" * 2_000)
        eventually(lambda: stack.metric("websocket_active_connections") == 1, "it is gone", 10)
