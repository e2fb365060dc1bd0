# SPDX-License-Identifier: MIT
"""Faults, made for real to the running service, each with the alerts that must arrive, and those that must not."""

import contextlib
import dataclasses
import json
import pathlib
import socket
import subprocess
import tempfile
import threading
import time

from alerting import Alerting
from auralis import HOST, Stack, binary, clean_environment, eventually
from listener import PCM

PAGE_S = 20  # within which silence must page, and a service that lets nobody in
ORIGIN = "https://auralis.example"
LISTENERS = 40
PCM_BYTES_A_SECOND = 44_100 * 4 + 10 * 36  # samples, and the headers of ten chunks
PONG = b"\x8a\x80\0\0\0\0"  # unasked, a sign of life; masked with zeros
NO_ALERT_S = 150  # watched for alerts that must not arrive


def listen(stack, options):
    command = [binary("load"), stack.stream_url(), "--seconds", "900", "--json", *options]
    return subprocess.Popen(command, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class Fault:
    """One fault. Subclasses override what differs."""

    what = ""  # for the table
    factor = 1  # by which all durations of the monitoring files are divided
    seconds = 0  # that the fault itself lasts: deadlines count from its beginning
    expected = {}  # alert: within seconds
    also = frozenset()  # alerts that may arrive as well
    resolves = True  # soon after its end
    flaws = ()  # why it proves nothing after all; once it has ended
    settings = {}
    configuration = ""
    load = ("--listeners", "10")

    def make(self, stack, alerting):
        """Makes the fault, and may take a while."""

    def end(self, stack, alerting):
        """Ends it, if make() has not. Once, after make()."""


class Freeze(Fault):
    def __init__(self, daemon, seconds, expected, also=()):
        self.daemon, self.seconds, self.expected, self.also = daemon, seconds, expected, frozenset(also)
        self.what = f"{daemon} stands still for {seconds} s (SIGSTOP)"

    def make(self, stack, alerting):
        stack.daemons[self.daemon].hang()
        time.sleep(self.seconds)
        stack.daemons[self.daemon].go_on()


class Kill(Fault):
    def __init__(self, daemon):
        self.daemon = daemon
        self.what = f"{daemon} is killed, and stays away"
        self.expected = {"AuralisProcessDown": PAGE_S}

    def make(self, stack, alerting):
        stack.daemons[self.daemon].kill()

    def end(self, stack, alerting):
        stack.daemons[self.daemon].start()


class KillAgain(Fault):
    what = "streamd is killed every 9 s for 2 min"
    seconds = 120
    resolves = False  # after ten minutes
    # From the third kill on, which is the third start.
    expected = {"CrashLoop": 18 + PAGE_S}
    also = frozenset({"DeadAir"})

    def make(self, stack, alerting):
        for kill in range(14):
            time.sleep(9 if kill else 0)
            stack.daemons["streamd"].kill()
            stack.daemons["streamd"].start()


class RefuseOrigins(Fault):
    what = "each new listener is refused, by a wrong list of origins"
    seconds = 10
    settings = {"AURALIS_STREAMD_ALLOWED_ORIGINS": ORIGIN}
    expected = {"NobodyGetsIn": PAGE_S}

    def make(self, stack, alerting):
        for _ in range(20):
            stack.refused_upgrade("/ws/stream", headers={"Origin": "https://elsewhere.example"})
            time.sleep(0.5)


class VoicesOff(Fault):
    what = "all voices of a station are switched off"
    # Its loudness is that of 3 s, after the reverb has died away.
    expected = {"SilenceOnAir": 30 + 10 + PAGE_S}

    def make(self, stack, alerting):
        self._switch(stack, False)

    def end(self, stack, alerting):
        self._switch(stack, True)

    def _switch(self, stack, on):
        voices = dict.fromkeys(("pads", "melody", "kicks", "swells"), on)
        answer = stack.http("POST", "/api/control", json.dumps({"type": "update_params", "parameters": voices}))
        assert answer.status == 200, answer.text


class Stall(Fault):
    """Listeners that read nothing, for long enough that rules of five minutes could fire, ten times faster."""

    factor = 10
    load = ("--listeners", "1")

    def __init__(self, stalled, expected, also=()):
        self.stalled, self.expected, self.also = stalled, expected, frozenset(also)
        self.what = f"{stalled} of {LISTENERS} listeners read nothing"

    def make(self, stack, alerting):
        self._load = listen(stack, ("--listeners", str(LISTENERS), "--stall", str(self.stalled)))

    def end(self, stack, alerting):
        self._load.kill()
        self._load.wait()


class SlowLines(Fault):
    """Listeners whose lines carry less than the music needs, in PCM, for as long as Stall."""

    factor = 10
    load = ("--listeners", "1")
    share = 0.95

    def __init__(self, slow, expected, also=()):
        self.slow, self.expected, self.also = slow, expected, frozenset(also)
        self.what = f"{slow} of {LISTENERS} listeners read at {100 * self.share:.0f} % of the speed"

    def make(self, stack, alerting):
        self._load = listen(stack, ("--listeners", str(LISTENERS - self.slow)))
        self._ended = threading.Event()
        self._complete = []
        self._readers = [threading.Thread(target=self._read, args=(stack,), daemon=True) for _ in range(self.slow)]
        for reader in self._readers:
            reader.start()

    def _read(self, stack):
        with socket.socket() as line:
            line.settimeout(10)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
            line.connect((HOST, stack.stream_port))
            line.sendall(
                f"GET /ws/stream HTTP/1.1\r\nHost: {HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                f"Sec-WebSocket-Protocol: {PCM}\r\n\r\n".encode()
            )
            began, read, alive_s = time.monotonic(), 0, 0
            while not self._ended.wait(0.02):
                allowed = int((time.monotonic() - began) * self.share * PCM_BYTES_A_SECOND) - read
                if allowed > 0:
                    data = line.recv(allowed)
                    if not data:
                        return  # streamd has closed it
                    read += len(data)
                if time.monotonic() - began > alive_s:
                    line.sendall(PONG)
                    alive_s += 10
        self._complete.append(stack)

    def end(self, stack, alerting):
        self._ended.set()
        for reader in self._readers:
            reader.join()
        self._load.kill()
        self._load.wait()
        if len(self._complete) < self.slow:
            self.flaws = ("a slow line was closed",)


class SlowDevice(Fault):
    """A device that takes longer to render than the music lasts: OpenCL on a processor of which synthd gets a fiftieth."""

    what = "OpenCL on a processor renders 32 stations slower than they play: synthd may run for 2 % of the time"
    factor = 10
    settings = {"AURALIS_SYNTHD_ENGINE": "opencl", "AURALIS_SYNTHD_MAX_STATIONS": "32"}
    configuration = "".join(f'[[station]]\nname = "s{i}"\nseed = {i}\n' for i in range(32))
    expected = {"DeadAir": 40, "SynthesisLatencyHigh": 90}
    also = frozenset(
        {"AudioBufferUnderrun", "RingBufferDepthLow", "RingBufferUtilizationLow", "ErrorBudgetBurnFast", "AuralisProcessDown",
         "DeliverySuccessLow", "SilenceOnAir"}
    )
    going_s, standing_s = 0.01, 0.49

    def make(self, stack, alerting):
        self._ended = threading.Event()
        self._slowing = threading.Thread(target=self._slow, args=(stack.daemons["synthd"],), daemon=True)
        self._slowing.start()

    def _slow(self, synthd):
        while not self._ended.is_set():
            synthd.hang()
            time.sleep(self.standing_s)
            synthd.go_on()
            time.sleep(self.going_s)

    def end(self, stack, alerting):
        self._ended.set()
        self._slowing.join()


class BrokenConfiguration(Fault):
    what = "a broken configuration is loaded"
    factor = 10
    expected = {"ConfigReloadFailed": PAGE_S}

    def make(self, stack, alerting):
        stack.config_file.write_text("[streamd]\nport = 'eight thousand'\n")
        stack.daemons["streamd"].reload()

    def end(self, stack, alerting):
        stack.config_file.write_text("")
        stack.daemons["streamd"].reload()


class ReceiverUnreachable(Fault):
    what = "PagerDuty cannot be reached while synthd is killed"
    factor = 10
    expected = {"NotificationsFailing": 2 * PAGE_S}
    also = frozenset({"AuralisProcessDown"})

    def make(self, stack, alerting):
        alerting.sink.unreachable.add("pagerduty")
        stack.daemons["synthd"].kill()

    def end(self, stack, alerting):
        alerting.sink.unreachable.clear()
        stack.daemons["synthd"].start()


FAULTS = {
    "synthd-killed": Kill("synthd"),
    "synthd-3s": Freeze("synthd", 3, {"DeadAir": PAGE_S}),
    "synthd-9s": Freeze("synthd", 9, {"DeadAir": PAGE_S}, {"AuralisProcessDown"}),
    "streamd-4s": Freeze("streamd", 4.3, {"DeadAir": PAGE_S}),
    "streamd-7s": Freeze("streamd", 7.1, {"DeadAir": PAGE_S}, {"AuralisProcessDown"}),
    "streamd-loop": KillAgain(),
    "lock-out": RefuseOrigins(),
    "voices-off": VoicesOff(),
    "metricsd-killed": Kill("metricsd"),
    "one-slow": Stall(1, {}, {"ListenersBehind"}),
    "many-slow": Stall(
        8,
        {"DeliverySuccessLow": 60},
        {"ListenersBehind", "ChunkDeliveryLatencyHigh", "AudioJitterHigh", "ErrorBudgetBurnFast", "DeliveryVarianceHigh"},
    ),
    "one-slow-line": SlowLines(1, {}, {"ListenersBehind"}),
    "slow-lines": SlowLines(
        8,
        {"DeliverySuccessLow": 90},
        {"ListenersBehind", "ChunkDeliveryLatencyHigh", "AudioJitterHigh", "ErrorBudgetBurnFast", "DeliveryVarianceHigh"},
    ),
    "slow-device": SlowDevice(),
    "broken-file": BrokenConfiguration(),
    "unreachable": ReceiverUnreachable(),
}
# Of no consequence, and not of the fault: they tell of a test machine without room, or follow in the daily digest.
DIGEST = {"", "AudioGlitch", "CPUUtilizationHigh"}


@dataclasses.dataclass
class Outcome:
    fault: Fault
    arrived: dict  # alert: seconds from the beginning of the fault
    receivers: dict  # alert: receiver
    texts: dict  # alert: what the receiver was told
    resolved: dict  # alert: seconds from its end
    silenced: set  # fired in Prometheus, but were not told
    late: list  # complaints about time
    complaints: list  # others


def told(alerting, since):
    """The notifications of each alert since that time, in their order: {alert: [notification]}."""
    found = {}
    for one in list(alerting.sink.told):
        if one.at >= since and one.receiver != "deadman" and one.name not in DIGEST:
            found.setdefault(one.name, []).append(one)
    return found


def first_firing(alerting, since):
    """The first notification of each alert that fired: {alert: notification}."""
    fired = {name: [one for one in all_of if one.firing] for name, all_of in told(alerting, since).items()}
    return {name: all_of[0] for name, all_of in fired.items() if all_of}


def last_resolved(alerting, since):
    """The last notification of each alert, if it is that it is over: {alert: notification}."""
    return {name: all_of[-1] for name, all_of in told(alerting, since).items() if not all_of[-1].firing}


def prove(fault, patience=1):
    """Makes the fault to a service of its own, and says what arrived. Waits for `patience` times as long as alerts may take."""
    with contextlib.ExitStack() as stack_of:
        folder = stack_of.enter_context(tempfile.TemporaryDirectory(prefix="auralis-alerts-", dir="/dev/shm"))
        stack = stack_of.enter_context(Stack(fault.settings, fault.configuration))
        load = listen(stack, fault.load)
        stack_of.callback(load.wait)
        stack_of.callback(load.kill)
        alerting = stack_of.enter_context(Alerting(stack, pathlib.Path(folder), fault.factor))
        return _prove(fault, stack, alerting, patience)


def _prove(fault, stack, alerting, patience):
    # What the rules compare with a minute ago has to be there.
    eventually(lambda: alerting.query('auralis_up{process="streamd"} offset 1m'), "a minute of figures", 120)
    # WHY also the notifications: an alert that ends and fires again between two of them is not told twice.
    eventually(
        lambda: alerting.firing() - DIGEST <= {"Watchdog"} | fault.also
        and set(told(alerting, 0)) <= set(last_resolved(alerting, 0)) | fault.also,
        "no other alert",
        240,
    )
    began = time.monotonic()
    with contextlib.ExitStack() as at_end:
        at_end.callback(fault.end, stack, alerting)
        silenced, ended = _arrivals(fault, stack, alerting, patience, began)
    arrived = first_firing(alerting, began)
    late = [
        f"{name} arrived after {arrived[name].at - began:.1f} s, limit {limit} s"
        for name, limit in fault.expected.items()
        if name in arrived and arrived[name].at - began > limit
    ]
    complaints = [f"{name} did not arrive" for name in fault.expected if name not in arrived]
    complaints += fault.flaws
    complaints += [f"{name} must not arrive" for name in set(arrived) - set(fault.expected) - fault.also]
    resolved = {}
    if fault.expected and fault.resolves:
        with contextlib.suppress(AssertionError):
            eventually(lambda: set(arrived) <= set(last_resolved(alerting, began)), "the resolves", 240)
        resolved = {name: one.at - ended for name, one in last_resolved(alerting, began).items() if name in arrived}
        complaints += [f"{name} was not resolved" for name in set(arrived) - set(resolved)]
    if complaints:
        complaints.append(alerting.logs())
    return Outcome(
        fault,
        {name: one.at - began for name, one in arrived.items()},
        {name: one.receiver for name, one in arrived.items()},
        {name: one.text for name, one in arrived.items()},
        resolved,
        silenced - set(arrived) - DIGEST - {"Watchdog"},
        late,
        complaints,
    )


def _arrivals(fault, stack, alerting, patience, began):
    """Makes the fault, and waits for its alerts. Returns what fired, told or not, and the time of its end."""
    fault.make(stack, alerting)
    limit_s = max([*fault.expected.values(), fault.seconds + 15] if fault.expected else [NO_ALERT_S])
    silenced = set()

    def all_arrived():
        silenced.update(alerting.firing())
        return set(fault.expected) <= set(first_firing(alerting, began))

    with contextlib.suppress(AssertionError):
        eventually(lambda: bool(fault.expected) and all_arrived(), "the alerts", patience * limit_s - (time.monotonic() - began))
    if fault.expected:  # what comes late must not come at all
        time.sleep(10)
    silenced.update(alerting.firing())
    return silenced, time.monotonic()
