# SPDX-License-Identifier: MIT
"""Certificates for tests of TLS, made by openssl."""

import os
import ssl
import subprocess

from auralis import HOST, WAIT_LIMIT_S


class Certificate:
    """A self-signed certificate and its key, in files that a renewed one may replace, and a daemon's settings for them."""

    def __init__(self, directory, daemon, name=f"IP:{HOST}"):
        self._name = name
        self.certificate = directory / "certificate.pem"
        self.key = directory / "key.pem"
        self.settings = {
            f"AURALIS_{daemon.upper()}_TLS_CERTIFICATE": str(self.certificate),
            f"AURALIS_{daemon.upper()}_TLS_KEY": str(self.key),
        }
        self.renew()

    def renew(self):
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
        files = ["-keyout", f"{self.key}.new", "-out", f"{self.certificate}.new", "-addext", f"subjectAltName={self._name}"]
        subprocess.run([*command.split(), *files], check=True, capture_output=True, timeout=WAIT_LIMIT_S)
        for file in (self.key, self.certificate):
            os.replace(f"{file}.new", file)

    def trust(self):
        return ssl.create_default_context(cafile=self.certificate)
