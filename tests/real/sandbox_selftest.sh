#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks tools/sandbox itself: a region comes up, is wired as promised, survives faults, and leaves nothing.
# Root only. Uses a sandbox of its own beside any other.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
sandbox=$here/../../tools/sandbox
eval "$("$here/../lib/clone.py" sandbox st $$)"
said=$DARI_SANDBOX.said waits=$DARI_SANDBOX.waits port=$DARI_DEMO_PORT
STEPS_ROOT=$here/../..
. "$STEPS_ROOT/tests/lib/steps.sh"

check() {                       # check WHAT COMMAND...: it succeeds
    local what=$1
    shift
    if "$@" >"$said" 2>&1; then
        echo "ok   $what"
        passed=$((passed + 1))
    else
        echo "FAIL $what"
        sed 's/^/     /' "$said"
        failed=$((failed + 1))
    fi
}

refuse() { ! "$@"; }
prints() { local want=$1; shift; local got; got=$("$@"); [ "$got" = "$want" ] || { echo "got '$got', want '$want'"; return 1; }; }
on() { "$sandbox" on "$@"; }
chassis() { on ctl ovn-sbctl --bare --columns=name list Chassis | grep . | sort | tr '\n' ' '; }
hostname_of() { virsh -q -c "$1" hostname | grep .; }

served() {                      # a command in ctl's network answers here
    local pid rc=0
    "$sandbox" serve --port "$port" /usr/bin/python3 -c '
import os, socket, subprocess
assert os.environ["LISTEN_PID"] == str(os.getpid()) and os.environ["LISTEN_FDS"] == "1"
client, _ = socket.socket(fileno=3).accept()
client.sendall(subprocess.check_output(["ip", "-o", "-4", "addr", "show", "br-phy"]))' &
    pid=$!
    soon grep -q "$(printf ' 0100007F:%04X 00000000:0000 0A ' "$port")" /proc/net/tcp || rc=1       # it is listened on
    bash -c 'cat </dev/tcp/127.0.0.1/'"$port" | grep -q 10.100.0.10/24 || { rc=1; kill $pid; }
    wait $pid || rc=1
    return $rc
}

no_trace() {
    [ ! -e "$DARI_SANDBOX" ] || { echo "$DARI_SANDBOX is there"; return 1; }
    ! ls -d "/run/netns/$DARI_SANDBOX_PREFIX"* 2>/dev/null || return 1
    ! grep -F "$DARI_SANDBOX" /proc/self/mountinfo || return 1
    ! grep -lsxzF "DARI_SANDBOX_MARK=$DARI_SANDBOX" /proc/[0-9]*/environ
}

another_waits() {               # it is this script's: a process that is not its child waits, and says for whom
    local rc=0
    rm -f "$waits"
    # shellcheck disable=SC2016 # the inner one's
    setsid --fork sh -c 'echo $$ >"$0.pid"; exec "$@" 2>"$0"' "$waits" "$sandbox" "$@"
    soon grep -q "waits for $DARI_SANDBOX, which process $$ .*sandbox_selftest.sh" "$waits" || rc=1
    kill -- "-$(cat "$waits.pid")"      # or it would have the sandbox after us
    return $rc
}

goes_to_the_next() {            # held by a process that ends meanwhile
    sleep 3 &
    DARI_SANDBOX="${DARI_SANDBOX}2" "$sandbox" hold $! && DARI_SANDBOX="${DARI_SANDBOX}2" "$sandbox" hold $$
}

"$sandbox" hold $$
check "what is held is held once more" "$sandbox" hold $$
check "what a dead process held goes to the next" goes_to_the_next

trap '"$sandbox" down >/dev/null 2>&1; rm -f "$said" "$waits" "$waits.pid"' EXIT

check "up" "$sandbox" up --hosts 2
WATCHED=$(cat "$DARI_SANDBOX"/*/init.pid | tr '\n' ' ')
check "up again says so" prints "sandbox: up already (hv1 hv2)" "$sandbox" up
check "another one's down waits" another_waits down
check "so does another test" another_waits hold 1
check "every part runs" soon "$sandbox" status
eval "$("$sandbox" serve-env)"
check "chassis are registered" soon prints "ctl hv1 hv2 " chassis
check "hv1 reaches hv2 over the underlay" soon on hv1 ping -c 2 -W 2 10.100.0.12
check "ctl reaches hv2 over the underlay" soon on ctl ping -c 2 -W 2 10.100.0.12
check "libvirt of hv1 answers" prints hv1 hostname_of "$DSB_URI_hv1"
check "libvirt of hv2 answers" prints hv2 hostname_of "$DSB_URI_hv2"
check "web from ctl, by its own address" soon prints 203.0.113.2 on ctl curl -s -m 10 "http://$DSB_WEB/"
check "web by name from inet" soon prints 198.51.100.1 on inet curl -s -m 10 http://www.example.com/
check "outside DNS from ctl" soon prints 198.51.100.1 on ctl dig +short +time=2 "@$DSB_DNS" www.example.com
check "outside DNS from inet" soon prints 198.51.100.1 on inet dig +short +time=2 www.example.com
check "a name that is not there" soon on ctl bash -c "dig +time=2 @$DSB_DNS nothing.example.org | grep -q NXDOMAIN"
check "serve: listens here, runs in ctl" served
check "kill libvirtd" "$sandbox" kill hv1 libvirtd
check "it is gone" soon refuse "$sandbox" status
check "start libvirtd" "$sandbox" start hv1 libvirtd
libvirtd=$(on hv1 cat "$DARI_SANDBOX/hv1/run/libvirtd.pid")
check "libvirtd crashes" "$sandbox" kill hv1 libvirtd SEGV
check "and is back by itself" soon on hv1 bash -c "virsh -q list && [ \$(cat $DARI_SANDBOX/hv1/run/libvirtd.pid) != $libvirtd ]"
check "stop ovs-vswitchd" "$sandbox" kill hv1 ovs-vswitchd STOP
check "its host is dark" refuse on hv2 ping -c 1 -W 1 10.100.0.11
check "continue ovs-vswitchd" "$sandbox" kill hv1 ovs-vswitchd CONT
check "all-zero SNAT is off" on hv1 sh -c 'ovs-vsctl list Datapath | grep -q ct_zero_snat=.false'
check "kill the northbound database" "$sandbox" kill ctl nb
check "start the northbound database" "$sandbox" start ctl nb
check "reboot hv2" "$sandbox" reboot-host hv2
check "every part runs again" soon "$sandbox" status
check "hv1 reaches hv2 again" soon on hv1 ping -c 2 -W 2 10.100.0.12
check "down" "$sandbox" down
check "nothing is left" no_trace

end_steps
