# SPDX-License-Identifier: MIT
"""The program of scripts/soak: succeeds with the real daemons, and fails on the faults that it must detect."""

import os
import pathlib
import re
import signal
import subprocess
import sys

import pytest

import exposition
import process_memory
import soak

LIMIT_S = 200
PROGRAM = pathlib.Path(soak.__file__)
SLOPE = r"[+-]\d+\.\d\d ± \d+\.\d\d"


def start(*arguments):
    """A soak whose listeners have started to connect, and its processes, by name."""
    command = [sys.executable, PROGRAM, *map(str, arguments)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    first = running.stdout.readline()
    assert "listeners come and go" in first, first + running.communicate(timeout=LIMIT_S)[0]
    pids = pathlib.Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text(encoding="ascii").split()
    return running, {pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip(): int(pid) for pid in pids}


def alive(daemons):
    return [name for name, pid in daemons.items() if pathlib.Path(f"/proc/{pid}").exists()]


def end(running):
    """Its exit status and output."""
    try:
        said, _ = running.communicate(timeout=LIMIT_S)
    finally:
        running.kill()
        running.wait()
    return running.returncode, said


def test_daemons_live_books_balance_and_nothing_is_left_over():
    running, daemons = start("--minutes", 0.8, "--listeners", 40, "--life", 4)
    assert daemons.keys() == {"synthd", "streamd", "metricsd"}
    environment = pathlib.Path(f"/proc/{daemons['streamd']}/environ").read_text(encoding="utf-8")
    folder = pathlib.Path(re.search(r"AURALIS_RUNTIME_DIR=([^\0]+)", environment)[1]).parent
    assert folder.exists()
    status, said = end(running)
    assert status == 0, said
    assert re.search(r"the books balanced in \d+ scrapes, every process lived, no descriptor or thread is left over", said)
    for name in daemons:
        for kind in (*process_memory.KINDS, "descriptors", "threads"):
            assert re.search(rf"^{name} +{kind} .* {SLOPE} +{SLOPE} +{SLOPE}$", said, re.MULTILINE), said
    # Listeners did come, go and change.
    assert int(re.search(r"\bcame ([\d,]+)", said)[1].replace(",", "")) > 80
    assert int(re.search(r"\bacts ([\d,]+)", said)[1].replace(",", "")) > 40
    assert not folder.exists() and not alive(daemons)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_soak_ends_its_daemons_and_shows_what_it_has(number):
    running, daemons = start("--minutes", 60, "--listeners", 10)
    running.send_signal(number)
    status, said = end(running)
    assert status == soak.INTERRUPTED, said
    assert "soak: interrupted" in said and re.search(r"^streamd +anonymous", said, re.MULTILINE)
    assert not alive(daemons)


def test_a_daemon_that_dies_fails_the_soak():
    running, daemons = start("--minutes", 60, "--listeners", 10)
    os.kill(daemons["streamd"], signal.SIGKILL)
    status, said = end(running)
    assert status == 1
    assert "soak: FAILED" in said and "streamd died" in said
    assert not alive(daemons)


def scrape(due=10, sent=7, dropped=2, queued=1, came=5, gone=3, here=2):
    return exposition.parse(
        f"""# TYPE auralis_chunks_due_total counter
auralis_chunks_due_total {due}
websocket_chunks_sent_total {sent}
websocket_chunks_dropped_total{{reason="backlog"}} {dropped}
auralis_chunks_queued {queued}
websocket_connections_total {came}
websocket_disconnections_total{{reason="client"}} {gone}
websocket_active_connections {here}
"""
    )


@pytest.mark.parametrize("wrong", ["due", "sent", "dropped", "queued", "came", "gone", "here"])
def test_books_that_do_not_balance_are_a_trouble(wrong):
    record = soak.Record()
    soak.check_scrape(scrape(), record)
    assert not record.troubles
    soak.check_scrape(scrape(**{wrong: 77}), record)
    (trouble,) = record.troubles
    assert trouble.startswith("the books do not balance")


def test_leaked_resources_are_named_and_released_ones_are_not():
    before = {"streamd": {"descriptors": 14, "threads": 5}, "synthd": {"descriptors": 6, "threads": 4}}
    assert soak.left_over(before, before) == []
    after = {"streamd": {"descriptors": 16, "threads": 4}, "synthd": {"descriptors": 6, "threads": 5}}
    assert soak.left_over(before, after) == [
        "streamd leaks descriptors: 14 before the listeners, 16 after them",
        "synthd leaks threads: 4 before the listeners, 5 after them",
    ]
