# SPDX-License-Identifier: MIT
"""The reverse proxies of docs/proxies, each with its file as shipped but for addresses, ports, paths and users of a test.

As a program, for tests in other languages: reverse_proxies.py NAME PORT_OF_STREAMD runs one until its standard input ends, and
prints its https port once it serves.
"""

import contextlib
import getpass
import grp
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

from auralis import HOST, WAIT_LIMIT_S, clean_environment, eventually, free_ports
from certificate import Certificate

NAMES = ("nginx", "caddy", "haproxy")
ROOT_SITE = "radio.example.org"
FOLDER_SITE = "www.example.org"
FOLDER = "/radio"
FILES = {"nginx": "nginx.conf", "caddy": "Caddyfile", "haproxy": "haproxy.cfg"}
SHIPPED = pathlib.Path(__file__).parents[2] / "docs/proxies"


def program(name):
    path = shutil.which(name, path="/usr/sbin:/usr/bin")
    assert path, f"{name} is not installed: scripts/bootstrap --tests"
    return path


def replaced(text, *pairs):
    """The text with each pattern replaced, which must be there."""
    for pattern, replacement in pairs:
        text, count = re.subn(pattern, replacement, text)
        assert count, f"not in the shipped file: {pattern}"
    return text


def nginx_scratch(folder):
    """nginx's lines for its own files."""
    return " ".join(f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


def nginx_command(file, folder):
    return [program("nginx"), "-e", "stderr", "-p", folder, "-c", file, "-g", "daemon off;"]


def haproxy_command(file):
    return [program("haproxy"), "-db", "-f", file]


@contextlib.contextmanager
def running(command, answers, folder, environment=None):
    """Runs a proxy, from when `answers()` is true on."""
    with open(folder / "proxy.log", "wb") as log:
        # Leaves no proxy behind if the test run is killed; nginx ends its workers only at SIGTERM.
        process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *command], env=environment, stdout=log, stderr=log)
    try:
        def serves():
            assert process.poll() is None, (folder / "proxy.log").read_text()
            return answers()

        eventually(serves, f"{command[0]} answers")
        yield
    finally:
        process.terminate()
        process.wait(WAIT_LIMIT_S)


class ReverseProxy:
    """One of NAMES in front of the streamd on that port. `folder`: for its files; `limit`: in place of its limits of an hour."""

    def __init__(self, name, upstream_port, folder, limit="1h"):
        self.name, self.folder = name, folder
        self.http_port, self.port = free_ports(2)
        self.upstream = f"{HOST}:{upstream_port}"
        self.certificate = Certificate(folder, "streamd", f"DNS:{ROOT_SITE},DNS:{FOLDER_SITE}")
        self.file = folder / FILES[name]
        shipped = (SHIPPED / FILES[name]).read_text()
        self.file.write_text(getattr(self, f"_{name}")(replaced(shipped, (r"\b1h\b", limit)) if limit != "1h" else shipped))

    def _nginx(self, shipped):
        return replaced(
            shipped,
            (r"user www-data;", f"user {getpass.getuser()} {grp.getgrgid(os.getgid()).gr_name};"),
            (r"/run/nginx\.pid", f"{self.folder}/pid"),
            (r"http \{\n", f"http {{\n  {nginx_scratch(self.folder)}\n"),
            (r"127\.0\.0\.1:8000", self.upstream),
            (r" listen \[::\].*", ""),
            (r" listen 80;", f" listen {HOST}:{self.http_port};"),
            (r" listen 443 ", f" listen {HOST}:{self.port} "),
            (r"/etc/nginx/tls/certificate\.pem", str(self.certificate.certificate)),
            (r"/etc/nginx/tls/key\.pem", str(self.certificate.key)),
        )

    def _caddy(self, shipped):
        return replaced(
            shipped,
            (r"http_port 80", f"admin off\n\thttp_port {self.http_port}"),
            (r"https_port 443", f"https_port {self.port}"),
            (r"/etc/caddy/tls/certificate\.pem", str(self.certificate.certificate)),
            (r"/etc/caddy/tls/key\.pem", str(self.certificate.key)),
        )

    def _haproxy(self, shipped):
        site = self.folder / "site.pem"
        site.write_text(self.certificate.certificate.read_text() + self.certificate.key.read_text())
        return replaced(
            shipped,
            (r"user haproxy", f"user {getpass.getuser()}"),
            (r"group haproxy", f"group {grp.getgrgid(os.getgid()).gr_name}"),
            (r"127\.0\.0\.1:8000", self.upstream),
            (r"bind :::80 v4v6", f"bind {HOST}:{self.http_port}"),
            (r"bind :::443 v4v6", f"bind {HOST}:{self.port}"),
            (r"/etc/haproxy/tls/site\.pem", str(site)),
        )

    def command(self):
        if self.name == "nginx":
            return nginx_command(self.file, self.folder)
        if self.name == "haproxy":
            return haproxy_command(self.file)
        return [program("caddy"), "run", "--adapter", "caddyfile", "--config", self.file]

    @contextlib.contextmanager
    def serving(self):
        home = {name: str(self.folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
        environment = {**clean_environment(), **home, "UPSTREAM": self.upstream}
        with running(self.command(), lambda: self.status(self.url(ROOT_SITE, "/healthz")) == 200, self.folder, environment):
            yield self

    def url(self, site, path, scheme="https"):
        return f"{scheme}://{site}:{self.port if scheme != 'http' else self.http_port}{path}"

    def curl(self, *arguments, address=HOST):
        """The command line for a request of a client at that address, over HTTP/2."""
        resolve = [f"{site}:{port}:{HOST}" for site in (ROOT_SITE, FOLDER_SITE) for port in (self.port, self.http_port)]
        names = [word for one in resolve for word in ("--resolve", one)]
        secure = ["--cacert", str(self.certificate.certificate)]
        return ["curl", "-sN", "--http2", *secure, *names, "--interface", address, *arguments]

    def fetch(self, *arguments, address=HOST):
        """What curl prints."""
        command = self.curl("-S", *arguments, address=address)
        return subprocess.run(command, capture_output=True, timeout=WAIT_LIMIT_S, check=True, text=True).stdout

    def status(self, *arguments, address=HOST, limit_s=10):
        """The response's status, 0 if there is none; of an endless one after `limit_s`."""
        command = self.curl("-m", str(limit_s), "-o", os.devnull, "-w", "%{http_code}", *arguments, address=address)
        return int(subprocess.run(command, capture_output=True, timeout=WAIT_LIMIT_S, check=False).stdout)


def main(name, upstream_port):
    with tempfile.TemporaryDirectory() as folder, ReverseProxy(name, upstream_port, pathlib.Path(folder)).serving() as proxy:
        print(proxy.port, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
