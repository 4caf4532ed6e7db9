# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/sandbox: a node is a named network namespace and, but for fab, a first process
# with pid, mount and uts namespaces. Processes are found by these namespaces, never by their names.
# shellcheck shell=bash

namespaces() {                  # the nodes that exist, by name without prefix
    local file
    for file in /run/netns/"$prefix"*; do
        [ ! -e "$file" ] || echo "${file#/run/netns/"$prefix"}"
    done
}

pids_in() {                     # processes whose network is NODE's
    local inode
    inode=$(stat -Lc %i "/run/netns/$prefix$1" 2>/dev/null) || return 0
    stat -Lc '%i %n' /proc/[0-9]*/ns/net 2>/dev/null | awk -v i="$inode" '$1 == i {split($2, p, "/"); print p[3]}'
}

our_pids() {                    # all of the sandbox's processes, but not this one
    {
        local node
        for node in $(namespaces); do pids_in "$node"; done
        grep -lsxzF "DARI_SANDBOX_MARK=$state" /proc/[0-9]*/environ | cut -d/ -f3 || true
    } | sort -un | grep -vx "$$" || true
}

init_of() {                     # NODE's first process, proven by its namespace
    local pid
    pid=$(cat "$state/$1/init.pid" 2>/dev/null) && [ "/proc/$pid/ns/net" -ef "/run/netns/$prefix$1" ] && echo "$pid"
}

node_env() {                    # what OVS's and OVN's tools need on NODE, a line each
    local dir=$state/$1
    printf '%s\n' "OVS_RUNDIR=$dir/run" "OVN_RUNDIR=$dir/run" "OVS_DBDIR=$dir/db" "OVN_DBDIR=$dir/db" \
        "OVS_LOGDIR=$dir/log" "OVN_LOGDIR=$dir/log"
    [ "$1" != ctl ] || printf '%s\n' "OVN_NB_DB=unix:$dir/run/ovnnb_db.sock" "OVN_SB_DB=unix:$dir/run/ovnsb_db.sock"
}

enter() {                       # enter NODE CMD...: in all its namespaces, with its environment
    local node=$1 init env
    shift
    init=$(init_of "$node") || die "node $node is not running"
    mapfile -t env < <(node_env "$node")
    nsenter --target "$init" --mount --uts --pid --net --wdns="$PWD" -- \
        env "${env[@]}" DARI_SANDBOX_MARK="$state" "$@" 9<&-      # 9 is the lock
}

start_node() {                  # its first process and its directories; those of an earlier boot stay, run/ does not
    local node=$1 dir=$state/$1 tries
    rm -rf "${dir:?}/run" "$dir/init.pid"
    mkdir -p "$dir"/{run,db,log}
    DARI_SANDBOX_MARK=$state nsenter --net="/run/netns/$prefix$node" \
        setsid unshare --mount --uts --pid --fork "$here/sandbox.d/node-init" "$dir" "$node" \
        </dev/null >>"$dir/log/init.log" 2>&1 9<&- &
    for ((tries = 0; tries < 6000 * patience; tries++)); do
        [ ! -s "$dir/init.pid" ] || return 0
        sleep 0.01
    done
    cat "$dir/log/init.log" >&2
    die "node $node did not start"
}

unmake_namespaces() {
    local node
    for node in $(namespaces); do ip netns del "$prefix$node"; done
    # The machine's first `ip netns add` mounts this directory on itself; if it is empty, nobody uses it any more.
    if [ -d /run/netns ] && [ -z "$(ls -A /run/netns)" ]; then
        ! mountpoint -q /run/netns || umount /run/netns
        rmdir /run/netns
    fi
}
