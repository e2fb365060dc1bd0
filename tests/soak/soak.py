#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs the three daemons for a while under listeners that come, go and change, and reports what grows.

Every few seconds it scrapes metricsd and reads the processes' memory, descriptors and threads; at the end it prints a line
for each, with its slope. It fails if a process died, if the chunk counters do not add up, or if descriptors or threads are left
once all listeners have gone. It does not judge the growth of memory, for which a short run is not enough.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import signal
import sys
import time

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "integration"))

import zmq  # noqa: E402

import auralis  # noqa: E402
import growth  # noqa: E402
import process_memory  # noqa: E402
from crowd import CONFIGURATION, Crowd  # noqa: E402

BUILD = TESTS.parent / "build/release"
SAMPLE_S = 5
WARMUP = 0.2  # fraction of the total time
SETTLE_LIMIT_S = 60
NEEDED = ("auralis_chunks_due_total", "auralis_chunks_queued", "websocket_active_connections")  # to check the chunk counters
REHEARSAL_S = 3  # afterwards a daemon has opened everything it keeps open
INTERRUPTED = 130


@dataclasses.dataclass
class Record:
    """Observations of a run. `samples`: for each time, those of each process by name."""

    times: list = dataclasses.field(default_factory=list)
    samples: list = dataclasses.field(default_factory=list)
    before: dict = dataclasses.field(default_factory=dict)  # each process without listeners, before and after
    after: dict = dataclasses.field(default_factory=dict)
    troubles: list = dataclasses.field(default_factory=list)
    scrapes: int = 0
    absent: int = 0  # scrapes without streamd's metrics: it hung, for lack of CPU time or worse
    interrupted: bool = False

    def trouble(self, text):
        if text not in self.troubles:
            self.troubles.append(text)
            print(f"soak: {text}", file=sys.stderr, flush=True)


def check_scrape(scrape, record):
    """Checks that the chunk counters add up in each scrape."""
    record.scrapes += 1
    due, became = auralis.books(scrape)
    if due != became:
        record.trouble(f"the books do not balance: {due:,.0f} chunks due, but {became:,.0f} sent, dropped or queued")
    came, gone, here = (
        scrape.total(f"websocket_{name}") for name in ("connections_total", "disconnections_total", "active_connections")
    )
    if came != gone + here:
        record.trouble(f"the books do not balance: {came:,.0f} listeners came, but {gone:,.0f} left and {here:,.0f} are there")


class Soak:
    """`stack`: the running daemons."""

    def __init__(self, stack, options):
        self._stack, self._options = stack, options
        self._started = {name: daemon.pid for name, daemon in stack.daemons.items()}
        self.record = Record()
        self.tally = {}

    def run(self):
        self._crowd(min(self._options.listeners, 10), REHEARSAL_S, self._pause)
        self.record.before = self._settled({})
        self._crowd(self._options.listeners, self._options.minutes * 60, self._watch)
        if self.record.interrupted or not self._all_alive():
            return
        after = self._settled(self.record.before)
        if self._all_alive():
            self.record.after = after
            for text in left_over(self.record.before, after):
                self.record.trouble(text)

    def _crowd(self, listeners, seconds, meanwhile):
        crowd = Crowd(self._stack.stream_port, listeners, self._options.life, self._options.seed)
        with crowd:
            meanwhile(seconds)
        self.tally = crowd.tally

    def _pause(self, seconds):
        time.sleep(seconds)
        self._scrape()

    def _watch(self, seconds):
        began = time.monotonic()
        try:
            self._keep(0)
            print(f"soak: {self._options.listeners} listeners come and go for {seconds / 60:g} min", flush=True)
            while (elapsed := time.monotonic() - began) < seconds and self._all_alive():
                self._keep(elapsed)
                self._scrape()
                self._subscribe()
                elapsed = time.monotonic() - began
                time.sleep(max(0, min(SAMPLE_S - elapsed % SAMPLE_S, seconds - elapsed)))
        except KeyboardInterrupt:
            self.record.interrupted = True

    def _all_alive(self):
        dead = [name for name, daemon in self._stack.daemons.items() if not daemon.running()]
        for name in dead:
            self.record.trouble(f"{name} died:\n{self._stack.daemons[name].log_tail()}")
        return not dead

    def _keep(self, elapsed_s):
        sample = self._sample()
        if all(sample.values()):
            self.record.times.append(elapsed_s)
            self.record.samples.append(sample)

    def _sample(self):
        return {name: process_memory.sample(pid) for name, pid in self._started.items()}

    def _scrape(self):
        try:
            scrape = self._stack.scrape()
        except (OSError, AssertionError) as error:
            self.record.trouble(f"no scrape: {error or type(error).__name__}")
            return None
        if any(scrape.value(name) is None for name in NEEDED):
            self.record.absent += 1
            return None
        check_scrape(scrape, self.record)
        return scrape

    def _subscribe(self):
        """Connects briefly, as tools do."""
        with zmq.Context() as context, context.socket(zmq.SUB) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RCVTIMEO, 3_000)
            socket.subscribe(b"")
            socket.connect(self._stack.zmq_endpoint)
            with contextlib.suppress(zmq.Again):
                socket.recv_multipart()

    def _empty(self):
        scrape = self._scrape()
        return scrape and not scrape.value("websocket_active_connections") and not scrape.value("auralis_chunks_queued")

    def _settled(self, expected):
        """A sample of each process after all listeners have left, once its descriptors and threads are as `expected`, or
        at the time limit."""
        deadline = time.monotonic() + SETTLE_LIMIT_S
        while self._all_alive():
            seen = self._sample() if self._empty() else {}
            if seen and all(seen.values()) and not left_over(expected, seen):
                return seen
            if time.monotonic() > deadline:
                if not seen:
                    self.record.trouble(f"listeners or their chunks are still counted {SETTLE_LIMIT_S} s after they left")
                break
            time.sleep(0.2)
        return self._sample()


def left_over(before, after):
    """Descriptors and threads that a process has in excess of before."""
    texts = []
    for name, then in before.items():
        for kind in ("descriptors", "threads"):
            more = after[name][kind] - then[kind]
            if more > 0:
                texts.append(f"{name} leaks {kind}: {then[kind]} before the listeners, {then[kind] + more} after them")
    return texts


def rows(record, warmup_s):
    """A text for each process and kind. Slopes are taken after the warm-up."""
    chosen = [index for index, time_s in enumerate(record.times) if time_s >= warmup_s]
    times = [record.times[index] for index in chosen]
    for name in auralis.DAEMONS:
        for kind in (*process_memory.KINDS, "descriptors", "threads"):
            scale = 1.024e-3 if kind in process_memory.KINDS else 1  # MB
            values = [record.samples[index][name][kind] * scale for index in chosen]
            if not values:
                continue
            first, second = growth.halves(times, values)
            after = record.after.get(name)
            yield (
                name,
                kind,
                *(f"{one:.1f}" for one in (values[0], max(values), values[-1])),
                f"{after[kind] * scale:.1f}" if after else "",
                *map(growth.text, (growth.slope(times, values), first, second)),
            )


def print_table(record, options, warmup_s):
    minutes = record.times[-1] / 60 if record.times else 0
    print(f"soak: {minutes:.1f} min with {options.listeners} listeners; slopes without the first {warmup_s / 60:.1f} min,")
    print("soak: memory in MB and MB/hour, descriptors and threads as numbers and in an hour, each ± its standard error")
    head = ("process", "kind", "begin", "most", "end", "alone", "slope", "first half", "second half")
    lines = [head, *rows(record, warmup_s)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = [cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())


def report(soak, options):
    """Prints the report; returns the exit status."""
    record = soak.record
    if not record.scrapes:
        record.trouble("no scrape had streamd's metrics")
    lasted_s = record.times[-1] if record.times else 0
    warmup_s = WARMUP * lasted_s if options.warmup is None else options.warmup * 60
    print_table(record, options, warmup_s)
    print("soak: what listeners did: " + ", ".join(f"{name} {count:,}" for name, count in sorted(soak.tally.items())))
    if record.absent:
        print(f"soak: in {record.absent} further scrapes streamd's metrics were absent: it hung or had ended")
    if options.samples:
        kept = {"times": record.times, "samples": record.samples, "before": record.before, "after": record.after}
        options.samples.write_text(json.dumps(kept), encoding="utf-8")
    if record.troubles:
        print(f"soak: FAILED: {len(record.troubles)} troubles, the first: {record.troubles[0].splitlines()[0]}")
        return 1
    if record.interrupted:
        print(f"soak: interrupted; the books balanced in {record.scrapes} scrapes so far")
        return INTERRUPTED
    print(f"soak: the books balanced in {record.scrapes} scrapes, every process lived, no descriptor or thread is left over")
    return 0


def parsed(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, metavar="N", help="with listeners (%(default)s)")
    parser.add_argument("--listeners", type=int, default=300, metavar="M", help="at a time (%(default)s)")
    parser.add_argument("--life", type=float, default=20, metavar="S", help="how long one stays on average (%(default)s)")
    parser.add_argument("--warmup", type=float, metavar="N", help="minutes that slopes leave out (a fifth of all)")
    parser.add_argument("--seed", type=int, default=1, help="what listeners do is drawn from (%(default)s)")
    parser.add_argument("--samples", type=pathlib.Path, metavar="FILE", help="write all samples here, as JSON")
    parser.add_argument("--build", type=pathlib.Path, default=BUILD, metavar="FOLDER", help="of the daemons (%(default)s)")
    options = parser.parse_args(arguments)
    if min(options.minutes, options.listeners, options.life) <= 0:
        parser.error("minutes, listeners and life are more than 0")
    return options


def find_daemons(build):
    """Uses that build's binaries unless the environment names others."""
    for name in auralis.DAEMONS:
        path = os.environ.setdefault(f"{name.upper()}_BIN", str(build.resolve() / name / name))
        if not os.access(path, os.X_OK):
            raise SystemExit(f"soak: no {path}: build it first")


def interrupt(*_):
    raise KeyboardInterrupt


def main(arguments=None):
    options = parsed(arguments)
    find_daemons(options.build)
    signal.signal(signal.SIGTERM, interrupt)
    settings = {
        "AURALIS_STREAMD_MAX_LISTENERS": str(options.listeners + 50),
        "AURALIS_STREAMD_TRUSTED_PROXIES": auralis.HOST,
        "AURALIS_SYNTHD_MAX_STATIONS": "16",
    }
    try:
        with contextlib.ExitStack() as cleanup:
            stack = cleanup.enter_context(auralis.Stack(settings, CONFIGURATION))
            soak = Soak(stack, options)
            soak.run()
            status = report(soak, options)
            if status:
                cleanup.pop_all()  # ends the rest without checking their exit statuses
                stack.remove()
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


if __name__ == "__main__":
    sys.exit(main())
