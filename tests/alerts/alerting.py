# SPDX-License-Identifier: MIT
"""Debian's Prometheus and Alertmanager with the shipped files, watching a Stack, and a sink for what they tell.

Nothing of the files is changed but addresses, the folder of the secrets, and, by a factor, all durations. The receivers stay the
shipped ones: the sink speaks PagerDuty's Events API, Slack's and the dead man's webhook, and SMTP.
"""

import contextlib
import dataclasses
import email
import email.policy
import http.server
import json
import pathlib
import re
import socketserver
import subprocess
import threading
import time
import urllib.parse
import urllib.request

from auralis import HOST, eventually, free_ports

MONITORING = pathlib.Path(__file__).resolve().parents[2] / "monitoring"
START_LIMIT_S = 60


@dataclasses.dataclass
class Told:
    """A notification, of one alert or of several with that name."""

    at: float  # time.monotonic()
    receiver: str
    name: str  # of the alert; empty: a digest
    firing: bool
    text: str


class Sink:
    """Takes notifications of all receivers. Refuses those of `unreachable`."""

    def __init__(self):
        self.told = []
        self.unreachable = set()
        self._lock = threading.Lock()
        self._names = {}  # of PagerDuty's incidents, by key
        sink = self

        class Web(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver = self.path.strip("/").split("/")[0]
                if receiver in sink.unreachable:
                    self.send_error(503)
                    return
                sink.take_web(receiver, body)
                self.send_response(202 if receiver == "pagerduty" else 200)
                self.end_headers()
                self.wfile.write(b"ok")

            def log_message(self, *_):
                pass

        class Mail(socketserver.StreamRequestHandler):
            def handle(self):
                self._say("220 sink")
                while line := self.rfile.readline():
                    verb = line[:4].upper().strip()
                    if verb == b"DATA":
                        self._say("354 go on")
                        lines = iter(self.rfile.readline, b".\r\n")
                        sink.take_mail(b"".join(one[1:] if one.startswith(b"..") else one for one in lines))
                    self._say("221 bye" if verb == b"QUIT" else "250 ok")
                    if verb == b"QUIT":
                        return

            def _say(self, text):
                self.wfile.write(text.encode() + b"\r\n")

        self._servers = [
            http.server.ThreadingHTTPServer((HOST, 0), Web),
            socketserver.ThreadingTCPServer((HOST, 0), Mail),
        ]
        self.web, self.mail = (f"{HOST}:{server.server_address[1]}" for server in self._servers)
        for server in self._servers:
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def close(self):
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def take_web(self, receiver, body):
        if receiver == "pagerduty":
            key = body["dedup_key"]
            if "payload" in body:
                self._names[key] = body["payload"]["summary"].split(" ")[0]
            self._note(receiver, self._names[key], body["event_action"] == "trigger", json.dumps(body))
        elif receiver == "slack":
            (attachment,) = body["attachments"]
            self._note_titled(receiver, attachment["title"], attachment["text"])
        else:
            self._note(receiver, body["commonLabels"].get("alertname", ""), body["status"] == "firing", json.dumps(body))

    def take_mail(self, data):
        message = email.message_from_bytes(data, policy=email.policy.default)
        self._note_titled("email", message["subject"], message.get_body().get_content())

    def _note_titled(self, receiver, title, text):
        match = re.match(r"(FIRING|RESOLVED): (\w+)", title)
        self._note(receiver, match.group(2) if match else "", not match or match.group(1) == "FIRING", f"{title}\n{text}")

    def _note(self, *what):
        with self._lock:
            self.told.append(Told(time.monotonic(), *what))


def faster(text, factor):
    """The text of a file of Prometheus or Alertmanager with each duration divided by the factor."""
    if factor == 1:
        return text
    in_ms = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

    def divided(match):
        return f"{match.group(1)}{max(1, round(int(match.group(2)) * in_ms[match.group(3)] / factor))}ms{match.group(4)}"

    text = re.sub(r"(\[)(\d+)(ms|s|m|h|d)(\])", divided, text)
    text = re.sub(r"( offset )(\d+)(ms|s|m|h|d)()\b", divided, text)
    keys = r"for|interval|keep_firing_for|scrape_interval|evaluation_interval|group_wait|group_interval|repeat_interval|resolve_timeout"
    return re.sub(rf"^(\s*(?:- )?(?:{keys}): )(\d+)(ms|s|m|h|d)()$", divided, text, flags=re.M)


class Alerting:
    """As a context manager: both programs run, have seen the stack, and have told of it."""

    def __init__(self, stack, folder, factor=1):
        self.sink = Sink()
        self._folder = pathlib.Path(folder)
        self._factor = factor
        prometheus, alertmanager = free_ports(2)
        self._prometheus = f"{HOST}:{prometheus}"
        self._alertmanager = f"{HOST}:{alertmanager}"
        self._addresses = {
            "localhost:9464": f"{HOST}:{stack.metrics_port}",
            "localhost:9090": self._prometheus,
            "localhost:9093": self._alertmanager,
            "localhost:25": self.sink.mail,
            "https://deadman.auralis.io/alive": f"http://{self.sink.web}/deadman",
            "/etc/alertmanager/secrets": str(self._folder / "secrets"),
        }

    def _write(self):
        shipped_files = [*MONITORING.glob("prometheus/*.yml"), *MONITORING.glob("prometheus/rules/*.yml"), *MONITORING.glob("alertmanager/*")]
        for path in shipped_files:
            text = faster(path.read_text(), self._factor)
            for shipped, here in self._addresses.items():
                text = text.replace(shipped, here)
            if path.name == "alertmanager.yml":
                text = text.replace("\nglobal:\n", f"\nglobal:\n  pagerduty_url: http://{self.sink.web}/pagerduty\n")
            copy = self._folder / path.relative_to(MONITORING)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(text)
        secrets = self._folder / "secrets"
        secrets.mkdir()
        for name, text in (("pagerduty_routing_key", "key"), ("deadman_token", "token"), ("slack_webhook_url", f"http://{self.sink.web}/slack")):
            (secrets / name).write_text(text)

    def __enter__(self):
        self._write()
        self._processes = contextlib.ExitStack()
        for command in (
            [
                "prometheus",
                f"--config.file={self._folder}/prometheus/prometheus.yml",
                f"--web.listen-address={self._prometheus}",
                f"--storage.tsdb.path={self._folder}/data",
            ],
            [
                "prometheus-alertmanager",
                f"--config.file={self._folder}/alertmanager/alertmanager.yml",
                f"--web.listen-address={self._alertmanager}",
                "--cluster.listen-address=",
                f"--storage.path={self._folder}/alertmanager-data",
            ],
        ):
            log = self._processes.enter_context(open(self._folder / f"{command[0]}.log", "wb"))
            process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *command], stdout=log, stderr=log)
            self._processes.callback(process.wait)
            self._processes.callback(process.kill)
        try:
            eventually(lambda: self.query('up{job="auralis"} == 1'), "a scrape", START_LIMIT_S)
            # Prometheus sends nothing in its first five seconds, and what it would have sent a minute later.
            eventually(lambda: any(one.receiver == "deadman" for one in self.sink.told), "a sign of life", 60 + START_LIMIT_S)
        except BaseException as error:
            self.__exit__()
            raise AssertionError(f"{error}\n{self.logs()}") from error
        return self

    def __exit__(self, *_):
        self._processes.close()
        self.sink.close()

    def logs(self):
        """The ends of both programs' logs."""
        return "".join(path.read_text()[-2000:] for path in sorted(self._folder.glob("*.log")))

    def query(self, expression):
        """The samples of an instant query: (labels, value)."""
        url = f"http://{self._prometheus}/api/v1/query?{urllib.parse.urlencode({'query': expression})}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                data = json.load(answer)["data"]
        except OSError:
            return []  # it still starts
        if data["resultType"] == "scalar":
            return [({}, float(data["result"][1]))]
        return [(one["metric"], float(one["value"][1])) for one in data["result"]]

    def rule_errors(self):
        """The rules that Prometheus could not evaluate: (name, error)."""
        with urllib.request.urlopen(f"http://{self._prometheus}/api/v1/rules", timeout=10) as answer:
            groups = json.load(answer)["data"]["groups"]
        return [(rule["name"], rule["lastError"]) for group in groups for rule in group["rules"] if rule["health"] == "err"]

    def firing(self):
        """The names of the alerts that fire in Prometheus, told or not."""
        return {labels["alertname"] for labels, _ in self.query('ALERTS{alertstate="firing"}')}
