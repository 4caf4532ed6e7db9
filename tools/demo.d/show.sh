# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/demo: steps shown as the command that ran, with its time.

bold=''; plain=''
if [ -t 1 ]; then bold=$'\e[1m'; plain=$'\e[0m'; fi

title() { printf '\n%s# %s%s\n' "$bold" "$*" "$plain"; }

# now_ms: milliseconds since boot, without a child process.
now_ms() { local up; read -r up _ </proc/uptime; echo $((10#${up/./} * 10)); }

# show COMMAND...: prints the command as a person would type it, runs it, prints its time. Its output
# is kept in $output; shown too, unless $quiet is set.
show() {
    local from status=0
    printf '%s$ %s%s\n' "$bold" "$(typed "$@")" "$plain"
    from=$(now_ms)
    output=$("$@" 2>&1) || status=$?
    [ -n "${quiet:-}" ] && [ $status = 0 ] || [ -z "$output" ] || printf '%s\n' "$output"
    printf '  (%d.%02d s)\n' $((($(now_ms) - from) / 1000)) $((($(now_ms) - from) % 1000 / 10))
    [ $status = 0 ] || fail "that command ended with status $status"
}

# Prints a command with shell quoting; shows our own functions as the commands that they replace.
typed() {
    local word words=()
    [ "$1" != ssh_in ] || set -- ssh -i "$key" "$login@$2" "${@:3}"
    [ "$1" != "$dari" ] || set -- dari "${@:2}"
    for word; do
        if [[ $word =~ ^[A-Za-z0-9_./:=,@%+-]+$ ]]; then words+=("$word"); else words+=("'$word'"); fi
    done
    echo "${words[*]}"
}

fail() {
    echo "demo: $*" >&2
    echo "demo: the server's log is $demo/dari.log; build/dari doctor may tell more" >&2
    exit 1
}

# check WORDS COMMAND...: a command that must succeed; prints WORDS when it does.
check() {
    local words=$1
    shift
    "$@" || fail "this does not hold: $words"
    echo "  ✓ $words"
}

# until_true SECONDS WORDS COMMAND...: DARI_SANDBOX_PATIENCE multiplies the limit.
until_true() {
    local limit=$((SECONDS + $1 * patience)) words=$2
    shift 2
    until "$@"; do
        [ $SECONDS -lt $limit ] || fail "not in time: $words"
        sleep 0.2
    done
}
