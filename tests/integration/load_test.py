# SPDX-License-Identifier: MIT
"""auralis-load: what it counts with real daemons, how it reports their refusals, and what it refuses itself."""

import json
import subprocess

import pytest

from auralis import binary, clean_environment, eventually
from listener import JSON, PCM

LIMIT_S = 120


def command(*arguments):
    return [binary("load"), *map(str, arguments)]


def run(*arguments):
    return subprocess.run(
        command(*arguments),
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


@pytest.fixture
def load(stack):
    def start(*arguments, path="/ws/stream"):
        return run(f"ws://127.0.0.1:{stack.stream_port}{path}", *arguments)

    return start


# Kinds of fault without a count are absent, so that a new kind does not go unnoticed.
TROUBLES = ("refused", "failed", "lost", "missing", "repeats", "skipped", "malformed")


@pytest.mark.parametrize("protocol, chunk_bytes", [(PCM, 17_640), (JSON, 17_640 * 4 // 3)])
def test_listeners_that_hear_everything_are_measured(stack, load, protocol, chunk_bytes):
    before = stack.metric("websocket_connections_total")
    streamd = stack.daemons["streamd"].pid
    result = load("--listeners", 5, "--seconds", 2, "--protocol", protocol, "--pid", streamd, "--json")
    assert (result.returncode, result.stderr) == (0, "")
    report = json.loads(result.stdout)
    assert (report["listeners"], report["opened"], report["heard"]) == (5, 5, 5)
    assert not any(report[trouble] for trouble in TROUBLES)
    # It was measured, and differs from an absent value.
    assert stack.metric("websocket_connections_total") == before + 5
    assert report["handshake_ms"]["count"] == report["first_audio_ms"]["count"] == 5
    assert 0 < report["handshake_ms"]["max"] <= report["first_audio_ms"]["max"]
    assert report["measured_s"] >= 2
    assert report["chunks"] == pytest.approx(5 * 10 * report["measured_s"], rel=0.5)
    # A chunk may be incomplete at the beginning and at the end; and each has a header.
    assert report["bytes"] == pytest.approx(report["chunks"] * chunk_bytes, rel=0.02, abs=5 * 2 * chunk_bytes)
    assert report["lateness_ms"]["count"] == report["chunks"]
    for shares_of in (report["lateness_ms"], report["jitter_ms"]):
        shares = [shares_of[name] for name in ("p50", "p90", "p95", "p99", "p99.9", "max")]
        assert shares == sorted(shares) and shares[0] >= 0
    server = report["server"]
    assert server["pid"] == streamd and server["cpu_s"] >= 0 and server["rss_kib_after"] > 1_000


def test_the_report_is_lines_unless_json_is_asked_for(load):
    result = load("--listeners", 2, "--seconds", 0.5)
    assert (result.returncode, result.stderr) == (0, "")
    assert "2 of 2 listeners connected" in result.stdout and "lateness" in result.stdout


def test_listeners_that_stall_are_asked_for_and_no_failure(load):
    result = load("--listeners", 3, "--stall", 1, "--seconds", 1, "--json")
    assert result.returncode == 0
    report = json.loads(result.stdout)
    assert (report["opened"], report["heard"], report["stalled"]) == (3, 2, 1)
    assert report["chunks"] == pytest.approx(2 * 10 * report["measured_s"], rel=0.5)


def test_a_server_that_stops_has_lost_its_listeners(stack):
    eventually(lambda: stack.metric("websocket_active_connections") == 0, "the listeners of the test before are gone")
    loaded = subprocess.Popen(
        command(stack.stream_url(), "--listeners", 3, "--seconds", 60, "--json"),
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        eventually(lambda: stack.metric("websocket_active_connections") == 3, "all listeners counted")
        streamd = stack.daemons["streamd"]
        streamd.terminate()
        assert streamd.exit_status() == 0
        report = json.loads(loaded.communicate(timeout=LIMIT_S)[0])
    finally:
        loaded.kill()
        loaded.wait()
        streamd.start()
        stack.wait_until_ready()
    assert loaded.returncode == 1
    assert report["lost"] == {"1001": 3}


@pytest.mark.parametrize(
    "path, status", [("/nowhere", "404"), ("/ws/stream?station=nobody", "404"), ("/ws/stream?station=new&seed=x", "400")]
)
def test_refused_listeners_are_counted_by_status(load, path, status):
    result = load("--listeners", 2, "--seconds", 60, "--json", path=path)
    assert result.returncode == 1
    assert json.loads(result.stdout)["refused"] == {status: 2}
    assert status in load("--listeners", 2, path=path).stdout


def test_a_plain_stream_is_counted_in_bytes(stack):
    page = stack.http("GET", "/").text
    result = run(f"http://127.0.0.1:{stack.stream_port}/", "--seconds", 1, "--json")
    # A page is a stream that ends, which counts as a loss.
    assert result.returncode == 1
    report = json.loads(result.stdout)
    assert page and (report["opened"], report["heard"]) == (1, 1)


def test_a_missing_server_is_reported():
    result = run("ws://127.0.0.1:1/ws/stream", "--listeners", 2, "--json")
    assert result.returncode == 1
    assert json.loads(result.stdout)["failed"] == {"Connection refused": 2}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("127.0.0.1:8000",),
        ("wss://127.0.0.1/",),
        ("ws:///ws/stream",),
        ("ws://127.0.0.1:0/",),
        ("ws://127.0.0.1:99999/",),
        ("ws://127.0.0.1/a b",),
        ("ws://127.0.0.1/", "ws://127.0.0.1/"),
        ("ws://127.0.0.1/", "--listeners"),
        ("ws://127.0.0.1/", "--listeners", "0"),
        ("ws://127.0.0.1/", "--listeners", "2.5"),
        ("ws://127.0.0.1/", "--stall", "2"),
        ("ws://127.0.0.1/", "--ramp", "0"),
        ("ws://127.0.0.1/", "--seconds", "nan"),
        ("ws://127.0.0.1/", "--protocol", "auralis.mp3"),
        ("http://127.0.0.1/", "--protocol", PCM),
        ("ws://127.0.0.1/", "--pid", "-1"),
        ("ws://127.0.0.1/", "--loud"),
    ],
)
def test_wrong_usage_is_one_line(arguments):
    result = run(*arguments)
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("auralis-load: ")


def test_help_and_version():
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for option in ("--listeners", "--ramp", "--seconds", "--protocol", "--stall", "--pid", "--json"):
        assert option in result.stdout
    result = run("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("auralis-load ")
