# SPDX-License-Identifier: MIT
"""Other servers for comparison, from Debian's packages, each with its own source: Icecast, which relays a byte stream, and
nginx with nchan, which relays messages."""

import base64
import contextlib
import http.client
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import threading
import time

from servers import HOST, STOP_LIMIT_S, Server, ServerError, answers, free_port, process, wait_until

CHUNK_S = 0.1
PCM_BYTES = 17_640  # per chunk at 44,100 Hz
OPUS_BYTES = 1_246  # per message of 100 ms at 96 kbit/s, including its framing
UNPRIVILEGED_ID = 65_534  # nobody
NCHAN_MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
SPARE_CONNECTIONS = 50

ICECAST_XML = """<icecast>
  <limits>
    <clients>{clients}</clients><sources>2</sources><queue-size>1048576</queue-size>
    <client-timeout>30</client-timeout><header-timeout>15</header-timeout><source-timeout>10</source-timeout>
    <burst-size>{chunk}</burst-size>
  </limits>
  <authentication>
    <source-password>{password}</source-password><relay-password>{password}</relay-password>
    <admin-user>admin</admin-user><admin-password>{password}</admin-password>
  </authentication>
  <hostname>localhost</hostname>
  <listen-socket><port>{port}</port><bind-address>{host}</bind-address></listen-socket>
  <fileserve>0</fileserve>
  <paths>
    <basedir>/usr/share/icecast2</basedir><webroot>/usr/share/icecast2/web</webroot>
    <adminroot>/usr/share/icecast2/admin</adminroot><logdir>{folder}</logdir>
  </paths>
  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>2</loglevel></logging>
  <security><chroot>0</chroot></security>
</icecast>
"""

# A single process, so that it ends with this script and so that one process is measured, as for the other servers.
NGINX_CONF = """{user}load_module {module};
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile {connections};
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  nchan_max_reserved_memory 64M;
  server {{
    listen {host}:{port} backlog=1024;
    location = /ready {{ return 204; }}
    location = /listen {{
      nchan_subscriber http-raw-stream;
      nchan_channel_id station;
      nchan_subscriber_first_message newest;
    }}
    location = /publish {{
      keepalive_requests 1000000;
      nchan_publisher;
      nchan_channel_id station;
      nchan_message_buffer_length 3;
    }}
  }}
}}
"""


@contextlib.contextmanager
def each_chunk(feed):
    """Calls `feed` whenever a chunk is due, on a separate thread, until the context ends. Raises ServerError at its end if
    `feed` failed: without a source the listeners get nothing, so the measured cost would be too low."""
    ended = threading.Event()
    failures = []

    def run():
        due = time.monotonic()
        try:
            while not ended.wait(max(0, due - time.monotonic())):
                feed()
                due += CHUNK_S
        except (OSError, http.client.HTTPException) as error:
            failures.append(error)

    source = threading.Thread(target=run, daemon=True)
    source.start()
    try:
        yield
    finally:
        ended.set()
        source.join(STOP_LIMIT_S)
    if failures:
        raise ServerError(f"its source failed: {failures[0]}")


def _folder(parent, name):
    """Makes a folder for the server; if this runs as root, it belongs to the user nobody."""
    folder = pathlib.Path(parent) / name
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    return folder


def _privileges():
    """Returns setpriv's arguments that drop root's privileges to those of the user nobody; empty if not root."""
    if os.geteuid() != 0:
        return []
    return [f"--reuid={UNPRIVILEGED_ID}", f"--regid={UNPRIVILEGED_ID}", "--clear-groups"]


def _program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/bin:/usr/sbin")


def icecast_version():
    """Returns the version that `icecast2 -v` prints; empty if Icecast is not installed."""
    program = _program("icecast2")
    if not program:
        return ""
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stdout
    return said.split()[-1] if said else "of unknown version"


def _icecast_source(port, password):
    login = base64.b64encode(f"source:{password}".encode()).decode()
    head = f"PUT /listen HTTP/1.1\r\nHost: {HOST}:{port}\r\nAuthorization: Basic {login}\r\n"
    connection = socket.create_connection((HOST, port), timeout=10)
    connection.sendall(f"{head}Content-Type: audio/mpeg\r\n\r\n".encode())
    return connection


@contextlib.contextmanager
def icecast(parent, listeners):
    """Icecast that gets as many bytes as a PCM chunk ten times a second. Icecast refuses to run as root."""
    port, password = free_port(), secrets.token_hex(8)
    folder = _folder(parent, "icecast")
    config = folder / "icecast.xml"
    fields = {"clients": listeners + SPARE_CONNECTIONS, "chunk": PCM_BYTES, "password": password}
    config.write_text(ICECAST_XML.format(**fields, port=port, host=HOST, folder=folder))
    if os.geteuid() == 0:
        os.chown(config, UNPRIVILEGED_ID, UNPRIVILEGED_ID)
    command = [_program("icecast2"), "-c", config]
    chunk = os.urandom(PCM_BYTES)
    with process(command, folder / "said.log", _privileges()) as running:
        wait_until(lambda: answers(port, "/listen", 404), running, "icecast2")
        with _icecast_source(port, password) as connection, each_chunk(lambda: connection.sendall(chunk)):
            wait_until(lambda: answers(port, "/listen", 200), running, "Icecast's source")
            yield Server(f"http://{HOST}:{port}/listen", running)


def nginx_version():
    """Returns the version that `nginx -v` prints; empty if nginx or nchan is not installed."""
    program = _program("nginx")
    if not program or not NCHAN_MODULE.exists():
        return ""
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=False).stderr
    found = re.search(r"nginx/(\S+)", said)
    return found[1] if found else "of unknown version"


def _nginx_command(config):
    """Returns the command line. nchan needs nginx's compiled-in folder for temporary files, which belongs to the system:
    a private mount replaces it in the process's own namespace."""
    root = os.geteuid() == 0
    nginx = ["setpriv", "--pdeathsig", "KILL", *_privileges(), _program("nginx"), "-c", str(config)]
    script = 'mount -t tmpfs -o mode=1777 tmpfs /var/lib/nginx && exec "$@"'
    return ["unshare", *([] if root else ["--map-root-user"]), "--mount", "sh", "-c", script, "sh", *nginx]


@contextlib.contextmanager
def nchan(parent, listeners):
    """nginx that sends a message of the size of an Opus message ten times a second to subscribers of its raw stream."""
    port = free_port()
    folder = _folder(parent, "nginx")
    config = folder / "nginx.conf"
    # nginx closes idle keep-alive connections (the publisher's) if fewer than a sixteenth of its connections are free.
    user = "" if os.geteuid() == 0 else "user root;\n"  # an ordinary user is root in its user namespace
    fields = {"user": user, "module": NCHAN_MODULE, "connections": listeners * 5 // 4 + SPARE_CONNECTIONS}
    config.write_text(NGINX_CONF.format(**fields, port=port, host=HOST, folder=folder))
    chunk = os.urandom(OPUS_BYTES)
    with process(_nginx_command(config), folder / "said.log") as running:
        wait_until(lambda: answers(port, "/ready", 204), running, "nginx")
        publisher = http.client.HTTPConnection(HOST, port, timeout=10)

        def publish():
            publisher.request("POST", "/publish", chunk, {"Content-Type": "application/octet-stream"})
            publisher.getresponse().read()

        with contextlib.closing(publisher), each_chunk(publish):
            yield Server(f"http://{HOST}:{port}/listen", running)
