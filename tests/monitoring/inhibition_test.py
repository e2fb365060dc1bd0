# SPDX-License-Identifier: MIT
"""Alertmanager with the shipped configuration: what follows from a process that is down is not told as well."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

import monitoring_files as files
from auralis import free_ports

ALERTMANAGER = os.environ.get("ALERTMANAGER") or shutil.which("prometheus-alertmanager")
WAIT_LIMIT_S = 30
OTHER_MACHINE = "b:9464"
FOLLOWS = {
    "synthd": {
        "DeadAir",
        "SilenceOnAir",
        "AudioBufferUnderrun",
        "RingBufferDepthLow",
        "DeliverySuccessLow",
        "ProbeFailing",
        "ProbeWrong",
        "RingBufferUtilizationLow",
        "AudioGlitch",
        "ErrorBudgetBurnFast",
        "ErrorBudgetBurnSlow",
    },
    "streamd": {
        "DeadAir",
        "DeliverySuccessLow",
        "ChunkDeliveryLatencyHigh",
        "AudioJitterHigh",
        "NoActiveConnections",
        "NobodyGetsIn",
        "ProbeFailing",
        "ProbeWrong",
        "EndToEndLatencyHigh",
        "StartupLatencyHigh",
        "DeliveryVarianceHigh",
        "ListenersBehind",
        "SendErrorsHigh",
        "ErrorBudgetBurnFast",
        "ErrorBudgetBurnSlow",
    },
    "metricsd": set(files.alerts()) - {"AuralisProcessDown", "NotificationsFailing", "Watchdog"},
}


@contextlib.contextmanager
def alertmanager():
    """Yields the address of its API."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory(prefix="auralis-alertmanager-") as folder:
        command = [
            ALERTMANAGER,
            f"--config.file={files.ROOT / 'monitoring/alertmanager/alertmanager.yml'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            f"--storage.path={folder}",
        ]
        log = pathlib.Path(folder) / "log"
        with open(log, "wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
            try:
                yield f"http://127.0.0.1:{port}/api/v2/alerts"
            except BaseException:
                print(log.read_text(errors="replace")[-4000:])
                raise
            finally:
                process.kill()


def get(url):
    with urllib.request.urlopen(url, timeout=WAIT_LIMIT_S) as answer:
        return json.load(answer)


def eventually(probe):
    deadline = time.monotonic() + WAIT_LIMIT_S
    while True:
        try:
            seen = probe()
        except OSError:
            seen = None
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain")
        time.sleep(0.1)


def post(url, alerts):
    """Posts alerts: (name, machine, other labels)."""
    body = [
        {"labels": {"alertname": name, "instance": machine, "severity": files.alerts()[name]["severity"], **labels}}
        for name, machine, labels in alerts
    ]
    request = urllib.request.Request(
        url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST"
    )
    eventually(lambda: urllib.request.urlopen(request, timeout=WAIT_LIMIT_S).status == 200)
    eventually(lambda: len(get(url)) == len(body))


def inhibited(url):
    """The names and machines of the inhibited alerts."""
    return {(one["labels"]["alertname"], one["labels"]["instance"]) for one in get(url) if one["status"]["inhibitedBy"]}


class InhibitionTest(unittest.TestCase):
    def test_what_follows_from_a_process_that_is_down_is_silent_on_its_machine_alone(self):
        others = sorted(set(files.alerts()) - {"AuralisProcessDown"})
        for process, follows in FOLLOWS.items():
            with self.subTest(process), alertmanager() as url:
                alerts = [("AuralisProcessDown", "a:9464", {"process": process})]
                alerts += [(name, machine, {}) for name in others for machine in ("a:9464", OTHER_MACHINE)]
                post(url, alerts)
                expected = {(name, "a:9464") for name in follows}
                # Alertmanager takes them up one after the other.
                with contextlib.suppress(AssertionError):
                    eventually(lambda url=url, expected=expected: inhibited(url) == expected)
                self.assertEqual(inhibited(url), expected)


if __name__ == "__main__":
    unittest.main()
