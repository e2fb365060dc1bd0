# SPDX-License-Identifier: MIT
"""The dashboards are what their source says, have the specified panels, and read existing metrics, as do the rules.

How Grafana draws them is not tested: no Grafana runs here.
"""

import json
import pathlib
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
BUILT_IN_VARIABLES = {"__rate_interval": "1m", "__range": "1h", "__from": "0", "__to": "1", "__value.time": "2"}


def load(path=files.MAIN_DASHBOARD):
    return json.loads(path.read_text())


def load_all():
    return {path.name: load(path) for path in sorted(files.DASHBOARDS.glob("*.json"))}


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def substituted(text, dashboard, chosen=BUILT_IN_VARIABLES):
    values = {**{name: name for name in variables(dashboard)}, **chosen}
    return re.sub(r"\$(?:\{([\w.]+)\}|(\w+))", lambda match: values[match.group(1) or match.group(2)], text)


def graph_panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def all_panels():
    """Every panel of every dashboard: (dashboard, panel)."""
    return [(dashboard, panel) for dashboard in load_all().values() for panel in graph_panels(dashboard)]


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


def all_expressions():
    """Those of every dashboard, as Prometheus gets them: (location, expression)."""
    return [
        (f"{name}: {place}", substituted(expr, dashboard))
        for name, dashboard in load_all().items()
        for place, expr in expressions(dashboard)
    ]


class SourceTest(unittest.TestCase):
    def test_the_dashboards_are_what_their_typed_source_writes(self):
        tsc = files.GRAFANA_SOURCE / "node_modules/.bin/tsc"
        self.assertTrue(tsc.exists(), "no TypeScript: npm ci --prefix monitoring/grafana/source")
        with tempfile.TemporaryDirectory(dir=files.GRAFANA_SOURCE / "node_modules") as folder:
            for command in ([tsc, "--outDir", folder], ["node", pathlib.Path(folder) / "write.js", folder]):
                done = subprocess.run(
                    command, cwd=files.GRAFANA_SOURCE, capture_output=True, text=True, check=False
                )
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            written = {path.name: path.read_text() for path in pathlib.Path(folder).glob("*.json")}
        self.assertEqual(sorted(written), sorted(load_all()))
        for name, text in written.items():
            self.assertEqual(
                (files.DASHBOARDS / name).read_text(), text, f"{name}: npm run write --prefix monitoring/grafana/source"
            )


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

    def test_the_second_dashboard_is_small_and_about_target_and_probe(self):
        panels = graph_panels(load(files.DASHBOARDS / "slo-and-probe.json"))
        self.assertLessEqual(len(panels), 12)
        text = json.dumps([panel["targets"] for panel in panels])
        for metric in ("auralis:error_budget_burn:1h", "auralis:delivery_success:ratio_1h", "auralis_probe_success"):
            self.assertIn(metric, text)

    def test_no_panel_covers_another_and_none_is_wider_than_the_page(self):
        for name, dashboard in load_all().items():
            cells = set()
            for panel in dashboard["panels"]:
                grid = panel["gridPos"]
                self.assertLessEqual(grid["x"] + grid["w"], 24)
                area = {(grid["x"] + x, grid["y"] + y) for x in range(grid["w"]) for y in range(grid["h"])}
                self.assertFalse(area & cells, f"{name}: {panel['title']}")
                cells |= area
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(ids), len(set(ids)))

    def test_errors_have_an_axis_of_their_own_beside_the_chunks_sent(self):
        panel = next(p for p in graph_panels(self.dashboard) if p["title"] == "Chunks Sent vs. Errors")
        right = [
            override["matcher"]["options"]
            for override in panel["fieldConfig"]["overrides"]
            if {"id": "custom.axisPlacement", "value": "right"} in override["properties"]
        ]
        self.assertTrue(any(re.fullmatch(pattern, "errors host:9464") for pattern in right))
        self.assertFalse(any(re.fullmatch(pattern, "sent host:9464") for pattern in right))

    def test_heatmap_and_histogram_are_given_buckets(self):
        for panel in graph_panels(self.dashboard):
            if panel["type"] in ("heatmap", "histogram"):
                with self.subTest(panel["title"]):
                    for target in panel["targets"]:
                        self.assertEqual((target["format"], target["legendFormat"]), ("heatmap", "{{le}}"))
                        self.assertIn("sum by (le)", target["expr"])

    def test_quantiles_are_of_one_machine_each(self):
        quantiles = [expr for _, expr in all_expressions() if "histogram_quantile" in expr]
        self.assertGreaterEqual(len(quantiles), 12)
        for expr in quantiles:
            self.assertIn("sum by (le, instance)", expr)

    def test_panels_of_the_gpu_say_why_they_are_empty(self):
        for title in ("GPU Utilization (if available)", "GPU Memory (CUDA only)"):
            panel = next(p for p in graph_panels(self.dashboard) if p["title"] == title)
            self.assertIn("No GPU", panel["fieldConfig"]["defaults"]["noValue"])


class FeaturesTest(unittest.TestCase):
    def test_refreshes_every_five_seconds(self):
        for dashboard in load_all().values():
            self.assertEqual(dashboard["refresh"], "5s")

    def test_every_query_reads_the_data_source_that_the_reader_chose(self):
        chosen = {"type": "prometheus", "uid": "${datasource}"}
        for dashboard in load_all().values():
            self.assertEqual(variables(dashboard)["datasource"]["query"], "prometheus")
            for holder in dashboard["annotations"]["list"]:
                self.assertEqual(holder["datasource"], chosen)
        for _, panel in all_panels():
            for holder in [panel, *panel["targets"]]:
                self.assertEqual(holder["datasource"], chosen, panel["title"])

    def test_every_variable_filters_something(self):
        main, slo = load_all().values()
        chosen = {"datasource", "logs", "site", "instance", "station", "format"}
        self.assertEqual(set(variables(main)), {*chosen, "process"})
        self.assertEqual(set(variables(slo)), chosen)
        for dashboard in (main, slo):
            text = json.dumps(graph_panels(dashboard))
            for name in variables(dashboard):
                self.assertRegex(text, rf"\$(?:{name}\b|\{{{name}\}})")

    def test_every_query_is_of_the_chosen_machines(self):
        for dashboard, panel in all_panels():
            for target in panel["targets"]:
                selectors = re.findall(r"\{[^}]*\}", target["expr"])
                self.assertTrue(selectors, target["expr"])
                for selector in selectors:
                    if "NotificationsFailing" in selector and "instance" not in selector:
                        continue  # about an Alertmanager, whatever machine is chosen
                    self.assertIn('instance=~"$instance', selector, f"{dashboard['title']}: {panel['title']}")

    def test_every_alert_is_drawn_on_the_graphs(self):
        for dashboard in load_all().values():
            expr = dashboard["annotations"]["list"][0]["target"]["expr"]
            names = re.search(r'alertname=~"([^"]+)"', expr).group(1).split("|")
            self.assertEqual(sorted([*names, "Watchdog"]), sorted(files.alerts()))

    def test_every_panel_leads_to_the_logs_of_its_time_in_the_journal_and_of_containers(self):
        for dashboard, panel in all_panels():
            with self.subTest(panel["title"]):
                (link,) = [link for link in panel["links"] if link["title"] == "Logs of this time"]
                url = urllib.parse.urlsplit(substituted(link["url"], dashboard))
                (pane,) = json.loads(urllib.parse.parse_qs(url.query)["panes"][0]).values()
                self.assertEqual((url.path, pane["datasource"]), ("/explore", "logs"))
                self.assertEqual(pane["range"], {"from": "0", "to": "1"})
                journal, container = (query["expr"] for query in pane["queries"])
                units = re.search(r'unit=~"(.*)"', journal).group(1)
                self.assertTrue(any(re.fullmatch(units, path.name.removesuffix(".in")) for path in (files.ROOT / "systemd").iterdir()))
                containers = re.search(r'container=~"(.*)"', container).group(1)
                services = re.findall(r"^  (\w+):$", (files.ROOT / "docker-compose.yml").read_text(), flags=re.M)
                self.assertTrue(any(re.fullmatch(containers, f"auralis-{service}-1") for service in services))

    def test_every_panel_leads_to_the_page_of_metricsd_and_to_runbooks_that_exist(self):
        runbooks = set(re.findall(r"^## (\w+)$", files.RUNBOOKS.read_text(), flags=re.M))
        linked = set()
        for dashboard, panel in all_panels():
            urls = [substituted(link["url"], dashboard) for link in panel["links"]]
            self.assertIn("site/", urls)
            linked |= {url.removeprefix("site/runbooks/") for url in urls if url.startswith("site/runbooks/")}
            if panel["type"] == "timeseries":
                points = [substituted(link["url"], dashboard) for link in panel["fieldConfig"]["defaults"]["links"]]
                self.assertIn("site/?at=2", points)
        self.assertLessEqual(linked, runbooks)
        self.assertGreaterEqual(len(linked), 30)

    def test_every_panel_says_what_it_shows(self):
        for _, panel in all_panels():
            self.assertGreater(len(panel["description"]), 40, panel["title"])


class QueriesTest(unittest.TestCase):
    def test_every_query_parses(self):
        records = [
            {"record": f"dashboard:query_{number}", "labels": {"place": place}, "expr": expr}
            for number, (place, expr) in enumerate(all_expressions())
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
        places = all_expressions()
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
