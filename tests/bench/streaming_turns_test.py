# SPDX-License-Identifier: MIT
"""The order of the streaming benchmark's steps, and one run's result, without servers."""

import argparse
import contextlib
import pathlib
import threading

import pytest

import machine
import other_servers
import servers
import streaming

START_AND_STOP_S = 5  # of a server, ample
SETTLE_S = 2  # auralis-load's
LIMIT_S = 12 * 60
HEARD = {"heard": 10, "refused": {}, "failed": {}, "lost": {}}


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setattr(servers.Auralis, "playing", lambda self: contextlib.nullcontext())
    monkeypatch.setattr(other_servers, "icecast_version", lambda: "2")
    monkeypatch.setattr(other_servers, "nginx_version", lambda: "1")
    options = argparse.Namespace(build=pathlib.Path("build"), quick=False, repetitions=3)
    return streaming.Bench(options, tmp_path)


def planned(bench, monkeypatch):
    """The steps of a complete benchmark: name, listeners, new ones a second, arguments."""
    steps = []

    def note(name, title, server, listeners, ramp, *arguments):
        bench.results[name] = {"listeners": listeners, "reports": []}
        steps.append((name, listeners, ramp, arguments))

    monkeypatch.setattr(bench, "_step", note)
    bench.run()
    return steps


def test_compared_steps_are_interleaved(bench, monkeypatch):
    names = [name for name, *_ in planned(bench, monkeypatch)]
    turn = ["pcm", "floor", "icecast", "opus", "opus floor", "nchan", "alone", "stalled"]
    assert names[-3 * len(turn) :] == 3 * turn
    assert not set(names[: -3 * len(turn)]) & set(turn)


def test_a_floor_has_as_many_listeners_of_the_same_protocol(bench, monkeypatch):
    by_name = {name: (listeners, arguments) for name, listeners, _, arguments in planned(bench, monkeypatch)}
    assert by_name["opus floor"] == by_name["opus"] == (5_000, ("--protocol", "auralis.opus.v1"))
    assert by_name["floor"] == (2_000, ("--protocol", "auralis.pcm.v1"))
    assert by_name["pcm"] == (2_000, ())  # auralis-load's own default
    assert by_name["nchan"][0] == by_name["opus"][0]


def test_the_whole_of_it_is_planned_to_end_in_time(bench, monkeypatch):
    steps = planned(bench, monkeypatch)
    assert sum(listeners / ramp + SETTLE_S + streaming.SECONDS + START_AND_STOP_S for _, listeners, ramp, _ in steps) < LIMIT_S


@pytest.mark.parametrize(
    "other_load, reports, busy",
    [(1, [HEARD], []), (41.3, [], [{"other_load_percent": 41.3, "why": "machine busy (41 % other load)"}])],
)
def test_a_run_on_a_busy_machine_is_not_kept(bench, monkeypatch, other_load, reports, busy):
    monkeypatch.setattr(bench, "_listen", lambda *_: HEARD)
    monkeypatch.setattr(machine, "calibrate", lambda: [1.0, 1.0])
    monkeypatch.setattr(machine, "other_load", lambda *_: other_load)
    bench._step("pcm", "PCM", contextlib.nullcontext(), 10, 10)
    assert bench.results["pcm"] == {"title": "PCM", "listeners": 10, "reports": reports, "busy": busy}


def test_listeners_that_hear_nothing_are_not_served_on_a_busy_machine_too(bench, monkeypatch):
    monkeypatch.setattr(bench, "_listen", lambda *_: {**HEARD, "heard": 0, "refused": {"503": 10}})
    monkeypatch.setattr(machine, "other_load", lambda *_: 90)
    bench._step("pcm", "PCM", contextlib.nullcontext(), 10, 10)
    assert bench.results["pcm"]["not_served"] == "HTTP 503"


def test_a_source_that_fails_is_no_cheap_server(bench, monkeypatch):
    """From then on its listeners cost nothing."""
    failed = threading.Event()

    def feed():
        failed.set()
        raise BrokenPipeError("Broken pipe")

    def listen(*_):
        assert failed.wait(60)
        return HEARD

    monkeypatch.setattr(bench, "_listen", listen)
    monkeypatch.setattr(machine, "other_load", lambda *_: 0)
    bench._step("nchan", "nchan", other_servers.each_chunk(feed), 10, 10)
    assert bench.results["nchan"]["not_served"] == "its source failed: Broken pipe"
    assert not bench.results["nchan"]["reports"]
