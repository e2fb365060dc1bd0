#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Puts the results of a run of scripts/bench into docs/performance.md, between its markers; those not given stay."""

import argparse
import json
import pathlib
import re
import statistics
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "streaming"))

import evaluation  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "docs/performance.md"
COSTS = [
    ("pad_patch", "pad tone (sine, saw, tremolo, envelope)", "ns_per_voice_sample"),
    ("lead", "lead tone (vibrato, moving harmonics)", "ns_per_voice_sample"),
    ("kick", "kick", "ns_per_voice_sample"),
    ("swell", "swell", "ns_per_voice_sample"),
    ("reverb", "reverb, a network, a stereo frame", "ns_per_frame"),
    ("finish", "saturation, dither, rounding, a stereo frame", "ns_per_frame"),
]


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


# The function that sums up repetitions: the least of a cost, since other load only adds to it; the median of a latency.
OF_REPETITIONS = {
    "ns_per_voice_sample": min,
    "ns_per_frame": min,
    "us_per_bar": min,
    "stations_in_real_time": max,
    "bytes_per_station": max,
    "p50_ms": statistics.median,
    "p99_ms": statistics.median,
}


def measured(engine):
    """Counters by the parts of their benchmarks' names, without Google Benchmark's own suffixes."""
    repetitions = {}
    for entry in engine["benchmarks"]:
        if entry["run_type"] != "iteration":
            continue
        own = re.compile("manual_time|iterations:|repeats:")
        parts = tuple(part for part in entry["name"].split("/") if not own.match(part))
        repetitions.setdefault(parts, []).append(entry)
    return {
        parts: {
            counter: chosen(entry[counter] for entry in entries)
            for counter, chosen in OF_REPETITIONS.items()
            if counter in entries[0]
        }
        for parts, entries in repetitions.items()
    }


def costs(found):
    sets = [name for what, name, *_ in found if what == "pad_patch"]
    rows = [[title, *(f"{found[what, name][counter]:.2f}" for name in sets)] for what, title, counter in COSTS]
    return table(["ns, on one core", *sets], rows)


def composing(found):
    bars = sorted(int(name) for what, name, *_ in found if what == "compose_bar")
    cells = [f"{found['compose_bar', str(bar)]['us_per_bar']:.1f}" for bar in bars]
    return table(["µs, on one core", *(f"near bar {bar:,}" for bar in bars)], [["to compose a bar", *cells]])


def stations(found):
    engines = list(dict.fromkeys(name for what, name, *_ in found if what == "stations"))
    counts = sorted({int(rest[0]) for what, _, *rest in found if what == "stations"})
    rows = []
    for name in engines:
        cells = [f"{found['stations', name, str(count)]['stations_in_real_time']:,.0f}" for count in counts]
        kilobytes = found["stations", name, str(counts[-1])]["bytes_per_station"] / 1e3
        latency = found["chunk_latency", name]
        rows.append([name, *cells, f"{kilobytes:.0f}", f"{latency['p50_ms']:.2f}", f"{latency['p99_ms']:.2f}"])
    head = ["engine", *(f"S = {count:,}" for count in counts), "kB a station", "p50 ms", "p99 ms"]
    return table(head, rows)


def peers(results):
    rows = []
    for entry in results["results"]:
        name = f"{entry['name']} {entry['version']}".strip()
        faster = [f"{ratio:.1f} times {peer}" for peer, ratio in entry["times_as_fast_as"].items() if peer != entry["name"]]
        rows.append([name, f"{entry['ns_per_voice_sample']:.2f}", ", ".join(faster)])
    return table(["one core, 256 voices", "ns a voice-sample", "as fast as"], rows)


def number(value, digits):
    return "" if value is None else f"{value:,.{digits}f}"


def listening(results):
    rows = []
    for one in results["steps"].values():
        if "absent" in one:
            rows.append([one["title"], one["absent"], *[""] * 8])
            continue
        late, start = one.get("lateness_ms", {}), one["first_audio_ms"]
        cells = [number(late.get(share), 2) for share in ("p50", "p99", "max")]
        cells += [number(start["p99"], 1), number(one["cpu_percent"], 0), evaluation.cost_text(one)]
        cells += [number(one["kb_per_listener"], 1), f"{one['listeners_lost']:,} / {one['chunks_lost']:,}"]
        rows.append([one["title"], *cells, evaluation.runs_text(one)])
    head = ["", "late p50 ms", "late p99 ms", "late max ms", "start p99 ms", "% of a core", "ns a byte", "kB a listener"]
    return table([*head, "lost", "runs"], rows)


def listening_goals(results):
    rows = []
    for goal in results["goals"]:
        bound = f"≤ {goal['at_most']:g}" if "at_most" in goal else f"≥ {goal['at_least']:g}"
        met = {True: "yes", False: "**no**", None: ""}[goal["met"]]
        rows.append([goal["what"], evaluation.goal_text(goal), bound, met])
    return table(["", "measured", "goal", "met"], rows)


METRIC_GOALS = [
    ("counter", "to add to a counter, ns", 1, 1),
    ("histogram", "to observe a value in a histogram of 15 bounds, ns", 1, 5),
    ("snapshot/segments", "to read the {series:,.0f} series of synthd and streamd with 32 stations, µs", 1e3, 100),
    ("snapshot/all", "likewise all {series:,.0f} series, checked and grouped in families, µs", 1e3, None),
]
NS = {"ns": 1, "us": 1e3, "ms": 1e6}


def metric_costs(bench):
    """The least of the repetitions, since other load only adds to it."""
    least, series = {}, {}
    for entry in bench["benchmarks"]:
        if entry["run_type"] == "iteration":
            name = "/".join(entry["name"].split("/")[:2])
            ns = entry["cpu_time"] * NS[entry["time_unit"]]
            least[name] = min(least.get(name, ns), ns)
            series[name] = entry.get("series", 0)
    rows = []
    for what, title, unit_ns, most in METRIC_GOALS:
        name = what if what in least else f"{what}/auralis"
        ours, theirs = least[name] / unit_ns, least.get(f"{what}/prometheus-cpp")
        goal = ["", ""] if most is None else [f"≤ {most}", "yes" if ours <= most else "**no**"]
        rows.append([title.format(series=series[name]), f"{ours:.2f}", number(theirs and theirs / unit_ns, 2), *goal])
    return table(["on one core", "Auralis", "prometheus-cpp", "goal", "met"], rows)


MOST_MORE_PERCENT = 1  # of a core, that a daemon may use more, or less, than without metricsd


# Turns of each condition. With fewer, the medians are of all turns: what disturbs a machine for long disturbs all conditions.
FEWEST_UNDISTURBED = 5


def monitoring(results):
    """The median of each condition's turns, and by how much it differs from that without metricsd."""
    daemons = ("synthd", "streamd")
    turns = results["turns"]
    undisturbed = {name: [not why for why in one["disturbed"]] for name, one in turns.items()}
    quiet = all(sum(kept) >= FEWEST_UNDISTURBED for kept in undisturbed.values())

    def median(name, daemon):
        kept = undisturbed[name] if quiet else [True] * len(undisturbed[name])
        return statistics.median(percent for percent, keep in zip(turns[name][daemon], kept) if keep)

    rows = []
    for name, one in turns.items():
        percents = [median(name, daemon) for daemon in daemons]
        if name == "absent":
            cells, verdict = [f"{percent:.2f}" for percent in percents], ""
        else:
            more = [percent - median("absent", daemon) for percent, daemon in zip(percents, daemons)]
            cells = [f"{percent:.2f} ({by:+.2f})" for percent, by in zip(percents, more)]
            verdict = "yes" if all(abs(by) <= MOST_MORE_PERCENT for by in more) else "**no**"
        kept, total = sum(undisturbed[name]), len(undisturbed[name])
        rows.append([one["title"], *cells, verdict, f"{kept} of {total}" if quiet else f"{total}, {kept} undisturbed"])
    head = ["metricsd", *(f"{daemon}, % of a core" for daemon in daemons), f"within {MOST_MORE_PERCENT} %", "turns"]
    return table(head, rows)


def heard(results):
    chunks, *wrong = (f"{count:,} {kind}" for kind, count in results["heard"].items())
    return f"{results['listeners']:,} listeners received {chunks} meanwhile: {', '.join(wrong)}."


def with_section(page, name, text):
    marked = re.compile(rf"(<!-- {name}: .*?-->\n).*?(<!-- end -->)", re.DOTALL)
    page, count = marked.subn(lambda match: match[1] + text + "\n" + match[2], page)
    if count != 1:
        raise SystemExit(f"{SOURCE}: has no section <!-- {name}: ... --> or several")
    return page


def machine(results, processors, command):
    return f"{results['processor']}, {processors} processors, {results['date']}; command: `{command}`."


def with_rendering(page, engine, results):
    found = measured(engine)
    about = machine(results, engine["context"]["num_cpus"], "scripts/bench --only rendering")
    page = with_section(page, "machine", about)
    page = with_section(page, "costs", costs(found))
    page = with_section(page, "composing", composing(found))
    page = with_section(page, "stations", stations(found))
    return with_section(page, "peers", peers(results))


def with_streaming(page, results):
    busy = f" The machine's load average was {results['load_before']:.1f} before."
    about = machine(results, results["processors"], "scripts/bench --only streaming")
    page = with_section(page, "streaming machine", about + busy)
    page = with_section(page, "listening", listening(results))
    return with_section(page, "listening goals", listening_goals(results))


def with_metrics(page, bench, results):
    about = machine(results, results["processors"], "scripts/bench --only metrics")
    page = with_section(page, "metrics machine", f"{about} {heard(results)}")
    page = with_section(page, "metric costs", metric_costs(bench))
    return with_section(page, "monitoring", monitoring(results))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=pathlib.Path, help="where to write the page")
    parser.add_argument("--engine", type=pathlib.Path, help="JSON of auralis-bench-engine; with --peers")
    parser.add_argument("--peers", type=pathlib.Path, help="JSON of peers.py; with --engine")
    parser.add_argument("--streaming", type=pathlib.Path, help="JSON of streaming.py")
    parser.add_argument("--metrics", type=pathlib.Path, help="JSON of auralis-bench-metrics; with --monitoring")
    parser.add_argument("--monitoring", type=pathlib.Path, help="JSON of monitoring.py; with --metrics")
    options = parser.parse_args()
    page = SOURCE.read_text()
    if options.engine and options.peers:
        page = with_rendering(page, json.loads(options.engine.read_text()), json.loads(options.peers.read_text()))
    if options.streaming:
        page = with_streaming(page, json.loads(options.streaming.read_text()))
    if options.metrics and options.monitoring:
        page = with_metrics(page, json.loads(options.metrics.read_text()), json.loads(options.monitoring.read_text()))
    options.page.write_text(page)


if __name__ == "__main__":
    main()
