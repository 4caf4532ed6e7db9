# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/demo: starts and ends the region. Every function does only what is missing.

dari_pid() {
    local pid
    pid=$(cat "$demo/dari.pid" 2>/dev/null) && [ "$(readlink "/proc/$pid/exe" 2>/dev/null)" = "$(readlink -f "$dari")" ] &&
        echo "$pid"
}

healthy() { curl -fsS -o /dev/null -m 10 "http://127.0.0.1:$port/healthz" 2>/dev/null; }

init_region() {
    [ -f "$DARI_CONFIG" ] && return
    mkdir -p "$demo"
    chmod 700 "$demo"
    show "$dari" init --yes --region us-east-1 --zone a --data "$demo/data" --socket "$demo/dari.sock" --port "$port" \
        --ovn "$DSB_NB" --ovn-southbound "$DSB_SB" --ovs "$DSB_OVS" --chassis "$DSB_CHASSIS" --upstreams "$DSB_DNS"
    printf '%s' "${DARI_DEMO_SETTINGS:-}" >>"$DARI_CONFIG"
}

start_dari() {
    [ -n "$(dari_pid)" ] && return
    echo "\$ dari serve    (in the network of the sandbox's control machine; the API on 127.0.0.1:$port)"
    setsid tools/sandbox serve --port "$port" "$dari" serve </dev/null >>"$demo/dari.log" 2>&1 &
    echo $! >"$demo/dari.pid"
    until_true 120 "the API answers" healthy
}

stop_dari() {
    local pid
    pid=$(dari_pid) || return 0
    kill "$pid"
    for _ in $(seq $((600 * patience))); do [ -n "$(dari_pid)" ] || return 0; sleep 0.1; done # a zombie has ended
    kill -9 "$pid"
}

# Proxies of load balancers outlive the server.
stop_proxies() {
    local file pid
    for file in "$demo"/data/proxies/*/pid; do
        pid=$(cat "$file" 2>/dev/null) || continue
        grep -qs "$demo/data/proxies" "/proc/$pid/cmdline" && kill "$pid"
    done
    return 0
}

hosts_are_up() { [ "$("$dari" host list --json | grep -c '"state": "up"')" = "$(wc -w <<<"$DSB_HOSTS")" ]; }

add_hosts() {
    local host uri address
    for host in $DSB_HOSTS; do
        "$dari" explain "$host" >/dev/null 2>&1 && continue
        uri=DSB_URI_$host
        address="DSB_IP_$host"
        # shellcheck disable=SC2086 # several words
        show "$dari" host add "$host" --uri "${DARI_DEMO_URI:-${!uri}}" --address "${!address}" --pool "$DSB_POOL_DIR" --reserved-mib 512 \
            ${DARI_DEMO_HOST_OPTIONS:-}
    done
    until_true 180 "every host is up" hosts_are_up
    quiet='' show "$dari" host list
}

add_network() {
    "$dari" network list --json | grep '"name": "internet"' >/dev/null && return
    show "$dari" network add-external internet --physical-network "$DSB_PHYSNET" --next-hop "$DSB_INFRA_NEXTHOP" \
        --range "$DSB_EXT_FIRST-$DSB_EXT_LAST" --gateway-range 100.64.1.1-100.64.255.254
}

add_image() {
    "$dari" image list --json | grep "\"name\": \"$image\"" >/dev/null && return
    mkdir -p build/cache
    show "tools/$image-image" "build/cache/$image.qcow2"
    show "$dari" image import "$PWD/build/cache/$image.qcow2" --name "$image"
}

add_account() {
    "$dari" account list --json | grep '"name": "demo"' >/dev/null && return
    quiet=1 show "$dari" account create demo
}

region() {
    [ "$(id -u)" = 0 ] || fail "root only: it makes network namespaces"
    title "A region: two hosts with libvirt and OVN, an internet, and dari"
    quiet='' show tools/sandbox up
    eval "$(tools/sandbox serve-env)"
    init_region
    start_dari
    add_hosts
    add_network
    add_image
    add_account
}

leftovers() {
    [ ! -e "$demo" ] || fail "$demo is left"
    ! ss -Hltn "sport = :$port" | grep . >/dev/null || fail "something still listens on port $port"
}
