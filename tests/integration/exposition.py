# SPDX-License-Identifier: MIT
"""Parses Prometheus' text format 0.0.4, as far as the tests need it; anything else is an error."""

import dataclasses
import re

_SERIES = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?')


@dataclasses.dataclass
class Exposition:
    """One scrape. A series is (name, frozenset of (label, value))."""

    values: dict = dataclasses.field(default_factory=dict)
    types: dict = dataclasses.field(default_factory=dict)  # by family
    helps: dict = dataclasses.field(default_factory=dict)

    def value(self, name, **labels):
        """The value of exactly that series, or None if it is absent."""
        return self.values.get((name, frozenset(labels.items())))

    def total(self, name):
        """The sum over all label sets."""
        return sum(value for (series, _), value in self.values.items() if series == name)

    def family_of(self, name):
        """A histogram's name for its _bucket, _sum and _count, else the name itself."""
        stem = re.sub(r"_(bucket|sum|count)$", "", name)
        return stem if self.types.get(stem) == "histogram" else name

    def rising(self):
        """Series that never fall: counters, and the counts of histograms."""
        return {
            series: value
            for series, value in self.values.items()
            if self.types[self.family_of(series[0])] == "counter"
            or (self.types[self.family_of(series[0])] == "histogram" and not series[0].endswith("_sum"))
        }


def parse(text):
    exposition = Exposition()
    for line in text.splitlines():
        if line.startswith("# "):
            _, keyword, family, rest = line.split(" ", 3)
            {"HELP": exposition.helps, "TYPE": exposition.types}[keyword][family] = rest
            continue
        match = _SERIES.fullmatch(line)
        assert match, f"not a line of the text format: {line!r}"
        name, labels, value = match.groups()
        series = (name, frozenset(_LABEL.findall(labels or "")))
        assert _LABEL.sub("", labels or "") == "", f"labels cannot be read: {line!r}"
        assert series not in exposition.values, f"appears twice: {line!r}"
        exposition.values[series] = float(value)
    return exposition
