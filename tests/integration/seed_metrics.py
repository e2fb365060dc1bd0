# SPDX-License-Identifier: MIT
"""The metrics of the seed's chapter 1, which every release publishes under these names."""

# Name: (type, the daemon without which it is absent; None if a label names it).
SEED_METRICS = {
    "audio_synthesis_latency_ms": ("histogram", "synthd"),
    "audio_chunk_delivery_latency_ms": ("histogram", "streamd"),
    "audio_end_to_end_latency_ms": ("histogram", "streamd"),
    "audio_startup_latency_ms": ("histogram", "streamd"),
    "audio_chunk_jitter_ms": ("histogram", "streamd"),
    "audio_chunk_delivery_variance_ms": ("gauge", "streamd"),
    "ring_buffer_depth_ms": ("gauge", "metricsd"),
    "ring_buffer_underruns_total": ("counter", "streamd"),
    "ring_buffer_overruns_total": ("counter", "streamd"),
    "ring_buffer_utilization_percent": ("gauge", "metricsd"),
    "websocket_chunks_sent_total": ("counter", "streamd"),
    "websocket_send_errors_total": ("counter", "streamd"),
    "websocket_chunk_delivery_success_rate": ("gauge", "streamd"),
    "cpu_utilization_percent": ("gauge", None),
    "gpu_utilization_percent": ("gauge", "synthd"),
    "memory_usage_mb": ("gauge", None),
    "gpu_memory_allocated_mb": ("gauge", "synthd"),
    "network_bytes_sent_total": ("counter", "streamd"),
    "network_bandwidth_mbps": ("gauge", "streamd"),
    "websocket_active_connections": ("gauge", "streamd"),
    "websocket_connections_total": ("counter", "streamd"),
    "websocket_disconnections_total": ("counter", "streamd"),
    "websocket_connection_duration_seconds": ("histogram", "streamd"),
}


# Absent where no GPU renders, as on a machine that runs these tests: then metrics of the engine replace them.
GPU_METRICS = {
    "gpu_utilization_percent": "auralis_engine_utilization_percent",
    "gpu_memory_allocated_mb": "auralis_engine_memory_mb",
}


# Metrics that metricsd itself publishes about each daemon, whether it runs or not.
_OF_METRICSD = {"auralis_up", "auralis_samples_withheld_total", "auralis_heartbeat_age_seconds"}


def metrics_of(exposition, daemon):
    """The series on /metrics that need `daemon`: of the names above, or with its name as a label."""
    return {
        (name, labels)
        for name, labels in exposition.values
        if (SEED_METRICS.get(exposition.family_of(name), (None, None))[1] == daemon or ("process", daemon) in labels)
        and name not in _OF_METRICSD
    }
