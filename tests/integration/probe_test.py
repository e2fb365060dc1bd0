# SPDX-License-Identifier: MIT
"""auralis-probe: what it says of a server that is right, of one that is not, and of none."""

import json
import subprocess
import threading

import pytest

from auralis import HOST, binary, clean_environment, free_ports
from listener import PCM
from tampering_proxy import TamperingProxy, drop_message, flip_sample

LIMIT_S = 120
CONFIGURATION = """
[[station]]
name = "day"
preset = "bright"

[[station]]
name = "quiet"
pads = false
melody = false
kicks = false
swells = false
"""


def run(*arguments):
    return subprocess.run(
        [binary("probe"), *map(str, arguments)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )


def probe(url, *arguments, seconds=2):
    """Exit status and report."""
    result = run(url, "--seconds", seconds, "--json", *arguments)
    assert result.stderr == ""
    return result.returncode, json.loads(result.stdout)


def url_at(port, query=""):
    return f"ws://{HOST}:{port}/ws/stream{query}"


def test_pcm_is_bit_exact(stack):
    status, report = probe(stack.stream_url(), "--station", "day")
    assert (status, report["reason"], report["exact"]) == (0, "", True)
    assert (report["station"], report["format"], report["gaps"]) == ("day", "pcm", 0)
    assert report["chunks"] >= 20 and report["peak"] > 1_000
    assert "snr_db" not in report
    assert 0 <= report["lateness_p50_ms"] <= report["lateness_p99_ms"]
    assert report["first_audio_ms"] > 0


def test_opus_is_close_to_the_music(stack):
    status, report = probe(stack.stream_url(), "--station", "day", "--format", "opus", seconds=3)
    assert (status, report["reason"], report["exact"]) == (0, "", False)
    assert (report["format"], report["gaps"]) == ("opus", 0)
    assert report["snr_db"] >= 20 and report["peak"] > 1_000


@pytest.mark.parametrize("form", ["pcm", "opus"])
def test_a_station_of_ones_own_is_probed_too(stack, form):
    status, report = probe(stack.stream_url("station=new&preset=sleep&seed=42"), "--format", form)
    assert (status, report["reason"]) == (0, "")
    assert report["station"] not in ("day", "quiet")


def test_it_knows_of_changes_that_were_made_meanwhile(stack, listen):
    other = listen(PCM, query="station=new&preset=bright&seed=7")
    other.wait_for_more(1)
    name = other.texts("status")[0]["station"]
    changes = threading.Thread(
        target=lambda: [
            (other.wait_for_more(8), other.ask({"type": "update_params", "parameters": {"intensity": level}}))
            for level in (0.1, 0.9)
        ]
    )
    changes.start()
    status, report = probe(stack.stream_url(), "--station", name, seconds=4)
    changes.join()
    assert (status, report["reason"], report["exact"]) == (0, "", True)
    assert other.texts("status")[-1]["parameters"]["intensity"] == 0.9


def test_people_get_one_line(stack):
    result = run(stack.stream_url(), "--seconds", 1)
    assert (result.returncode, result.stderr) == (0, "")
    (line,) = result.stdout.splitlines()
    assert line.startswith("station day, pcm: ") and "bit-exact" in line


def test_one_altered_sample_is_found(stack):
    with TamperingProxy(stack.stream_port, flip_sample(9, 1_234)) as proxy:
        status, report = probe(url_at(proxy.port))
    assert (status, report["exact"]) == (1, False)
    assert ", frame 1234, left: expected " in report["reason"] and "; 1 of " in report["reason"]
    assert report["snr_db"] > 60


def test_a_proxy_that_alters_nothing_is_exact(stack):
    with TamperingProxy(stack.stream_port, lambda _, message: message) as proxy:
        assert probe(url_at(proxy.port))[0] == 0


@pytest.mark.parametrize("form", ["pcm", "opus"])
def test_a_missing_chunk_is_found(stack, form):
    with TamperingProxy(stack.stream_port, drop_message(9)) as proxy:
        result = run(url_at(proxy.port), "--seconds", 2, "--format", form)
    assert (result.returncode, result.stderr) == (1, "")
    (line,) = result.stdout.splitlines()
    assert "gap: chunk " in line and " is followed by chunk " in line


def test_a_stream_of_other_music_is_found(stack):
    def swap(number, message):
        # The audio of each chunk under the head of another one.
        return message if number % 2 else message[:32] + bytes(len(message) - 32)

    with TamperingProxy(stack.stream_port, swap) as proxy:
        status, report = probe(url_at(proxy.port), "--compare", "close")
    assert status == 1 and report["reason"]


def test_an_underrun_is_found_though_nothing_renders_any_more(stack, listen):
    synthd = stack.daemons["synthd"]
    synthd.kill()
    try:
        result = run(stack.stream_url(), "--seconds", 3)
        assert (result.returncode, result.stderr) == (1, "")
        assert "underrun: chunk " in result.stdout
    finally:
        synthd.start()
        stack.wait_until_ready()
    # A new listener is sent past chunks first, which are music again then.
    listen(PCM).wait_for_music(10)


def test_music_that_nobody_hears_is_found(stack):
    status, report = probe(stack.stream_url(), "--station", "quiet")
    assert (status, report["exact"]) == (1, True)
    assert report["reason"].startswith("silence: ")


def test_a_server_that_closes_is_found(stack):
    def end(number, message):
        if number == 15:  # after the past chunks, of which those that wait unread are lost with the connection
            raise OSError
        return message

    with TamperingProxy(stack.stream_port, end) as proxy:
        status, report = probe(url_at(proxy.port))
    assert (status, report["reason"]) == (1, "the server dropped the connection, after 15 chunks")


def refusal(result):
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("auralis-probe: ")
    return line


def test_a_missing_server_or_station_is_reported(stack):
    (port,) = free_ports(1)
    assert "Connection refused" in refusal(run(url_at(port)))
    assert "HTTP 404" in refusal(run(stack.stream_url(), "--station", "nobody"))
    assert "HTTP 404" in refusal(run(url_at(stack.metrics_port)))


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("wss://127.0.0.1/ws/stream",),
        ("http://127.0.0.1/ws/stream",),
        ("ws://127.0.0.1/listen",),
        ("ws://127.0.0.1/", "--seconds", "1"),
        ("ws://127.0.0.1", "--seconds", "0"),
        ("ws://127.0.0.1", "--format", "wav"),
        ("ws://127.0.0.1?station=a", "--station", "b"),
        ("ws://127.0.0.1", "--format", "opus", "--compare", "close"),
        ("ws://127.0.0.1", "--loud"),
    ],
)
def test_wrong_usage_is_one_line(arguments):
    refusal(run(*arguments))


def test_help_and_version():
    result = run("--help")
    assert (result.returncode, result.stderr) == (0, "")
    for option in ("--station", "--format", "--seconds", "--compare", "--json"):
        assert option in result.stdout
    result = run("--version")
    assert result.returncode == 0 and result.stdout.startswith("auralis-probe ")
