# SPDX-License-Identifier: MIT
"""A listening socket that the service manager holds and passes to each start of streamd (auralis-streamd.socket): no connection is
refused while streamd is away."""

import contextlib
import os
import socket
import threading

import pytest

from auralis import HOST, Stack, eventually, free_ports, http_request
from listener import PCM, Listener


def passing(daemon, *sockets):
    """Has the daemon started with these sockets, as sd_listen_fds(3) describes."""
    daemon._command = ["sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *daemon._command]
    daemon.environment = {**daemon.environment, "LISTEN_FDS": str(len(sockets))}

    def prepare():
        copies = [os.dup(one.fileno()) for one in sockets]
        for descriptor, copy in enumerate(copies, 3):
            os.dup2(copy, descriptor)

    daemon.prepare = prepare


@pytest.fixture(scope="module")
def listening():
    (port,) = free_ports(1)
    with socket.create_server((HOST, port), backlog=100) as one:
        yield one


@pytest.fixture(scope="module")
def stack(listening):
    port = listening.getsockname()[1]
    stack = Stack({"AURALIS_STREAMD_PORT": str(port), "AURALIS_STREAMD_DRAIN_MS": "5000"})
    stack.stream_port = port
    passing(stack.daemons["streamd"], listening)
    with stack:
        yield stack


def test_streamd_takes_the_socket_and_logs_its_address(stack, listening):
    log = stack.daemons["streamd"].log()
    assert '"message":"listening"' in log
    assert f'"address":"{HOST}:{stack.stream_port}"' in log
    assert "systemd's socket" not in log


def test_a_connection_made_while_streamd_is_away_is_served_by_its_next_start(stack):
    streamd = stack.daemons["streamd"]
    streamd.terminate()
    assert streamd.exit_status() == 0
    with socket.create_connection((HOST, stack.stream_port), 60) as early:
        early.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        streamd.start()
        assert early.makefile("rb").read().endswith(b"ok\n")
    stack.wait_until_ready()


def test_a_connection_made_while_streamd_drains_waits_for_its_next_start(stack):
    """Rather than being refused by one that stops."""
    streamd = stack.daemons["streamd"]
    leaving = [Listener(stack.stream_url(), PCM) for _ in range(3)]  # who end over the time of the drain
    with contextlib.ExitStack() as closing:
        for one in leaving:
            closing.callback(one.close)
            one.wait_for_more(1)
        streamd.terminate()
        # It is sent once no connection is accepted any more; the log says so before.
        eventually(lambda: all(one.texts("shutdown_warning") for one in leaving), "the drain")
        answers = []
        asking = threading.Thread(target=lambda: answers.append(http_request(stack.stream_port, "GET", "/healthz").status))
        asking.start()
        assert streamd.exit_status() == 0
    assert not answers
    streamd.start()
    asking.join()
    assert answers == [200]
    stack.wait_until_ready()


def test_a_socket_at_another_port_than_configured_is_used_with_a_warning(stack):
    streamd = stack.daemons["streamd"]
    streamd.terminate()
    assert streamd.exit_status() == 0
    usual = streamd.environment
    streamd.environment = {**usual, "AURALIS_STREAMD_PORT": "9999"}
    streamd.start()
    stack.wait_until_ready()
    (warning,) = [line for line in streamd.log().splitlines() if "systemd's socket" in line]
    assert '"level":"warning"' in warning
    assert "systemctl daemon-reload" in warning
    assert f'"socket":"{HOST}:{stack.stream_port}","configured":"{HOST}:9999"' in warning
    streamd.environment = usual


def refused(*sockets):
    stack = Stack()
    try:
        streamd = stack.daemons["streamd"]
        passing(streamd, *sockets)
        streamd.start()
        status = streamd.exit_status()
        return status, streamd.log()
    finally:
        stack.remove()


def test_sockets_that_cannot_be_used_are_one_error_that_names_the_unit(tmp_path):
    with contextlib.ExitStack() as closing:
        first, second = (closing.enter_context(socket.create_server((HOST, 0))) for _ in range(2))
        local = closing.enter_context(socket.socket(socket.AF_UNIX))
        local.bind(str(tmp_path / "socket"))
        local.listen()
        datagrams = closing.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        everywhere = closing.enter_context(socket.create_server(("0.0.0.0", 0)))  # more than the configured loopback
        for sockets in ((first, second), (local,), (datagrams,), (everywhere,)):
            status, log = refused(*sockets)
            assert status == 1
            (error,) = [line for line in log.splitlines() if '"level":"error"' in line]
            assert "auralis-streamd.socket" in error
