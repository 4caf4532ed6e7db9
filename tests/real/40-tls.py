#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/http src/daemon/authority src/daemon/control.c
"""TLS with the certificate created by `dari init`; the orderly stop; access to the control socket."""
import os
import socket
import stat
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
import waiting  # noqa: E402
from region import Region, zombie  # noqa: E402


def aws(region, *argv):
    """The stock aws with the output of `dari env`, in a shell, as a user would run it."""
    script = f'eval "$({region.dari} env tls)"; aws "$@"'
    return waiting.run(["bash", "-c", script, "bash", *argv], env=dict(region.env, PATH="/usr/bin:/bin:/usr/sbin"),
                          capture_output=True, text=True)


def ask_plainly(port):
    """The answer to a plain HTTP request, if any: the connection may be reset."""
    with socket.create_connection(("127.0.0.1", port), timeout=waiting.HANG_S) as plain:
        plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            return plain.recv(200)
        except ConnectionError:
            return b""


def main():
    with Region("tl") as region:
        region.command("account", "create", "tls")
        done = aws(region, "sts", "get-caller-identity", "--query", "Account", "--output", "text")
        region.check(f"aws with dari env's lines {done.stderr}", done.stdout.strip().isdigit())
        mode = stat.S_IMODE(os.stat(f"{region.demo}/dari.sock").st_mode)
        region.check(f"the control socket is its owner's alone ({mode:o})", mode == 0o600)
        key = os.stat(f"{region.demo}/data/master.key")
        region.check("the master key is its owner's alone", stat.S_IMODE(key.st_mode) == 0o600)
        pid = region.dari_pid()
        region.run("tools/demo", "stop-dari")
        region.check("SIGTERM: it has ended", zombie(pid))
        region.check("in order: the control socket is gone", not os.path.exists(f"{region.demo}/dari.sock"))
        with open(f"{region.demo}/dari.yaml", encoding="utf-8") as f:
            text = f.read()
        region.run("sh", "-c", f"cd {region.demo} && {region.dari} --config ./other.yaml init --data other --socket o.sock "
                   f"--names localhost,127.0.0.1 --port {region.port} --chassis ctl")
        text = text.replace("api:\n", f"api:\n  certificate: {region.demo}/api.crt\n  key: {region.demo}/api.key\n")
        with open(f"{region.demo}/dari.yaml", "w", encoding="utf-8") as f:
            f.write(text)
        launcher = subprocess.Popen(["tools/sandbox", "serve", "--port", str(region.port), region.dari, "serve"],
                                    env=region.env, stderr=open(f"{region.demo}/dari.log", "a", encoding="utf-8"))
        with open(f"{region.demo}/dari.pid", "w", encoding="ascii") as f:
            f.write(str(launcher.pid))

        def asks():
            done = aws(region, "sts", "get-caller-identity", "--query", "Account", "--output", "text")
            return done.stdout.strip().isdigit() or print(done.stderr)
        region.check_soon("aws over TLS, with the certificate that init made", asks)
        region.check("plain HTTP is not answered there", b"200" not in ask_plainly(region.port))


if __name__ == "__main__":
    main()
