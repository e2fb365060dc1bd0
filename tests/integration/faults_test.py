# SPDX-License-Identifier: MIT
"""What listeners miss in a fault equals, to the chunk, what streamd says that it dropped, wherever that is shown; and its
success rate says so."""

import json
import subprocess
import time

import pytest
import zmq

from auralis import WAIT_LIMIT_S, binary, clean_environment, eventually, http_request

LISTENERS = 20
SETTLE_S = 2  # auralis-load measures from so long after the last listener connected
LIMIT_S = 60
# Reasons that a listener which stays can count. One that leaves cannot count those of `disconnect` and `error`.
REASONS = ("backlog", "step_down", "encoding", "overrun")


class Load:
    """auralis-load in the background, measuring by the time that it is constructed."""

    def __init__(self, stack, seconds, *options):
        url = f"ws://127.0.0.1:{stack.stream_port}/ws/stream"
        self._process = subprocess.Popen(
            [binary("load"), url, "--json", "--listeners", str(LISTENERS), "--seconds", str(seconds), *map(str, options)],
            env=clean_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        eventually(lambda: stack.metric("websocket_active_connections") == LISTENERS, "all connected")
        time.sleep(SETTLE_S)

    def report(self):
        out, _ = self._process.communicate(timeout=LIMIT_S)
        return json.loads(out)


DROPPED = "websocket_chunks_dropped_total"


def dropped(stack):
    return {reason: stack.metric(DROPPED, reason=reason) for reason in REASONS}


def by_reason(series, member):
    """As dropped(), from series in JSON."""
    values = {one["labels"]["reason"]: one[member] for one in series if one["name"] == DROPPED}
    return {reason: values[reason] for reason in REASONS}


def dropped_by_dashboard(stack):
    return by_reason(json.loads(http_request(stack.metrics_port, "GET", "/api/history").text)["series"], "total")


def dropped_by_top(stack):
    command = [binary("top"), "--config", str(stack.config_file), "--json"]
    environment = {**clean_environment(), **stack.environment}
    top = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False)
    return by_reason(json.loads(top.stdout)["metrics"], "value")


def dropped_by_zmq(stack):
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, WAIT_LIMIT_S * 1000)
        socket.subscribe("metrics")
        socket.connect(stack.zmq_endpoint)
        return by_reason(json.loads(socket.recv_multipart()[1])["metrics"], "value")


def late_or_lost(scrape):
    """Observations of the delivery latency above a second."""
    name = "audio_chunk_delivery_latency_ms"
    return scrape.value(f"{name}_count") - scrape.value(f"{name}_bucket", le="1000")


@pytest.fixture
def check(stack):
    """Asserts that the listeners' own counts equal what the server dropped meanwhile, by those reasons alone."""
    before = dropped(stack)

    def compare(report, *reasons):
        delta = {reason: dropped(stack)[reason] - before[reason] for reason in REASONS}
        own = report["dropped_by_listener"]
        assert len(own) == LISTENERS
        if not report["reset"]:  # those have no last status
            assert own == report["server_dropped_by_listener"]
        assert sum(own) == report["missing"] + report["skipped"] == sum(delta.values())
        assert {reason for reason, count in delta.items() if count > 0} == set(reasons)
        shown = dropped(stack)
        for place in (dropped_by_dashboard, dropped_by_top, dropped_by_zmq):
            eventually(lambda place=place: place(stack) == shown, f"{place.__name__} as on /metrics")
        stack.check_books()
        return own

    return compare


@pytest.mark.parametrize("seconds", [2, 7])
def test_what_a_frozen_streamd_skips_is_what_its_listeners_miss(stack, check, seconds):
    load = Load(stack, seconds + 10)  # the listeners are told every 5 s what was dropped
    late = late_or_lost(stack.scrape())
    streamd = stack.daemons["streamd"]
    streamd.hang()
    time.sleep(seconds)
    if seconds > 4:  # taken for hung by now
        scrape = stack.scrape()
        assert scrape.value("auralis_up", process="streamd") == 0
        assert scrape.value("auralis_chunks_due_total") > 0, "counters stay"
        assert scrape.value("websocket_active_connections") is None, "gauges go"
    streamd.go_on()
    report = load.report()
    own = check(report, "overrun")
    # Some of what was due was sent late, out of the ring.
    assert len(set(own)) <= 2 and (seconds - 2) * 10 <= min(own) <= max(own) <= (seconds + 1) * 10
    eventually(lambda: stack.metric("websocket_chunk_delivery_success_rate") is not None, "the judgement")
    assert stack.metric("websocket_chunk_delivery_success_rate") < 98
    assert stack.metric("audio_chunk_delivery_variance_ms") > 50
    assert late_or_lost(stack.scrape()) >= late + LISTENERS * (seconds - 2) * 10


def test_what_listeners_miss_of_a_streamd_that_hangs_until_it_is_killed_is_estimated(stack):
    uncounted = "auralis_chunks_uncounted_total"
    load = Load(stack, 20)
    before, due = stack.metric(uncounted), stack.metric("auralis_chunks_due_total")
    streamd = stack.daemons["streamd"]
    streamd.hang()
    time.sleep(7)
    streamd.kill()
    streamd.start()
    eventually(lambda: stack.metric(uncounted) > before, "what was missed")
    missed = stack.metric(uncounted) - before
    # The last heartbeat and the last look at the process that hung are each up to a second old, and a busy machine's later.
    assert LISTENERS * 50 <= missed <= LISTENERS * 100
    assert load.report()["lost"], "the connections ended with streamd"
    stack.check_books()
    assert stack.metric("auralis_chunks_due_total") < due + missed, "not in what streamd counts"
    eventually(lambda: stack.metric("websocket_chunk_delivery_success_rate") is not None, "the judgement")
    assert stack.metric("websocket_chunk_delivery_success_rate") < 98
    eventually(lambda: json.loads(http_request(stack.metrics_port, "GET", "/api/history").text)["budget"]["lost"] >= missed, "budget")


def test_what_a_frozen_synthd_does_not_render_is_sent_as_silence(stack, check):
    load = Load(stack, 12)
    synthd = stack.daemons["synthd"]
    synthd.hang()
    time.sleep(5)
    synthd.go_on()
    report = load.report()
    assert check(report) == [0] * LISTENERS
    assert report["silence"] > 0


def test_what_stalled_readers_miss_is_their_backlog_alone(stack, check):
    stalled = LISTENERS - 5
    load = Load(stack, 14, "--stall", stalled, "--stall-seconds", 8)
    eventually(lambda: stack.metric("auralis_listeners_behind") == stalled, "those that read nothing")
    report = load.report()
    own = check(report, "backlog")
    assert all(own[:stalled]) and own[stalled:] == [0] * 5


def test_listeners_that_reset_their_connection_are_no_failure_of_delivery(stack, check):
    load = Load(stack, 6, "--reset", LISTENERS - 5)
    eventually(lambda: stack.metric("websocket_active_connections") == 5, "the others gone")
    report = load.report()
    assert check(report) == [0] * LISTENERS
    assert report["reset"] == LISTENERS - 5 and report["lost"] == {}
