# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/sandbox: the fabric, and each node's cables and addresses.
# shellcheck shell=bash

ctl_ip=10.100.0.10

net() { local node=$1; shift; nsenter --net="/run/netns/$prefix$node" -- "$@"; }

underlay_ip() {
    case $1 in
    ctl) echo "$ctl_ip" ;;
    hv*) echo "10.100.0.$((10 + ${1#hv}))" ;;
    esac
}

# Adding a network namespace mounts /run/netns if it is the machine's first, and removing the last one unmounts it. These must not run at the same
# time, so sandboxes of all clones take turns.
in_turn() {
    local rc=0
    mkdir -p /run/lock
    exec 7>/run/lock/dari-netns
    flock 7
    "$@" || rc=$?
    exec 7>&-
    return $rc
}

make_fabric() {
    in_turn add_namespaces fab inet ctl $(host_names)
    ip -n "${prefix}fab" -batch - <<'END'
link set lo up
link add ul type bridge
link add wan type bridge
link set ul up
link set wan up
END
}

add_namespaces() {              # add_namespaces NODE...
    local node
    for node in "$@"; do ip netns add "$prefix$node" || return 1; done
}

cable() {                       # cable NODE IFNAME BRIDGE: a veth from the node to a fabric bridge
    ip link add name "$2" netns "$prefix$1" type veth peer name "$1-$2" netns "${prefix}fab"
    ip -n "${prefix}fab" link set "$1-$2" master "$3" up
    # A userspace datapath has no checksum offload: every sender must compute its own checksums.
    net fab ethtool -K "$1-$2" tx off >/dev/null
    net "$1" ethtool -K "$2" tx off >/dev/null
    ip -n "$prefix$1" link set "$2" up
}

wire() {
    local node=$1
    ip -n "$prefix$node" link set lo up
    case $node in
    inet)
        cable inet wan0 wan
        ip -n "${prefix}inet" -batch - <<'END'
addr add 203.0.113.1/24 dev wan0
addr add 100.64.0.1/16 dev wan0
addr add 198.51.100.1/32 dev lo
addr add 198.51.100.53/32 dev lo
addr add fe80::1/64 dev wan0 nodad
addr add 2001:db8:ffff::1/128 dev lo nodad
route add 2001:db8:d000::/40 dev wan0
END
        # inet is also a provider's router: elastic addresses on different hosts can reach each other through it.
        net inet sh -c 'cd /proc/sys/net/ipv4 && echo 1 >ip_forward &&
            for dir in conf/all conf/wan0; do echo 0 >$dir/send_redirects; echo 0 >$dir/rp_filter; done
            echo 1 >../ipv6/conf/all/forwarding'
        ;;
    ctl)
        cable ctl eth0 ul
        cable ctl ext0 wan
        cable ctl wan1 wan
        ip -n "${prefix}ctl" addr add 203.0.113.2/24 dev wan1
        ip -n "${prefix}ctl" route add 198.51.100.0/24 via 203.0.113.1
        ;;
    *)
        cable "$node" eth0 ul
        cable "$node" ext0 wan
        ;;
    esac
}
