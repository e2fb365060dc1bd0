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
HEAD = "| fault | arrived, after its beginning | fired but not told | resolved, after its end |\n|---|---|---|---|\n"


def fault_cell(fault):
    speed = f" ({fault.factor} times faster)" if fault.factor > 1 else ""
    return f"| {fault.what}{speed} |"


def row(outcome):
    def seconds(values, receivers=None):
        in_order = sorted(values.items(), key=lambda item: item[1])
        by = {name: f" ({receivers[name]})" if receivers else "" for name in values}
        # What ends early has resolved before the fault was ended.
        return ", ".join(f"{name} {max(0, value):.0f} s{by[name]}" for name, value in in_order) or "none"

    silenced = ", ".join(sorted(outcome.silenced)) or "none"
    resolved = seconds(outcome.resolved) if outcome.resolved else ""
    return f"{fault_cell(outcome.fault)} {seconds(outcome.arrived, outcome.receivers)} | {silenced} | {resolved} |"


def write(faults, outcomes):
    """Puts the rows of the outcomes into the page's table, in the order of all faults; others stay, without faults that are no more."""
    before, rest = PAGE.read_text().split(BEGIN)
    written, after = rest.split(END)
    rows = {f"{line.split(' | ')[0]} |": line for line in written.splitlines()}
    rows.update({fault_cell(outcome.fault): row(outcome) for outcome in outcomes})
    lines = [rows[cell] for cell in map(fault_cell, faults) if cell in rows]
    PAGE.write_text(before + BEGIN + HEAD + "".join(f"{line}\n" for line in lines) + END + after)


def main():
    os.environ.update({f"{name.upper()}_BIN": str(BUILD / name / name) for name in ("synthd", "streamd", "metricsd")})
    os.environ["LOAD_BIN"] = str(BUILD / "tools/auralis-load")
    from faults import FAULTS, prove

    parser = argparse.ArgumentParser(prog="scripts/alerts")
    parser.add_argument("faults", nargs="*", help=f"of {', '.join(FAULTS)}; all", metavar="FAULT")
    parser.add_argument("--write", action="store_true", help="also write their rows into the table of docs/monitoring.md")
    options = parser.parse_args()
    names = options.faults or list(FAULTS)
    if unknown := set(names) - set(FAULTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {', '.join(FAULTS)}")
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(lambda name: prove(FAULTS[name]), names))
    print(HEAD + "".join(f"{row(outcome)}\n" for outcome in outcomes), end="")
    if options.write:
        write(FAULTS.values(), [outcome for outcome in outcomes if not outcome.complaints])
    complaints = [f"{name}: {one}" for name, outcome in zip(names, outcomes) for one in outcome.complaints + outcome.late]
    for complaint in complaints:
        print(f"alerts: {complaint}", file=sys.stderr)
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
