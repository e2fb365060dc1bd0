# SPDX-License-Identifier: MIT
"""How the page reports what measuring costs, and how the benchmark takes its turns, without daemons."""

import argparse
import contextlib
import io
import json
import pathlib
import threading
import types

import machine
import monitoring
import performance_page
import servers


def cells(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()]


def turns(title, synthd, streamd, disturbed=()):
    why = ["busy" if index in disturbed else "" for index in range(len(synthd))]
    return {"title": title, "synthd": synthd, "streamd": streamd, "disturbed": why}


def entry(name, cpu_time, unit="ns", **counters):
    return {"name": name, "run_type": "iteration", "cpu_time": cpu_time, "time_unit": unit, **counters}


def test_a_metric_costs_the_least_of_its_repetitions_and_is_compared_with_its_goal():
    bench = {
        "benchmarks": [
            entry("counter/auralis", 0.9),
            entry("counter/auralis", 0.5),
            entry("counter/prometheus-cpp", 7.31),
            entry("histogram/auralis", 5.4),
            entry("histogram/prometheus-cpp", 19),
            entry("snapshot/segments", 60, "us", series=500),
            entry("snapshot/all", 199.5, "us", series=548),
        ]
    }
    _, _, counter, histogram, segments, snapshot = cells(performance_page.metric_costs(bench))
    assert counter[1:] == ["0.50", "7.31", "≤ 1", "yes"]
    assert histogram[1:] == ["5.40", "19.00", "≤ 5", "**no**"]
    assert segments == [
        "to read the 500 series of synthd and streamd with 32 stations, µs",
        "60.00",
        "",
        "≤ 100",
        "yes",
    ]
    assert snapshot[1:] == ["199.50", "", "", ""]


def test_each_condition_is_compared_with_the_median_without_metricsd():
    conditions = {
        "absent": turns("not running", [1, 90, 2, 2, 9, 2], [10] * 6, disturbed=[1]),
        "idle": turns("running", [2.5] * 5, [8.9] * 5),
        "scraped": turns("scraped", [2] * 5 + [80], [10.5] * 6, disturbed=[5]),
    }
    _, _, absent, idle, scraped = cells(performance_page.monitoring({"turns": conditions}))
    assert absent == ["not running", "2.00", "10.00", "", "5 of 6"]
    assert idle == ["running", "2.50 (+0.50)", "8.90 (-1.10)", "**no**", "5 of 5"]
    assert scraped == ["scraped", "2.00 (+0.00)", "10.50 (+0.50)", "yes", "5 of 6"]


def test_where_too_few_turns_were_undisturbed_all_count_and_the_page_says_so():
    conditions = {
        "absent": turns("not running", [1, 3, 2], [10, 10, 10]),
        "idle": turns("running", [2, 4, 3], [9, 11, 10], disturbed=[0, 2]),
    }
    _, _, absent, idle = cells(performance_page.monitoring({"turns": conditions}))
    assert absent == ["not running", "2.00", "10.00", "", "3, 3 undisturbed"]
    assert idle == ["running", "3.00 (+1.00)", "10.00 (+0.00)", "yes", "3, 1 undisturbed"]


def test_all_conditions_take_turns_and_a_disturbed_one_is_marked(tmp_path, monkeypatch):
    load = {name: 5 for name in ("chunks", *monitoring.WRONG)}
    process = types.SimpleNamespace(
        pid=1, url="", poll=lambda: None, communicate=lambda timeout: (json.dumps(load), None), stdout=io.BytesIO()
    )
    taken = []
    monkeypatch.setattr(monitoring.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(monitoring, "processor_s", lambda pid: 0.0)
    monkeypatch.setattr(servers.Auralis, "playing", lambda self: contextlib.nullcontext(process))
    monkeypatch.setattr(servers.Auralis, "streamd", lambda self, listeners: contextlib.nullcontext(process))
    monkeypatch.setattr(servers, "process", lambda command, **options: contextlib.nullcontext(process))
    monkeypatch.setattr(machine.Watch, "__enter__", lambda self: None)
    monkeypatch.setattr(machine.Watch, "__exit__", lambda self, *_: None)
    monkeypatch.setattr(machine.Watch, "why_not", lambda self: "busy" if len(taken) == 2 else "")

    def condition(name):
        def begin(auralis):
            taken.append(name)
            return contextlib.nullcontext()

        return begin

    monkeypatch.setattr(monitoring, "CONDITIONS", {name: (name, condition(name)) for name in monitoring.CONDITIONS})
    options = argparse.Namespace(build=pathlib.Path("build"), listeners=20, seconds=0.001, rounds=2)
    bench = monitoring.Bench(options, tmp_path)
    bench.run()
    assert taken == 2 * list(monitoring.CONDITIONS)
    assert bench.heard == {name: 5 * len(taken) for name in load}
    for name, one in bench.turns.items():
        assert (len(one["synthd"]), len(one["streamd"])) == (2, 2)
        assert one["disturbed"] == (["busy", ""] if name == taken[1] else ["", ""])


def test_repeated_work_goes_on_after_an_error_and_ends_with_its_context():
    calls = []

    def work():
        calls.append(None)
        raise OSError

    with monitoring.repeatedly(work, 0):
        while len(calls) < 3:
            pass
    ended = len(calls)
    assert not [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    assert len(calls) == ended
