# SPDX-License-Identifier: MIT
"""The configurations of the log collectors know the daemons, and the fields that docs/logs.md tells operators to search for.

Neither collector is packaged for Debian: they do not run here.
"""

import re
import unittest

import yaml

import monitoring_files as files

LOGS = files.ROOT / "docs/logs.md"
COLLECTORS = files.ROOT / "monitoring/logs"
LABELS = {"app", "process", "level", "unit", "container"}


def documented_fields():
    """The fields in the table of docs/logs.md."""
    table = LOGS.read_text().split("## Lines", 1)[1].split("\n`actor`", 1)[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("|")]
    cells = [re.sub(r"\(.*?\)", "", row[4]) for row in rows[2:]]
    return {field for cell in cells for field in re.findall(r"`(\w+)`", cell)}


def units():
    return sorted(path.name.removesuffix(".in") for path in (files.ROOT / "systemd").glob("auralis-*d.service.in"))


class Promtail(unittest.TestCase):
    def setUp(self):
        jobs = yaml.safe_load((COLLECTORS / "promtail.yml").read_text())["scrape_configs"]
        self.jobs = {job["job_name"]: job for job in jobs}

    def stage(self, job, name):
        (found,) = [stage[name] for stage in self.jobs[job]["pipeline_stages"] if name in stage]
        return found

    def test_the_fields_that_operators_search_for_are_metadata_of_each_source(self):
        self.assertGreaterEqual(len(documented_fields()), 25)
        for job in self.jobs:
            with self.subTest(job):
                self.assertLessEqual(documented_fields() - LABELS, set(self.stage(job, "structured_metadata")))
                read = self.stage(job, "json")["expressions"]
                self.assertLessEqual(set(self.stage(job, "structured_metadata")), set(read))
                capitals = job == "journal"
                for name, path in read.items():
                    self.assertEqual(path, name.upper() if capitals else None)

    def test_the_journal_is_read_of_the_daemons_units(self):
        (keep,) = [rule for rule in self.jobs["journal"]["relabel_configs"] if rule.get("action") == "keep"]
        for unit in units():
            self.assertRegex(unit, f"^({keep['regex']})$")


class Vector(unittest.TestCase):
    def setUp(self):
        self.config = yaml.safe_load((COLLECTORS / "vector.yaml").read_text())

    def test_it_reads_the_daemons_units_files_and_image(self):
        sources = self.config["sources"]
        self.assertEqual(sorted(sources["journal"]["include_units"]), units())
        daemons = [re.fullmatch(r"auralis-(\w+)[.]service", unit).group(1) for unit in units()]
        for daemon in daemons:
            self.assertIn(f"/var/log/auralis/{daemon}-2*.log", sources["files"]["include"])
        compose = yaml.safe_load((files.ROOT / "docker-compose.yml").read_text())["services"]
        self.assertEqual({compose[daemon]["image"] for daemon in daemons}, set(sources["containers"]["include_images"]))

    def test_each_source_reaches_the_sink(self):
        (sink,) = self.config["sinks"].values()
        read = {name for step in sink["inputs"] for name in self.config["transforms"][step]["inputs"]}
        self.assertEqual(read, set(self.config["sources"]))
        self.assertEqual(set(sink["labels"]), LABELS)


class Queries(unittest.TestCase):
    def test_the_documented_queries_ask_for_labels_and_fields_that_lines_have(self):
        queries = LOGS.read_text().split("```logql\n", 1)[1].split("```", 1)[0].splitlines()
        self.assertGreaterEqual(len(queries), 6)
        for query in queries:
            with self.subTest(query):
                self.assertLessEqual(set(re.findall(r'(\w+)="', query)), LABELS)
                fields = re.findall(r"\| (?:unwrap )?(\w+)", query) + re.findall(r"by \((\w+)\)", query)
                self.assertLessEqual(set(fields), documented_fields() | {"device_type"})
                for message in re.findall(r'\|= "([^"]+)"', query):
                    self.assertIn(f"`{message}`", LOGS.read_text())


if __name__ == "__main__":
    unittest.main()
