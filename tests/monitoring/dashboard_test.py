# SPDX-License-Identifier: MIT
"""The dashboard has the specified panels, its queries parse, and they and the rules read existing metrics.

How Grafana draws it is not tested: no Grafana runs here.
"""

import json
import re
import subprocess
import tempfile
import unittest
import urllib.parse

import monitoring_files as files

# A line graph is a time series without fill, an area graph one with it.
LINE, AREA = ("timeseries", False), ("timeseries", True)
STAT, GAUGE, HEATMAP, HISTOGRAM = ("stat", False), ("gauge", False), ("heatmap", False), ("histogram", False)

# Row: panel, type, the thresholds drawn (from the targets and alert thresholds of the metric).
AGREED = {
    "Audio Quality Metrics (Most Critical)": [
        ("Audio Synthesis Latency (P50, P95, P99)", LINE, [100, 150]),
        ("Chunk Delivery Latency (P50, P95, P99)", LINE, [50, 100]),
        ("Buffer Underruns (Counter)", STAT, [0.5]),
        ("Active WebSocket Connections", GAUGE, [50]),
    ],
    "Buffer Health": [
        ("Ring Buffer Depth Over Time", AREA, [200, 500, 1000, 1800]),
        ("Buffer Utilization Percentage", GAUGE, [10, 25, 50, 80]),
        ("Audio Chunk Jitter", HEATMAP, []),
        ("WebSocket Chunk Send Rate", LINE, []),
    ],
    "System Resources": [
        ("CPU Utilization", LINE, [80, 90]),
        ("GPU Utilization (if available)", LINE, [80, 90]),
        ("Memory Usage", AREA, [2048]),
        ("GPU Memory (CUDA only)", AREA, []),
    ],
    "Network and Connections": [
        ("Network Bandwidth", AREA, []),
        ("WebSocket Connection Duration", HISTOGRAM, []),
        ("Chunks Sent vs. Errors", LINE, []),
        ("Active Connections Timeline", LINE, [50]),
    ],
}

# Grafana's substitution for a variable; a variable that is neither here nor on the dashboard is an error.
BUILT_IN_VARIABLES = {"__rate_interval": "1m", "__range": "1h", "__from": "0", "__to": "1"}


def load():
    return json.loads(files.DASHBOARD.read_text())


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def substituted(text, dashboard):
    values = {**{name: name for name in variables(dashboard)}, **BUILT_IN_VARIABLES}
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda match: values[match.group(1) or match.group(2)], text)


def graph_panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions(dashboard):
    """Every PromQL expression of the dashboard, with its location."""
    for panel in graph_panels(dashboard):
        for target in panel["targets"]:
            yield f"{panel['title']}, query {target['refId']}", target["expr"]
    for annotation in dashboard["annotations"]["list"]:
        yield f"annotation {annotation['name']}", annotation["target"]["expr"]
    for name, variable in variables(dashboard).items():
        if variable["type"] == "query":
            yield f"variable {name}", re.fullmatch(r"label_values\((.+), \w+\)", variable["query"]["query"]).group(1)


class LayoutTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = load()

    def test_sixteen_panels_stand_in_four_rows_with_their_types_and_thresholds(self):
        rows = {}
        for panel in self.dashboard["panels"]:
            if panel["type"] == "row":
                current = rows.setdefault(panel["title"], [])
                continue
            defaults = panel["fieldConfig"]["defaults"]
            filled = panel["type"] == "timeseries" and defaults["custom"]["fillOpacity"] > 0
            steps = defaults.get("thresholds", {"steps": [{}]})["steps"]
            current.append((panel["title"], (panel["type"], filled), [step["value"] for step in steps[1:]]))
        self.assertEqual(rows, AGREED)
        self.assertEqual(list(rows), list(AGREED))
        self.assertEqual(len(graph_panels(self.dashboard)), 16)

    def test_no_panel_covers_another_and_none_is_wider_than_the_page(self):
        cells = set()
        for panel in self.dashboard["panels"]:
            grid = panel["gridPos"]
            self.assertLessEqual(grid["x"] + grid["w"], 24)
            area = {(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])}
            self.assertFalse(area & cells, panel["title"])
            cells |= area
        ids = [panel["id"] for panel in self.dashboard["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_errors_have_an_axis_of_their_own_beside_the_chunks_sent(self):
        panel = next(p for p in graph_panels(self.dashboard) if p["title"] == "Chunks Sent vs. Errors")
        right = [
            override["matcher"]["options"]
            for override in panel["fieldConfig"]["overrides"]
            if {"id": "custom.axisPlacement", "value": "right"} in override["properties"]
        ]
        self.assertIn("errors", right)
        self.assertNotIn("sent", right)

    def test_heatmap_and_histogram_are_given_buckets(self):
        for panel in graph_panels(self.dashboard):
            if panel["type"] in ("heatmap", "histogram"):
                with self.subTest(panel["title"]):
                    for target in panel["targets"]:
                        self.assertEqual((target["format"], target["legendFormat"]), ("heatmap", "{{le}}"))
                        self.assertIn("sum by (le)", target["expr"])


class FeaturesTest(unittest.TestCase):
    def setUp(self):
        self.dashboard = load()

    def test_refreshes_every_five_seconds(self):
        self.assertEqual(self.dashboard["refresh"], "5s")

    def test_every_query_reads_the_data_source_that_the_reader_chose(self):
        self.assertEqual(variables(self.dashboard)["datasource"]["query"], "prometheus")
        chosen = {"type": "prometheus", "uid": "${datasource}"}
        for panel in graph_panels(self.dashboard):
            for holder in [panel, *panel["targets"]]:
                self.assertEqual(holder["datasource"], chosen, panel["title"])
        for holder in self.dashboard["annotations"]["list"]:
            self.assertEqual(holder["datasource"], chosen)

    def test_every_variable_filters_something(self):
        text = json.dumps(self.dashboard)
        self.assertEqual(set(variables(self.dashboard)), {"datasource", "logs", "process", "station"})
        for name in variables(self.dashboard):
            self.assertRegex(text, rf"\$(?:{name}\b|\{{{name}\}})")

    def test_every_alert_is_drawn_on_the_graphs(self):
        expr = self.dashboard["annotations"]["list"][0]["target"]["expr"]
        names = re.search(r'alertname=~"([^"]+)"', expr).group(1).split("|")
        self.assertEqual(sorted([*names, "Watchdog"]), sorted(files.alerts()))

    def test_every_panel_leads_to_the_logs_of_its_time(self):
        for panel in graph_panels(self.dashboard):
            with self.subTest(panel["title"]):
                (link,) = panel["links"]
                url = urllib.parse.urlsplit(substituted(link["url"], self.dashboard))
                (pane,) = json.loads(urllib.parse.parse_qs(url.query)["panes"][0]).values()
                self.assertEqual((url.path, pane["datasource"]), ("/explore", "logs"))
                self.assertEqual(pane["range"], {"from": "0", "to": "1"})
                self.assertRegex(pane["queries"][0]["expr"], r"synthd|streamd")

    def test_every_panel_says_what_it_shows(self):
        for panel in graph_panels(self.dashboard):
            self.assertGreater(len(panel["description"]), 40, panel["title"])


class QueriesTest(unittest.TestCase):
    def test_every_query_parses(self):
        dashboard = load()
        records = [
            {"record": f"dashboard:query_{number}", "labels": {"place": place}, "expr": substituted(expr, dashboard)}
            for number, (place, expr) in enumerate(expressions(dashboard))
        ]
        self.assertGreaterEqual(len(records), 16)
        with tempfile.NamedTemporaryFile("w", suffix=".yml") as rules:
            # JSON is YAML: one record a line, so that promtool's line number identifies the query.
            lines = ",\n".join(json.dumps(record) for record in records)
            rules.write(f'{{"groups": [{{"name": "dashboard", "rules": [\n{lines}\n]}}]}}\n')
            rules.flush()
            result = subprocess.run(
                [files.PROMTOOL, "check", "rules", rules.name], capture_output=True, text=True, check=False
            )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        self.assertIn(f"{len(records)} rules found", result.stdout)

    def test_every_metric_of_dashboard_and_rules_is_documented(self):
        self.assertTrue(files.METRICS.exists(), f"{files.METRICS} is missing: generate it from the metric tables")
        known = files.documented_metrics() | files.BUILT_IN_METRICS | set(files.records())
        dashboard = load()
        places = [(place, substituted(expr, dashboard)) for place, expr in expressions(dashboard)]
        places += [(f"alert {name}", alert["expr"]) for name, alert in files.alerts().items() if name != "Watchdog"]
        places += [(f"recording {name}", expr) for name, expr in files.records().items() if "vector(" not in expr]
        unknown = {}
        for place, expr in places:
            names = files.metric_names(expr)
            self.assertTrue(names, f"{place}: no metric found in {expr}")
            if names - known:
                unknown[place] = sorted(names - known)
        self.assertEqual(unknown, {}, f"not in {files.METRICS}")


if __name__ == "__main__":
    unittest.main()
