# SPDX-License-Identifier: MIT
"""metricsd's ZeroMQ port with excessive or too many peers: memory stays bounded, and the others are served."""

import contextlib
import json
import os
import pathlib
import re
import socket
import struct
import time

import pytest
import zmq

from auralis import HOST, WAIT_LIMIT_S, eventually
from metricsd_alone import Metricsd

PEERS = 64  # that metricsd keeps at a time
PROMPT_S = 2
GIVEN_UP_S = 20  # ZeroMQ's own limit is 30
ROOM_MB = 40  # more than the kept peers may cost
GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32)
READY = b"\x05READY\x0bSocket-Type" + struct.pack(">I", 3) + b"SUB"


pytestmark = pytest.mark.usefixtures("many_descriptors")


@pytest.fixture
def metricsd():
    # One metricsd per test: connections of an earlier test would still count. A login shell's limit of descriptors.
    with Metricsd(prefix=["prlimit", "--nofile=1024:1024"]) as running:
        yield running


@pytest.fixture
def subscriber(metricsd):
    context = zmq.Context()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVTIMEO, WAIT_LIMIT_S * 1000)
    socket.setsockopt(zmq.SUBSCRIBE, b"metrics")
    # Like a subscriber of several publishers: each is sent all subscriptions.
    for other in range(40):
        socket.setsockopt(zmq.SUBSCRIBE, b"of another publisher %d" % other)
    socket.connect(metricsd.zmq_endpoint)
    yield socket
    context.destroy()


def frame(body, command=False):
    flags = 4 if command else 0
    if len(body) < 256:
        return bytes([flags, len(body)]) + body
    return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body


def subscription(topic):
    return frame(b"\x01" + topic)


def connect(metricsd):
    port = int(metricsd.zmq_endpoint.rsplit(":", 1)[1])
    return socket.create_connection((HOST, port), timeout=WAIT_LIMIT_S)


def handshake(connection):
    """Makes the connection a subscriber's; the test chooses the subscriptions."""
    connection.sendall(GREETING + frame(READY, command=True))
    received = b""
    while len(received) <= len(GREETING) + 1 or len(received) < len(GREETING) + 2 + received[len(GREETING) + 1]:
        piece = connection.recv(1)
        assert piece, received
        received += piece
    assert received[len(GREETING) + 2 :].startswith(b"\x05READY")
    return connection


def memory_mb(metricsd):
    status = pathlib.Path(f"/proc/{metricsd.pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1_024


def next_seq(subscriber):
    topic, body = subscriber.recv_multipart()
    assert topic == b"metrics"
    snapshot = json.loads(body)
    assert {entry["labels"]["process"]: entry["value"] for entry in snapshot["metrics"] if entry["name"] == "auralis_up"} == {
        "synthd": 0,
        "streamd": 0,
        "metricsd": 1,
    }
    return snapshot["seq"]


def scrape_at_once(metricsd):
    for _ in range(3):
        began = time.monotonic()
        assert metricsd.get("/metrics").status == 200
        assert time.monotonic() - began < PROMPT_S


@contextlib.contextmanager
def others_are_served(metricsd, subscriber):
    """Asserts that meanwhile a subscriber misses no snapshot, a scrape succeeds, and memory does not grow."""
    before = next_seq(subscriber)
    memory = memory_mb(metricsd)
    yield
    scrape_at_once(metricsd)
    for seq in range(before + 1, before + 4):
        assert next_seq(subscriber) == seq
    assert memory_mb(metricsd) - memory < ROOM_MB


def is_cut_off(connection):
    try:
        connection.setblocking(False)
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def test_a_peer_that_subscribes_to_a_million_topics_is_cut_off(metricsd, subscriber):
    with others_are_served(metricsd, subscriber), handshake(connect(metricsd)) as peer:
        with contextlib.suppress(ConnectionError):
            peer.sendall(b"".join(subscription(b"%d" % topic) for topic in range(1_000_000)))
        eventually(lambda: is_cut_off(peer), "cut off")


def test_a_topic_of_eight_megabytes_is_not_kept(metricsd, subscriber):
    with others_are_served(metricsd, subscriber), handshake(connect(metricsd)) as peer:
        with contextlib.suppress(ConnectionError):
            peer.sendall(subscription(b"x" * 8_000_000))
        eventually(lambda: is_cut_off(peer), "cut off")


def test_many_peers_with_long_topics_cost_little(metricsd, subscriber):
    with contextlib.ExitStack() as cleanup:
        peers = [cleanup.enter_context(handshake(connect(metricsd))) for _ in range(PEERS - 1)]
        with others_are_served(metricsd, subscriber):
            for number, peer in enumerate(peers):
                peer.sendall(b"".join(subscription(b"%d %d" % (number, topic) + b"x" * 900) for topic in range(4)))
        assert not any(map(is_cut_off, peers))


@pytest.mark.parametrize(
    "first_words", [b"", GREETING, GREETING + frame(READY, command=True)], ids=["silent", "greeting", "handshake"]
)
def test_more_connections_than_descriptors_exclude_no_client(metricsd, subscriber, first_words):
    with others_are_served(metricsd, subscriber), contextlib.ExitStack() as cleanup:
        peers = []
        for _ in range(1_100):
            peers.append(cleanup.enter_context(connect(metricsd)))
            with contextlib.suppress(ConnectionError):
                peers[-1].sendall(first_words)
        scrape_at_once(metricsd)
        eventually(lambda: sum(map(is_cut_off, peers)) >= len(peers) - PEERS, "all but some are cut off")
        assert len(os.listdir(f"/proc/{metricsd.pid}/fd")) < PEERS + 64


def test_a_connection_that_says_nothing_is_given_up(metricsd):
    with connect(metricsd) as silent:
        eventually(lambda: is_cut_off(silent), "given up", GIVEN_UP_S)


def test_subscribers_that_are_there_stay_when_more_come(metricsd, subscriber):
    with contextlib.ExitStack() as cleanup:
        early = [cleanup.enter_context(handshake(connect(metricsd))) for _ in range(PEERS - 1)]
        for peer in early:
            peer.sendall(subscription(b"event"))
        next_seq(subscriber)
        next_seq(subscriber)
        late = [cleanup.enter_context(connect(metricsd)) for _ in range(20)]
        for peer in late:
            with contextlib.suppress(ConnectionError):
                peer.sendall(GREETING + frame(READY, command=True))
        eventually(lambda: sum(map(is_cut_off, late)) == len(late), "the late ones are cut off")
        assert not any(map(is_cut_off, early))
        next_seq(subscriber)
