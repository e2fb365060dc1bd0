# SPDX-License-Identifier: MIT
"""A listener that does not keep up loses chunks, learns which, and does not affect others."""

import socket

import pytest

from auralis import eventually
from listener import JSON, PCM, SMALL_BUFFER, Chunk, gaps

MAX_LISTENERS = 4

SETTINGS = {
    "AURALIS_AUDIO_RING_MS": "10000",
    "AURALIS_STREAMD_MAX_BACKLOG_MS": "500",
    "AURALIS_STREAMD_MAX_LISTENERS": str(MAX_LISTENERS),
}


def dropped(stack):
    return stack.metric("websocket_chunks_dropped_total", reason="backlog")


@pytest.fixture
def others(listen):
    """Listeners that keep up, and have missed nothing when the test ends."""
    listeners = [listen(PCM), listen(JSON)]
    yield listeners
    for listener in listeners:
        listener.wait_for_more(10)
        assert gaps(listener.chunks) == []
        assert listener.warnings_of_streamd() == []


def test_a_listener_that_catches_up_knows_which_chunks_it_missed(stack, listen, others):
    before = dropped(stack)
    slow = listen(PCM, receive_buffer=SMALL_BUFFER)
    slow.wait_for_more(5)
    slow.pause()
    eventually(lambda: dropped(stack) >= before + 5, "chunks dropped after the backlog's age")
    slow.resume()
    eventually(lambda: slow.newest_seq >= others[0].newest_seq, "the live position")

    # In order of arrival, chunks and the warnings in their place are a sequence without a gap.
    sequence = []
    for message in slow.messages:
        if isinstance(message, Chunk):
            sequence.append(message.seq)
        elif message in slow.warnings_of_streamd():
            assert message["code"] == "skipped"
            sequence.append(message["seq"])
    assert sequence == list(range(sequence[0], sequence[0] + len(sequence)))
    assert len(slow.warnings_of_streamd()) >= 5
    assert len(slow.warnings_of_streamd()) == dropped(stack) - before


def test_a_listener_that_stops_reading_is_closed(stack, listen, others):
    slow = listen(PCM, receive_buffer=SMALL_BUFFER)
    slow.pause()
    eventually(lambda: stack.metric("websocket_active_connections") == len(others) + 1, "all listeners counted")
    before = stack.metric("websocket_disconnections_total", reason="backlog")
    eventually(lambda: stack.metric("websocket_disconnections_total", reason="backlog") == before + 1, "the stalled one gone")
    assert stack.metric("websocket_active_connections") == len(others)


def test_more_listeners_than_allowed_are_refused(stack, listen):
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "no listeners")
    for _ in range(MAX_LISTENERS):
        listen(PCM).wait_for_more(1)
    before = stack.metric("websocket_connections_rejected_total", reason="limit")
    assert stack.refused_upgrade("/ws/stream").status == 503
    assert stack.metric("websocket_connections_rejected_total", reason="limit") == before + 1
    assert stack.http("GET", "/readyz").status == 200


def test_a_burst_of_pings_is_not_answered_completely(stack):
    """A client that pings faster than the pongs are sent would fill an unbounded queue."""
    ping, pong = b"\x89\x80\0\0\0\0", b"\x8a\x00"
    many = 400
    with socket.create_connection(("127.0.0.1", stack.stream_port), timeout=20) as connection:
        connection.sendall(
            b"GET /ws/stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            + many * ping
            + b"\x88\x80\0\0\0\0"
        )
        received = b""
        while piece := connection.recv(65_536):
            received += piece
    # JSON, whose audio is text: no other frame contains these bytes.
    assert 1 <= received.count(pong) < many / 4
