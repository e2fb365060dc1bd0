# SPDX-License-Identifier: MIT
"""What metricsd publishes: the seed's names and types, the same over HTTP and ZeroMQ, writing to no other daemon."""

import json
import math
import os
import time
import urllib.parse

import pytest
import zmq
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from auralis import DAEMONS, WAIT_LIMIT_S, eventually, http_request, open_descriptors
from listener import JSON, PCM, Listener
from seed_metrics import GPU_METRICS, SEED_METRICS

CHUNKS_A_SECOND = 10


@pytest.fixture(scope="module")
def listeners(stack):
    """Listeners that report, so that every metric has a value."""
    listeners = [Listener(stack.stream_url(), protocol) for protocol in (PCM, JSON)]
    for listener in listeners:
        listener.send({"type": "playback_report", "latency_ms": 180, "buffer_ms": 250})
        listener.wait_for_more(30)
    yield listeners
    for listener in listeners:
        listener.close()


@pytest.fixture
def subscriber(stack):
    context = zmq.Context()
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RCVTIMEO, WAIT_LIMIT_S * 1000)
    socket.setsockopt(zmq.SUBSCRIBE, b"metrics")
    socket.connect(stack.zmq_endpoint)
    yield socket
    context.destroy()


def next_snapshot(subscriber):
    topic, body = subscriber.recv_multipart()
    assert topic == b"metrics"
    return json.loads(body, parse_constant=lambda name: pytest.fail(f"{name} in a snapshot"))


def series_of(snapshot):
    """A snapshot's series, named like those of /metrics."""
    values = {}
    for entry in snapshot["metrics"]:
        labels = frozenset(entry["labels"].items())
        if entry["type"] != "histogram":
            values[entry["name"], labels] = entry["value"]
            continue
        values[entry["name"] + "_count", labels] = entry["count"]
        values[entry["name"] + "_sum", labels] = entry["sum"]
        for bound, count in entry["buckets"]:
            values[entry["name"] + "_bucket", labels | {("le", bound_text(bound))}] = count
    return values


def bound_text(bound):
    return str(float(bound))


# The page rounds to 16 digits.
ROUNDING = 1e-14

PROMETHEUS_ACCEPTS = (
    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
    "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
)

# A heartbeat older than this means that a daemon hangs, common/segments/segment.h.
HUNG_AFTER_S = 5


def with_plain_bounds(values):
    """The series of a scrape, with normalised bounds."""
    return {
        (name, frozenset((label, bound_text(text) if label == "le" else text) for label, text in labels)): value
        for (name, labels), value in values.items()
    }


def families(scrape):
    return {scrape.family_of(name) for name, _ in scrape.values}


def expected_families():
    return {GPU_METRICS.get(name, name) for name in SEED_METRICS}


def test_an_engine_without_a_gpu_is_not_called_one(stack):
    scrape = stack.scrape()
    assert not GPU_METRICS.keys() & families(scrape)
    ((_, labels),) = [series for series in scrape.values if series[0] == "auralis_engine_info"]
    assert dict(labels)["engine"] == "native" and dict(labels)["type"] == "CPU"


def test_each_daemon_says_its_build_its_start_and_its_resources(stack):
    for daemon in DAEMONS:
        eventually(lambda: stack.metric("process_open_fds", process=daemon), "a sample of each process")
    scrape = stack.scrape()
    for daemon in DAEMONS:
        assert scrape.value("auralis_daemon_starts_total", process=daemon) == 1
        assert 0 <= time.time() - scrape.value("process_start_time_seconds", process=daemon) < 600
        assert 3 <= scrape.value("process_open_fds", process=daemon) <= scrape.value("process_max_fds", process=daemon)
        assert scrape.value("process_threads", process=daemon) >= 1
        parts = sum(scrape.value("auralis_memory_mb", process=daemon, kind=kind) for kind in ("anon", "file", "shmem"))
        assert parts == pytest.approx(scrape.value("memory_usage_mb", process=daemon), rel=0.05)
        (build,) = [
            dict(labels)
            for name, labels in scrape.values
            if name == "auralis_build_info" and ("process", daemon) in labels
        ]
        assert build["compiler"].startswith("GNU ") and build["version"] and build["commit"]
    for daemon in ("synthd", "streamd"):
        assert 0 <= scrape.value("auralis_heartbeat_age_seconds", process=daemon) < 5


def test_every_metric_of_the_seed_is_there_with_its_type(stack, listeners):
    # Metrics over a window need two samples of their counters.
    eventually(lambda: expected_families() <= families(stack.scrape()), "all the seed's metrics")
    scrape = stack.scrape()
    expected = {GPU_METRICS.get(name, name): kind for name, (kind, _) in SEED_METRICS.items()}
    assert {name: scrape.types.get(name) for name in expected} == expected
    for name in scrape.types:
        assert scrape.helps.get(name), f"{name} has no HELP"


def test_the_metrics_have_plausible_values(stack, listeners):
    eventually(lambda: stack.metric("network_bandwidth_mbps"), "two samples")
    eventually(lambda: stack.metric("auralis_engine_utilization_percent") is not None, "two samples")
    received = sum(len(listener.chunks) for listener in listeners)
    scrape = stack.scrape()
    assert scrape.value("websocket_active_connections") == len(listeners)
    assert scrape.value("websocket_connections_total") == len(listeners)
    assert scrape.value("websocket_chunks_sent_total") >= received
    assert scrape.value("websocket_chunk_delivery_success_rate") == 100
    assert scrape.value("network_bytes_sent_total") > sum(
        len(chunk.pcm) for listener in listeners for chunk in listener.chunks
    )
    assert scrape.value("audio_end_to_end_latency_ms_count") == len(listeners)
    assert scrape.value("audio_startup_latency_ms_count") == len(listeners)
    assert scrape.value("auralis_engine_memory_mb") > 0
    for daemon in DAEMONS:
        assert 1 < scrape.value("memory_usage_mb", process=daemon) < 4_096
    for (name, labels), value in scrape.values.items():
        if name.endswith("_percent") or name.endswith("_rate"):
            assert 0 <= value <= 100, f"{name} {set(labels)}"
    # synthd renders at most the ring's length ahead.
    assert scrape.value("ring_buffer_depth_ms", station="default") < 2_000


def test_all_are_up(stack):
    for daemon in DAEMONS:
        assert stack.metric("auralis_up", process=daemon) == 1


def test_no_metric_is_nan_or_infinite(stack, listeners):
    for (name, labels), value in stack.scrape().values.items():
        assert math.isfinite(value), f"{name} {set(labels)} is {value}"


def test_histograms_add_up(stack, listeners):
    scrape = stack.scrape()
    buckets = {}
    for (name, labels), value in scrape.values.items():
        if name.endswith("_bucket"):
            (bound,) = [text for label, text in labels if label == "le"]
            rest = frozenset(pair for pair in labels if pair[0] != "le")
            buckets.setdefault((name.removesuffix("_bucket"), rest), {})[float(bound)] = value
    assert {name for name, _ in buckets} == {name for name, kind in scrape.types.items() if kind == "histogram"}
    for (name, labels), counts in buckets.items():
        rising = [counts[bound] for bound in sorted(counts)]
        assert rising == sorted(rising), name
        assert counts[math.inf] == scrape.values[name + "_count", labels]


def test_a_snapshot_says_what_the_page_says(stack, listeners, subscriber):
    eventually(lambda: expected_families() <= families(stack.scrape()), "all the seed's metrics")
    next_snapshot(subscriber)
    earlier = stack.scrape()
    snapshots = [next_snapshot(subscriber)]
    # The first may be older than the scrape; the second is not.
    snapshots.append(next_snapshot(subscriber))
    later = stack.scrape()
    snapshot = snapshots[-1]

    values = series_of(snapshot)
    assert values.keys() == with_plain_bounds(earlier.values).keys() == with_plain_bounds(later.values).keys()
    before, after = with_plain_bounds(earlier.rising()), with_plain_bounds(later.rising())
    assert before.keys() > {("websocket_chunks_sent_total", frozenset())}
    for series, value in before.items():
        slack = ROUNDING * value
        assert value - slack <= values[series] <= after[series] + slack, series
    assert {entry["name"]: (entry["type"], entry["help"]) for entry in snapshot["metrics"]} == {
        name: (kind, later.helps[name]) for name, kind in later.types.items()
    }


def test_snapshots_are_numbered_and_dated(stack, subscriber):
    snapshots = [next_snapshot(subscriber) for _ in range(3)]
    first = snapshots[0]["seq"]
    assert [snapshot["seq"] for snapshot in snapshots] == [first, first + 1, first + 2]
    times = [snapshot["time"] for snapshot in snapshots]
    assert times == sorted(set(times))


def test_the_dashboard_and_the_health_paths_are_served(stack):
    page = http_request(stack.metrics_port, "GET", "/")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")
    assert http_request(stack.metrics_port, "GET", "/healthz").status == 200
    assert http_request(stack.metrics_port, "GET", "/readyz").status == 200
    assert http_request(stack.metrics_port, "GET", "/nothing").status == 404
    assert http_request(stack.metrics_port, "POST", "/metrics", "x").status == 405


def mappings(pid, directory):
    """Permissions of the mappings of the files under `directory`, by path."""
    found = {}
    with open(f"/proc/{pid}/maps") as maps:
        for line in maps:
            fields = line.split(maxsplit=5)
            if len(fields) == 6 and fields[5].startswith(f"{directory}/"):
                found.setdefault(fields[5].strip(), set()).add(fields[1])
    return found


def open_for_writing(pid, directory):
    """Files under `directory` that the process holds open for writing."""
    found = set()
    for descriptor, path in open_descriptors(pid).items():
        try:
            with open(f"/proc/{pid}/fdinfo/{descriptor}") as info:
                flags = next(int(line.split()[1], 8) for line in info if line.startswith("flags:"))
        except FileNotFoundError:
            continue  # closed meanwhile
        if path.startswith(f"{directory}/") and flags & os.O_ACCMODE != os.O_RDONLY:
            found.add(path)
    return found


def test_metricsd_cannot_write_where_the_audio_path_reads(stack):
    stack.scrape()
    pid = stack.daemons["metricsd"].pid
    mapped = mappings(pid, stack.runtime_dir)
    segments = ("synthd/audio", "synthd/metrics", "streamd/control", "streamd/metrics")
    assert mapped.keys() == {f"{stack.runtime_dir}/{name}" for name in segments}
    assert set.union(*mapped.values()) == {"r--s"}
    assert open_for_writing(pid, stack.runtime_dir) == set()


def test_every_segment_is_written_by_its_owner_alone(stack):
    writers = {"synthd": {"synthd/audio", "synthd/metrics"}, "streamd": {"streamd/control", "streamd/metrics"}}
    everything = {f"{stack.runtime_dir}/{name}" for names in writers.values() for name in names}
    for daemon, own in writers.items():
        pid = stack.daemons[daemon].pid
        own = {f"{stack.runtime_dir}/{name}" for name in own}
        mapped = mappings(pid, stack.runtime_dir)
        assert {path for path in everything if "rw-s" in mapped.get(path, ())} == own
        assert everything & open_for_writing(pid, stack.runtime_dir) <= own
    for path in everything:
        assert os.stat(path).st_mode & 0o777 == 0o640


def test_no_daemon_is_reported_to_hang_because_all_stood_still(stack):
    context = zmq.Context()
    events = context.socket(zmq.SUB)
    events.setsockopt(zmq.LINGER, 0)
    events.setsockopt(zmq.RCVTIMEO, WAIT_LIMIT_S * 1000)
    for topic in (b"metrics", b"event"):
        events.setsockopt(zmq.SUBSCRIBE, topic)
    events.connect(stack.zmq_endpoint)
    try:
        eventually(lambda: events.poll(100) and events.recv_multipart()[0] == b"metrics", "subscribed")
        for daemon in stack.daemons.values():
            daemon.hang()
        time.sleep(HUNG_AFTER_S + 2)
        stack.daemons["metricsd"].go_on()
        scrape = stack.scrape()
        assert [scrape.value("auralis_up", process=daemon) for daemon in DAEMONS] == [1, 1, 1]
        for daemon in ("synthd", "streamd"):
            stack.daemons[daemon].go_on()
        snapshots = 0
        while snapshots < 4:
            topic, body = events.recv_multipart()
            snapshots += topic == b"metrics"
            assert json.loads(body).get("event") not in ("down", "hang", "up"), body
        assert all(stack.is_up(daemon) for daemon in DAEMONS)
    finally:
        for daemon in stack.daemons.values():
            daemon.go_on()
        context.destroy()


def openmetrics(stack):
    return http_request(stack.metrics_port, "GET", "/metrics", headers={"Accept": PROMETHEUS_ACCEPTS})


def test_openmetrics_is_understood_by_its_reference_parser_and_says_the_same(stack, listeners):
    stack.scrape()  # the duration of a scrape is told by the next one
    before = stack.scrape()
    answer = openmetrics(stack)
    after = stack.scrape()
    assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    families = list(text_string_to_metric_families(answer.text))
    samples = [sample for family in families for sample in family.samples]
    values = with_plain_bounds({(one.name, frozenset(one.labels.items())): one.value for one in samples})
    for series, most in with_plain_bounds(after.rising()).items():
        least = with_plain_bounds(before.rising()).get(series, 0)
        assert least * (1 - ROUNDING) <= values[series] <= most * (1 + ROUNDING), series
    gauges = {name for name, kind in after.types.items() if kind == "gauge"}
    assert gauges == {family.name for family in families if family.type == "gauge"}
    assert {family.unit for family in families if family.name.endswith("_seconds")} == {"seconds"}
    began = {one.name: one.value for one in samples if one.name.endswith("_created")}
    for name in ("audio_chunk_delivery_latency_ms", "audio_synthesis_latency_ms", "auralis_scrapes"):
        assert 0 <= time.time() - began[name + "_created"] < 600


def with_exemplars(stack, name, after):
    """The series of that name with an exemplar of a chunk later than `after`, as the reference parser reads them."""
    families = text_string_to_metric_families(openmetrics(stack).text)
    samples = [one for family in families for one in family.samples if one.name == name and one.exemplar]
    return [one for one in samples if int(one.exemplar.labels["chunk"]) > after]


def test_openmetrics_tells_which_chunk_was_missing_and_which_was_late(stack, listen):
    listener = listen(PCM)
    listener.wait_for_music(10)
    last = listener.chunks[-1].seq
    synthd, streamd = stack.daemons["synthd"], stack.daemons["streamd"]

    def heard_missing():
        """The exemplar, once the listener got silence there. The label is the chunk that was due when metricsd next looked, a second
        later; more where it has to wait for a core. The first may be of silence before this listener came."""
        for one in with_exemplars(stack, "ring_buffer_underruns_total", after=last):
            label = int(one.exemplar.labels["chunk"])
            seen = range(label - 3 * CHUNKS_A_SECOND, label + 1)
            if any(chunk.silence and chunk.seq in seen for chunk in listener.chunks):
                return one
        return None

    synthd.hang()
    try:
        missing = eventually(heard_missing, "a missing chunk, and silence in its place")
    finally:
        synthd.go_on()
    assert 1 <= missing.exemplar.value <= missing.value
    assert 0 <= time.time() - float(missing.exemplar.timestamp) < 600
    last = int(missing.exemplar.labels["chunk"])
    link = urllib.parse.parse_qs(missing.exemplar.labels["link"], strict_parsing=True)
    assert link["station"] == ["new"] and 0 <= int(link["at"][0]) < last

    def late_chunks():
        """After a hang that a busy machine may make so long that chunks are skipped instead: until some were late."""
        streamd.hang()
        time.sleep(0.5)
        streamd.go_on()
        return with_exemplars(stack, "audio_chunk_delivery_latency_ms_bucket", after=last)

    for late in eventually(late_chunks, "a late chunk"):
        assert 100 < late.exemplar.value <= float(late.labels["le"])
