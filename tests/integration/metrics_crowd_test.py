# SPDX-License-Identifier: MIT
"""metricsd's ports with many, idle, slow or stopped clients: a scrape succeeds."""

import contextlib
import os
import re
import resource
import socket
import threading
import time

import pytest

from auralis import HOST, WAIT_LIMIT_S, eventually, http_request, run_daemon
from metricsd_alone import Metricsd

CONNECTIONS = 256  # that metricsd keeps open at a time
HEAD_DEADLINE_S = 5
# Well below the deadlines for slow clients, and far above the time of a response.
PROMPT_S = 2
# The same, where the clients' own work competes for the processor; Prometheus gives up after 10 s.
PATIENCE_S = 5
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"


pytestmark = pytest.mark.usefixtures("many_descriptors")


@pytest.fixture
def metricsd():
    with Metricsd() as running:
        yield running


@contextlib.contextmanager
def crowd(port, count, first_words=b""):
    with contextlib.ExitStack() as cleanup:
        connections = []
        for _ in range(count):
            connection = cleanup.enter_context(socket.create_connection((HOST, port), timeout=WAIT_LIMIT_S))
            connection.sendall(first_words)
            connections.append(connection)
        yield connections


@contextlib.contextmanager
def repeating(seconds, act):
    """Calls `act` in a thread of its own, again and again."""
    stop = threading.Event()

    def repeat():
        while not stop.wait(seconds):
            act()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def deaf_clients(port, count):
    """Clients that ask for more than the kernel holds for them, and read nothing."""
    with contextlib.ExitStack() as cleanup:
        for _ in range(count):
            client = cleanup.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect((HOST, port))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError, ConnectionError):
                client.sendall((REQUEST.replace(b"/healthz", b"/metrics") + b"\r\n") * 1_000)
        yield


def scrape_at_once(metricsd, times=5, limit_s=PROMPT_S):
    for _ in range(times):
        began = time.monotonic()
        assert metricsd.get("/metrics").status == 200
        assert time.monotonic() - began < limit_s


def open_descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def descriptor_limit(pid):
    with open(f"/proc/{pid}/limits") as limits:
        line = next(line for line in limits if line.startswith("Max open files"))
    return [int(number) for number in re.findall(r"\d+", line)]


@pytest.mark.parametrize("first_words", [b"", b"G", REQUEST, REQUEST + b"\r\n"], ids=["silent", "a byte", "half", "kept"])
def test_a_scrape_gets_in_at_once_beside_hundreds_that_are_idle_or_slow(metricsd, first_words):
    with crowd(metricsd.port, 1_100, first_words):
        scrape_at_once(metricsd)
        assert open_descriptors(metricsd.pid) < CONNECTIONS + 64


def test_a_scrape_gets_in_at_once_beside_hundreds_that_drip(metricsd):
    with crowd(metricsd.port, 400, b"GET / HTTP/1.1\r\n") as connections:

        def drip():
            for connection in connections:
                with contextlib.suppress(OSError):
                    connection.sendall(b"X: y\r\n")

        with repeating(0.2, drip):
            scrape_at_once(metricsd)


@pytest.mark.parametrize("idle", [0, 50, 130, 400])
def test_a_scrape_gets_in_beside_clients_that_are_idle_write_slowly_and_read_nothing(metricsd, idle):
    with crowd(metricsd.port, idle), crowd(metricsd.port, 60, b"G") as writers, deaf_clients(metricsd.port, 60):

        def write_a_byte():
            for writer in writers:
                with contextlib.suppress(OSError):
                    writer.sendall(b"x")

        with repeating(1, write_a_byte):
            scrape_at_once(metricsd, limit_s=PATIENCE_S)


def test_dripping_does_not_extend_the_deadline_of_a_request(metricsd):
    for first_words, drop in ((REQUEST, b"X: y\r\n"), (REQUEST + b"Content-Length: 9999\r\n\r\n", b"x")):
        began = time.monotonic()
        with crowd(metricsd.port, 1, first_words) as (connection,):
            connection.settimeout(0.1)
            answer = b""
            while time.monotonic() - began < WAIT_LIMIT_S and b"\r\n\r\n" not in answer:
                with contextlib.suppress(OSError):
                    connection.sendall(drop)
                with contextlib.suppress(TimeoutError):
                    answer += connection.recv(1_000)
            assert answer.startswith(b"HTTP/1.1 408 ")
            # The connection is closed then.
            connection.settimeout(WAIT_LIMIT_S)
            with contextlib.suppress(ConnectionError):
                while connection.recv(1_000):
                    pass


def test_no_request_times_out_while_metricsd_itself_is_stopped(metricsd):
    with crowd(metricsd.port, 20, REQUEST) as connections:
        scrape_at_once(metricsd, 1)  # they have been accepted
        metricsd.hang()
        time.sleep(HEAD_DEADLINE_S + 2)
        metricsd.go_on()
        for connection in connections:
            connection.sendall(b"\r\n")
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200 ")


def test_the_limit_of_descriptors_is_raised_at_start():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with Metricsd(prefix=["prlimit", "--nofile=256:"]) as metricsd:
        assert descriptor_limit(metricsd.pid)[0] == min(hard, 65_536)


def test_without_descriptors_it_neither_spins_nor_stays_away():
    with Metricsd(prefix=["prlimit", "--nofile=48:48"]) as metricsd:
        with crowd(metricsd.port, 200):
            scrape_at_once(metricsd)
            before = metricsd.cpu_seconds()
            time.sleep(2)
            assert metricsd.cpu_seconds() - before < 1
        scrape_at_once(metricsd)


def test_a_client_that_takes_no_answer_is_given_up(metricsd):
    before = open_descriptors(metricsd.pid)
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        client.connect((HOST, metricsd.port))
        eventually(lambda: open_descriptors(metricsd.pid) > before, "accepted")
        client.setblocking(False)
        asked = REQUEST.replace(b"/healthz", b"/metrics") + b"\r\n"
        with contextlib.suppress(BlockingIOError):
            for _ in range(100_000):
                client.send(asked)
        eventually(lambda: open_descriptors(metricsd.pid) <= before, "given up")
        scrape_at_once(metricsd)


@pytest.mark.parametrize("host", ["::1", "::"])
def test_ipv6_is_served_and_found_healthy(host):
    with Metricsd({"AURALIS_METRICSD_HOST": host}) as metricsd:
        with socket.create_connection(("::1", metricsd.port), timeout=WAIT_LIMIT_S) as connection:
            connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n")
            assert connection.recv(1_000).startswith(b"HTTP/1.1 200 ")
        assert f"http://[{host}]:{metricsd.port}" in metricsd.log() or f"[{host}]:{metricsd.port}" in metricsd.log()
        healthy = run_daemon("metricsd", "--healthcheck", environment=metricsd.environment)
        assert (healthy.returncode, healthy.stderr) == (0, "")
        if host == "::":
            assert http_request(metricsd.port, "GET", "/healthz").status == 200
    gone = run_daemon("metricsd", "--healthcheck", environment=metricsd.environment)
    assert gone.returncode == 1
    assert "refused" in gone.stderr
