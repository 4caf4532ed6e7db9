# SPDX-License-Identifier: Apache-2.0
"""Sandbox hosts that fail and are fenced, for the real tests."""
import os

from region import ROOT

# Follows the convention of fence agents: the action comes on standard input, line by line; exit status 2 means off.
AGENT = """#!/bin/sh
[ $# = 0 ] || exit 1
while IFS='=' read -r name value; do eval "$name=\\$value"; done
echo "$action $plug $passwd" >>{log}
[ "$passwd" = geheim ] || {{ echo "wrong password" >&2; exit 3; }}
[ ! -e {broken} ] || {{ echo "no route to the switch" >&2; exit 1; }}
export DARI_SANDBOX={sandbox} DARI_SANDBOX_PREFIX={prefix}
case $action in
off) {root}/tools/sandbox on "$plug" true 2>/dev/null && {root}/tools/sandbox cut-power "$plug"; exit 0 ;;
status) if {root}/tools/sandbox on "$plug" true 2>/dev/null; then echo "Status: ON"; exit 0; fi; echo "Status: OFF"; exit 2 ;;
esac
exit 1
"""
AFTER_S = 15  # seconds of silence before a host is fenced


class Agent:
    def __init__(self, region):
        self.path, self.log, self.broken = (f"{region.demo}/{name}" for name in ("fence_test", "fence.log", "fence.broken"))
        words = {"log": self.log, "broken": self.broken, "root": ROOT, "sandbox": region.env["DARI_SANDBOX"],
                 "prefix": region.env["DARI_SANDBOX_PREFIX"]}
        with open(self.path, "w", encoding="ascii") as f:
            f.write(AGENT.format(**words))
        os.chmod(self.path, 0o755)
        self.secret = f"{region.demo}/fence.secret"
        with open(self.secret, "w", encoding="ascii") as f:
            f.write("passwd=geheim\n")

    def serve(self, region, host):
        region.command("host", "set-fence", host, "--command", self.path, "--option", f"plug={host}", "--option", "login=x",
                       "--secret-file", self.secret, "--after-s", str(AFTER_S))

    def calls(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="ascii") as f:
            return f.read().split("\n")[:-1]

    def set_broken(self, is_broken):
        if is_broken:
            open(self.broken, "w", encoding="ascii").close()
        elif os.path.exists(self.broken):
            os.unlink(self.broken)


def state_of(region, host):
    return [h["state"] for h in region.command("host", "list") if h["name"] == host][0]


def fences(region, host):
    return region.command("host", "fences", host)


def has_power(region, host):
    return region.attempt("tools/sandbox", "on", host, "true").returncode == 0
