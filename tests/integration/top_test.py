# SPDX-License-Identifier: MIT
"""auralis-top: the daemons from their shared memory, as a page, as JSON, as a metric, and on a terminal."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

import pytest

from auralis import WAIT_LIMIT_S, binary, clean_environment, eventually
from listener import PCM

LIMIT_S = 60


def command(stack, *arguments):
    return [binary("top"), "--config", str(stack.config_file), *map(str, arguments)]


def environment(stack):
    return {**clean_environment(), **stack.environment}


def run(stack, *arguments):
    return subprocess.run(
        command(stack, *arguments),
        env=environment(stack),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def report(stack):
    """Exit status and object."""
    result = run(stack, "--json")
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)


def health_of(seen):
    """As the conditions say while the daemons are up: on a busy machine some chunks of a second may really be late."""
    holding = [one for one in seen["conditions"] if one["state"] != "inactive" and one["severity"] != "medium"]
    return (1, "degraded") if holding else (0, "healthy")


def status_of(seen, daemon):
    return next(one for one in seen["daemons"] if one["name"] == daemon)["status"]


def between(before, value, after, name, labels):
    """Whether a counter is between two scrapes, which round to twelve digits or so."""
    rounding = 1e-9 * value
    return before.value(name, **labels) - rounding <= value <= after.value(name, **labels) + rounding


@pytest.fixture
def hearing(listen):
    listener = listen(PCM)
    listener.wait_for_more(5)
    return listener


def test_a_page_tells_what_runs_and_plays(stack, hearing):
    result = run(stack, "--once")
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith(("Auralis is healthy at ", "Auralis is degraded at ")[result.returncode])
    for daemon in ("synthd", "streamd", "metricsd"):
        assert re.search(rf"^{daemon} +up ", result.stdout, re.MULTILINE)
    assert re.search(r"^listeners 1, \d+ behind   success [\d.]+ %", result.stdout, re.MULTILINE)
    assert re.search(r"^hearing pcm 1; synthd renders at [\d.]+ x real time$", result.stdout, re.MULTILINE)
    assert re.search(r"^default +\d+ +\d+ +-\d+ +\d+ +0$", result.stdout, re.MULTILINE)
    assert re.search(r"^synthesis +[\d.]+ +[\d.]+ +[\d.]+$", result.stdout, re.MULTILINE)
    assert max(map(len, lines)) <= 80


def test_json_agrees_with_the_page_of_metricsd(stack, hearing):
    before = stack.scrape()
    status, seen = report(stack)
    after = stack.scrape()
    assert (status, seen["health"]) == health_of(seen)
    assert {one["name"]: one["status"] for one in seen["daemons"]} == dict.fromkeys(stack.daemons, "up")
    assert 0 <= seen["daemons"][0]["heartbeat_age_s"] < 5
    assert seen["listeners"] == 1 and seen["success_percent"] > 0
    assert [one["name"] for one in seen["stations"]] == ["default"]
    assert seen["latency_ms"]["synthesis"]["p99"] > 0
    counters = [one for one in seen["metrics"] if one["type"] == "counter"]
    assert len(counters) > 20
    for counter in counters:
        name, labels = counter["name"], counter["labels"]
        if name == "auralis_samples_withheld_total":
            continue  # of the reader itself
        assert between(before, counter["value"], after, name, labels), (name, labels)
    sent = next(one for one in counters if one["name"] == "websocket_chunks_sent_total")
    assert sent["value"] > before.value("websocket_chunks_sent_total")


@pytest.mark.parametrize("name", ["websocket_chunks_sent_total", "auralis_chunks_published_total"])
def test_a_metric_is_what_metricsd_says(stack, hearing, name):
    before = stack.scrape()
    result = run(stack, "--metric", name)
    after = stack.scrape()
    assert result.returncode in (0, 1) and result.stderr == ""
    values = [line.rsplit(" ", 1) for line in result.stdout.splitlines()]
    assert values
    for series, value in values:
        labels = dict(re.findall(r'(\w+)="([^"]*)"', series))
        assert series.split("{")[0] == name
        assert between(before, float(value), after, name, labels)


def test_a_histogram_is_printed_as_metricsd_does(stack, hearing):
    result = run(stack, "--metric", "audio_chunk_delivery_latency_ms")
    assert result.returncode in (0, 1)
    assert 'audio_chunk_delivery_latency_ms_bucket{le="+Inf"} ' in result.stdout
    assert "#" not in result.stdout


def test_an_unknown_metric_is_an_error(stack):
    result = run(stack, "--metric", "audio_colour")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "auralis-top: audio_colour: no such metric, or it has no value now\n"


def test_it_needs_no_metricsd(stack, hearing):
    stack.daemons["metricsd"].kill()
    try:
        status, seen = report(stack)
        assert (status, seen["health"]) == health_of(seen)
        assert [status_of(seen, daemon) for daemon in stack.daemons] == ["up", "up", "down"]
        assert seen["listeners"] == 1
    finally:
        stack.daemons["metricsd"].start()
        stack.wait_until_ready()


def test_a_ring_that_runs_dry_is_degraded_and_a_hung_or_killed_synthd_is_down(stack, hearing):
    synthd = stack.daemons["synthd"]

    def degraded():
        """While synthd stands still, but is not taken for hung yet; again if this machine was too slow for that."""
        synthd.hang()
        time.sleep(1)  # the ring runs dry
        status, seen = report(stack)
        if status == 2:
            synthd.go_on()
            stack.wait_until_ready()
            return None
        return status, seen

    status, seen = eventually(degraded, "degraded")
    assert (status, seen["health"]) == (1, "degraded")
    assert [one["state"] for one in seen["conditions"] if one["name"] == "RingBufferDepthLow"] == ["pending"]

    hung = eventually(lambda: (found := report(stack))[0] == 2 and found[1], "hung")
    assert (hung["health"], status_of(hung, "synthd")) == ("down", "hung")
    synthd.go_on()
    stack.wait_until_ready()

    synthd.kill()
    try:
        status, seen = report(stack)
        assert (status, seen["health"], status_of(seen, "synthd")) == (2, "down", "down")
        assert status_of(seen, "streamd") == "up" and seen["listeners"] == 1
        assert run(stack, "--once").returncode == 2
        assert run(stack, "--metric", "websocket_active_connections").returncode == 2
    finally:
        synthd.start()
        stack.wait_until_ready()


def test_an_empty_folder_is_down(stack, tmp_path):
    result = run(stack, "--runtime-dir", tmp_path, "--once")
    assert (result.returncode, result.stderr) == (2, "")
    assert "does not exist; its daemon has not been started" in " ".join(result.stdout.split())


class Terminal:
    """auralis-top on a pseudo terminal, and what it has drawn."""

    def __init__(self, stack, rows=24, columns=80):
        self._user, process = pty.openpty()
        self._resize(process, rows, columns)
        self.top = subprocess.Popen(
            command(stack),
            env={**environment(stack), "TERM": "xterm"},
            stdin=process,
            stdout=process,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(process)
        self.drawn = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.top.kill()
        self.top.wait()
        self.top.stderr.close()
        os.close(self._user)

    @staticmethod
    def _resize(terminal, rows, columns):
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, rows, columns):
        """As a user's window does: the kernel tells the process by SIGWINCH."""
        self.drawn = ""
        self._resize(self._user, rows, columns)

    def type(self, keys):
        os.write(self._user, keys.encode())

    def wait_for(self, text):
        def seen():
            if select.select([self._user], [], [], 0)[0]:
                self.drawn += os.read(self._user, 65_536).decode()
            assert self.top.poll() is None, self.top.stderr.read()
            return text in self.drawn

        eventually(seen, f"{text!r} on the screen")


def test_the_screen_draws_survives_a_resize_and_quits(stack, hearing):
    with Terminal(stack) as terminal:
        terminal.wait_for("Auralis is ")
        for text in ("synthd", "streamd", "metricsd", "listeners", "latency in ms", "conditions", "default"):
            terminal.wait_for(text)
        terminal.resize(10, 40)
        terminal.wait_for("Auralis is ")
        terminal.resize(40, 120)
        terminal.wait_for("its port takes connections")
        terminal.type("q")
        assert terminal.top.wait(WAIT_LIMIT_S) == 0
        assert terminal.top.stderr.read() == b""


def test_the_screen_shows_a_synthd_that_dies_and_returns(stack, hearing):
    with Terminal(stack) as terminal:
        terminal.wait_for("heartbeat")
        stack.daemons["synthd"].kill()
        try:
            terminal.wait_for("synthd is not running")
        finally:
            stack.daemons["synthd"].start()
            stack.wait_until_ready()
        terminal.drawn = ""
        terminal.wait_for("up")
        terminal.type("q")
        assert terminal.top.wait(WAIT_LIMIT_S) == 0


def test_without_a_terminal_there_is_no_screen(stack):
    result = run(stack)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == "auralis-top: there is no terminal; use --once, --json or --metric\n"


@pytest.mark.parametrize(
    "arguments", [("--once", "--json"), ("--json", "--metric", "x"), ("--loud",), ("surplus",), ("--metric",)]
)
def test_wrong_usage_is_one_line(stack, arguments):
    result = run(stack, *arguments)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("auralis-top: ")


def test_help_and_version(stack):
    result = run(stack, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    for option in ("--once", "--json", "--metric", "--runtime-dir", "--config"):
        assert option in result.stdout
    result = run(stack, "--version")
    assert result.returncode == 0 and result.stdout.startswith("auralis-top ")
