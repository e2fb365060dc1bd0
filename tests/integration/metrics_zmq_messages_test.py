# SPDX-License-Identifier: MIT
"""What metricsd publishes over ZeroMQ is as docs/zeromq.md and its schema say, also to who comes late and after a restart."""

import contextlib
import re
import subprocess
import sys
import threading

import zmq

from auralis import WAIT_LIMIT_S, eventually
from listener import PCM, Listener
from metricsd_alone import Metricsd
from protocol_files import DOCS, code_names, definitions, faults, strict_json, table, tables

SCHEMA = "metricsd-messages.json"
PAGE = (DOCS / "zeromq.md").read_text()
TOPICS = ("metrics", "event", "history")


@contextlib.contextmanager
def subscribed(endpoint, *topics):
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, WAIT_LIMIT_S * 1000)
        for topic in topics:
            socket.subscribe(topic)
        socket.connect(endpoint)
        yield socket


def received(socket):
    """The next message, which must be as its schema says, and its topic."""
    topic, body = socket.recv_multipart()
    message = strict_json(body.decode())
    assert faults(SCHEMA, topic.decode(), message) == []
    return topic.decode(), message


def first_that(socket, wanted):
    """The next message for which `wanted` is true, of which there must be one."""
    return next(message for _, message in iter(lambda: received(socket), None) if wanted(message))


def kind_is(kind, subject):
    return lambda message: message.get("event") == kind and message["subject"] == subject


def test_the_page_has_the_members_and_kinds_of_the_schema():
    shared, metrics, event = ([code_names(row[0])[0] for row in rows[1:]] for rows in tables(PAGE) if rows[0][0] == "member")
    assert sorted(shared + metrics) == sorted(definitions(SCHEMA)["metrics"]["properties"])
    assert sorted(shared + event) == sorted(definitions(SCHEMA)["event"]["properties"])
    kinds = [code_names(row[0])[0] for row in table(PAGE, "kind")]
    assert kinds == definitions(SCHEMA)["event"]["properties"]["event"]["enum"]
    assert tuple(code_names(row[0])[0] for row in table(PAGE, "topic")) == TOPICS


def test_an_outage_is_told_by_events_that_count_what_metrics_count(stack):
    with subscribed(stack.zmq_endpoint, "") as socket, contextlib.closing(Listener(stack.stream_url(), PCM)) as listener:
        listener.wait_for_more(3)
        before = stack.metric("ring_buffer_underruns_total", station="default")
        history = first_that(socket, lambda message: "events" in message)
        known = {event["id"] for event in history["events"]}
        synthd = stack.daemons["synthd"]
        synthd.hang()
        hang = first_that(socket, kind_is("hang", "synthd"))
        synthd.go_on()
        up = first_that(socket, kind_is("up", "synthd"))
        assert hang["run"] == history["run"] == up["run"]
        assert up["seq"] > hang["seq"] > max((event["seq"] for event in history["events"]), default=0)

        def counted():
            with subscribed(stack.zmq_endpoint, "history") as late:
                _, message = received(late)
            holes = [event for event in message["events"] if kind_is("hole", "default")(event) and event["id"] not in known]
            missing = stack.metric("ring_buffer_underruns_total", station="default") - before
            return missing > 0 and sum(hole["total"] for hole in holes) == missing

        eventually(counted, "the events count the chunks that the counter counts")


def test_numbers_rise_by_one_and_begin_again_with_the_next_run():
    with Metricsd() as metricsd, subscribed(metricsd.zmq_endpoint, "metrics") as socket:
        _, first = received(socket)
        _, second = received(socket)
        assert second["run"] == first["run"]
        assert second["seq"] == first["seq"] + 1
        metricsd.kill()
        metricsd.start()
        restarted = first_that(socket, lambda message: message["run"] != first["run"])
        assert restarted["run"]["id"] != first["run"]["id"]
        assert restarted["run"]["start"] > first["run"]["start"]
        assert restarted["seq"] < second["seq"]


def test_a_late_subscriber_gets_what_happened_before():
    with Metricsd() as metricsd:
        with subscribed(metricsd.zmq_endpoint, "metrics") as early:
            received(early)  # by then the other daemons are known to be absent
        for _ in range(2):
            with subscribed(metricsd.zmq_endpoint, "history") as late:
                topic, message = received(late)
            assert topic == "history"
            assert [(event["event"], event["process"]) for event in message["events"]] == [
                ("down", "synthd"),
                ("down", "streamd"),
            ]


def test_the_example_of_the_page_runs(stack):
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    process = subprocess.Popen([sys.executable, "-c", example, stack.zmq_endpoint], stdout=subprocess.PIPE, text=True)
    limit = threading.Timer(WAIT_LIMIT_S, process.kill)
    limit.start()
    try:
        for expected in (r"history None \[.*'synthd is up'", r"metrics [0-9.]+ \[\]"):
            assert any(re.match(expected, line) for line in process.stdout), expected
    finally:
        limit.cancel()
        process.kill()
        process.wait()
        process.stdout.close()
