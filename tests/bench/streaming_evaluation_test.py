# SPDX-License-Identifier: MIT
"""How the streaming benchmark reports its runs: costs with their spread, and no value if the machine was busy."""

import pytest

import evaluation
import performance_page

BUSY = {"other_load_percent": 41.3, "why": "machine busy (41 % other load)"}


def run(ns_per_byte, late_ms=1.0, missing=0):
    """A report of auralis-load, with the fields that are used."""
    shares = {share: late_ms for share in ("p50", "p95", "p99", "p99.9", "max")}
    server = {"cpu_ns_per_byte": ns_per_byte, "cpu_percent": 20, "rss_kib_before": 1_000, "rss_kib_after": 2_000}
    latencies = {name: shares for name in ("lateness_ms", "jitter_ms", "handshake_ms", "first_audio_ms")}
    troubles = {"refused": {}, "failed": {}, "lost": {}, "missing": missing}
    return {**latencies, **troubles, "server": server, "own_cpu_s": 1, "measured_s": 10, "opened": 100,
            "connections_per_s": 990}  # fmt: skip


def step(title, *reports, busy=(), **more):
    return evaluation.of_step({"title": title, "listeners": 100, "reports": list(reports), "busy": list(busy), **more})


def rows(*steps):
    """The page's table, as cells."""
    results = {"steps": {str(number): one for number, one in enumerate(steps)}}
    lines = performance_page.listening(results).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_cost_is_the_least_of_its_runs_and_has_its_spread():
    one = step("PCM", run(0.7), run(0.63), run(0.9))
    assert (one["ns_per_byte"], one["ns_per_byte_most"], one["runs"]) == (0.63, 0.9, 3)
    assert evaluation.cost_text(one) == "0.63 to 0.90"
    assert evaluation.cost_text(step("PCM", run(0.7))) == "0.70"


def test_latencies_are_the_median_and_losses_the_sum():
    one = step("PCM", run(1, late_ms=3), run(1, late_ms=1, missing=2), run(1, late_ms=9, missing=5))
    assert one["lateness_ms"]["p99"] == 3
    assert one["chunks_lost"] == 7


def test_a_busy_machine_gives_no_result_and_the_table_says_why():
    one = step("PCM", busy=[{"other_load_percent": 80, "why": "machine busy (80 % other load)"}, BUSY])
    assert one.keys() == {"title", "listeners", "absent"}
    head, _, cells = rows(one)
    assert cells[:2] == ["PCM", "not measured: machine busy (41 % other load)"]
    assert len(cells) == len(head) and not any(cells[2:])


def test_runs_on_a_busy_machine_are_left_out():
    one = step("PCM", run(0.7), run(0.8), busy=[BUSY])
    head, _, cells = rows(one, step("Opus", run(6), run(7), run(8)))[:3]
    assert dict(zip(head, cells))["ns a byte"] == "0.70 to 0.80"
    assert dict(zip(head, cells))["runs"] == "2 of 3"
    assert rows(step("Opus", run(6), run(7), run(8)))[2][-1] == "3"


def test_a_server_that_serves_nobody_is_told_apart_from_a_busy_machine():
    assert step("PCM", busy=[BUSY], not_served="HTTP 503")["absent"] == "not served: HTTP 503"


def served():
    return {
        "few": step("few", run(6)),
        "pcm": step("pcm", run(0.66), run(0.60)),
        "floor": step("floor", run(0.5)),
        "icecast": step("icecast", run(6)),
        "opus": step("opus", run(9)),
        "opus floor": step("opus floor", run(6)),
        "nchan": step("nchan", run(8)),
        "connects": step("connects", run(1)),
        "alone": step("alone", run(1, late_ms=5)),
        "stalled": step("stalled", run(1, late_ms=7)),
    }


@pytest.mark.parametrize(
    "what, ratio, met",
    [
        ("pcm: processor time a byte, times a bare send() loop's", 1.2, True),
        ("pcm: processor time a byte, times Icecast's", 0.1, True),
        ("opus: processor time a byte, times a bare send() loop's", 1.5, True),
        ("opus: processor time a byte, times nchan's", 1.125, False),
    ],
)
def test_streamd_is_compared_with_servers_of_messages_as_large(what, ratio, met):
    (goal,) = [one for one in evaluation.goals(served()) if one["what"] == what]
    assert goal["value"] == pytest.approx(ratio)
    assert goal["met"] is met


@pytest.mark.parametrize("name", served())
def test_a_goal_without_a_value_is_neither_met_nor_missed(name):
    steps = served()
    steps[name] = step(name, busy=[BUSY])
    goals, all_goals = evaluation.goals(steps), evaluation.goals(served())
    assert [one["what"] for one in goals] == [one["what"] for one in all_goals]
    unknown = [one for one in goals if one["met"] is None]
    assert unknown and all(evaluation.goal_text(one) == "not measured" for one in unknown)
    assert len(unknown) < len(goals)
    assert "| not measured |" in performance_page.listening_goals({"goals": unknown})


def test_a_peer_that_is_not_installed_is_left_out():
    steps = served()
    del steps["nchan"]
    assert not any("nchan" in one["what"] for one in evaluation.goals(steps))
