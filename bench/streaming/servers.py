# SPDX-License-Identifier: MIT
"""The measured servers, on 127.0.0.1: streamd and the bare send() loop ("floor"). Others: other_servers.py.

Each is a context with a URL and the process to measure, which is terminated at the context's end or with this process.
"""

import contextlib
import http.client
import os
import socket
import subprocess
import time

HOST = "127.0.0.1"
START_LIMIT_S = 120  # the first start may compile kernels
STOP_LIMIT_S = 15


class ServerError(Exception):
    """A server that does not start or serve; the message is one line."""


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def process(command, log=None, privileges=(), **options):
    """Runs a command until the context ends; its output goes to the file `log`."""
    output = open(log, "wb") if log else subprocess.DEVNULL
    # Kill the servers if this script is killed.
    command = ["setpriv", "--pdeathsig", "KILL", *privileges, *map(str, command)]
    options = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **options}
    running = subprocess.Popen(command, **options)
    try:
        yield running
    finally:
        running.terminate()
        try:
            running.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()
        if log:
            output.close()


def wait_until(probe, running, what):
    deadline = time.monotonic() + START_LIMIT_S
    while not probe():
        if running.poll() is not None:
            raise ServerError(f"{what} ended with status {running.returncode}")
        if time.monotonic() > deadline:
            raise ServerError(f"{what} is not ready after {START_LIMIT_S} s")
        time.sleep(0.05)


def answers(port, path, status):
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == status
    except OSError:
        return False
    finally:
        connection.close()


class Server:
    def __init__(self, url, running):
        self.url = url
        self.pid = running.pid


class Auralis:
    """synthd, with a new streamd per measurement, so that its memory starts from a fresh process."""

    def __init__(self, build, folder):
        self._build, self._folder = build, folder
        self._config = folder / "auralis.toml"
        self._config.write_text("")  # overrides one that may be installed

    def _environment(self, **settings):
        theirs = {name: value for name, value in os.environ.items() if not name.startswith("AURALIS_")}
        return {
            **theirs,
            "AURALIS_RUNTIME_DIR": str(self._folder / "runtime"),
            "AURALIS_SYNTHD_MAX_STATIONS": "2",
            **settings,
        }

    def _daemon(self, name, **settings):
        command = [self._build / name / name, "--config", self._config]
        return process(command, self._folder / f"{name}.log", env=self._environment(**settings))

    @contextlib.contextmanager
    def playing(self):
        with self._daemon("synthd") as running:
            yield running

    @contextlib.contextmanager
    def streamd(self, listeners):
        port = free_port()
        settings = {
            "AURALIS_STREAMD_HOST": HOST,
            "AURALIS_STREAMD_PORT": str(port),
            "AURALIS_STREAMD_MAX_LISTENERS": str(listeners + 10),
        }
        with self._daemon("streamd", **settings) as running:
            wait_until(lambda: answers(port, "/readyz", 200), running, "streamd")
            yield Server(f"ws://{HOST}:{port}/ws/stream", running)


    @contextlib.contextmanager
    def metricsd(self):
        """Yields its process and its HTTP port."""
        port = free_port()
        settings = {
            "AURALIS_METRICSD_HOST": HOST,
            "AURALIS_METRICSD_PORT": str(port),
            "AURALIS_METRICSD_ZMQ_ENDPOINT": f"tcp://{HOST}:*",
        }
        with self._daemon("metricsd", **settings) as running:
            wait_until(lambda: answers(port, "/healthz", 200), running, "metricsd")
            yield running, port


@contextlib.contextmanager
def floor(build, listeners, limit_s, protocol):
    command = [build / "bench/auralis-send-floor", listeners, limit_s, protocol]
    with process(command, stdout=subprocess.PIPE, stderr=None) as running:
        port = running.stdout.readline().decode().strip()
        if not port:
            raise ServerError("auralis-send-floor has no port")
        yield Server(f"ws://{HOST}:{port}/ws/stream", running)
