# SPDX-License-Identifier: MIT
"""How a benchmark measures other load on the machine."""

import os
import subprocess
import sys

import pytest

import machine
from machine import Clocks

#            user nice system idle iowait irq softirq steal
STAT = "cpu  1000 200  300    5000 40     60  70      80 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\n"


def process(pid, parent, *ticks, name="name"):
    """/proc/PID/stat: utime, stime, cutime and cstime are the 14th to the 17th of its fields."""
    return f"{pid} ({name}) S {parent} 1 1 0 -1 4194304 5 0 0 0 {' '.join(map(str, ticks))} 20 0 1 0 100 1 1"


def test_time_of_processes_is_busy_and_that_of_interrupts_is_nobodys():
    assert machine.busy_and_stolen(STAT, 100) == (15, 0.8)


def test_descendants_are_ours_with_their_ended_children_and_others_are_not():
    stats = [
        process(10, 1, 1_000, 1_000, 1_000, 1_000),
        process(11, 10, 1, 2, 3, 4),
        process(12, 11, 10, 20, 30, 40, name="a) S (b"),
        process(13, 1, 5_000, 0, 0, 0),
        process(14, 13, 5_000, 0, 0, 0),
    ]
    assert machine.descendants_time(stats, 10, 100) == pytest.approx(1.1)


def test_other_load_is_what_neither_we_took_nor_idled():
    before = Clocks(wall=100, busy=50, stolen=1, ours=20)
    assert machine.other_load(before, Clocks(110, 56, 1, 26), 2) == 0
    assert machine.other_load(before, Clocks(110, 60, 1, 26), 2) == pytest.approx(20)
    assert machine.other_load(before, Clocks(110, 56, 3, 26), 2) == pytest.approx(10)
    # Clocks of different resolution may disagree.
    assert machine.other_load(before, Clocks(110, 56, 1, 26.1), 2) == 0


def test_work_of_a_child_is_ours_while_it_runs_and_after_its_end():
    before = machine.clocks()
    burn = "import sys, time\nwhile time.process_time() < 0.3: pass\nprint(flush=True)\nsys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", burn], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        running = machine.clocks()
        child.stdin.close()
        child.wait()
    ended = machine.clocks()
    assert running.ours - before.ours >= 0.25
    assert ended.ours >= running.ours - 2 / os.sysconf("SC_CLK_TCK")


def test_unevenness_is_of_the_ninth_of_ten():
    assert machine.unevenness([1.0] * 200) == 0
    assert machine.unevenness([1.0] * 150 + [1.5] * 50) == pytest.approx(50)
    assert machine.unevenness([1.0] * 199 + [9.0]) == 0


@pytest.mark.parametrize(
    "other_load, unevenness, why",
    [
        (0, 0, ""),
        (5, 30, ""),
        (41.3, 0, "machine busy (41 % other load)"),
        (41.3, 80, "machine busy (41 % other load)"),
        (1, 80, "machine busy (fixed work takes up to 80 % longer than at its fastest)"),
    ],
)
def test_a_busy_machine_is_named(other_load, unevenness, why):
    assert machine.why_not(other_load, unevenness) == why


def test_a_watch_sees_what_happens_in_its_context(monkeypatch):
    seen = iter((Clocks(0, 0, 0, 0), Clocks(10, 12, 0, 2)))
    monkeypatch.setattr(machine, "clocks", lambda: next(seen))
    monkeypatch.setattr(machine, "calibrate", lambda: [1.0, 1.0])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    with machine.Watch() as watch:
        assert watch.why_not() == ""
    assert watch.why_not() == "machine busy (50 % other load)"
