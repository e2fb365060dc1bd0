# SPDX-License-Identifier: MIT
"""A CONFIGURATION of streamd with low limits, for the fixture `stack`, and how much a daemon uses."""

import os
import socket

from auralis import HOST, WAIT_LIMIT_S

MAX_LISTENERS = 6
MAX_HEADER_BYTES = 2_048
MAX_MESSAGE_BYTES = 600

CONFIGURATION = f"""
[audio]
ring_ms = 10000

[streamd]
max_listeners = {MAX_LISTENERS}
max_header_bytes = {MAX_HEADER_BYTES}
max_message_bytes = {MAX_MESSAGE_BYTES}
handshake_timeout_ms = 300
"""


def rejected(stack, reason):
    return stack.metric("websocket_connections_rejected_total", reason=reason)


def connect(stack):
    return socket.create_connection((HOST, stack.stream_port), timeout=WAIT_LIMIT_S)


def descriptors(daemon):
    return len(os.listdir(f"/proc/{daemon.pid}/fd"))


def cpu_seconds(daemon):
    """User and system CPU time since its start."""
    with open(f"/proc/{daemon.pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_bytes(daemon):
    with open(f"/proc/{daemon.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
