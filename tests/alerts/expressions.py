# SPDX-License-Identifier: MIT
"""What the shipped expressions find of a service that plays and is heard: dashboards, rules, and those of the specification."""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

from alerting import Alerting
from auralis import Stack, binary, clean_environment, eventually
from listener import Listener

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "monitoring"))

import dashboard_test as dashboards
import monitoring_files as files

# Word for word, but that two stand on lines of their own there.
SPECIFIED = (
    "histogram_quantile(0.99,\n  rate(audio_synthesis_latency_ms_bucket[5m])\n)",
    "(\n  rate(websocket_chunks_sent_total[5m]) -\n  rate(websocket_send_errors_total[5m])\n) / rate(websocket_chunks_sent_total[5m]) * 100",
    "avg_over_time(ring_buffer_depth_ms[1m])",
    "histogram_quantile(0.95,\n  rate(audio_chunk_jitter_ms_bucket[5m])\n)",
    "avg_over_time(cpu_utilization_percent[5m])",
    "avg_over_time(gpu_utilization_percent[5m])",
)

# Why a metric may be absent, though all is well.
NO_GPU = "no GPU renders"
MAY_BE_ABSENT = {
    "gpu_utilization_percent": NO_GPU,
    "gpu_memory_allocated_mb": NO_GPU,
    "auralis_gpu_memory_total_mb": NO_GPU,
    "ALERTS": "no alert fires",
    "auralis_audio_silence_seconds_total": "absent at 0: nothing was silent",
    "auralis:error_budget_burn:30m": "half an hour has not passed",
}

# What Grafana puts in place of its variables, if all is chosen.
CHOSEN = {"instance": ".*", "process": ".*", "station": ".*", "format": ".*"}
TIMES = {"__rate_interval": "1m", "__range": "5m"}


def of_dashboards():
    for name, dashboard in dashboards.load_all().items():
        for place, expr in dashboards.expressions(dashboard):
            yield f"{name}: {place}", dashboards.substituted(expr, dashboard, {**CHOSEN, **TIMES})


def of_rules():
    """What recording rules record; and of alerts, which are comparisons, each selector."""
    for name in files.records():
        yield f"recording rule {name}", name
    for name, alert in files.alerts().items():
        for metric in files.metric_names(alert["expr"]):
            for selector in re.findall(rf"\b{metric}(?:_bucket|_count|_sum)?(?:\{{[^}}]*\}})?", alert["expr"]):
                yield f"alert {name}", selector


def unanswered(alerting):
    """The expressions that find nothing, and have no reason to: (place, expression)."""
    asked = [*of_dashboards(), *of_rules(), *(("specification", expr) for expr in SPECIFIED)]
    assert len(asked) > 150, len(asked)
    missing = [(place, expr) for place, expr in asked if not alerting.query(expr)]
    return [(place, expr) for place, expr in missing if not files.metric_names(expr) <= set(MAY_BE_ABSENT)]


def prove():
    """A service with listeners, one of which reports and others of which leave, and with a probe: all is found, in a minute."""
    with contextlib.ExitStack() as stack_of:
        folder = stack_of.enter_context(tempfile.TemporaryDirectory(prefix="auralis-alerts-", dir="/dev/shm"))
        stack = stack_of.enter_context(Stack())
        listener = stack_of.enter_context(contextlib.closing(Listener(stack.stream_url())))
        alerting = stack_of.enter_context(Alerting(stack, pathlib.Path(folder)))
        run = {"env": {**clean_environment(), **stack.environment}, "stdout": subprocess.DEVNULL, "check": True}
        subprocess.run([binary("load"), stack.stream_url(), "--listeners", "5", "--seconds", "2"], **run)
        subprocess.run([binary("probe"), stack.stream_url(), "--seconds", "2", "--publish"], **run)

        def all_answered():
            time.sleep(5)  # the time of some scrapes
            listener.send({"type": "playback_report", "latency_ms": 120, "buffer_ms": 150})
            return not unanswered(alerting)

        with contextlib.suppress(AssertionError):
            eventually(all_answered, "data for every expression", 150)
        return unanswered(alerting), alerting.rule_errors()
