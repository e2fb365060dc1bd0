# SPDX-License-Identifier: MIT
"""What a run of streaming.py comes to: the figures of each step from its reports, and how they stand to the goals."""

import statistics

SHARES = ("p50", "p95", "p99", "p99.9", "max")


def _found(reports, *path):
    """The numbers at `path` in those reports that have one."""
    found = []
    for value in reports:
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value is not None:
            found.append(value)
    return found


def _median(values):
    return statistics.median(values) if values else None


def listeners_lost(report):
    return sum(sum(report[kind].values()) for kind in ("refused", "failed", "lost"))


def _chunks_lost(report):
    return sum(report.get(kind, 0) for kind in ("missing", "skipped", "repeats", "malformed"))


def of_step(result):
    """Costs are the least of a step's repetitions, since what others on the machine take is none of ours; latencies their
    median; losses all of them. A figure that is not to be had is None."""
    reports = result["reports"]
    figures = {"title": result["title"], "listeners": result["listeners"]}
    if not reports:
        return {**figures, "not_served": result.get("not_served", "not measured")}
    costs = sorted(_found(reports, "server", "cpu_ns_per_byte"))
    grown = [one["server"]["rss_kib_after"] - one["server"]["rss_kib_before"] for one in reports]
    figures |= {
        "runs": len(reports),
        "opened": min(one["opened"] for one in reports),
        "ns_per_byte": costs[0] if costs else None,
        "ns_per_byte_of_runs": costs,
        "cpu_percent": _median(_found(reports, "server", "cpu_percent")),
        "own_cpu_percent": _median([100 * one["own_cpu_s"] / one["measured_s"] for one in reports]),
        "kb_per_listener": _median([kib * 1.024 / result["listeners"] for kib in grown]),
        "connections_per_s": _median(_found(reports, "connections_per_s")),
        "listeners_lost": sum(map(listeners_lost, reports)),
        "chunks_lost": sum(map(_chunks_lost, reports)),
    }
    for kind in ("lateness_ms", "jitter_ms", "handshake_ms", "first_audio_ms"):
        shares = {share: _median(_found(reports, kind, share)) for share in SHARES}
        if shares["p50"] is not None:
            figures[kind] = shares
    return figures


def _goal(what, figure, at_most=None, at_least=None, unit=""):
    goal = {"at_most": at_most} if at_least is None else {"at_least": at_least}
    met = figure <= at_most if at_least is None else figure >= at_least
    return {"what": what, "figure": figure, "unit": unit, **goal, "met": met}


def _streamd_goals(steps):
    """Of those that were served."""
    for name in ("few", "pcm", "opus"):
        one = steps.get(name)
        if one is None:
            continue
        title = one["title"]
        if name == "few":
            yield _goal(f"{title}: lateness, p99", one["lateness_ms"]["p99"], 50, unit="ms")
            yield _goal(f"{title}: jitter, p95", one["jitter_ms"]["p95"], 20, unit="ms")
            yield _goal(f"{title}: start to first audio, longest", one["first_audio_ms"]["max"], 2_000, unit="ms")
            continue
        yield _goal(f"{title}: lateness, p99", one["lateness_ms"]["p99"], 20, unit="ms")
        yield _goal(f"{title}: listeners and chunks lost", one["listeners_lost"] + one["chunks_lost"], 0)
        yield _goal(f"{title}: memory a listener", one["kb_per_listener"], 16, unit="kB")


def goals(steps):
    """How what was measured stands to what is wanted."""
    served = {name: one for name, one in steps.items() if "not_served" not in one}
    found = list(_streamd_goals(served))
    for other, at_most in (("floor", 1.2), ("icecast", 0.125)):
        if served.keys() >= {"pcm", other}:
            ratio = served["pcm"]["ns_per_byte"] / served[other]["ns_per_byte"]
            against = "a bare send() loop's" if other == "floor" else "Icecast's"
            found.append(_goal(f"{served['pcm']['title']}: processor time a byte, times {against}", ratio, at_most))
    if "connects" in served:
        one = served["connects"]
        found.append(_goal(f"{one['title']}: connections a second", one["connections_per_s"], at_least=950))
        start_ms = one["first_audio_ms"]["p99"]
        found.append(_goal(f"{one['title']}: start to first audio, p99", start_ms, 2_000, unit="ms"))
    if served.keys() >= {"alone", "stalled"}:
        one = served["stalled"]
        more = one["lateness_ms"]["p99"] - served["alone"]["lateness_ms"]["p99"]
        found.append(_goal(f"{one['title']}: lateness of the others, p99, more than without", more, 5, unit="ms"))
    return found


def bound_text(goal):
    return f"at most {goal['at_most']:g}" if "at_most" in goal else f"at least {goal['at_least']:g}"
