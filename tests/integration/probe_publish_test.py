# SPDX-License-Identifier: MIT
"""auralis-probe --publish: metricsd shows its latest result after it has ended, and nothing else depends on it."""

import json
import pathlib
import shutil
import subprocess
import time

import pytest

from auralis import HOST, binary, clean_environment, eventually, free_ports, http_request
from tampering_proxy import TamperingProxy, drop_message, flip_sample

LIMIT_S = 120
CONFIGURATION = """
[[station]]
name = "day"
preset = "bright"

[[station]]
name = "night"
preset = "sleep"
"""


@pytest.fixture(autouse=True)
def forgotten(stack):
    """No result of another test."""
    yield
    shutil.rmtree(stack.runtime_dir / "probe", ignore_errors=True)


def probe(stack, url, *arguments, seconds=2):
    """Exit status and report, if there is one."""
    options = ["--publish", "--config", stack.config_file, "--json", "--seconds", str(seconds)]
    result = subprocess.run(
        [binary("probe"), url, *options, *arguments],
        env={**clean_environment(), **stack.environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return result.returncode, json.loads(result.stdout or "{}")


def url_at(port):
    return f"ws://{HOST}:{port}/ws/stream"


def published(scrape):
    """The results on /metrics: names without their prefix to values, by station and format."""
    prefix = "auralis_probe_"
    found = {}
    for (name, labels), value in scrape.values.items():
        if name.startswith(prefix):
            labels = dict(labels)
            found.setdefault((labels.pop("station"), labels.pop("format")), {})[name.removeprefix(prefix)] = value
            assert not labels
    return found


def test_a_right_result_is_shown_after_the_probe_has_ended(stack):
    before = time.time()
    status, report = probe(stack, stack.stream_url())
    assert (status, report["exact"]) == (0, True)
    scrape = stack.scrape()
    (result,) = published(scrape).items()
    assert result[0] == ("day", "pcm")
    assert scrape.value("auralis_probe_success", station="day", format="pcm") == 1
    assert scrape.value("auralis_probe_chunks_received", station="day", format="pcm") == report["chunks"] >= 20
    assert scrape.value("auralis_probe_chunks_wrong", station="day", format="pcm") == 0
    last = scrape.value("auralis_probe_last_run_timestamp_seconds", station="day", format="pcm")
    assert before - 1 <= last <= time.time() + 1
    assert "snr_db" not in result[1]


def test_a_wrong_result_is_shown_as_the_report_has_it(stack):
    with TamperingProxy(stack.stream_port, flip_sample(9, 1_234)) as proxy:
        status, report = probe(stack, url_at(proxy.port))
    assert status == 1
    scrape = stack.scrape()
    assert scrape.value("auralis_probe_success", station="day", format="pcm") == 0
    assert scrape.value("auralis_probe_chunks_wrong", station="day", format="pcm") == report["wrong"] == 1
    assert scrape.value("auralis_probe_snr_db", station="day", format="pcm") == report["snr_db"]

    with TamperingProxy(stack.stream_port, drop_message(9)) as proxy:
        status, report = probe(stack, url_at(proxy.port))
    assert status == 1
    assert stack.metric("auralis_probe_chunks_wrong", station="day", format="pcm") == report["wrong"] == 1


def test_each_station_and_format_keeps_its_latest_result(stack):
    assert probe(stack, stack.stream_url(), "--station", "night", "--format", "opus")[0] == 0
    with TamperingProxy(stack.stream_port, drop_message(9)) as proxy:
        assert probe(stack, url_at(proxy.port))[0] == 1
    results = published(stack.scrape())
    assert {stream: result["success"] for stream, result in results.items()} == {("night", "opus"): 1, ("day", "pcm"): 0}
    assert results["night", "opus"]["snr_db"] >= 20

    assert probe(stack, stack.stream_url())[0] == 0
    results = published(stack.scrape())
    assert {stream: result["success"] for stream, result in results.items()} == {("night", "opus"): 1, ("day", "pcm"): 1}


def test_no_connection_is_a_wrong_result_and_no_daemon_is_down_by_it(stack):
    (port,) = free_ports(1)
    assert probe(stack, url_at(port), "--station", "night") == (2, {})
    scrape = stack.scrape()
    assert published(scrape)["night", "pcm"]["success"] == 0
    for daemon in ("synthd", "streamd", "metricsd"):
        assert scrape.value("auralis_up", process=daemon) == 1
    assert http_request(stack.metrics_port, "GET", "/readyz").status == 200
    assert stack.http("GET", "/readyz").status == 200


def test_a_result_outlives_a_restart_of_metricsd(stack):
    assert probe(stack, stack.stream_url(), seconds=1)[0] == 0
    metricsd = stack.daemons["metricsd"]
    metricsd.kill()
    metricsd.start()
    stack.wait_until_ready()
    assert published(stack.scrape())["day", "pcm"]["success"] == 1


def test_auralis_top_shows_it_too(stack):
    assert probe(stack, stack.stream_url(), seconds=1)[0] == 0
    result = subprocess.run(
        [binary("top"), "--config", stack.config_file, "--metric", "auralis_probe_success"],
        env={**clean_environment(), **stack.environment},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert result.stdout == 'auralis_probe_success{station="day",format="pcm"} 1\n'


def test_the_secret_name_of_a_personal_station_is_not_published(stack):
    status, _ = probe(stack, stack.stream_url("station=new"))
    assert status == 2
    assert published(stack.scrape()) == {}


def test_a_damaged_segment_is_not_shown_and_harms_nothing(stack):
    assert probe(stack, stack.stream_url(), seconds=1)[0] == 0
    segment = pathlib.Path(stack.runtime_dir, "probe", "metrics")
    segment.write_bytes(b"x" * segment.stat().st_size)
    eventually(lambda: published(stack.scrape()) == {}, "no result")
    assert all(stack.is_up(daemon) for daemon in ("synthd", "streamd", "metricsd"))
    assert probe(stack, stack.stream_url(), seconds=1)[0] == 0
    assert published(stack.scrape())["day", "pcm"]["success"] == 1
