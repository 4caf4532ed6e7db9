#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/run.c src/http/pool.c src/http/server.c
"""SIGHUP has `dari serve` read its certificate again: new connections have the new one, an open one goes on, and files that are no
certificate change nothing."""
import http.client
import os
import signal
import ssl
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import waiting  # noqa: E402
from dev import DARI  # noqa: E402


def make(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", f"/CN={name}",
                    "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")], check=True, capture_output=True)
    return ssl.PEM_cert_to_DER_cert((folder / "cert.pem").read_text())


def connect(port):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
    connection.connect()
    return connection


def shown(port):
    connection = connect(port)
    try:
        return connection.sock.getpeercert(binary_form=True)
    finally:
        connection.close()


def is_well(connection):
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    answer.read()
    return answer.status == 200


def test_a_certificate_is_renewed(tmp_path):
    first, port = make(tmp_path, "first"), 20000 + os.getpid() % 20000
    config = str(tmp_path / "dari.yaml")
    subprocess.run([DARI, "--config", config, "init", "--yes", "--region", "here", "--zone", "a", "--data", str(tmp_path / "data"), "--socket", str(tmp_path / "socket"), "--port", str(port),
                    "--certificate", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"), "--endpoint", f"https://localhost:{port}"], check=True, capture_output=True)
    with open(tmp_path / "log", "w", encoding="utf-8") as log, subprocess.Popen([DARI, "--config", config, "serve"], stderr=log) as server:
        said = lambda word: waiting.wait_until(lambda: word in (tmp_path / "log").read_text(), word)
        try:
            said("serving")
            open_one = connect(port)
            assert is_well(open_one) and shown(port) == first
            second = make(tmp_path, "second")
            server.send_signal(signal.SIGHUP)
            said("certificate-renewed")
            assert shown(port) == second and is_well(open_one)
            (tmp_path / "cert.pem").write_text("no certificate")
            server.send_signal(signal.SIGHUP)
            said("certificate-not-renewed")
            assert shown(port) == second and is_well(open_one)
            third = make(tmp_path, "third")
            open_one.close()
            server.send_signal(signal.SIGHUP)
            waiting.wait_until(lambda: shown(port) == third, "the third")
        finally:
            server.terminate()
        assert server.wait() == 0


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
