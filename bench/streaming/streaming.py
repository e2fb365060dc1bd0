#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures the service that many listeners get from streamd and its cost, compared with a bare send() loop, Icecast, and
nginx with nchan.

Server and listeners (auralis-load, one process) share this machine, so it needs at least two cores and no other load. A
run during which other processes were busy is discarded. Every step has a time limit and terminates all that it started.
"""

import argparse
import datetime
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import evaluation
import machine
import other_servers
import servers

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build/bench"
PROTOCOLS = {"PCM": "auralis.pcm.v1", "Opus": "auralis.opus.v1"}
SECONDS = 10  # length of each run
SPARE_S = 60  # time limit's allowance for connecting, settling and ending
FEWEST = 100  # minimum number of listeners for a comparison


def refusal(report):
    """Returns why no listener received audio."""
    refused = [f"HTTP {status}" for status in report["refused"]]
    lost = [f"closed with {code}" for code in report["lost"]]
    return ", ".join([*refused, *report["failed"], *lost]) or "no audio"


class Bench:
    def __init__(self, options, folder):
        self._load = options.build / "tools/auralis-load"
        self._quick = options.quick
        self._build = options.build
        self._folder = folder
        self._auralis = servers.Auralis(options.build, folder)
        self._repetitions = 1 if options.quick else options.repetitions
        self.results = {}

    def _of(self, count):
        return max(count // 20, 10) if self._quick else count

    def _listen(self, server, listeners, ramp, *arguments):
        """Runs auralis-load; returns its report."""
        seconds = 2 if self._quick else SECONDS
        command = [self._load, server.url, "--listeners", listeners, "--ramp", ramp, "--seconds", seconds]
        command += ["--pid", server.pid, "--json", *arguments]
        limit_s = listeners / ramp + seconds + SPARE_S
        try:
            done = subprocess.run([*map(str, command)], stdout=subprocess.PIPE, text=True, timeout=limit_s, check=False)
            return json.loads(done.stdout)
        except subprocess.TimeoutExpired as error:
            raise servers.ServerError(f"auralis-load takes longer than {limit_s:.0f} s") from error
        except ValueError as error:
            raise servers.ServerError(f"auralis-load ended with status {done.returncode}") from error

    def _step(self, name, title, server, listeners, ramp, *arguments):
        """Measures once and keeps the report, or the reason why there is none."""
        print(f"streaming: {title}", file=sys.stderr)
        empty = {"title": title, "listeners": listeners, "reports": [], "busy": []}
        result = self.results.setdefault(name, empty)
        watch = machine.Watch()
        try:
            with server as running, watch:
                report = self._listen(running, listeners, ramp, *arguments)
        except servers.ServerError as error:
            result["not_served"] = str(error)
        else:
            if not report["heard"]:
                result["not_served"] = refusal(report)
            elif watch.why_not():
                result["busy"].append({"other_load_percent": watch.other_load_percent, "why": watch.why_not()})
            else:
                result["reports"].append(report)
        trouble = result.get("not_served") or watch.why_not()
        if trouble:
            print(f"streaming:   no result: {trouble}", file=sys.stderr)

    def _streamd(self, name, title, count, ramp, *arguments):
        listeners = self._of(count)
        title = title.format(f"{listeners:,}")
        self._step(name, title, self._auralis.streamd(listeners), listeners, ramp, *arguments)

    def run(self):
        with self._auralis.playing():
            self._streamd("few", "{} listeners of PCM", 10, 100)
            self._streamd("connects", "{} listeners, 1,000 more a second", 3_000, 1_000)
            icecast_listeners = 2_000
            # Interleave the servers, so that other load on the machine affects all of them.
            for _ in range(self._repetitions):
                self._streamd("pcm", "{} listeners of PCM", 2_000, 400)
                self._floor("floor", "PCM", 2_000, 400)
                icecast_listeners = self._icecast(icecast_listeners)
                self._streamd("opus", "{} listeners of Opus", 5_000, 500, "--protocol", PROTOCOLS["Opus"])
                self._floor("opus floor", "Opus", 5_000, 500)
                self._nchan(5_000)
                self._streamd("alone", "{} listeners, none stalled", 1_000, 400)
                self._streamd("stalled", "{} listeners, one stalled", 1_000, 400, "--stall", 1)

    def _floor(self, name, size, count, ramp):
        listeners = self._of(count)
        protocol = PROTOCOLS[size]
        server = servers.floor(self._build, listeners, listeners / ramp + 2 * SPARE_S, protocol)
        title = f"{listeners:,} listeners of a bare send() loop, {size}"
        self._step(name, title, server, listeners, ramp, "--protocol", protocol)

    def _nchan(self, count):
        version = other_servers.nginx_version()
        if not version:
            print("streaming: nchan is skipped: install Debian's package libnginx-mod-nchan", file=sys.stderr)
            return
        listeners = self._of(count)
        title = f"{listeners:,} listeners of nchan (nginx {version}), messages as Opus"
        self._step("nchan", title, other_servers.nchan(self._folder, listeners), listeners, 500)

    def _icecast(self, count):
        """Measures with `count` listeners, or with as many as Icecast serves without losing any; returns that number."""
        version = other_servers.icecast_version()
        if not version:
            print("streaming: Icecast is skipped: install Debian's package icecast2", file=sys.stderr)
            return count
        while True:
            listeners = self._of(count)
            title = f"{listeners:,} listeners of Icecast {version}, bytes as PCM"
            self._step("icecast", title, other_servers.icecast(self._folder, listeners), listeners, 100)
            result = self.results["icecast"]
            if result["listeners"] <= FEWEST or not any(map(evaluation.listeners_lost, result["reports"])):
                return count
            # Icecast cannot serve so many here: measure its cost with fewer.
            count //= 2
            del self.results["icecast"]


def print_summary(report):
    print(f"{report['processor']}, {report['processors']} processors, load {report['load_before']:.1f} before")
    for one in report["steps"].values():
        if "absent" in one:
            print(f"{one['title']}: {one['absent']}")
            continue
        late = one.get("lateness_ms")
        late_text = f"late p50 {late['p50']:.2f} p99 {late['p99']:.2f} max {late['max']:.2f} ms, " if late else ""
        cost_text = f"{evaluation.cost_text(one)} ns a byte, {one['kb_per_listener']:.1f} kB a listener"
        lost_text = f"{one['listeners_lost']} listeners and {one['chunks_lost']} chunks lost"
        print(f"{one['title']}: {late_text}{cost_text}, {lost_text}")
    for row in report["goals"]:
        verdict = {True: "met", False: "NOT MET", None: "?"}[row["met"]]
        print(f"{verdict:<8}{row['what']}: {evaluation.goal_text(row)} ({evaluation.bound_text(row)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=BUILD, metavar="FOLDER", help="build folder (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the results to this file")
    parser.add_argument("--quick", action="store_true", help="few listeners, for seconds: only checks that it works")
    parser.add_argument("--repetitions", type=int, default=3, help="repetitions of each comparison (%(default)s)")
    options = parser.parse_args()
    options.build = options.build.resolve()
    for program in ("tools/auralis-load", "bench/auralis-send-floor", "synthd/synthd", "streamd/streamd"):
        if not os.access(options.build / program, os.X_OK):
            parser.error(f"no {options.build / program}: build it, with -DAURALIS_BENCHMARKS=ON")
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="auralis-streaming-", dir="/dev/shm") as name:
        os.chmod(name, 0o755)  # Icecast runs as another user
        bench = Bench(options, pathlib.Path(name))
        bench.run()
    steps = {name: evaluation.of_step(result) for name, result in bench.results.items()}
    models = re.findall(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    report = {
        "date": datetime.date.today().isoformat(),
        "processor": models[0] if models else "unknown processor",
        "processors": len(os.sched_getaffinity(0)),
        "load_before": load_before,
        "steps": steps,
        "goals": evaluation.goals(steps),
    }
    print_summary(report)
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
