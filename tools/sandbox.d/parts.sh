# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/sandbox: the daemons of each node; how to start, find, and hurt them.
# shellcheck shell=bash

parts_of() {
    case $1 in
    inet) echo httpd dnsmasq ;;
    ctl) echo ovsdb ovs-vswitchd ovn-controller nb sb northd ;;
    hv*) echo ovsdb ovs-vswitchd ovn-controller libvirtd ;;
    esac
}

pid_file() {                    # pid_file NODE PART: written by the daemon, so its pid is the inner one
    case $2 in
    ovsdb) echo "$state/$1/run/ovsdb-server.pid" ;;
    nb | sb) echo "$state/$1/run/ovn$2_db.pid" ;;
    northd) echo "$state/$1/run/ovn-northd.pid" ;;
    *) echo "$state/$1/run/$2.pid" ;;
    esac
}

part_pid() {                    # its pid out here: a process of this node which has that pid inside
    local inner pids
    inner=$(cat "$(pid_file "$1" "$2")" 2>/dev/null) || return 1
    pids=$(pids_in "$1" | sed 's|.*|/proc/&/status|')
    # Processes come and go meanwhile: cat passes over a file that is gone, where awk would end.
    # shellcheck disable=SC2086 # one word per file is meant
    [ -n "$pids" ] && { cat $pids 2>/dev/null || true; } | awk -v inner="$inner" '
        /^NSpid:/ && NF == 3 && $3 == inner {found = $2}
        END {if (!found) exit 1; print found}'
}

part_state() {
    local pid
    pid=$(part_pid "$1" "$2") || { echo dead; return; }
    case $(awk '/^State:/ {print $2}' "/proc/$pid/status" 2>/dev/null) in
    T) echo stopped ;;
    '' | Z) echo dead ;;
    *) echo running ;;
    esac
}

check_part() {
    case " $(parts_of "${1:-}") " in
    *" ${2:-} "*) ;;
    *) die "no part '${2:-}' on '${1:-}'; there are: $(parts_of "${1:-}")" ;;
    esac
    init_of "$1" >/dev/null || die "node $1 is not running"
}

kill_part() {                   # after SIGKILL it is gone when this returns
    check_part "${1:-}" "${2:-}"
    local pid tries signal=${3:-KILL}
    pid=$(part_pid "$1" "$2") || die "$2 on $1 does not run"
    kill -s "${signal#SIG}" "$pid"
    [ "${signal#SIG}" = KILL ] || return 0
    for ((tries = 0; tries < 6000 * patience; tries++)); do
        [ -e "/proc/$pid" ] || return 0
        sleep 0.01
    done
    die "$2 on $1 survived SIGKILL"
}

start_part() {
    check_part "${1:-}" "${2:-}"
    if part_pid "$1" "$2" >/dev/null; then
        echo "sandbox: $2 on $1 runs already"
        return
    fi
    case $2 in
    nb) start_db nb ;;
    sb) start_db sb ;;
    *) "start_${2//-/_}" "$1" ;;
    esac
}

# ---- OVS, on every host and on ctl

ovs_daemon() {                  # ovs_daemon NODE PART PROGRAM ARGS...
    local node=$1 part=$2 program=$3
    shift 3
    enter "$node" "$program" --detach --no-chdir -vconsole:off "--pidfile=$(pid_file "$node" "$part")" \
        "--log-file=$state/$node/log/$part.log" "$@"
}

start_ovsdb() { ovs_daemon "$1" ovsdb ovsdb-server "--remote=punix:$state/$1/run/db.sock" "$state/$1/db/conf.db"; }

start_ovs_vswitchd() {
    local ip tries
    ip=$(underlay_ip "$1")
    ovs_daemon "$1" ovs-vswitchd ovs-vswitchd "unix:$state/$1/run/db.sock"
    for ((tries = 0; tries < 6000 * patience; tries++)); do
        ip -n "$prefix$1" link set br-phy up 2>/dev/null && break
        sleep 0.01
    done
    ip -n "$prefix$1" addr replace "$ip/24" dev br-phy
    net "$1" ethtool -K br-phy tx off >/dev/null
    avoid_zero_snat "$1"
}

# OVN translates every allowed connection to its own address if OVS supports that ("all-zero SNAT"). The userspace datapath of OVS 3.1 then sometimes
# ends by "assertion conn->conn_type == CT_CONN_TYPE_DEFAULT failed", which cuts off its host. The sandbox therefore records in OVS's database that OVS
# does not support it: vswitchd writes the column when it first sees the row, and each ovs-vsctl waits for that.
avoid_zero_snat() {
    local row
    enter "$1" ovs-vsctl get Open_vSwitch . datapaths:netdev >/dev/null 2>&1 ||
        enter "$1" ovs-vsctl --id=@dp create Datapath 'datapath_version=""' \
            -- set Open_vSwitch . datapaths:netdev=@dp >/dev/null
    row=$(enter "$1" ovs-vsctl get Open_vSwitch . datapaths:netdev)
    enter "$1" ovs-vsctl set Datapath "$row" capabilities:ct_zero_snat=false
}

start_ovn_controller() { ovs_daemon "$1" ovn-controller ovn-controller "unix:$state/$1/run/db.sock"; }

start_ovs() {                   # a reboot keeps the database
    local node=$1 db=$state/$1/db/conf.db
    [ -e "$db" ] || ovsdb-tool create "$db" /usr/share/openvswitch/vswitch.ovsschema
    start_ovsdb "$node"
    enter "$node" ovs-vsctl --no-wait init \
        -- set Open_vSwitch . "external_ids:system-id=$node" "external_ids:hostname=$node" \
        "external_ids:ovn-remote=tcp:$ctl_ip:6642" \
        external_ids:ovn-encap-type=geneve "external_ids:ovn-encap-ip=$(underlay_ip "$node")" \
        external_ids:ovn-bridge-datapath-type=netdev external_ids:ovn-bridge-mappings=physnet1:br-ex \
        -- --may-exist add-br br-phy -- set Bridge br-phy datapath_type=netdev -- --may-exist add-port br-phy eth0 \
        -- --may-exist add-br br-ex -- set Bridge br-ex datapath_type=netdev -- --may-exist add-port br-ex ext0 \
        -- --may-exist add-br br-int -- set Bridge br-int datapath_type=netdev fail-mode=secure \
        other-config:disable-in-band=true
    start_ovs_vswitchd "$node"
}

# ---- ctl: OVN central

start_db() {                    # start_db nb|sb; the northbound one is never shown to the network
    local dir=$state/ctl remote=()
    [ "$1" = nb ] || remote=("--remote=ptcp:6642:$ctl_ip")
    ovs_daemon ctl "$1" ovsdb-server "--unixctl=$dir/run/ovn$1_db.ctl" \
        "--remote=punix:$dir/run/ovn$1_db.sock" "${remote[@]}" "$dir/db/ovn$1.db"
}

start_northd() {
    local dir=$state/ctl
    ovs_daemon ctl northd ovn-northd "--ovnnb-db=unix:$dir/run/ovnnb_db.sock" "--ovnsb-db=unix:$dir/run/ovnsb_db.sock"
}

start_central() {
    local dir=$state/ctl
    ovsdb-tool create "$dir/db/ovnnb.db" /usr/share/ovn/ovn-nb.ovsschema
    ovsdb-tool create "$dir/db/ovnsb.db" /usr/share/ovn/ovn-sb.ovsschema
    start_ovs ctl               # first: the southbound database listens on br-phy's address
    start_db nb
    start_db sb
    start_northd
    ovn-sbctl -t $((120 * patience)) --db="unix:$dir/run/ovnsb_db.sock" wait-until SB_Global .
    touch "$dir/southbound-filled"
    start_ovn_controller ctl
}

# An ovn-controller 23.03 that meets a southbound database before northd has filled it crashes.
await_southbound() {
    local tries
    for ((tries = 0; tries < 12000 * patience; tries++)); do
        [ ! -e "$state/ctl/southbound-filled" ] || return 0
        sleep 0.01
    done
    die "OVN's central databases did not start"
}

# ---- hosts: libvirt

libvirt_uri() { echo "qemu+unix:///system?socket=$state/$1/run/libvirt/libvirt-sock"; }

start_host() {
    local jobs=()
    configure_libvirt "$1"
    start_libvirtd "$1" &
    jobs+=($!)
    start_ovs "$1"
    await_southbound
    start_ovn_controller "$1"
    wait "${jobs[0]}"
}

configure_libvirt() {
    local node=$1 dir=$state/$1 n
    mkdir -p "${cache%/*}"
    (
        flock -s 7
        [ ! -d "$cache" ] || cp -a "$cache/." "$dir/cache/libvirt/"
    ) 7>"$cache.lock"
    {
        echo "127.0.0.1 localhost"
        for n in ctl $(host_names); do echo "$(underlay_ip "$n") $n"; done
    } >"$dir/etc/hosts"
    cat >"$dir/etc/libvirt/libvirtd.conf" <<END
auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
host_uuid = "$(printf 'da210000-0000-4000-8000-%012d' "${node#hv}")"
log_outputs = "2:file:$dir/log/libvirtd.log"
END
    # Settings for a sandbox: no users, no cgroups, no virtlogd. A real host keeps its distribution's.
    cat >"$dir/etc/libvirt/qemu.conf" <<'END'
user = "root"
group = "root"
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
swtpm_user = "root"
swtpm_group = "root"
END
}

# Restarts a libvirtd that failed, like Debian's unit; one that a test killed stays down.
start_libvirtd() {              # ready when it answers
    local tries
    # shellcheck disable=SC2016 # the inner one's
    enter "$1" setsid --fork bash -c '
        while rc=0; libvirtd --pid-file "$0" || rc=$?; [ $rc != 0 ] && [ $rc != 137 ]; do
            echo "libvirtd ended with $rc and is started again"
            sleep 0.1
        done' "$(pid_file "$1" libvirtd)" </dev/null >>"$state/$1/log/libvirtd-ends.log" 2>&1
    for ((tries = 0; tries < 1200 * patience; tries++)); do
        ! virsh -q -c "$(libvirt_uri "$1")" list >/dev/null 2>&1 || return 0
        sleep 0.05
    done
    die "libvirtd on $1 does not answer"
}

warm_cache() {                  # the capability probe costs seconds: have it made once, for all sandboxes to come
    [ -d "$cache" ] || virsh -q -c "$(libvirt_uri hv1)" capabilities >/dev/null
    save_cache
}

save_cache() {                  # libvirt renews what no longer fits, so what a host has now is better than ours
    local from=$state/hv1/cache/libvirt/qemu/capabilities
    [ -d "$from" ] && ! diff -rq "$from" "$cache/qemu/capabilities" >/dev/null 2>&1 || return 0
    mkdir -p "${cache%/*}"
    (
        flock 7                 # sandboxes of one clone share the cache
        rm -rf "$cache"
        mkdir -p "$cache.new/qemu"
        cp -a "$from" "$cache.new/qemu/"
        mv "$cache.new" "$cache"
    ) 7>"$cache.lock"
}

# ---- inet: some web site and a resolver for outside names

start_inet() {
    local dir=$state/inet
    mkdir -p "$dir/www/cgi-bin"
    printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n%%s\\n" "$REMOTE_ADDR"\n' >"$dir/www/cgi-bin/index.cgi"
    chmod +x "$dir/www/cgi-bin/index.cgi"
    head -c 1048576 /dev/zero >"$dir/www/megabyte"
    start_httpd inet
    start_dnsmasq inet
}

inet_daemon() {                 # inet_daemon PART PROGRAM ARGS...: one that stays in the foreground by itself
    local part=$1 program=$2
    shift 2
    enter inet start-stop-daemon --start --background --make-pidfile --pidfile "$(pid_file inet "$part")" \
        --output "$state/inet/log/$part.log" --exec "$program" -- "$@"
}

start_httpd() { inet_daemon httpd /bin/busybox httpd -f -vv -p 198.51.100.1:80 -h "$state/inet/www"; }

start_dnsmasq() {
    inet_daemon dnsmasq /usr/sbin/dnsmasq --keep-in-foreground --conf-file=/dev/null --no-hosts --no-resolv \
        --user=root --group=root --pid-file= --log-facility=- --bind-interfaces --listen-address=198.51.100.53 \
        --host-record=www.example.com,198.51.100.1 --local=/example.com/ '--address=/#/'
}
