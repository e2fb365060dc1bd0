# SPDX-License-Identifier: MIT
"""Limits on one client, and on many: beyond them streamd refuses or disconnects, and keeps serving all others."""

import json
import os
import resource
import socket
import struct
import subprocess
import time

import pytest

from auralis import HOST, WAIT_LIMIT_S, binary, clean_environment, eventually, raw_request
from listener import JSON, OPUS, PCM, SMALL_BUFFER, Listener, gaps
from raw_listener import BINARY, CLOSE, PING, PONG, TEXT, masked_frame, upgrade_request

MAX_LISTENERS = 6
MAX_HEADER_BYTES = 2_048
MAX_MESSAGE_BYTES = 600
TOKEN = "operators-0123456789abcdef0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}

CONFIGURATION = f"""
[audio]
ring_ms = 10000

[streamd]
max_listeners = {MAX_LISTENERS}
max_header_bytes = {MAX_HEADER_BYTES}
max_message_bytes = {MAX_MESSAGE_BYTES}
handshake_timeout_ms = 300
"""

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
def other(stack):
    """A listener that keeps up, and has missed nothing when the test ends."""
    listener = Listener(stack.stream_url(), PCM)
    listener.wait_for_more(3)
    yield listener
    listener.wait_for_more(5)
    assert gaps(listener.chunks) == []
    assert listener.texts("warning") == []
    listener.close()
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "all gone")


def rejected(stack, reason):
    return stack.metric("websocket_connections_rejected_total", reason=reason)


def dropped(stack):
    return stack.metric("websocket_chunks_dropped_total", reason="backlog")


def connect(stack):
    return socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S)


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


def cpu_seconds(daemon):
    """User and system CPU time since its start."""
    with open(f"/proc/{daemon.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(daemon):
    with open(f"/proc/{daemon.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_listeners_beyond_the_limit_are_asked_to_come_later(stack, other, enter):
    inside = [enter() for _ in range(MAX_LISTENERS - 1)]
    assert {one.status for one in inside} == {101}
    before = rejected(stack, "limit")
    late = enter()
    assert late.status == 503 and int(late.headers["Retry-After"]) > 0
    plain = stack.http("GET", "/listen/default.opus")
    assert plain.status == 503 and int(plain.headers["Retry-After"]) > 0
    assert rejected(stack, "limit") == before + 2
    inside[0].close()
    eventually(lambda: enter().status == 101, "a place that became free")


def test_a_request_that_does_not_end_is_not_waited_for(stack, other):
    before = descriptors(stack.daemons["streamd"])
    request = upgrade_request("/ws/stream")
    began, timeouts = time.monotonic(), rejected(stack, "timeout")
    waiting = [connect(stack) for _ in range(4)]
    waiting[1].sendall(request[:-2])
    waiting[3].sendall(b"POST /api/control HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n")
    for piece in request[:20]:  # each byte is progress, but the request never ends
        try:
            for one in waiting[2:]:
                one.sendall(bytes([piece]))
        except ConnectionError:
            break
        time.sleep(0.05)
    for one in waiting:
        try:
            answer = one.recv(1_000)
            assert answer == b"" if one is waiting[0] else answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        except ConnectionError:
            pass
        one.close()
    assert time.monotonic() - began < 4, "sooner than the library's own five seconds"
    assert rejected(stack, "timeout") == timeouts + len(waiting)
    eventually(lambda: descriptors(stack.daemons["streamd"]) <= before, "its descriptors back")


def test_an_answer_that_is_not_read_is_not_waited_for(stack, other):
    before = descriptors(stack.daemons["streamd"])
    deaf = []
    for path in (b"/", b"/api/status", b"/none"):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        one.connect((HOST, stack.stream_port))
        one.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")
        deaf.append(one)
    eventually(lambda: descriptors(stack.daemons["streamd"]) <= before, "its descriptors back", 10)
    for one in deaf:
        one.close()


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


def test_a_message_that_is_too_long_ends_the_connection(stack, other, enter):
    talker = enter()
    talker.send(TEXT, b"x" * MAX_MESSAGE_BYTES)
    assert json.loads(talker.wait_for(TEXT))["type"] in ("status", "error")
    talker.send(TEXT, b"x" * (MAX_MESSAGE_BYTES + 1))
    assert talker.close_code() == 1009
    body = json.dumps({"preset": "x" * MAX_MESSAGE_BYTES})
    assert stack.http("POST", "/api/control", body).status == 413


@pytest.mark.parametrize("opcode", [TEXT, BINARY], ids=["text", "binary"])
def test_a_flooding_listener_is_closed(stack, other, enter, opcode):
    def refused():
        return stack.metric("auralis_control_messages_total", result="refused")

    before = refused()
    talker = enter()
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


def test_nothing_follows_a_close_frame(stack, other, enter):
    errors = stack.metric("websocket_send_errors_total")
    slow = enter(receive_buffer=SMALL_BUFFER)
    eventually(lambda: stack.metric("auralis_chunks_queued") >= 3, "chunks that wait")
    slow.send(CLOSE, struct.pack("!H", 1000))
    opcodes = []
    while frame := slow.frame():
        opcodes.append(frame[0])
    assert opcodes[-1] == CLOSE and opcodes.count(CLOSE) == 1
    eventually(lambda: stack.metric("websocket_active_connections") == 1, "it is gone")
    assert stack.metric("websocket_send_errors_total") == errors


def test_new_connections_beyond_so_many_a_second_are_refused(stack, restart_streamd):
    rate = 10
    restart_streamd({"AURALIS_STREAMD_HANDSHAKES_PER_SECOND": str(rate)})
    before, began = rejected(stack, "rate"), time.monotonic()
    crowd = [connect(stack) for _ in range(60)]
    allowed = rate + (time.monotonic() - began) * rate
    # They are accepted in order: after the last one all have been.
    answers = [crowd.pop().recv(1_000)]
    refused = rejected(stack, "rate") - before
    assert len(crowd) + 1 - refused <= allowed + 1
    for one in crowd:
        one.setblocking(False)
        try:
            answers.append(one.recv(1_000))
        except BlockingIOError:
            pass  # accepted, and sent nothing
        one.close()
    assert len(answers) == refused
    assert all(answer.startswith(b"HTTP/1.1 503 ") and b"\r\nRetry-After: " in answer for answer in answers)
    eventually(lambda: raw_request(stack.stream_port, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"ok\n"), "room")


def test_an_idle_listener_is_closed(stack, restart_streamd, enter):
    restart_streamd({"AURALIS_STREAMD_IDLE_TIMEOUT_S": "5"})
    streamd = stack.daemons["streamd"]
    before = descriptors(streamd)
    answers = Listener(stack.stream_url(), PCM)
    silent = enter()  # reads everything, but answers no ping
    deaf = enter(receive_buffer=SMALL_BUFFER)  # reads nothing
    assert silent.close_code() == 4009
    eventually(lambda: stack.metric("websocket_active_connections") == 1, "both gone")
    silent.close()
    eventually(lambda: descriptors(streamd) == before + 1, "their descriptors back")
    deaf.close()
    # A client that answers pings need not send anything else.
    answers.wait_for_more(5)
    assert gaps(answers.chunks) == []
    answers.close()


def test_a_stop_of_streamd_itself_is_not_held_against_clients(stack, restart_streamd, enter):
    restart_streamd({"AURALIS_STREAMD_IDLE_TIMEOUT_S": "5"})
    streamd = stack.daemons["streamd"]
    answers = [Listener(stack.stream_url(), PCM) for _ in range(3)]
    silent = enter()  # reads everything, but answers no ping
    for one in answers:
        one.wait_for_more(3)
    timeouts, before = rejected(stack, "timeout"), descriptors(streamd)
    asking = connect(stack)
    asking.sendall(b"GET /healthz HTTP/1.1\r\n")
    eventually(lambda: descriptors(streamd) > before, "its connection was accepted")
    streamd.hang()
    asking.sendall(b"Host: x\r\n\r\n")
    time.sleep(7)  # longer than either limit
    streamd.go_on()
    assert asking.makefile("rb").readline() == b"HTTP/1.1 200 OK\r\n"
    asking.close()
    eventually(lambda: rejected(stack, "timeout") is not None, "its metrics are back")
    assert rejected(stack, "timeout") == timeouts
    assert silent.close_code() == 4009, "one that is gone is closed nevertheless"
    silent.close()
    eventually(lambda: stack.metric("websocket_active_connections") == len(answers), "it is gone")
    for one in answers:
        one.wait_for_more(10)
        assert one.ask({"type": "buffer_control", "max_backlog_ms": 1000})["type"] == "buffer_status"
    assert rejected(stack, "timeout") == timeouts
    for one in answers:
        one.close()


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
    assert missing == len(slow.texts("warning")) >= 3
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
    assert {warning["code"] for warning in stubborn.texts("warning")} == {"skipped"}
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
def test_reads_are_throttled_for_a_client_that_sends_without_end(stack, other, enter, frame):
    streamd = stack.daemons["streamd"]
    deaf = enter(receive_buffer=SMALL_BUFFER)
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


def test_more_connections_than_descriptors_allow_are_refused(stack, other):
    streamd = stack.daemons["streamd"]
    before = descriptors(streamd)
    refused = rejected(stack, "limit")
    # As many as the configured listeners need, which streamd requests at its start.
    crowd = []
    try:
        for _ in range(400):
            crowd.append(connect(stack))
        eventually(lambda: rejected(stack, "limit") > refused, "some refused")
        assert descriptors(streamd) <= before + MAX_LISTENERS + 128
        other.wait_for_more(5)
    finally:
        for one in crowd:
            one.close()
    eventually(lambda: descriptors(streamd) <= before, "room again")
    assert stack.http("GET", "/readyz").status == 200


def test_too_few_descriptors_for_the_listeners_are_reported_at_the_start(stack):
    result = subprocess.run(
        ["prlimit", f"--nofile={MAX_LISTENERS + 100}", binary("streamd"), "--config", stack.config_file],
        env={**clean_environment(), **stack.environment, "AURALIS_STREAMD_PORT": "1"},
        capture_output=True,
        text=True,
        timeout=WAIT_LIMIT_S,
        check=False,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert f"only {MAX_LISTENERS + 100} descriptors may be open" in line and "max_listeners" in line


def test_without_descriptors_it_waits_for_better_times(stack, other):
    streamd = stack.daemons["streamd"]
    room = 10
    usual = resource.prlimit(streamd.pid, resource.RLIMIT_NOFILE)
    highest = max(int(number) for number in os.listdir(f"/proc/{streamd.pid}/fd"))
    resource.prlimit(streamd.pid, resource.RLIMIT_NOFILE, (highest + 1 + room, usual[1]))
    crowd = [connect(stack) for _ in range(3 * room)]
    try:
        eventually(lambda: "not accepting connections" in streamd.log(), "the limit was met")
        before = cpu_seconds(streamd)
        other.wait_for_more(10)  # one second
        assert cpu_seconds(streamd) - before < 0.3
        assert gaps(other.chunks) == []
    finally:
        for one in crowd:
            one.close()
    eventually(lambda: stack.ready("/readyz", stack.stream_port), "connections again")
    resource.prlimit(streamd.pid, resource.RLIMIT_NOFILE, usual)
