#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes faults to the real service, watched by the real Prometheus and Alertmanager, and prints which alerts arrived, as a table."""

import argparse
import concurrent.futures
import os
import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "alerts")]

BUILD = TESTS.parent / "build/release"
PAGE = TESTS.parent / "docs/monitoring.md"
BEGIN, END = "<!-- scripts/alerts --write -->\n", "<!-- end -->\n"
AT_ONCE = 3  # each with a service of its own


def row(outcome):
    fault = outcome.fault

    def seconds(values, receivers=None):
        in_order = sorted(values.items(), key=lambda item: item[1])
        by = {name: f" ({receivers[name]})" if receivers else "" for name in values}
        return ", ".join(f"{name} {value:.0f} s{by[name]}" for name, value in in_order) or "none"

    speed = f" ({fault.factor} times faster)" if fault.factor > 1 else ""
    silenced = ", ".join(sorted(outcome.silenced)) or "none"
    resolved = seconds(outcome.resolved) if outcome.resolved else ""
    return f"| {fault.what}{speed} | {seconds(outcome.arrived, outcome.receivers)} | {silenced} | {resolved} |"


def table(outcomes):
    head = "| fault | arrived, after its beginning | fired but not told | resolved, after its end |\n|---|---|---|---|\n"
    return head + "".join(row(outcome) + "\n" for outcome in outcomes)


def main():
    os.environ.update({f"{name.upper()}_BIN": str(BUILD / name / name) for name in ("synthd", "streamd", "metricsd")})
    os.environ["LOAD_BIN"] = str(BUILD / "tools/auralis-load")
    from faults import FAULTS, prove

    parser = argparse.ArgumentParser(prog="scripts/alerts")
    parser.add_argument("faults", nargs="*", help=f"of {', '.join(FAULTS)}; all", metavar="FAULT")
    parser.add_argument("--write", action="store_true", help="also write the table into docs/monitoring.md")
    options = parser.parse_args()
    names = options.faults or list(FAULTS)
    if unknown := set(names) - set(FAULTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda name: prove(FAULTS[name]), names))
    print(table(outcomes), end="")
    if options.write:
        before, rest = PAGE.read_text().split(BEGIN)
        PAGE.write_text(before + BEGIN + table(outcomes) + END + rest.split(END)[1])
    complaints = [f"{name}: {one}" for name, outcome in zip(names, outcomes) for one in outcome.complaints + outcome.late]
    for complaint in complaints:
        print(f"alerts: {complaint}", file=sys.stderr)
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
