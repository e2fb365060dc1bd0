# SPDX-License-Identifier: MIT
"""`cmake --install` puts everything in its place, and keeps an existing configuration."""

import subprocess
import tempfile
import unittest

import staging


class Install(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.stage = folder.name

    def test_installed_daemons_are_where_the_units_start_them(self):
        for prefix in ("/usr", "/usr/local", "/opt/auralis"):
            with self.subTest(prefix=prefix):
                stage = staging.install(self.stage, prefix)
                for daemon in staging.DAEMONS:
                    unit = stage / prefix[1:] / f"lib/systemd/system/auralis-{daemon}.service"
                    program, flag, config = staging.read_unit(unit)["ExecStart"][0].split()
                    self.assertEqual(program, f"{prefix}/bin/{daemon}")
                    self.assertEqual(flag, "--config")
                    subprocess.run([stage / program[1:], "--version"], check=True, stdout=subprocess.DEVNULL)
                    self.assertTrue((stage / config[1:]).is_file(), config)

    def test_the_tools_are_installed_beside_the_daemons(self):
        stage = staging.install(self.stage)
        for tool in ("auralis-render", "auralis-ticket", "auralis-load", "auralis-probe", "auralis-top"):
            with self.subTest(tool=tool):
                subprocess.run([stage / "usr/bin" / tool, "--version"], check=True, stdout=subprocess.DEVNULL)

    def test_the_system_uses_one_configuration_in_etc(self):
        for prefix in ("/usr", "/usr/local"):
            with self.subTest(prefix=prefix):
                stage = staging.install(self.stage, prefix)
                unit = stage / prefix[1:] / "lib/systemd/system/auralis-streamd.service"
                self.assertIn("--config /etc/auralis/auralis.toml", staging.read_unit(unit)["ExecStart"][0])

    def test_every_daemon_accepts_the_installed_configuration(self):
        stage = staging.install(self.stage)
        for daemon in staging.DAEMONS:
            with self.subTest(daemon=daemon):
                subprocess.run(
                    [stage / "usr/bin" / daemon, "--config", stage / "etc/auralis/auralis.toml", "--check-config"],
                    check=True,
                    stdout=subprocess.DEVNULL,
                )

    def test_an_upgrade_keeps_the_configuration_in_use(self):
        stage = staging.install(self.stage)
        config = stage / "etc/auralis/auralis.toml"
        shipped = config.read_bytes()
        config.write_text("# mine\n", encoding="utf-8")
        staging.install(self.stage)
        self.assertEqual(config.read_text(encoding="utf-8"), "# mine\n")
        documented = list((stage / "usr/share/doc").glob("*/auralis.toml"))
        self.assertEqual([path.read_bytes() for path in documented], [shipped])


if __name__ == "__main__":
    unittest.main()
