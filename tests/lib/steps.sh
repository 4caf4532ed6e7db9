# SPDX-License-Identifier: Apache-2.0
# To be sourced by tests that consist of steps: commands that must succeed. Prints the closing line.
passed=0 failed=0

# WORDS COMMAND…
step() {
    local words=$1
    shift
    if "$@"; then
        echo "ok - $words"
        passed=$((passed + 1))
    else
        echo "not ok - $words"
        failed=$((failed + 1))
    fi
}

# soon COMMAND…: repeats it until it succeeds. It gives up if the processes in $WATCHED make no progress (waiting.py).
soon() {
    local budget rc=0
    ! "$@" || return 0
    # shellcheck disable=SC2086 # one word per process is meant
    "${STEPS_ROOT:-.}/tests/lib/waiting.py" budget ${WATCHED:-} >&2 &
    budget=$!
    until "$@"; do
        kill -0 $budget 2>/dev/null || { rc=1; break; }
        sleep 0.2
    done
    kill $budget 2>/dev/null || true
    wait $budget 2>/dev/null || true
    return $rc
}

# The script's last command: its status is the test's.
end_steps() {
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}
