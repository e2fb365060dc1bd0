# SPDX-License-Identifier: MIT
"""Measures how busy the machine is with other work during a measurement.

Two indicators, since each alone misses something: processor time of other processes, as the kernel counts it, does not
show other guests of a hypervisor; the variation of a short loop of fixed work does not show load that starts later.
"""

import dataclasses
import os
import pathlib
import resource
import time

MOST_OTHER_LOAD = 5  # percent of all processors
MOST_UNEVENNESS = 30  # percent
CALIBRATION_RUNS = 200
CALIBRATION_WORK = 10_000  # additions, some tenths of a millisecond


@dataclasses.dataclass(frozen=True)
class Clocks:
    """Wall clock and processor times in seconds, from an arbitrary start."""

    wall: float
    busy: float  # of all processes
    stolen: float  # by other guests of the machine's host
    ours: float  # of this process and of its descendants, including ended ones


def busy_and_stolen(stat, ticks_per_s):
    """Returns both from the text of /proc/stat. Leaves interrupts out: kernels differ in whether they charge a process for
    interrupts of its own traffic, and our traffic causes many."""
    user, nice, system, _, _, _, _, stolen = map(int, stat.split("\n", 1)[0].split()[1:9])
    return (user + nice + system) / ticks_per_s, stolen / ticks_per_s


def descendants_time(stats, root, ticks_per_s):
    """Returns the processor time of all descendants of `root`, including their ended children. `stats` are the texts of
    /proc/PID/stat of all processes."""
    parents, ticks = {}, {}
    for text in stats:
        pid, _, rest = text.partition(" (")
        fields = rest.rpartition(") ")[2].split()
        parents[int(pid)] = int(fields[1])
        ticks[int(pid)] = sum(map(int, fields[11:15]))

    def descends(pid):
        while pid in parents:
            pid = parents[pid]
            if pid == root:
                return True
        return False

    return sum(ticks[pid] for pid in parents if descends(pid)) / ticks_per_s


def _stats():
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            yield (process / "stat").read_text(errors="replace")
        except OSError:
            pass  # the process has ended


def clocks():
    ticks_per_s = os.sysconf("SC_CLK_TCK")
    own = sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    ours = own + descendants_time(_stats(), os.getpid(), ticks_per_s)
    busy, stolen = busy_and_stolen(pathlib.Path("/proc/stat").read_text(encoding="ascii"), ticks_per_s)
    return Clocks(time.monotonic(), busy, stolen, ours)


def other_load(before, after, processors):
    """Returns the percentage of all processors' time that other processes used between two readings."""
    ours = after.ours - before.ours
    others = max(0, after.busy - before.busy - ours) + after.stolen - before.stolen
    wall = after.wall - before.wall
    return 100 * others / (wall * processors) if wall > 0 else 0


def calibrate():
    """Returns the durations of repeated runs of the same short work, in seconds."""
    durations = []
    for _ in range(CALIBRATION_RUNS):
        begin = time.perf_counter()
        sum(range(CALIBRATION_WORK))
        durations.append(time.perf_counter() - begin)
    return durations


def unevenness(durations):
    """Returns how far the 90th percentile lies above the minimum, in percent."""
    in_order = sorted(durations)
    return 100 * (in_order[len(in_order) * 9 // 10] / in_order[0] - 1)


def why_not(other_load_percent, unevenness_percent):
    """Returns why the machine is too busy to measure; empty if it is not."""
    if other_load_percent > MOST_OTHER_LOAD:
        return f"machine busy ({other_load_percent:.0f} % other load)"
    if unevenness_percent > MOST_UNEVENNESS:
        return f"machine busy (fixed work takes up to {unevenness_percent:.0f} % longer than at its fastest)"
    return ""


class Watch:
    """Measures the machine's other load during its context; the results are valid after the context ends."""

    def __init__(self):
        self.other_load_percent = self.unevenness_percent = 0.0

    def __enter__(self):
        self.unevenness_percent = unevenness(calibrate())
        self._before = clocks()
        return self

    def __exit__(self, *_):
        self.other_load_percent = other_load(self._before, clocks(), len(os.sched_getaffinity(0)))

    def why_not(self):
        return why_not(self.other_load_percent, self.unevenness_percent)
