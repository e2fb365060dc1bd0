# SPDX-License-Identifier: MIT
"""The servers that listeners are sent to, on 127.0.0.1: ours, the bare floor, and Icecast with a source of its own.

Each is a context that has a URL and the process to watch, and is gone afterwards; none outlives this process.
"""

import base64
import contextlib
import http.client
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import threading
import time

HOST = "127.0.0.1"
START_LIMIT_S = 120  # the first start may compile kernels
STOP_LIMIT_S = 15
CHUNK_BYTES, CHUNK_S = 17_640, 0.1  # of PCM at 44,100 Hz: what every server sends to each listener
UNPRIVILEGED_ID = 65_534  # nobody

ICECAST_XML = """<icecast>
  <limits>
    <clients>{clients}</clients><sources>2</sources><queue-size>1048576</queue-size>
    <client-timeout>30</client-timeout><header-timeout>15</header-timeout><source-timeout>10</source-timeout>
    <burst-size>{chunk}</burst-size>
  </limits>
  <authentication>
    <source-password>{password}</source-password><relay-password>{password}</relay-password>
    <admin-user>admin</admin-user><admin-password>{password}</admin-password>
  </authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>{port}</port><bind-address>{host}</bind-address></listen-socket>
  <fileserve>0</fileserve>
  <paths>
    <basedir>/usr/share/icecast2</basedir><webroot>/usr/share/icecast2/web</webroot>
    <adminroot>/usr/share/icecast2/admin</adminroot><logdir>{folder}</logdir>
  </paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>2</loglevel></logging>
  <security><chroot>0</chroot></security>
</icecast>
"""


class ServerError(Exception):
    """A server that does not come up, in one line."""


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def process(command, log=None, privileges=(), **options):
    """Runs until the context ends; `log` takes what it says."""
    output = open(log, "wb") if log else subprocess.DEVNULL
    # Should this script be killed, its servers are too.
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
    """synthd, and for each measurement a streamd of its own, so that memory is counted from the start."""

    def __init__(self, build, folder):
        self._build, self._folder = build, folder
        self._config = folder / "auralis.toml"
        self._config.write_text("")  # in place of one that may be installed

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
        with self._daemon("synthd"):
            yield

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
def floor(build, listeners, limit_s):
    command = [build / "bench/auralis-send-floor", listeners, limit_s]
    with process(command, stdout=subprocess.PIPE, stderr=None) as running:
        port = running.stdout.readline().decode().strip()
        if not port:
            raise ServerError("auralis-send-floor has no port")
        yield Server(f"ws://{HOST}:{port}/ws/stream", running)


def icecast_program():
    return shutil.which("icecast2") or shutil.which("icecast2", path="/usr/bin:/usr/sbin")


def icecast_version():
    said = subprocess.run([icecast_program(), "-v"], capture_output=True, text=True, check=False).stdout
    return said.split()[-1] if said else ""


def _feed(port, password, ended):
    """The source: as many bytes as our PCM has, ten times a second."""
    login = base64.b64encode(f"source:{password}".encode()).decode()
    head = f"PUT /listen HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Basic {login}\r\n"
    chunk = os.urandom(CHUNK_BYTES)
    with socket.create_connection((HOST, port), timeout=10) as connection:
        connection.sendall(f"{head}Content-Type: audio/mpeg\r\n\r\n".encode())
        due = time.monotonic()
        while not ended.wait(max(0, due - time.monotonic())):
            connection.sendall(chunk)
            due += CHUNK_S


@contextlib.contextmanager
def icecast(folder, listeners):
    """Icecast will not run as root."""
    port, password = free_port(), secrets.token_hex(8)
    folder = pathlib.Path(folder) / "icecast"
    folder.mkdir(exist_ok=True)
    config = folder / "icecast.xml"
    fields = {"clients": listeners + 50, "chunk": CHUNK_BYTES, "password": password}
    config.write_text(ICECAST_XML.format(**fields, port=port, host=HOST, folder=folder))
    privileges = []
    if os.geteuid() == 0:
        for path in (folder, config):
            os.chown(path, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
        privileges = [f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups"]
    command = [icecast_program(), "-c", config]
    with process(command, folder / "said.log", privileges) as running:
        wait_until(lambda: answers(port, "/listen", 404), running, "icecast2")
        ended = threading.Event()
        source = threading.Thread(target=_feed, args=(port, password, ended), daemon=True)
        source.start()
        try:
            wait_until(lambda: answers(port, "/listen", 200), running, "Icecast's source")
            yield Server(f"http://{HOST}:{port}/listen", running)
        finally:
            ended.set()
            source.join(STOP_LIMIT_S)
