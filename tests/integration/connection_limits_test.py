# SPDX-License-Identifier: MIT
"""Limits on connections: streamd refuses those beyond a number or a rate, ends those that stand still, and keeps serving
all others."""

import os
import resource
import socket
import subprocess
import time

import pytest

from auralis import HOST, WAIT_LIMIT_S, binary, clean_environment, eventually, raw_request
from limits import CONFIGURATION, MAX_LISTENERS, connect, cpu_seconds, descriptors, rejected
from listener import PCM, SMALL_BUFFER, Listener, gaps
from raw_listener import upgrade_request

pytestmark = pytest.mark.usefixtures("balanced")


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


def test_an_idle_listener_is_closed(stack, restart_streamd, connect_raw):
    restart_streamd({"AURALIS_STREAMD_IDLE_TIMEOUT_S": "5"})
    streamd = stack.daemons["streamd"]
    before = descriptors(streamd)
    answers = Listener(stack.stream_url(), PCM)
    silent = connect_raw()  # reads everything, but answers no ping
    deaf = connect_raw(receive_buffer=SMALL_BUFFER)  # reads nothing
    assert silent.close_code() == 4009
    eventually(lambda: stack.metric("websocket_active_connections") == 1, "both gone")
    silent.close()
    eventually(lambda: descriptors(streamd) == before + 1, "their descriptors back")
    deaf.close()
    # A client that answers pings need not send anything else.
    answers.wait_for_more(5)
    assert gaps(answers.chunks) == []
    answers.close()


def test_a_stop_of_streamd_itself_is_not_held_against_clients(stack, restart_streamd, connect_raw):
    restart_streamd({"AURALIS_STREAMD_IDLE_TIMEOUT_S": "5"})
    streamd = stack.daemons["streamd"]
    answers = [Listener(stack.stream_url(), PCM) for _ in range(3)]
    silent = connect_raw()  # reads everything, but answers no ping
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
