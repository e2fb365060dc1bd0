# SPDX-License-Identifier: MIT
"""Each alert, by its name and severity, goes to the receivers that docs/runbooks.md promises; an unknown severity to the default."""

import os
import shutil
import subprocess
import unittest

import monitoring_files as files

AMTOOL = os.environ.get("AMTOOL") or shutil.which("amtool")
CONFIG = files.ROOT / "monitoring/alertmanager/alertmanager.yml"
BY_SEVERITY = {"critical": "pagerduty", "high": "slack", "medium": "email", "low": "digest"}
BY_NAME = {"Watchdog": "deadman", "NotificationsFailing": "email"}


def receivers(**labels):
    command = [AMTOOL, "config", "routes", "test", f"--config.file={CONFIG}", *(f"{name}={value}" for name, value in labels.items())]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout.split()


class RoutesTest(unittest.TestCase):
    def test_each_alert_goes_to_the_receiver_of_its_severity_or_name(self):
        for name, alert in files.alerts().items():
            with self.subTest(name):
                expected = BY_NAME.get(name, BY_SEVERITY[alert["severity"]])
                self.assertEqual(receivers(alertname=name, severity=alert["severity"], instance="a:9464"), [expected])

    def test_a_receiver_that_cannot_be_reached_is_told_by_another(self):
        for integration, receiver in (("pagerduty", "email"), ("slack", "email"), ("email", "slack")):
            labels = {"alertname": "NotificationsFailing", "severity": "high", "integration": integration}
            self.assertEqual(receivers(**labels), [receiver])

    def test_each_severity_has_a_receiver_of_its_own_and_another_goes_to_the_default(self):
        for severity, receiver in [*BY_SEVERITY.items(), ("hihg", "default")]:
            self.assertEqual(receivers(alertname="NewAlert", severity=severity), [receiver])

    def test_each_receiver_is_told_when_it_is_over_except_the_one_that_waits_for_silence(self):
        text = CONFIG.read_text().split("\nreceivers:\n")[1]
        for receiver in text.split("\n  - name: ")[1:]:
            name = receiver.split("\n", 1)[0]
            self.assertIn(f"send_resolved: {'false' if name == 'deadman' else 'true'}", receiver, name)


if __name__ == "__main__":
    unittest.main()
