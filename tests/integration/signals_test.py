# SPDX-License-Identifier: MIT
"""No signal that an operator would try ends or suspends a daemon; SIGUSR1 and SIGUSR2 change the level of its log."""

import json
import os
import pathlib
import signal

import pytest

from auralis import DAEMONS, Stack, eventually

# Signals that end a daemon by design: a stop, a kill, a crash, and SIGQUIT for a core dump.
ENDING = {
    *(signal.SIGTERM, signal.SIGINT, signal.SIGKILL, signal.SIGSTOP, signal.SIGQUIT),
    *(signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGABRT, signal.SIGTRAP, signal.SIGSYS),
}
HARMLESS = [number for number in range(1, 32) if number not in ENDING]


def process_status(daemon, field):
    for line in pathlib.Path(f"/proc/{daemon.pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return value.strip()
    raise KeyError(field)


def main_has_begun(daemon):
    """A signal that comes earlier meets the dynamic linker, not the daemon."""
    return int(process_status(daemon, "SigIgn"), 16) >> (signal.SIGSTKFLT - 1) & 1


def handles(daemon, number):
    return int(process_status(daemon, "SigCgt"), 16) >> (number - 1) & 1


def burst(daemon):
    for number in HARMLESS:
        os.kill(daemon.pid, number)


def messages(daemon):
    lines = (line for line in daemon.log().splitlines() if line.startswith("{"))
    return [json.loads(line) for line in lines]


def said(daemon, begin):
    return [record for record in messages(daemon) if record["message"].startswith(begin)]


@pytest.mark.parametrize("engine", ["native", "opencl"])
def test_no_signal_ends_or_suspends_a_daemon_that_starts_or_runs(engine):
    stack = Stack({"AURALIS_SYNTHD_ENGINE": engine, "AURALIS_SYNTHD_MAX_STATIONS": "2"})
    try:
        for daemon in stack.daemons.values():
            daemon.start()
            eventually(lambda daemon=daemon: main_has_begun(daemon), "main has begun")

        def ready_under_bursts():
            for daemon in stack.daemons.values():
                burst(daemon)
            return stack.ready("/readyz", stack.stream_port) and stack.ready("/readyz", stack.metrics_port)

        eventually(ready_under_bursts, "ready", 120)
        for daemon in stack.daemons.values():
            burst(daemon)
            assert process_status(daemon, "State")[0] in "SRD"
        assert all(stack.is_up(name) for name in DAEMONS)
        assert set(stack.stop().values()) == {0}
    finally:
        stack.remove()


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGABRT])
def test_a_daemon_that_hangs_can_be_ended_with_a_core_dump(number):
    """SIGABRT is what systemd's watchdog sends. LLVM, which synthd loads with PoCL, has handlers for both."""
    stack = Stack({"AURALIS_SYNTHD_ENGINE": "opencl", "AURALIS_SYNTHD_MAX_STATIONS": "2"})
    try:
        for daemon in stack.daemons.values():
            daemon.start()
        stack.wait_until_ready()
        for daemon in stack.daemons.values():
            # Until the first second after the last handler was installed.
            eventually(lambda daemon=daemon: not handles(daemon, number), "the default action")
            os.kill(daemon.pid, number)
            assert daemon.exit_status() == -number
    finally:
        stack.remove()


@pytest.mark.parametrize("name", DAEMONS)
def test_sigusr1_begins_debug_messages_and_sigusr2_ends_them(stack, name):
    daemon = stack.daemons[name]
    os.kill(daemon.pid, signal.SIGUSR1)
    begin = eventually(lambda: said(daemon, "log level is debug for 10 minutes"), "a line in the log")[-1]
    assert begin["level"] == "info" and begin["until"] > begin["time"][:19]
    os.kill(daemon.pid, signal.SIGUSR2)
    end = eventually(lambda: said(daemon, "log level is the configured one"), "a line in the log")[-1]
    assert (end["level"], end["time"] >= begin["time"]) == ("info", True)
