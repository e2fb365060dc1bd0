# SPDX-License-Identifier: MIT
"""metricsd alone: it needs no other daemon to serve its ports."""

import contextlib
import os
import pathlib
import shutil
import tempfile

from auralis import HOST, Daemon, clean_environment, eventually, free_ports, http_request


class Metricsd(Daemon):
    """`settings`: environment variables; `prefix`: a command that runs the daemon."""

    def __init__(self, settings=None, prefix=()):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="auralis-integration-test-", dir="/dev/shm"))
        self.port, zmq_port = free_ports(2)
        self.zmq_endpoint = f"tcp://{HOST}:{zmq_port}"
        self.runtime_dir = self.directory / "runtime"
        config = self.directory / "auralis.toml"
        config.write_text("")
        environment = {
            **clean_environment(),
            "AURALIS_RUNTIME_DIR": str(self.runtime_dir),
            "AURALIS_METRICSD_HOST": HOST,
            "AURALIS_METRICSD_PORT": str(self.port),
            "AURALIS_METRICSD_ZMQ_ENDPOINT": self.zmq_endpoint,
            **(settings or {}),
        }
        super().__init__("metricsd", ["--config", config], environment, self.directory / "metricsd.log")
        self._command = [*prefix, *self._command]

    def __enter__(self):
        self.start()
        try:
            eventually(lambda: self.ended() or "metricsd serves" in self.log(), "metricsd serves")
            assert self.running(), self.log_tail()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def ended(self):
        return not self.running()

    def remove(self):
        with contextlib.suppress(AssertionError):
            self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def cpu_seconds(self):
        """CPU time used."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def get(self, path):
        return http_request(self.port, "GET", path)
