# SPDX-License-Identifier: MIT
"""The installed units: systemd finds no fault in them, and they are as documented."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import staging

RUNTIME_DIR = "/run/auralis"


class Units(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = cls.enterClassContext(tempfile.TemporaryDirectory())
        cls.stage = staging.install(folder)
        cls.folder = cls.stage / "usr/lib/systemd/system"
        cls.units = {
            daemon: staging.read_unit(cls.folder / f"auralis-{daemon}.service") for daemon in staging.DAEMONS
        }

    def only(self, daemon, name):
        values = self.units[daemon].get(name, [])
        self.assertEqual(len(values), 1, f"{daemon}: {name}= appears {len(values)} times")
        return values[0]

    def words(self, daemon, name):
        return " ".join(self.units[daemon].get(name, [])).split()

    def verify(self, folder):
        result = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *sorted(map(str, folder.iterdir()))],
            capture_output=True,
            text=True,
        )
        said = [line for line in result.stderr.splitlines() if str(folder) in line or "auralis" in line]
        return result.returncode, said

    def copy_of_units(self):
        """The units with the programs' paths in the staging folder."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for unit in self.folder.glob("auralis*"):
            text = unit.read_text(encoding="utf-8").replace("ExecStart=/", f"ExecStart={self.stage}/")
            pathlib.Path(folder.name, unit.name).write_text(text, encoding="utf-8")
        return pathlib.Path(folder.name)

    def test_systemd_finds_nothing_wrong(self):
        self.assertEqual(self.verify(self.copy_of_units()), (0, []))

    def test_systemd_would_find_a_misspelt_setting_and_a_missing_program(self):
        for right, wrong in (("ProtectSystem=", "ProtectSytem="), ("bin/synthd", "bin/synthdd")):
            with self.subTest(wrong=wrong):
                folder = self.copy_of_units()
                unit = folder / "auralis-synthd.service"
                unit.write_text(unit.read_text(encoding="utf-8").replace(right, wrong), encoding="utf-8")
                self.assertNotEqual(self.verify(folder), (0, []))

    def test_the_target_wants_all_three(self):
        wanted = staging.read_unit(self.folder / "auralis.target")["Wants"][0].split()
        units = {f"auralis-{daemon}.service" for daemon in staging.DAEMONS} | {"auralis-streamd.socket"}
        self.assertEqual(sorted(wanted), sorted(units))
        for daemon in staging.DAEMONS:
            self.assertEqual(self.only(daemon, "PartOf"), "auralis.target")

    def test_the_port_is_open_while_streamd_restarts_and_is_the_configured_one(self):
        socket = staging.read_unit(self.folder / "auralis-streamd.socket")
        host = staging.default("streamd", "host").strip('"')
        self.assertEqual(socket["ListenStream"], [f"{host}:{staging.default('streamd', 'port')}"])
        self.assertEqual(socket["PartOf"], ["auralis.target"])
        self.assertIn("auralis-streamd.socket", self.words("streamd", "After"))

    def address_of_the_socket(self, configuration, environment=""):
        """What the generator has the socket listen at; nothing if it leaves that as it is."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        file, variables, generator = (pathlib.Path(folder.name, name) for name in ("auralis.toml", "default", "generator"))
        file.write_text(configuration, encoding="utf-8")
        variables.write_text(environment, encoding="utf-8")
        text = (self.stage / "usr/lib/systemd/system-generators/auralis-generator").read_text(encoding="utf-8")
        for installed, here in (
            ("/etc/auralis/auralis.toml", file), ("/etc/default/auralis", variables), ("/usr/bin/", f"{self.stage}/usr/bin/"), ("/dev/kmsg", "/dev/null"),
        ):
            self.assertIn(installed, text)
            text = text.replace(installed, str(here))
        generator.write_text(text, encoding="utf-8")
        subprocess.run(["sh", generator, folder.name], env={"PATH": os.environ["PATH"]}, check=True)
        made = pathlib.Path(folder.name, "auralis-streamd.socket.d/address.conf")
        return staging.read_unit(made)["ListenStream"] if made.exists() else None

    def test_the_socket_listens_where_the_configuration_says(self):
        for configuration, environment, address in (
            ("", "", "0.0.0.0:8000"),
            ('[metricsd]\nhost = "0.0.0.0"\nport = 1\n[streamd]\nhost = "::1"\nport = 443\n', "", "[::1]:443"),
            ('[streamd]\nhost = "localhost"\n', 'AURALIS_LOG_LEVEL=debug\nAURALIS_STREAMD_PORT="8001"\n', "127.0.0.1:8001"),
        ):
            self.assertEqual(self.address_of_the_socket(configuration, environment), ["", address])
        self.assertIsNone(self.address_of_the_socket("nonsense"))
        self.assertTrue(os.access(self.stage / "usr/lib/systemd/system-generators/auralis-generator", os.X_OK))

    def test_systemd_rates_the_exposure_of_each_unit_low(self):
        for unit in (*staging.DAEMONS, "probe"):
            with self.subTest(unit=unit):
                command = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--json=short", "--threshold=20"]
                result = subprocess.run([*command, self.folder / f"auralis-{unit}.service"], capture_output=True, text=True)
                self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_the_audio_path_may_have_real_time_priority_and_keep_its_memory(self):
        for daemon in ("synthd", "streamd"):
            self.assertEqual((self.only(daemon, "LimitRTPRIO"), self.only(daemon, "LimitMEMLOCK")), ("1", "infinity"))
            self.assertNotIn("RestrictRealtime", self.units[daemon])

    def test_no_daemon_takes_all_of_the_machine(self):
        for daemon in staging.DAEMONS:
            for limit in ("MemoryMax", "TasksMax", "LimitNOFILE"):
                self.assertTrue(self.only(daemon, limit))

    def test_a_daemon_reports_readiness_and_is_restarted_whenever_it_fails(self):
        for daemon in staging.DAEMONS:
            with self.subTest(daemon=daemon):
                self.assertEqual(self.only(daemon, "Type"), "notify")
                self.assertEqual(self.only(daemon, "Restart"), "always")
                self.assertEqual(self.only(daemon, "StartLimitIntervalSec"), "0")
                self.assertTrue(self.only(daemon, "WatchdogSec"))

    def test_a_reload_is_the_signal_that_daemons_take_for_one(self):
        for daemon in staging.DAEMONS:
            with self.subTest(daemon=daemon):
                self.assertEqual(self.only(daemon, "ExecReload"), "/bin/sh -c 'kill -HUP $MAINPID'")

    def test_synthd_is_back_well_within_the_ring(self):
        self.assertEqual(self.only("synthd", "RestartSec"), "100ms")

    def test_shared_memory_outlives_a_restart(self):
        for daemon in ("synthd", "streamd"):
            self.assertEqual(self.only(daemon, "RuntimeDirectoryPreserve"), "yes")

    def test_a_daemon_writes_its_own_folder_of_shared_memory_only(self):
        for daemon in staging.DAEMONS:
            with self.subTest(daemon=daemon):
                self.assertEqual(self.only(daemon, "ProtectSystem"), "strict")
                self.assertEqual(self.words(daemon, "ReadOnlyPaths"), [f"-{RUNTIME_DIR}"])
                self.assertEqual(self.words(daemon, "ReadWritePaths"), [])
                own = [] if daemon == "metricsd" else [f"auralis/{daemon}"]
                self.assertEqual(self.words(daemon, "RuntimeDirectory"), own)
                self.assertIn(f"AURALIS_RUNTIME_DIR={RUNTIME_DIR}", self.words(daemon, "Environment"))

    def test_metricsd_has_nowhere_to_write(self):
        for name in ("RuntimeDirectory", "StateDirectory", "CacheDirectory", "LogsDirectory", "BindPaths"):
            self.assertNotIn(name, self.units["metricsd"])

    def test_no_daemon_runs_as_root_or_gains_a_privilege(self):
        for daemon in staging.DAEMONS:
            with self.subTest(daemon=daemon):
                self.assertEqual(self.only(daemon, "User"), "auralis")
                self.assertEqual(self.only(daemon, "NoNewPrivileges"), "yes")
                self.assertEqual(self.only(daemon, "CapabilityBoundingSet"), "")
                self.assertIn("@system-service", self.words(daemon, "SystemCallFilter"))

    def test_synthd_sees_the_gpu_and_may_compile_kernels(self):
        for name in ("PrivateDevices", "MemoryDenyWriteExecute"):
            self.assertNotIn(name, self.units["synthd"])
        self.assertEqual(self.words("synthd", "SupplementaryGroups"), ["render", "video"])
        caches = [word for word in self.words("synthd", "Environment") if word.startswith("POCL_CACHE_DIR=")]
        self.assertEqual(caches, ["POCL_CACHE_DIR=%C/auralis/pocl"])
        self.assertEqual(self.only("synthd", "CacheDirectory"), "auralis")

    def test_metricsd_reaches_a_gpus_driver_and_no_other_device(self):
        self.assertNotIn("PrivateDevices", self.units["metricsd"])
        self.assertEqual(self.only("metricsd", "DevicePolicy"), "closed")
        self.assertEqual(self.units["metricsd"]["DeviceAllow"], ["char-nvidia* rw"])

    def test_synthd_has_no_network(self):
        self.assertEqual(self.words("synthd", "RestrictAddressFamilies"), ["AF_UNIX"])

    def test_streamd_has_a_descriptor_for_every_listener(self):
        self.assertEqual(self.only("streamd", "LimitNOFILE"), "65536")

    def test_streamd_has_time_for_its_graceful_drain(self):
        limit = re.fullmatch(r"(\d+)s", self.only("streamd", "TimeoutStopSec"))
        self.assertGreater(int(limit[1]) * 1_000, staging.greatest("drain_ms"))

    def test_the_probes_timer_starts_a_probe_that_may_not_do_much(self):
        unit = staging.read_unit(self.folder / "auralis-probe.service")
        self.assertEqual(unit["Type"], ["oneshot"])
        self.assertEqual(unit["User"], ["auralis"])
        self.assertEqual(unit["NoNewPrivileges"], ["yes"])
        self.assertEqual(unit["CapabilityBoundingSet"], [""])
        self.assertEqual(unit["ProtectSystem"], ["strict"])
        self.assertTrue((self.folder / "auralis-probe.timer").is_file())

    def test_a_probe_writes_its_own_folder_of_shared_memory_only_and_leaves_its_result_there(self):
        unit = staging.read_unit(self.folder / "auralis-probe.service")
        self.assertEqual(unit["ReadOnlyPaths"], [f"-{RUNTIME_DIR}"])
        self.assertEqual(unit["RuntimeDirectory"], ["auralis/probe"])
        self.assertEqual(unit["RuntimeDirectoryPreserve"], ["yes"])
        self.assertEqual(unit["Group"], self.units["metricsd"]["Group"])

        # Its command is complete: there is no server, so it exits with the status of no connection, not of wrong usage.
        variables = dict(word.split("=", 1) for word in " ".join(unit["Environment"]).split())
        self.assertEqual(variables["AURALIS_RUNTIME_DIR"], RUNTIME_DIR)
        variables["PROBE_URL"] = variables["PROBE_URL"].replace(":8000/", ":1/")
        runtime = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(runtime.cleanup)
        variables["AURALIS_RUNTIME_DIR"] = runtime.name
        command = unit["ExecStart"][0].replace("/", f"{self.stage}/", 1).replace(" /", f" {self.stage}/")
        words = []
        for word in command.split():
            whole = re.fullmatch(r"\$\{(\w+)\}", word)
            part = re.fullmatch(r"\$(\w+)", word)
            words += [variables[whole[1]]] if whole else variables[part[1]].split() if part else [word]
        result = subprocess.run(words, env={**os.environ, **variables}, capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (2, "auralis-probe: 127.0.0.1:1: Connection refused\n"))
        self.assertTrue(pathlib.Path(runtime.name, "probe/metrics").is_file())

    def test_the_shared_memorys_folder_is_there_before_the_daemons(self):
        rules = (self.stage / "usr/lib/tmpfiles.d/auralis.conf").read_text(encoding="utf-8").splitlines()
        self.assertIn(f"d {RUNTIME_DIR} 0755 root root -", rules)

    def test_the_user_and_its_groups_can_be_made(self):
        root = tempfile.TemporaryDirectory()
        self.addCleanup(root.cleanup)
        etc = pathlib.Path(root.name, "etc")
        etc.mkdir()
        for name in ("passwd", "group"):
            (etc / name).touch()
        rules = pathlib.Path(root.name, "usr/lib/sysusers.d")
        shutil.copytree(self.stage / "usr/lib/sysusers.d", rules)
        subprocess.run(["systemd-sysusers", f"--root={root.name}"], check=True, capture_output=True)
        users = {line.split(":")[0] for line in (etc / "passwd").read_text(encoding="utf-8").splitlines()}
        groups = {line.split(":")[0] for line in (etc / "group").read_text(encoding="utf-8").splitlines()}
        self.assertEqual(users, {"auralis"})
        self.assertEqual(groups, {"auralis", "render", "video"})


if __name__ == "__main__":
    unittest.main()
