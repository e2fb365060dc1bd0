# SPDX-License-Identifier: MIT
"""metricsd's ZeroMQ port with keys: subscribers without the right ones get nothing, and files that are no keys end the start."""

import contextlib

import pytest
import zmq

from auralis import WAIT_LIMIT_S, run_daemon
from metricsd_alone import Metricsd

TRIES_MS = 3_000  # to hear nothing: three snapshots


def write(path, text):
    path.write_bytes(text + b"\n")
    path.chmod(0o600)
    return str(path)


@contextlib.contextmanager
def subscriber(metricsd, server_key=None, own=None):
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        if server_key:
            socket.curve_serverkey = server_key
            socket.curve_publickey, socket.curve_secretkey = own or zmq.curve_keypair()
        socket.subscribe("")
        socket.connect(metricsd.zmq_endpoint)
        yield socket


def hears(socket, within_ms=WAIT_LIMIT_S * 1000):
    return bool(socket.poll(within_ms))


@pytest.fixture(scope="module")
def keys():
    return zmq.curve_keypair()


@pytest.fixture
def settings(keys, tmp_path):
    return {"AURALIS_METRICSD_ZMQ_KEY_FILE": write(tmp_path / "key", keys[1])}


def test_with_a_key_only_subscribers_that_know_it_hear_anything(keys, settings):
    wrong = zmq.curve_keypair()[0]
    with Metricsd(settings) as metricsd, contextlib.ExitStack() as cleanup:
        assert keys[0].decode() in metricsd.log()
        assert keys[1].decode() not in metricsd.log()
        right, other, plain = (cleanup.enter_context(subscriber(metricsd, key)) for key in (keys[0], wrong, None))
        for _ in range(3):
            assert hears(right)
            right.recv_multipart()
        assert not hears(plain, TRIES_MS)
        assert not hears(other, 0)


def test_with_a_list_of_clients_the_others_hear_nothing(keys, settings, tmp_path):
    listed, stranger = zmq.curve_keypair(), zmq.curve_keypair()
    settings["AURALIS_METRICSD_ZMQ_CLIENT_KEYS_FILE"] = write(tmp_path / "clients", b"# the office\n" + listed[0])
    with Metricsd(settings) as metricsd, contextlib.ExitStack() as cleanup:
        right, other = (cleanup.enter_context(subscriber(metricsd, keys[0], own)) for own in (listed, stranger))
        for _ in range(3):
            assert hears(right)
            right.recv_multipart()
        assert not hears(other, TRIES_MS)
        assert metricsd.log().count("their keys are not in zmq_client_keys_file") == 1


def test_a_file_that_holds_no_key_is_one_line_at_the_start(settings, tmp_path):
    environment = {"AURALIS_RUNTIME_DIR": str(tmp_path), "AURALIS_METRICSD_ZMQ_ENDPOINT": "tcp://127.0.0.1:*"}

    def reason():
        ended = run_daemon("metricsd", "--log-format", "text", environment={**environment, **settings})
        assert ended.returncode == 1
        assert ended.stderr.count("\n") == 1
        return ended.stderr

    key = tmp_path / "key"
    key.chmod(0o604)
    assert f"metricsd.zmq_key_file: {key}: must be closed to others" in reason()
    write(key, b"0123456789abcdef")
    assert f"metricsd.zmq_key_file: {key}: must hold a secret key of CURVE, 40 characters of Z85" in reason()
    write(key, zmq.curve_keypair()[1])
    settings["AURALIS_METRICSD_ZMQ_CLIENT_KEYS_FILE"] = write(tmp_path / "clients", b"nobody")
    assert f"metricsd.zmq_client_keys_file: {tmp_path}/clients: line 1 must be a public key of CURVE" in reason()


def test_a_list_of_clients_needs_a_key():
    ended = run_daemon("metricsd", "--check-config", environment={"AURALIS_METRICSD_ZMQ_CLIENT_KEYS_FILE": "/clients"})
    assert ended.returncode == 2
    assert "zmq_key_file" in ended.stderr and "must be given, since zmq_client_keys_file is" in ended.stderr
