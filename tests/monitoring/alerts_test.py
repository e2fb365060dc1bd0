# SPDX-License-Identifier: MIT
"""The alerts are the specified ones, each with a runbook and a test. promtool tests their behaviour."""

import re
import unittest

import monitoring_files as files

# name: group, threshold, for, severity
AGREED = {
    "DeadAir": ("audio_critical", "> 2", None, "critical"),
    "SilenceOnAir": ("audio_critical", "< -69", "30s", "critical"),
    "AudioBufferUnderrun": ("audio_critical", "> 0", "1m", "critical"),
    "SynthesisLatencyHigh": ("audio_critical", "> 150", "2m", "critical"),
    "NobodyGetsIn": ("audio_critical", "> 90", None, "critical"),
    "NoActiveConnections": ("audio_critical", "== 0", "2m", "critical"),
    "AuralisProcessDown": ("audio_critical", "== 0", "5s", "critical"),
    "CrashLoop": ("audio_high", "> 2", None, "high"),
    "DeliverySuccessLow": ("audio_high", "< 95", "1m", "high"),
    "ChunkDeliveryLatencyHigh": ("audio_high", "> 100", "5m", "high"),
    "AudioJitterHigh": ("audio_high", "> 50", "5m", "high"),
    "RingBufferDepthLow": ("audio_high", "< 200", "2m", "high"),
    "ProbeFailing": ("audio_medium", "== 0", "6m", "medium"),
    "CPUUtilizationHigh": ("audio_medium", "> 90", "10m", "medium"),
    "MemoryGrowth": ("audio_medium", "> 10", "1h", "medium"),
}


class AlertsTest(unittest.TestCase):
    def test_names_thresholds_and_severities_are_the_agreed_ones(self):
        alerts = files.alerts()
        self.assertEqual(set(alerts), set(AGREED))
        for name, (group, threshold, wait, severity) in AGREED.items():
            with self.subTest(name):
                alert = alerts[name]
                self.assertEqual((alert["group"], alert.get("for"), alert["severity"]), (group, wait, severity))
                self.assertRegex(alert["expr"], re.escape(threshold) + r"(?![\d.])")

    def test_every_alert_says_what_it_is_and_leads_to_its_runbook(self):
        headings = re.findall(r"^## (\w+)$", files.RUNBOOKS.read_text(), flags=re.M)
        self.assertEqual(sorted(headings), sorted(files.alerts()), "sections of docs/runbooks.md")
        for name, alert in files.alerts().items():
            with self.subTest(name):
                self.assertTrue(alert["summary"])
                self.assertIn("{{", alert["description"], "a description says which metric or process")
                self.assertEqual(alert["runbook"], f"docs/runbooks.md#{name.lower()}")

    def test_every_alert_is_seen_to_fire_and_to_stay_silent(self):
        tested = {}
        for path in files.RULE_TESTS:
            text = path.read_text()
            for name in re.findall(r"alertname: (\w+)", text):
                tested[name] = ("exp_labels:" in text, "exp_alerts: []" in text)
        self.assertEqual(tested, {name: (True, True) for name in files.alerts()})

    def test_quantiles_are_taken_of_a_machines_whole_histogram(self):
        for name, alert in files.alerts().items():
            if "histogram_quantile" in alert["expr"]:
                with self.subTest(name):
                    self.assertIn("sum by (le, instance) (rate(", alert["expr"])


if __name__ == "__main__":
    unittest.main()
