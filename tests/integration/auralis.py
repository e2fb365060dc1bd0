# SPDX-License-Identifier: MIT
"""The three real daemons, on free ports and in a directory of their own, and requests to them over HTTP.

The binaries are SYNTHD_BIN, STREAMD_BIN and METRICSD_BIN. A test waits for states with `eventually`: the limits below
only end a test that would wait forever.
"""

import contextlib
import dataclasses
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import exposition

DAEMONS = ("synthd", "streamd", "metricsd")
READY_LIMIT_S = 120  # the first start compiles kernels
WAIT_LIMIT_S = 60
STOP_LIMIT_S = 20
HOST = "127.0.0.1"

_GENERATION_OFFSET = 32  # in the header of a segment, common/segments/segment.h
_LOG_TAIL_BYTES = 6_000
_CLAIMS = []  # of ports, until this process ends
_NICENESS = {"synthd": -5, "streamd": -10}  # as their units set it, so that no test takes the core of the sound


def eventually(probe, what, limit_s=WAIT_LIMIT_S):
    """Calls `probe` until it returns something true, and returns that."""
    start = time.monotonic()
    while True:
        seen = probe()
        if seen:
            return seen
        waited_s = time.monotonic() - start
        assert waited_s < limit_s, f"waited {limit_s} s in vain: {what} (last seen: {seen!r})"
        time.sleep(min(0.02 + 0.1 * waited_s, 0.2))  # the longer it takes, the less it matters when it is seen


def open_descriptors(pid):
    """The open descriptors of a process, and what each is of; not those that it closes meanwhile."""
    folder = f"/proc/{pid}/fd"
    found = {}
    for number in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            found[int(number)] = os.readlink(f"{folder}/{number}")
    return found


def binary(daemon):
    variable = f"{daemon.upper()}_BIN"
    path = os.environ.get(variable)
    assert path, f"where is {daemon}? Set {variable}, or run the tests by ctest -L integration"
    return path


def free_ports(count):
    """TCP ports for this process' daemons alone. WHY not those that the kernel chooses: they are also the local ports of connections, of
    which a test beside this one makes thousands before the daemon listens."""
    ports = []
    while len(ports) < count:
        port = random.randrange(10_000, 32_768)
        claim = socket.socket(type=socket.SOCK_DGRAM)  # other tests claim theirs in the same way: no daemon has one for UDP
        with contextlib.suppress(OSError), socket.socket() as listener:
            claim.bind((HOST, port))
            listener.bind((HOST, port))
            _CLAIMS.append(claim)
            ports.append(port)
    return ports


def clean_environment():
    """This process's environment without variables that would configure a daemon."""
    service = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "RUNTIME_DIRECTORY"}
    return {
        name: value for name, value in os.environ.items() if not name.startswith("AURALIS_") and name not in service
    }


def run_daemon(daemon, *arguments, environment=None):
    """Runs a daemon that is expected to exit on its own."""
    return subprocess.run(
        [binary(daemon), *map(str, arguments)],
        env={**clean_environment(), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=READY_LIMIT_S,
        check=False,
    )


@dataclasses.dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def text(self):
        return self.body.decode()


def http_request(port, method, path, body=None, headers=None, tls=None):
    """Uses https if `tls`, a context, is given."""
    if tls:
        connection = http.client.HTTPSConnection(HOST, port, timeout=WAIT_LIMIT_S, context=tls)
    else:
        connection = http.client.HTTPConnection(HOST, port, timeout=WAIT_LIMIT_S)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def raw_request(port, data):
    """Sends bytes unchanged and returns everything received until the connection ends."""
    with socket.create_connection((HOST, port), timeout=WAIT_LIMIT_S) as connection:
        received = b""
        try:
            connection.sendall(data)
            while piece := connection.recv(65_536):
                received += piece
        except ConnectionError:
            pass  # refused before the end
        return received


def books(scrape):
    """How many chunks fell due to listeners, and how many of them are accounted for."""
    became = (
        scrape.total("websocket_chunks_sent_total")
        + scrape.total("websocket_chunks_dropped_total")
        + scrape.value("auralis_chunks_queued")
    )
    return scrape.value("auralis_chunks_due_total"), became


class Daemon:
    """One daemon's process; at most one at a time."""

    def __init__(self, name, arguments, environment, log):
        self.name = name
        # Leaves no daemon behind if the test run is killed.
        self._command = ["setpriv", "--pdeathsig", "KILL", binary(name), *map(str, arguments)]
        self.environment = environment  # of the next start
        self.prepare = None  # called in the child process before it executes the daemon
        self._log = log
        self._process = None

    def start(self):
        assert not self.running()
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=self._before_execution,
                close_fds=False,  # Python's own descriptors are not inheritable
            )

    def _before_execution(self):
        with contextlib.suppress(PermissionError):
            os.nice(_NICENESS.get(self.name, 0))
        if self.prepare:
            self.prepare()

    def running(self):
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self):
        return self._process.pid

    def kill(self):
        assert self.running(), f"{self.name} has exited on its own:\n{self.log_tail()}"
        self._process.kill()
        self._process.wait()

    def hang(self):
        """Stops the process until go_on(). Returns once every thread stands still, which SIGSTOP does not wait for."""
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def go_on(self):
        self._process.send_signal(signal.SIGCONT)

    def terminate(self):
        """Sends SIGTERM."""
        self._process.terminate()

    def reload(self):
        """Sends SIGHUP: the daemon reads its configuration again."""
        self._process.send_signal(signal.SIGHUP)

    def exit_status(self):
        """Waits for the exit after terminate(); kills the process if it does not stop in time."""
        try:
            return self._process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return f"no end within {STOP_LIMIT_S} s"

    def log(self):
        """Everything written to standard output and standard error."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def log_tail(self):
        return self.log()[-_LOG_TAIL_BYTES:]


class Stack:
    """All three daemons. `settings`: environment variables in addition to the ones for its own directory and ports;
    `configuration`: the text of their file."""

    def __init__(self, settings=None, configuration=""):
        self.tls = None  # context for clients while streamd speaks https
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="auralis-integration-test-", dir="/dev/shm"))
        self.runtime_dir = self.directory / "runtime"
        self.stream_port, self.metrics_port, zmq_port = free_ports(3)
        self.zmq_endpoint = f"tcp://{HOST}:{zmq_port}"
        self.environment = {
            "AURALIS_RUNTIME_DIR": str(self.runtime_dir),
            "AURALIS_STREAMD_HOST": HOST,
            "AURALIS_STREAMD_PORT": str(self.stream_port),
            "AURALIS_METRICSD_HOST": HOST,
            "AURALIS_METRICSD_PORT": str(self.metrics_port),
            "AURALIS_METRICSD_ZMQ_ENDPOINT": self.zmq_endpoint,
            "AURALIS_STREAMD_THREADS": "2",  # more than one on every machine
            # Shortened: only a test of limits needs the defaults.
            "AURALIS_STREAMD_DRAIN_MS": "200",
            "AURALIS_SYNTHD_MAX_STATIONS": "8",  # else measured on the machine
            **(settings or {}),
        }
        # Even an empty file overrides one installed on this machine.
        self.config_file = self.directory / "auralis.toml"
        self.config_file.write_text(configuration)
        self.daemons = {
            name: Daemon(
                name,
                ["--config", self.config_file],
                {**clean_environment(), **self.environment},
                self.directory / f"{name}.log",
            )
            for name in DAEMONS
        }

    def __enter__(self):
        try:
            for daemon in self.daemons.values():
                daemon.start()
            self.wait_until_ready()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, exception_type, *_):
        try:
            statuses = self.stop()
        finally:
            self.remove()
        if exception_type is None:
            assert set(statuses.values()) <= {0}, f"exit status after SIGTERM: {statuses}"

    def stop(self):
        """Stops all running daemons; returns their exit statuses by name."""
        running = [daemon for daemon in self.daemons.values() if daemon.running()]
        for daemon in running:
            daemon.terminate()
        return {daemon.name: daemon.exit_status() for daemon in running}

    def remove(self):
        for daemon in self.daemons.values():
            if daemon.running():
                daemon.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def wait_until_ready(self):
        """Waits until audio flows and metricsd answers."""
        eventually(lambda: self.ready("/readyz", self.stream_port, tls=self.tls), "streamd ready", READY_LIMIT_S)
        eventually(lambda: self.ready("/readyz", self.metrics_port), "metricsd ready", READY_LIMIT_S)

    def restart_streamd(self, settings=None, tls=None):
        """Restarts streamd with these environment variables in addition to those of all daemons."""
        streamd = self.daemons["streamd"]
        streamd.terminate()
        assert streamd.exit_status() == 0
        streamd.environment = {**clean_environment(), **self.environment, **(settings or {})}
        self.tls = tls
        streamd.start()
        self.wait_until_ready()

    def ready(self, path, port, running=DAEMONS, tls=None):
        """Whether the path answers 200; fails if one of `running` has ended."""
        for name in running:
            daemon = self.daemons[name]
            assert daemon.running(), f"{name} has exited on its own:\n{daemon.log_tail()}"
        try:
            return http_request(port, "GET", path, tls=tls).status == 200
        except OSError:
            return False

    def http(self, method, path, body=None, headers=None):
        """Sends a request to streamd."""
        return http_request(self.stream_port, method, path, body, headers, self.tls)

    def refused_upgrade(self, path, protocol=None, headers=None):
        """The response to a WebSocket handshake that must be refused."""
        headers = {
            **(headers or {}),
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            **({"Sec-WebSocket-Protocol": protocol} if protocol else {}),
        }
        return http_request(self.stream_port, "GET", path, headers=headers)

    def scrape(self):
        """The current /metrics."""
        answer = http_request(self.metrics_port, "GET", "/metrics")
        assert answer.status == 200
        return exposition.parse(answer.text)

    def metric(self, name, **labels):
        return self.scrape().value(name, **labels)

    def check_books(self):
        """Asserts that every chunk due to a listener is sent, dropped or queued."""
        due, became = books(self.scrape())
        assert due == became

    def is_up(self, daemon):
        return self.metric("auralis_up", process=daemon) == 1

    def stream_url(self, query=""):
        scheme = "wss" if self.tls else "ws"
        return f"{scheme}://{HOST}:{self.stream_port}/ws/stream" + (f"?{query}" if query else "")

    def status(self, name=None):
        """The entry of that station, or of the first one, in /api/status."""
        answer = self.http("GET", "/api/status" + (f"?station={name}" if name else ""))
        assert answer.status == 200, answer.text
        return json.loads(answer.text)["stations"][0]

    def generation(self, segment):
        with open(self.runtime_dir / segment, "rb") as file:
            return struct.unpack_from("<Q", file.read(64), _GENERATION_OFFSET)[0]
