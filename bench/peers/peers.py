#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Measures one pad in SuperCollider's scsynth, in Csound and in Auralis: CPU time per voice and sample, on one core.

A peer renders its score twice, the second time longer; the difference excludes the cost of starting. Voices are held
throughout, and CPU time is user plus system time. Before that, a short rendering checks that the sound is the pad.
Programs that are not installed are reported and skipped.
"""

import argparse
import array
import datetime
import json
import math
import os
import pathlib
import re
import resource
import shutil
import statistics
import subprocess
import tempfile

import csound
import pad_patch as patch
import scsynth

ENGINE = pathlib.Path(__file__).resolve().parents[2] / "build/release/bench/auralis-bench-engine"
CORE = max(os.sched_getaffinity(0))
METRIC = "ns_per_voice_sample"
SHORT_S = 2
CHECK_S = 8  # attack, decay, and the period of the tremolo that is measured
TOLERANCE_DB = 1.5  # from the patch's level, so that two peers differ by at most twice as much


def run(arguments, **options):
    """Runs a command to the end on one core; returns its result and the CPU seconds it used."""
    options.update(preexec_fn=lambda: os.sched_setaffinity(0, {CORE}), capture_output=True, text=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        result = subprocess.run([*map(str, arguments)], check=True, **options)
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"peers: {error}\n{(error.stdout + error.stderr)[-1000:]}") from error
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return result, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def play(peer, options, folder, seconds, output="out.wav", as_float=False):
    """Renders with a peer into the folder; returns the CPU seconds it used.

    Never renders into /dev/null: a peer removes its output file before it writes it, which succeeds as root.
    """
    arguments = peer.command(folder, options.voices, seconds, output, as_float)
    # Isolate the run from the user's settings (.csoundrc and the like).
    environment = {"HOME": str(folder), "PATH": os.environ.get("PATH", os.defpath)}
    return run([peer.PROGRAM, *arguments], cwd=folder, env=environment)[1]


def check_sound(peer, options, folder):
    """Exits with a message if the length or the level of a peer's pad is wrong."""
    output = folder / "check.raw"
    play(peer, options, folder, CHECK_S, output, as_float=True)
    samples = array.array("f", output.read_bytes())
    length_s = len(samples) / 2 / patch.SAMPLE_RATE
    tail = samples[-2 * round(patch.SAMPLE_RATE / patch.TREMOLO_HZ) :]
    level = math.sqrt(2 * sum(x * x for x in tail) / max(len(tail), 1))
    off_db = 20 * math.log10(max(level, 1e-9) / patch.sustained_level())
    finite = all(map(math.isfinite, samples))
    if not finite or abs(off_db) > TOLERANCE_DB or abs(length_s - CHECK_S) > 0.1:
        raise SystemExit(f"peers: {peer.PROGRAM} is not the pad: {length_s:.2f} s, {off_db:+.1f} dB, finite: {finite}")


def measure_peer(peer, options, folder):
    """Returns nanoseconds per voice and sample, keyed by program and version."""
    short_s = play(peer, options, folder, SHORT_S)
    long_s = play(peer, options, folder, SHORT_S + options.seconds)
    told, _ = run([peer.PROGRAM, peer.VERSION_FLAG])
    version = "".join(re.findall(r"\d+\.[\d.]+", told.stdout + told.stderr)[:1])
    return {(peer.PROGRAM, version): (long_s - short_s) * 1e9 / (options.voices * options.seconds * patch.SAMPLE_RATE)}


def measure_engine(options):
    """Returns nanoseconds per voice and sample, keyed by "auralis" and instruction set, from our own benchmark."""
    try:
        told, _ = run([options.engine.resolve(), "--benchmark_format=json", "--benchmark_filter=^pad_patch/"])
        benchmarks = [one for one in json.loads(told.stdout)["benchmarks"] if not one.get("error_occurred")]
        return {("auralis", one["name"].split("/")[1]): float(one[METRIC]) for one in benchmarks}
    except (ValueError, LookupError) as error:
        raise SystemExit(f"peers: {options.engine} reports no {METRIC}: {error!r}") from error


def measure(options):
    peers = [peer for peer in (scsynth, csound) if shutil.which(peer.PROGRAM)]
    for peer in [peer for peer in (scsynth, csound) if peer not in peers]:
        print(f"peers: {peer.PROGRAM} is skipped: install Debian's package {peer.PACKAGE}")
    has_engine = shutil.which(options.engine.resolve())
    if not has_engine:
        print(f"peers: auralis is skipped: no {options.engine}: build it, with Debian's package libbenchmark-dev")
    runs = {}
    with tempfile.TemporaryDirectory(prefix="auralis-peers-") as name:
        folder = pathlib.Path(name)
        for peer in peers:
            check_sound(peer, options, folder)
        # Interleave the programs, so that other load on the machine affects all of them.
        for _ in range(options.repetitions):
            found = {}
            for peer in peers:
                found.update(measure_peer(peer, options, folder))
            found.update(measure_engine(options) if has_engine else {})
            for key, ns in found.items():
                runs.setdefault(key, []).append(round(ns, 3))
    results = [
        {"name": name, "version": version, METRIC: statistics.median(values), "runs": sorted(values)}
        for (name, version), values in runs.items()
    ]
    for one in results:
        one["times_as_fast_as"] = {x["name"]: round(x[METRIC] / one[METRIC], 2) for x in results[: len(peers)]}
    return results


def print_table(results):
    heads = "".join(f"{'against ' + name:>18}" for name in results[0]["times_as_fast_as"])
    print(f"{'':<20}{'ns a voice-sample':>18}{'of runs':>18}{heads}")
    for one in results:
        span = f"{one['runs'][0]:.2f} to {one['runs'][-1]:.2f}"
        times = "".join(f"{factor:>16.2f} x" for factor in one["times_as_fast_as"].values())
        print(f"{one['name'] + ' ' + one['version']:<20}{one[METRIC]:>18.2f}{span:>18}{times}")
    if any(one["runs"][-1] - one["runs"][0] > 0.1 * one[METRIC] for one in results):
        print("peers: runs of one program differ by more than 10 %: is the machine busy?")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", type=pathlib.Path, default=ENGINE, metavar="PATH", help="our benchmark (%(default)s)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also write the results to this file")
    parser.add_argument("--voices", type=int, default=256, help="number of simultaneous voices (%(default)s)")
    parser.add_argument("--seconds", type=int, default=20, help="length of the sound measured in a run (%(default)s)")
    parser.add_argument("--repetitions", type=int, default=3, help="number of runs, whose median is reported (%(default)s)")
    options = parser.parse_args()
    if min(options.voices, options.seconds, options.repetitions) < 1:
        parser.error("--voices, --seconds and --repetitions must be at least 1")
    results = measure(options)
    if not results:
        raise SystemExit("peers: no program to measure is installed")
    models = re.findall(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    processor = models[0] if models else "unknown processor"
    print(f"{processor}, one core; peers with {options.voices} voices for {options.seconds} s")
    print_table(results)
    if options.json:
        about = {"date": datetime.date.today().isoformat(), "processor": processor}
        report = {**about, "voices": options.voices, "seconds": options.seconds, "results": results}
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
