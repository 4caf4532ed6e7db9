# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # state: sandbox's
# Ownership of a sandbox. Two runs of a test, from two trees, would stop each other's sandbox, so each test holds the sandbox until it
# ends. A lock file outside of the sandbox names the holder; the kernel releases the lock when the holder exits.

owner_file=/run/lock/dari-sandbox${state//\//-}

hold() {                        # hold PID: reserves the sandbox until that process ends; waits for the current holder
    [ "$(id -u)" = 0 ] || die "needs root"
    [ -d "/proc/${1:-none}" ] || die "hold: no process ${1:-is named}"
    mkdir -p "${owner_file%/*}"
    exec 8>>"$owner_file"
    if ! flock -n 8; then
        ! is_ours_to_use || return 0
        say_whose
        flock 8
    fi
    echo "$1 $(tr '\0' ' ' <"/proc/$1/cmdline")in $(readlink "/proc/$1/cwd")" >"$owner_file"
    # Keeps descriptor 8, and with it the lock. It has no other descriptor, so that nobody waits for the end of its output.
    setsid tail --pid="$1" -f /dev/null </dev/null >/dev/null 2>&1 9>&- &
    exec 8>&-
}

is_ours_to_use() {              # its owner is who called us, or whoever called that
    local owner='' pid=$$
    read -r owner _ <"$owner_file" || true
    while [ "${pid:-0}" -gt 1 ]; do
        [ "$pid" != "$owner" ] || return 0
        pid=$(ps -o ppid= -p "$pid" | tr -d ' ')
    done
    return 1
}

say_whose() { echo "sandbox: waits for $state, which process $(cat "$owner_file") has" >&2; }

await_owner() {                 # until nobody else has it
    [ -e "$owner_file" ] || return 0
    exec 8<"$owner_file"
    if ! flock -ns 8 && ! is_ours_to_use; then
        say_whose
        flock -s 8
    fi
    exec 8<&-
}
