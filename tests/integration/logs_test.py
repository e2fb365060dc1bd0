# SPDX-License-Identifier: MIT
"""The files of the daemons' logs, lines on audio that was missing, and what systemd shows. (Only unit tests have a journal.)"""

import json
import os
import re
import signal
import socket
import stat
import time

import pytest

from auralis import DAEMONS, WAIT_LIMIT_S, Stack, eventually
from listener import PCM


def records(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "logs"


def of_files(folder, pattern):
    return [record for file in folder.glob(pattern) for record in records(file.read_text())]


def test_with_a_folder_each_daemon_logs_to_a_file_of_the_day_as_well(folder):
    folder.mkdir()
    with Stack({"AURALIS_LOG_DIR": str(folder)}) as stack:
        for name in DAEMONS:
            written = of_files(folder, f"{name}-2*.log")
            logged = records(stack.daemons[name].log())
            assert written[0] == logged[0]
            assert {record["process"] for record in written} == {name}
        for file in folder.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) & 0o137 == 0


def test_without_the_folder_a_daemon_says_so_in_one_line_and_runs(folder):
    with Stack({"AURALIS_LOG_DIR": str(folder)}) as stack:
        for name in DAEMONS:
            errors = [record for record in records(stack.daemons[name].log()) if record["level"] == "error"]
            assert [error["message"] for error in errors] == [
                "log file cannot be written, the log is on standard error only"
            ]
            assert errors[0]["file"].startswith(f"{folder}/{name}-2") and errors[0]["error"] == os.strerror(2)


def said(stack, message, daemon="streamd", **fields):
    return [
        record
        for record in records(stack.daemons[daemon].log())
        if record["message"] == message and fields.items() <= record.items()
    ]


def test_a_daemon_that_is_lost_is_a_warning_and_its_return_is_none():
    with Stack() as stack:
        synthd = stack.daemons["synthd"]
        # One that was never seen is no loss.
        eventually(lambda: said(stack, "synthd is up", "metricsd"), "that it is seen")
        synthd.kill()
        eventually(lambda: said(stack, "synthd has ended", "metricsd", level="warning"), "the warning")
        synthd.start()
        eventually(lambda: stack.is_up("synthd"), "synthd again")
        stack.daemons["streamd"].hang()
        hangs = "streamd hangs: its heartbeat has stopped"
        eventually(lambda: said(stack, hangs, "metricsd", level="warning"), "the warning")
        stack.daemons["streamd"].go_on()
        eventually(lambda: len(said(stack, "streamd is up", "metricsd", level="info")) == 2, "its return")


def test_silence_while_synthd_is_gone_is_one_hole_with_its_length_and_listeners(stack, listen):
    listener = listen(PCM)
    listener.wait_for_more(3)
    before = stack.metric("ring_buffer_underruns_total", station="default")
    stack.daemons["synthd"].kill()
    begun = eventually(lambda: said(stack, "audio is missing"), "the begin of the hole")
    assert len(begun) == 1
    assert (begun[0]["level"], begun[0]["station"]) == ("warning", "default")
    assert (begun[0]["cause"], begun[0]["listeners"]) == ("synthd_gone", 1)
    stack.daemons["synthd"].start()
    (over,) = eventually(lambda: said(stack, "audio was missing"), "its end")
    assert (over["first"], over["cause"]) == (begun[0]["first"], "synthd_gone")
    assert over["chunks"] == stack.metric("ring_buffer_underruns_total", station="default") - before
    assert over["ms"] == 100 * over["chunks"]
    assert len(said(stack, "audio is missing")) == 1


def test_chunks_that_streamd_skipped_are_one_hole_as_long_as_what_the_listener_lost(stack, listen):
    listener = listen(PCM)
    listener.wait_for_more(3)
    before = stack.metric("websocket_chunks_dropped_total", reason="overrun")
    stack.daemons["streamd"].hang()
    time.sleep(3)  # longer than the ring
    stack.daemons["streamd"].go_on()
    (hole,) = eventually(lambda: said(stack, "audio was missing", cause="overrun"), "a line in the log")
    assert (hole["station"], hole["listeners"]) == ("default", 1)
    listener.wait_for_more(3)
    assert stack.metric("websocket_chunks_dropped_total", reason="overrun") - before == hole["chunks"]


@pytest.mark.parametrize(
    "daemon, message, fields",
    [
        ("streamd", "chunk streamed", {"station", "chunk", "buffer_depth_ms", "active_connections"}),
        ("synthd", "audio synthesised", {"synthesis_time_ms", "duration_ms", "stations", "voices", "engine", "device_type"}),
    ],
)
def test_debug_messages_tell_of_one_chunk_in_ten(stack, daemon, message, fields):
    assert not said(stack, message, daemon)
    os.kill(stack.daemons[daemon].pid, signal.SIGUSR1)
    lines = eventually(lambda: said(stack, message, daemon)[2:], "three lines")
    os.kill(stack.daemons[daemon].pid, signal.SIGUSR2)
    assert all(fields <= record.keys() and record["level"] == "debug" for record in lines)
    if daemon == "streamd":
        assert all(record["chunk"] % 10 == 0 for record in lines)


def test_each_daemon_keeps_its_state_in_what_systemd_shows(tmp_path):
    missing = {
        r"STATUS=1 station, depth \d+ ms, \d+ chunks? skipped/h",
        r"STATUS=1 station, 0 listeners, depth \d+ ms, \d+ underruns?/h",
        r"STATUS=synthd healthy, streamd healthy",
    }
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(path)
        systemd.settimeout(WAIT_LIMIT_S)
        with Stack({"NOTIFY_SOCKET": path}):
            while missing:
                text = systemd.recv(4_096).decode()
                missing = {pattern for pattern in missing if not re.fullmatch(pattern, text)}
