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
    "ErrorBudgetBurnFast": ("audio_critical", "> 14.4", None, "critical"),
    "ProbeWrong": ("audio_critical", "> 2", None, "critical"),
    "AuralisProcessDown": ("audio_critical", "== 0", "5s", "critical"),
    "CrashLoop": ("audio_high", "> 2", None, "high"),
    "DeliverySuccessLow": ("audio_high", "< 95", "1m", "high"),
    "ChunkDeliveryLatencyHigh": ("audio_high", "> 100", "5m", "high"),
    "AudioJitterHigh": ("audio_high", "> 50", "5m", "high"),
    "EndToEndLatencyHigh": ("audio_high", "> 300", "5m", "high"),
    "StartupLatencyHigh": ("audio_high", "> 3000", "2m", "high"),
    "ErrorBudgetBurnSlow": ("audio_high", "> 6", None, "high"),
    "EngineFailover": ("audio_high", "> 0", None, "high"),
    "NotificationsFailing": ("audio_high", "> 0", None, "high"),
    "RingBufferDepthLow": ("audio_high", "< 200", "2m", "high"),
    "ProbeFailing": ("audio_medium", "== 0", "6m", "medium"),
    "CPUUtilizationHigh": ("audio_medium", "> 90", "10m", "medium"),
    "MemoryGrowth": ("audio_medium", "> 10", "1h", "medium"),
    "MemoryHigh": ("audio_medium", "> 2048", "10m", "medium"),
    "DeliveryVarianceHigh": ("audio_medium", "> 30", "5m", "medium"),
    "RingBufferDepthHigh": ("audio_medium", "> 1800", "2m", "medium"),
    "RingBufferUtilizationLow": ("audio_medium", "< 10", "5m", "medium"),
    "RingBufferUtilizationHigh": ("audio_medium", "> 80", "5m", "medium"),
    "GPUUtilizationHigh": ("audio_medium", "> 90", "10m", "medium"),
    "GPUMemoryHigh": ("audio_medium", "> 80", "10m", "medium"),
    "BandwidthPerStreamHigh": ("audio_medium", "> 10", "5m", "medium"),
    "ConfigReloadFailed": ("audio_medium", "== 0", None, "medium"),
    "PlayerSilenceHigh": ("audio_medium", "> 0.1", "10m", "medium"),
    "LogLoss": ("audio_medium", "> 0", None, "medium"),
    "ScrapeSlow": ("audio_medium", "> 1", "5m", "medium"),
    "AudioGlitch": ("audio_low", "> 0", None, "low"),
    "OverrunsHigh": ("audio_low", "> 5", None, "low"),
    "SendErrorsHigh": ("audio_low", "> 10", None, "low"),
    "ConnectionsHigh": ("audio_low", "> scalar(auralis:connections:expected)", "10m", "low"),
    "ListenersBehind": ("audio_low", "> 0", "10m", "low"),
    "DiskOrTmpfsLow": ("audio_low", "< 10", "10m", "low"),
    "Watchdog": ("audio_watchdog", "== 1", None, "low"),
}
ALWAYS_FIRES = "Watchdog"


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
                site = "{{ $externalLabels.site }}"
                self.assertEqual(alert["runbook_url"], f"'{site}/runbooks/{name}'")
                station = "{{ with $labels.station }}?station={{ . }}{{ end }}"
                self.assertEqual(alert["dashboard_url"], f"'{site}/{station}'")
                self.assertEqual(alert["probe_url"], f"'{site}/probe'")

    def test_every_alert_is_seen_to_fire_and_to_stay_silent(self):
        tested = {}
        for path in files.RULE_TESTS:
            text = path.read_text()
            for name in re.findall(r"alertname: (\w+)", text):
                tested[name] = ("exp_labels:" in text, "exp_alerts: []" in text)
        self.assertEqual(tested, {name: (True, name != ALWAYS_FIRES) for name in files.alerts()})

    def test_quantiles_are_taken_of_a_machines_whole_histogram(self):
        for name, alert in files.alerts().items():
            if "histogram_quantile" in alert["expr"]:
                with self.subTest(name):
                    self.assertIn("sum by (le, instance) (rate(", alert["expr"])


if __name__ == "__main__":
    unittest.main()
