# SPDX-License-Identifier: MIT
"""With a collector's URL metricsd exports what is over as spans of OpenTelemetry, also what was over while the collector was away."""

import contextlib
import http.server
import json
import threading

from auralis import HOST, Stack, eventually, free_ports
from listener import Listener


@contextlib.contextmanager
def collector(port):
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

    with http.server.ThreadingHTTPServer((HOST, port), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield spans
        server.shutdown()


def test_what_is_over_arrives_as_spans_though_the_collector_was_away():
    (port,) = free_ports(1)
    with Stack({"AURALIS_METRICSD_OTLP_ENDPOINT": f"http://{HOST}:{port}/v1/traces"}) as stack:
        metricsd = stack.daemons["metricsd"]
        with contextlib.closing(Listener(stack.stream_url())) as listener:
            listener.wait_for_more(5)
            stack.daemons["synthd"].kill()
            eventually(lambda: stack.metric("ring_buffer_underruns_total", station="default"), "underruns")
            stack.daemons["synthd"].start()
            eventually(lambda: "spans not exported, trying again" in metricsd.log(), "a failed export")
            with collector(port) as spans:
                eventually(lambda: {"down", "hole"} <= {span["name"] for _, span in spans}, "both spans")
                eventually(lambda: "spans are exported again" in metricsd.log(), "the end of the failure")
        assert metricsd.log().count("spans not exported") == 1
    by_name = {span["name"]: (service, span) for service, span in spans}
    service, down = by_name["down"]
    assert service == "synthd"
    assert int(down["startTimeUnixNano"]) < int(down["endTimeUnixNano"])
    service, hole = by_name["hole"]
    assert service == "streamd"
    assert int(down["startTimeUnixNano"]) <= int(hole["startTimeUnixNano"]) + 2e9
    assert hole["status"]["message"]
    ids = {span["traceId"] for _, span in spans}
    assert len(ids) == len(spans)
    assert all(len(one) == 32 and int(one, 16) for one in ids)
