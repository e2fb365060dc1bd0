# SPDX-License-Identifier: MIT
"""A server whose wall clock is set while it runs: the clock for players continues steadily."""

import pathlib
import struct
import subprocess

import pytest

from listener import JSON, OPUS, PCM

HOUR_S = 3_600
REPORT = {"type": "playback_report", "buffer_ms": 100}

pytestmark = pytest.mark.usefixtures("balanced")


@pytest.fixture
def set_ahead(restart_streamd, tmp_path):
    """Starts streamd with its own wall clock, and sets it ahead by some seconds."""
    library, ahead = tmp_path / "wall_clock.so", tmp_path / "ahead"
    source = pathlib.Path(__file__).with_name("wall_clock_shim.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)

    def set_to(seconds):
        with open(ahead, "r+b" if ahead.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    set_to(0)
    restart_streamd({"LD_PRELOAD": str(library), "WALL_CLOCK_AHEAD": str(ahead)})
    return set_to


def times(listener):
    """The server's time for players, from the newest message of each type."""
    pong = listener.ask({"type": "ping", "client_time": 1})
    listener.wait_for_more(2)
    return {
        "pong": pong["server_time"],
        "status": listener.ask({"type": "status"})["server_time"],
        "buffer_status": listener.ask({"type": "buffer_control", "max_backlog_ms": 2_000})["server_time"],
        "chunk": listener.chunks[-1].timestamp,
    }


def test_a_step_of_the_servers_clock_changes_nothing_for_players(stack, set_ahead, listen):
    listeners = [listen(protocol) for protocol in (PCM, JSON, OPUS)]
    for one in listeners:
        one.wait_for_more(3)
    before = [times(one) for one in listeners]
    for hours in (5, -7):
        set_ahead(hours * HOUR_S)
        for one, first in zip(listeners, before):
            one.wait_for_more(5)
            now = times(one)
            assert {name for name in now if not 0 < now[name] - first[name] < HOUR_S} == set(), (first, now)
    # Chunks of PCM and JSON are due exactly a chunk apart, to a microsecond.
    for one in listeners[:2]:
        due = [chunk.timestamp for chunk in one.chunks]
        assert all(abs(after - first - 0.1) < 2e-6 for first, after in zip(due, due[1:]))
    # A new listener agrees with the earlier ones.
    late = listen(PCM)
    late.wait_for_more(3)
    same = {chunk.seq: chunk.timestamp for chunk in listeners[0].chunks}
    assert all(same.get(chunk.seq, chunk.timestamp) == chunk.timestamp for chunk in late.chunks)


def test_an_impossible_report_is_refused_and_not_counted(stack, listen):
    listener = listen(PCM)
    name = "audio_end_to_end_latency_ms_count"
    before = stack.metric(name)
    for latency_ms in (5 * HOUR_S * 1_000, -5 * HOUR_S * 1_000, -1_001, 60_001, 1e300):
        answer = listener.ask({**REPORT, "latency_ms": latency_ms})
        assert (answer["type"], answer["code"]) == ("error", "bad_field")
    assert stack.metric(name) == before
