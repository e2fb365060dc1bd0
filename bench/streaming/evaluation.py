# SPDX-License-Identifier: MIT
"""Evaluates a run of streaming.py: the metrics of each step, from its reports, and their comparison with the goals."""

import statistics

SHARES = ("p50", "p95", "p99", "p99.9", "max")


def _found(reports, *path):
    """Returns the numbers at `path` in the reports that have one."""
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


def _absence(result):
    """Returns why a step has no metrics."""
    if "not_served" in result:
        return f"not served: {result['not_served']}"
    if result.get("busy"):
        return f"not measured: {min(result['busy'], key=lambda one: one['other_load_percent'])['why']}"
    return "not measured"


def least_and_most(values):
    """Returns minimum and maximum of the repetitions: the minimum is the cost, both are its spread. (None, None) if empty."""
    return (min(values), max(values)) if values else (None, None)


def of_step(result):
    """Returns the metrics of a step, from the repetitions during which the machine was otherwise idle. Costs are minimums,
    since other load can only add to them; latencies are medians; losses are sums. An unavailable metric is None."""
    reports = result["reports"]
    metrics = {"title": result["title"], "listeners": result["listeners"]}
    if not reports:
        return {**metrics, "absent": _absence(result)}
    least, most = least_and_most(_found(reports, "server", "cpu_ns_per_byte"))
    grown = [one["server"]["rss_kib_after"] - one["server"]["rss_kib_before"] for one in reports]
    metrics |= {
        "runs": len(reports),
        "runs_busy": len(result.get("busy", ())),
        "opened": min(one["opened"] for one in reports),
        "ns_per_byte": least,
        "ns_per_byte_most": most,
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
            metrics[kind] = shares
    return metrics


def _goal(what, value, at_most=None, at_least=None, unit=""):
    """Returns a goal with its result; `met` is None without a measured value."""
    goal = {"at_most": at_most} if at_least is None else {"at_least": at_least}
    met = None
    if value is not None:
        met = value <= at_most if at_least is None else value >= at_least
    return {"what": what, "value": value, "unit": unit, **goal, "met": met}


def _of(step, *path):
    found = _found([step], *path)
    return found[0] if found else None


def _ratio(one, other):
    costs = one.get("ns_per_byte"), other.get("ns_per_byte")
    return costs[0] / costs[1] if all(costs) else None


def _lost(step):
    return None if "absent" in step else step["listeners_lost"] + step["chunks_lost"]


def _streamd_goals(steps):
    for name in ("few", "pcm", "opus"):
        one = steps.get(name)
        if one is None:
            continue
        title = one["title"]
        if name == "few":
            yield _goal(f"{title}: lateness, p99", _of(one, "lateness_ms", "p99"), 50, unit="ms")
            yield _goal(f"{title}: jitter, p95", _of(one, "jitter_ms", "p95"), 20, unit="ms")
            yield _goal(f"{title}: start to first audio, longest", _of(one, "first_audio_ms", "max"), 2_000, unit="ms")
            continue
        yield _goal(f"{title}: lateness, p99", _of(one, "lateness_ms", "p99"), 20, unit="ms")
        yield _goal(f"{title}: listeners and chunks lost", _lost(one), 0)
        yield _goal(f"{title}: memory a listener", one.get("kb_per_listener"), 16, unit="kB")


# Servers that streamd is compared with, for messages of the same size, and the highest ratio of costs per byte that is
# the goal.
COMPARISONS = (
    ("pcm", "floor", "a bare send() loop's", 1.2),
    ("pcm", "icecast", "Icecast's", 0.125),
    ("opus", "opus floor", "a bare send() loop's", 1.5),
    ("opus", "nchan", "nchan's", 1),
)


def goals(steps):
    """Returns the goals of the steps that were run, with the measured values."""
    found = list(_streamd_goals(steps))
    for ours, other, whose, at_most in COMPARISONS:
        if steps.keys() >= {ours, other}:
            what = f"{steps[ours]['title']}: processor time a byte, times {whose}"
            found.append(_goal(what, _ratio(steps[ours], steps[other]), at_most))
    if "connects" in steps:
        one = steps["connects"]
        found.append(_goal(f"{one['title']}: connections a second", one.get("connections_per_s"), at_least=950))
        start_ms = _of(one, "first_audio_ms", "p99")
        found.append(_goal(f"{one['title']}: start to first audio, p99", start_ms, 2_000, unit="ms"))
    if steps.keys() >= {"alone", "stalled"}:
        late = [_of(steps[name], "lateness_ms", "p99") for name in ("alone", "stalled")]
        more = None if None in late else late[1] - late[0]
        what = f"{steps['stalled']['title']}: lateness of the others, p99, more than without"
        found.append(_goal(what, more, 5, unit="ms"))
    return found


def bound_text(goal):
    return f"at most {goal['at_most']:g}" if "at_most" in goal else f"at least {goal['at_least']:g}"


def goal_text(goal):
    """Returns the measured value with its unit."""
    value = goal["value"]
    if value is None:
        return "not measured"
    text = f"{value:.3g}" if abs(value) < 1_000 else f"{value:,.0f}"
    return f"{text} {goal['unit']}".strip()


def cost_text(step):
    """Returns the processor time per byte: the minimum of the runs and, if there are several, the maximum."""
    least, most = step["ns_per_byte"], step["ns_per_byte_most"]
    if least is None:
        return ""
    return f"{least:.2f}" if step["runs"] == 1 else f"{least:.2f} to {most:.2f}"


def runs_text(step):
    """Returns the number of runs that the metrics are from and, if some were discarded, of all runs."""
    total = step["runs"] + step["runs_busy"]
    return f"{step['runs']}" if total == step["runs"] else f"{step['runs']} of {total}"
