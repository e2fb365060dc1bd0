#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures what monitoring costs the audio path: processor time of synthd and streamd while metricsd is absent, idle,
scraped, stopped, and killed again and again, in turns, with listeners that count what they lose.

All runs on this machine, which needs at least two cores and no other load. The results tell the turns during which other
processes were busy from the others.
"""

import argparse
import contextlib
import datetime
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "streaming"))

import machine  # noqa: E402
import servers  # noqa: E402

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build/bench"
LISTENERS = 200
SECONDS = 10  # that a turn is measured
SETTLE_S = 3  # before and after, for the listeners to connect and to end
LIMIT_S = 60  # that a turn may take longer
WRONG = ("missing", "skipped", "repeats", "silence", "malformed")
SCRAPES_PER_S = 100
RESTART_S = 1  # RestartSec of metricsd's unit: more often it is not started


def repeatedly(work, period_s):
    """A context in which a thread calls `work` once per period."""

    @contextlib.contextmanager
    def running():
        ended = threading.Event()

        def run():
            due = time.monotonic()
            while not ended.is_set():
                with contextlib.suppress(OSError, http.client.HTTPException):
                    work()
                due = max(due + period_s, time.monotonic())
                ended.wait(due - time.monotonic())

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    return running()


def scrape(connection):
    try:
        connection.request("GET", "/metrics", headers={"Connection": "keep-alive"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        connection.close()  # the next request connects again
        raise


@contextlib.contextmanager
def scraped(auralis):
    with auralis.metricsd() as (_, port):
        connection = http.client.HTTPConnection(servers.HOST, port, timeout=5)
        with contextlib.closing(connection), repeatedly(lambda: scrape(connection), 1 / SCRAPES_PER_S):
            yield


@contextlib.contextmanager
def idle(auralis):
    with auralis.metricsd():
        yield


@contextlib.contextmanager
def stopped(auralis):
    with auralis.metricsd() as (process, _):
        process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)


def start_and_kill(auralis):
    with auralis.metricsd() as (process, _):
        process.kill()


CONDITIONS = {
    "absent": ("not running", lambda auralis: contextlib.nullcontext()),
    "idle": ("running", idle),
    "scraped": (f"scraped {SCRAPES_PER_S} times a second", scraped),
    "stopped": ("stopped (SIGSTOP)", stopped),
    "killed": (
        "killed (SIGKILL) and started each second",
        lambda auralis: repeatedly(lambda: start_and_kill(auralis), RESTART_S),
    ),
}


def processor_s(pid):
    """Processor time that the process has used, also by threads that have ended."""
    return time.clock_gettime(~pid << 3 | 2)  # as clock_getcpuclockid() computes it


class Bench:
    def __init__(self, options, folder):
        self._options = options
        self._auralis = servers.Auralis(options.build, folder)
        # Of each turn: the percentage of a core that each daemon used, and what disturbed the turn, if anything.
        self.turns = {
            name: {"title": title, "synthd": [], "streamd": [], "disturbed": []} for name, (title, _) in CONDITIONS.items()
        }
        self.heard = dict.fromkeys(("chunks", *WRONG), 0)  # by the listeners of all turns

    def run(self):
        with self._auralis.playing() as synthd, self._auralis.streamd(self._options.listeners) as streamd:
            for turn in range(self._options.rounds):
                for name, (_, condition) in CONDITIONS.items():
                    print(f"monitoring: round {turn + 1} of {self._options.rounds}, {name}", file=sys.stderr)
                    with condition(self._auralis), self._listening(streamd.url):
                        time.sleep(SETTLE_S)
                        self._measure(name, {"synthd": synthd.pid, "streamd": streamd.pid})

    @contextlib.contextmanager
    def _listening(self, url):
        seconds = self._options.seconds + 2 * SETTLE_S
        command = [self._options.build / "tools/auralis-load", url, "--listeners", self._options.listeners]
        with servers.process([*command, "--seconds", seconds, "--json"], stdout=subprocess.PIPE, stderr=None) as load:
            yield
            report = json.loads(load.communicate(timeout=seconds + LIMIT_S)[0])
        for name in self.heard:
            self.heard[name] += report[name]

    def _measure(self, name, pids):
        watch = machine.Watch()
        with watch:
            before = time.monotonic(), {daemon: processor_s(pid) for daemon, pid in pids.items()}
            time.sleep(self._options.seconds)
            after = time.monotonic(), {daemon: processor_s(pid) for daemon, pid in pids.items()}
        if watch.why_not():
            print(f"monitoring:   disturbed: {watch.why_not()}", file=sys.stderr)
        self.turns[name]["disturbed"].append(watch.why_not())
        for daemon in pids:
            self.turns[name][daemon].append(100 * (after[1][daemon] - before[1][daemon]) / (after[0] - before[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=BUILD, metavar="FOLDER", help="build folder (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the results to this file")
    parser.add_argument("--quick", action="store_true", help="one short round: only checks that it works")
    parser.add_argument("--rounds", type=int, default=10, help="turns of each condition (%(default)s)")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.listeners, options.seconds = (20, 2) if options.quick else (LISTENERS, SECONDS)
    if options.quick:
        options.rounds = 1
    for program in ("tools/auralis-load", "synthd/synthd", "streamd/streamd", "metricsd/metricsd"):
        if not os.access(options.build / program, os.X_OK):
            parser.error(f"no {options.build / program}: build it, with the preset bench")
    with tempfile.TemporaryDirectory(prefix="auralis-monitoring-", dir="/dev/shm") as name:
        bench = Bench(options, pathlib.Path(name))
        bench.run()
    models = re.findall(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    results = {
        "date": datetime.date.today().isoformat(),
        "processor": models[0] if models else "unknown processor",
        "processors": len(os.sched_getaffinity(0)),
        "listeners": options.listeners,
        "seconds": options.seconds,
        "turns": bench.turns,
        "heard": bench.heard,
    }
    text = json.dumps(results, indent=2) + "\n"
    print(text, end="")
    if options.json:
        options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
