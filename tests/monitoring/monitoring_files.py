# SPDX-License-Identifier: MIT
"""Reads the monitoring files as far as the tests here need it, with only the standard library.

The rule files are read by their layout (two spaces a level, `- alert:` first), which promtool does not ask
for: a file laid out otherwise is an error here, never a rule that goes unseen.
"""

import os
import pathlib
import re

ROOT = pathlib.Path(os.environ.get("AURALIS_SOURCE_DIR") or pathlib.Path(__file__).resolve().parents[2])
PROMTOOL = os.environ.get("PROMTOOL", "promtool")
GRAFANA_SOURCE = ROOT / "monitoring/grafana/source"
DASHBOARDS = ROOT / "monitoring/grafana/dashboards"
MAIN_DASHBOARD = DASHBOARDS / "auralis.json"
RULE_FILES = sorted((ROOT / "monitoring/prometheus/rules").glob("*.yml"))
RULE_TESTS = sorted((ROOT / "monitoring/prometheus/tests").glob("*.yml"))
RUNBOOKS = ROOT / "docs/runbooks.md"
METRICS = ROOT / "docs/metrics.md"

# Of Prometheus and Alertmanager themselves, so not in our tables.
BUILT_IN_METRICS = {"up", "ALERTS", "scrape_duration_seconds", "alertmanager_notifications_failed_total"}

_PROMQL_WORDS = {"and", "or", "unless", "bool", "offset", "inf", "nan"}


def alerts():
    """Every alert of every rule file: {name: {"group", "expr", "for", "severity", "summary", ...}}."""
    found = {}
    for path in RULE_FILES:
        text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
        for group in re.split(r"^  - name: ", text, flags=re.M)[1:]:
            for rule in re.split(r"^      - alert: ", group, flags=re.M)[1:]:
                name = rule.split("\n", 1)[0].strip()
                if name in found:
                    raise ValueError(f"{path}: alert {name} is defined twice")
                found[name] = {"group": group.split("\n", 1)[0].strip(), **_fields(rule)}
        if text.count("alert:") != len(re.findall(r"^      - alert: ", text, flags=re.M)):
            raise ValueError(f"{path}: an alert is not laid out as monitoring_files.py expects")
    return found


def records():
    """Every recording rule of every rule file: {name: expr}."""
    found = {}
    for path in RULE_FILES:
        text = "\n".join(line for line in path.read_text().splitlines() if not line.lstrip().startswith("#"))
        for rule in re.split(r"^      - record: ", text, flags=re.M)[1:]:
            name = rule.split("\n", 1)[0].strip()
            found[name] = _fields(re.split(r"^  - name: ", rule, flags=re.M)[0])["expr"]
    return found


def _fields(rule):
    """The keys of one rule, including those of `labels` and `annotations`."""
    fields = {}
    for match in re.finditer(r"^( {8}| {10})(\w+): *(.*)\n((?:\1 +\S.*\n?)*)", rule + "\n", flags=re.M):
        key, value, block = match.group(2), match.group(3), match.group(4)
        if key in ("labels", "annotations"):
            fields.update(_fields(block))
        else:
            fields[key] = " ".join(block.split()) if value.startswith(("|", ">")) else value
    return fields


def metric_names(expr):
    """The metrics that a PromQL expression reads, a histogram under its own name."""
    expr = re.sub(r'"(?:[^"\\]|\\.)*"', '""', expr)
    expr = re.sub(r"\{[^}]*\}|\[[^\]]*\]", " ", expr)
    expr = re.sub(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", expr)
    names = re.findall(r"(?<![\w.])[a-zA-Z_:][\w:]*\b(?!\s*\()", expr)
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in names if name.lower() not in _PROMQL_WORDS}


def documented_metrics():
    """The metrics of docs/metrics.md: the first column of its tables."""
    return set(re.findall(r"^\|\s*`([a-zA-Z_:][\w:]*)[^`]*`\s*\|", METRICS.read_text(), flags=re.M))
