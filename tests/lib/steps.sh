# SPDX-License-Identifier: Apache-2.0
# To be sourced: a test of steps, each a command that is to succeed, and its closing line.
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

# The script's last command: its status is the test's.
end_steps() {
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}
