# SPDX-License-Identifier: MIT
"""What metricsd publishes over ZeroMQ is as docs/zeromq.md and its schema say, also to who comes late and after a restart."""

import contextlib
import re
import subprocess
import sys
import threading
import time

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

    def found():
        _, message = received(socket)
        return message if wanted(message) else None

    return eventually(found, "such a message")


def kind_is(kind, subject):
    return lambda message: message.get("event") == kind and message["subject"] == subject


def test_the_page_has_the_members_and_kinds_of_the_schema():
    shared, metrics, event = ([code_names(row[0])[0] for row in rows[1:]] for rows in tables(PAGE) if rows[0][0] == "member")
    assert sorted(shared + metrics) == sorted(definitions(SCHEMA)["metrics"]["properties"])
    assert sorted(shared + event) == sorted(definitions(SCHEMA)["event"]["properties"])
    kinds = [code_names(row[0])[0] for row in table(PAGE, "kind")]
    assert kinds == definitions(SCHEMA)["event"]["properties"]["event"]["enum"]
    assert tuple(code_names(row[0])[0] for row in table(PAGE, "topic")) == TOPICS


class Outage:
    """What is told of an outage, message by message."""

    def __init__(self, socket):
        self._socket = socket
        self._underruns = None
        self._missing = 0  # since the last snapshot
        self.missing = 0
        self.kinds = set()

    def follow(self):
        """Takes a message. The events of a second count what its snapshot counts."""
        topic, message = received(self._socket)
        if topic == "event":
            self.kinds.add((message["event"], message["subject"]))
            self._missing += message["count"] if message["event"] == "hole" else 0
        elif topic == "metrics":
            (now,) = [one["value"] for one in message["metrics"] if is_underruns(one)]
            assert self._underruns is None or now - self._underruns == self._missing
            self.missing += self._missing
            self._underruns, self._missing = now, 0
        return self.missing


def is_underruns(series):
    return series["name"] == "ring_buffer_underruns_total" and series["labels"] == {"station": "default"}


def test_an_outage_is_told_by_events_that_count_what_metrics_count(stack):
    with subscribed(stack.zmq_endpoint, "metrics", "event") as socket, contextlib.closing(Listener(stack.stream_url(), PCM)):
        outage = Outage(socket)
        first_that(socket, lambda message: "metrics" in message)
        stack.daemons["synthd"].hang()
        try:
            eventually(lambda: outage.follow() and ("hang", "synthd") in outage.kinds, "hang, and what is missing")
        finally:
            stack.daemons["synthd"].go_on()
        eventually(lambda: outage.follow() and ("up", "synthd") in outage.kinds, "the end of it")


def test_what_clients_and_operators_do_is_told(stack):
    with subscribed(stack.zmq_endpoint, "metrics", "event") as socket:
        first_that(socket, lambda message: "metrics" in message)
        assert stack.refused_upgrade("/ws/nowhere").status == 404
        refused = first_that(socket, kind_is("refusals", "path"))
        assert (refused["process"], refused["count"], refused["total"]) == ("streamd", 1, 1)
        assert stack.http("POST", "/api/control", '{"type": "select_preset", "preset": "sleep"}').status == 200
        assert first_that(socket, kind_is("control", "accepted"))["count"] == 1
        for name, daemon in stack.daemons.items():
            daemon.reload()
            assert first_that(socket, kind_is("reload", name))["message"] == f"{name} has reloaded its configuration"
        stack.config_file.write_text("nonsense")
        stack.daemons["streamd"].reload()
        failed = first_that(socket, kind_is("reload", "streamd"))
        assert failed["message"] == "streamd could not reload its configuration: see its log"
        stack.config_file.write_text("")


def test_numbers_rise_by_one_and_begin_again_with_the_next_run():
    with Metricsd() as metricsd, subscribed(metricsd.zmq_endpoint, "metrics") as socket:
        _, first = received(socket)
        _, second = received(socket)
        assert second["run"] == first["run"]
        assert second["seq"] == first["seq"] + 1
        metricsd.kill()
        killed_s = time.time()
        metricsd.start()
        restarted = first_that(socket, lambda message: message["run"] != first["run"])
        assert restarted["run"]["id"] != first["run"]["id"]
        assert restarted["run"]["start"] > first["run"]["start"]
        # One a second: those before the kill would be too many.
        assert restarted["seq"] <= restarted["time"] - killed_s + 1


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
