#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/daemon/run.c src/http/pool.c src/http/worker.c src/http/server.c
"""On SIGHUP the server reads its certificate again: new connections use the new one, an open one continues, and invalid files change nothing."""
import http.client
import os
import re
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
                    "-keyout", str(folder / "tls.key"), "-out", str(folder / "tls.pem")], check=True, capture_output=True)
    return ssl.PEM_cert_to_DER_cert((folder / "tls.pem").read_text())


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
    with open(tmp_path / "log", "w", encoding="utf-8") as log, subprocess.Popen([DARI, "dev", "--port", "0", "--tls", "--data", str(tmp_path)], stdin=subprocess.DEVNULL, stdout=log, stderr=log) as server:
        said = lambda pattern: waiting.wait_until(lambda: re.search(pattern, (tmp_path / "log").read_text()), pattern)
        try:
            port = int(said(r"https://[^:/]+:(\d+)/console/#t=")[1])
            open_one, first = connect(port), shown(port)
            second = make(tmp_path, "second")
            assert is_well(open_one) and shown(port) == first != second
            server.send_signal(signal.SIGHUP)
            waiting.wait_until(lambda: shown(port) == second, "the second")
            assert is_well(open_one)
            (tmp_path / "tls.pem").write_text("no certificate")
            server.send_signal(signal.SIGHUP)
            said("event=certificate-not-renewed")
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
