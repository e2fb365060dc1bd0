# SPDX-License-Identifier: MIT
"""With a collector's URL metricsd exports what is over as spans of OpenTelemetry, also what was over while the collector was away."""

import contextlib
import http.server
import json
import socket
import ssl
import threading

import pytest

from auralis import HOST, Stack, eventually, free_ports, http_request
from certificate import Certificate
from listener import Listener


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


class ServerOnIpv6(Server):
    address_family = socket.AF_INET6


@contextlib.contextmanager
def collector(port, host=HOST, certificate=None):
    """Takes requests as a collector does. Yields those of all, as they come: (service, span)."""
    spans = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/json")
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            for resource in request["resourceSpans"]:
                attributes = {one["key"]: one["value"]["stringValue"] for one in resource["resource"]["attributes"]}
                for scope in resource["scopeSpans"]:
                    spans.extend((attributes["service.name"], span) for span in scope["spans"])
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_):
            pass

    with (ServerOnIpv6 if ":" in host else Server)((host, port), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate.certificate, certificate.key)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield spans
        server.shutdown()


def test_what_is_over_arrives_as_spans_though_the_collector_was_away():
    (port,) = free_ports(1)
    with Stack({"AURALIS_METRICSD_OTLP_ENDPOINT": f"http://{HOST}:{port}/v1/traces"}) as stack:
        metricsd = stack.daemons["metricsd"]

        def says(message):
            eventually(lambda: message in metricsd.log(), message)

        with contextlib.closing(Listener(stack.stream_url())) as listener:
            listener.wait_for_more(5)
            says('"synthd is up"')
            stack.daemons["synthd"].kill()
            says('"synthd has ended"')
            eventually(lambda: stack.metric("ring_buffer_underruns_total", station="default"), "underruns")
            stack.daemons["synthd"].start()
            says('"spans not exported"')
            with collector(port) as spans:
                eventually(lambda: {"down", "hole"} <= {span["name"] for _, span in spans}, "both spans")
                says('"spans are exported again"')
                assert metricsd.log().count('"spans not exported"') == 1
    by_name = {span["name"]: (service, span) for service, span in spans}
    service, down = by_name["down"]
    assert service == "synthd"
    assert int(down["startTimeUnixNano"]) < int(down["endTimeUnixNano"])
    service, hole = by_name["hole"]
    assert service == "streamd"
    assert hole["status"]["message"]
    ids = {span["traceId"] for _, span in spans}
    assert len(ids) == len(spans)
    assert all(len(one) == 32 and int(one, 16) for one in ids)


def addresses():
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6):
        return (HOST, "::1")
    return (HOST,)


@pytest.mark.parametrize(
    "host, name, is_trusted",
    [*((host, f"IP:{host}", True) for host in addresses()), (HOST, f"IP:{HOST}", False), (HOST, "DNS:elsewhere.example", True)],
)
def test_a_collector_of_https_needs_a_certificate_that_is_trusted_and_for_its_address(tmp_path, host, name, is_trusted):
    certificate = Certificate(tmp_path, "metricsd", name)
    (port,) = free_ports(1)
    settings = {
        "AURALIS_METRICSD_OTLP_ENDPOINT": f"https://{f'[{host}]' if ':' in host else host}:{port}/v1/traces",
        "SSL_CERT_FILE": str(certificate.certificate) if is_trusted else "/dev/null",
    }
    with collector(port, host, certificate) as spans, Stack(settings) as stack:
        metricsd = stack.daemons["metricsd"]
        # Not in its log: that is written before the first snapshot, with which the next are compared.
        eventually(lambda: '"streamd is up"' in http_request(stack.metrics_port, "GET", "/api/history").text, "that it is seen")
        stack.daemons["streamd"].reload()
        if is_trusted and name == f"IP:{host}":
            eventually(lambda: "reload" in [span["name"] for _, span in spans], "the span")
        else:
            eventually(lambda: "certificate verify failed" in metricsd.log(), "the refusal")
            assert not spans
