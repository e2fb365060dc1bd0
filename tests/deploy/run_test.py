# SPDX-License-Identifier: MIT
"""scripts/run without the build: prints the address once music plays, restarts a daemon that dies, and stops in time, with
and without TLS."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import staging
from auralis import free_ports

LIMIT_S = 60
DRAIN_MS = 11_000


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir="/dev/shm")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.port, metrics_port, zmq_port = free_ports(3)
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("AURALIS_")}
        self.environment.update(
            PATH=f"{self.folder}/commands:{os.environ['PATH']}",
            AURALIS_RUNTIME_DIR=f"{self.folder}/runtime",
            AURALIS_SYNTHD_ENGINE="native",
            AURALIS_STREAMD_PORT=str(self.port),
            AURALIS_METRICSD_PORT=str(metrics_port),
            AURALIS_METRICSD_ZMQ_ENDPOINT=f"tcp://127.0.0.1:{zmq_port}",
        )
        self.make_tree()

    def make_tree(self):
        """A source tree with nothing to install or build."""
        for name in ("scripts", "commands", "runtime"):
            (self.folder / name).mkdir()
        shutil.copy(staging.SOURCE_DIR / "scripts/run", self.folder / "scripts/run")
        for command in ("scripts/bootstrap", "commands/cmake"):
            (self.folder / command).symlink_to("/bin/true")
        (self.folder / "build").mkdir()
        (self.folder / "build/release").symlink_to(os.environ["BUILD_DIR"])

    def start(self):
        with open(self.folder / "output", "wb") as output:
            run = subprocess.Popen([self.folder / "scripts/run"], env=self.environment, stdout=output, stderr=output)
        self.addCleanup(self.stop, run)
        self.wait_for(lambda: "Auralis plays" in self.output() or run.poll() is not None)
        self.assertIn("Auralis plays", self.output())
        return run

    def wait_for(self, probe):
        deadline = time.monotonic() + LIMIT_S
        while not probe():
            self.assertLess(time.monotonic(), deadline, self.output())
            time.sleep(0.05)

    def kill(self, run, daemon, how=signal.SIGKILL):
        for pid in pathlib.Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text(encoding="ascii").split():
            if pathlib.Path(f"/proc/{pid}/comm").read_text(encoding="ascii").strip() == daemon:
                os.kill(int(pid), how)
                return
        self.fail(f"{daemon} does not run")

    def restarts(self, daemon):
        return self.output().count(f"run: {daemon} exited unexpectedly with status 137; restarting it\n")

    def stop(self, run):
        run.send_signal(signal.SIGTERM)
        return run.wait(LIMIT_S)

    def output(self):
        return (self.folder / "output").read_text(encoding="utf-8")

    def test_it_prints_the_address_of_the_music(self):
        run = self.start()
        self.assertRegex(self.output(), rf"player +http://127\.0\.0\.1:{self.port}/")
        self.assertEqual(self.stop(run), 0, self.output())

    def test_a_daemon_that_dies_is_restarted_and_all_end_where_it_dies_again_within_a_minute(self):
        run = self.start()
        self.kill(run, "streamd")
        self.wait_for(lambda: self.restarts("streamd") == 1)
        address = f"http://127.0.0.1:{self.port}/readyz"
        self.wait_for(lambda: subprocess.run(["curl", "-sf", address], capture_output=True, check=False).returncode == 0)
        self.kill(run, "streamd")
        self.assertEqual(run.wait(LIMIT_S), 1, self.output())
        self.assertRegex(self.output(), r"run: streamd exited again with status 137, \d+ s after its restart; stopping")
        self.assertEqual(self.restarts("streamd"), 1)

    def test_a_daemon_that_dies_again_later_is_restarted_again(self):
        script = self.folder / "scripts/run"
        shortened = script.read_text(encoding="utf-8").replace("restart_window_s=60", "restart_window_s=1")
        self.assertNotEqual(shortened, script.read_text(encoding="utf-8"))
        script.write_text(shortened, encoding="utf-8")
        run = self.start()
        for death in (1, 2):
            self.kill(run, "metricsd")
            self.wait_for(lambda wanted=death: self.restarts("metricsd") == wanted)
            time.sleep(2)  # more than the window, of whole seconds
        self.assertEqual(self.stop(run), 0, self.output())

    def test_a_daemon_that_was_told_to_stop_is_not_restarted(self):
        run = self.start()
        self.kill(run, "metricsd", signal.SIGTERM)
        self.assertEqual(run.wait(LIMIT_S), 1, self.output())
        self.assertIn("run: metricsd exited unexpectedly with status 0; stopping", self.output())

    def test_with_a_certificate_it_speaks_https_and_a_stop_waits_until_listeners_are_sent_away(self):
        certificate, key = self.folder / "certificate.pem", self.folder / "key.pem"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=radio.example"
        subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
        self.environment.update(
            AURALIS_STREAMD_TLS_CERTIFICATE=str(certificate),
            AURALIS_STREAMD_TLS_KEY=str(key),
            AURALIS_STREAMD_DRAIN_MS=str(DRAIN_MS),
        )
        run = self.start()
        self.assertRegex(self.output(), rf"player +https://127\.0\.0\.1:{self.port}/")
        heard = self.folder / "heard.opus"
        command = ["curl", "-s", "--insecure", "--max-time", str(LIMIT_S), "-o", heard]
        with subprocess.Popen([*command, f"https://127.0.0.1:{self.port}/listen/default.opus"]) as listener:
            self.addCleanup(listener.kill)
            self.wait_for(lambda: heard.exists() and heard.stat().st_size > 0)
            began = time.monotonic()
            self.assertEqual(self.stop(run), 0, self.output())
            self.assertGreaterEqual(time.monotonic() - began, DRAIN_MS / 1_000)


if __name__ == "__main__":
    unittest.main()
