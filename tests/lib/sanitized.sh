#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sanitized.sh asan | tsan: runs the unit and golden tests under that sanitizer (make asan, make tsan), and `dari dev` with two
# accounts that call every action at once, with crowds, floods and slow clients. Under AddressSanitizer it also runs scripts for code
# that the golden tests do not reach: sessions, streams, passkeys, providers, malformed bodies. The first report ends a process, and
# so its test; a leak changes the exit status, which tests/lib/dev.py checks.
cd "$(dirname "$0")/../.." || exit 1
export ASAN_OPTIONS=abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1 TSAN_OPTIONS=halt_on_error=1
kind=$1 passed=0 failed=0
scripts=
if [ "$kind" = asan ]; then
    scripts="operator/desks cross/protocol cross/strange_bodies cross/random_bodies cross/doors_own cross/figures azure/signin
        cross/bad_parameters native/api native/stream console/oidc_sign_in console/passkeys console/second_factors"
fi
still=() # ThreadSanitizer wants its addresses where they always are
if setarch -R true 2>/dev/null; then still=(setarch -R); fi

try() {
    local words=$1 log=$2
    shift 2
    if "$@" >"$log" 2>&1; then
        echo "ok - $words: $(tail -n 1 "$log")"
        passed=$((passed + 1))
    else
        echo "not ok - $words"
        tail -n 60 "$log"
        failed=$((failed + 1))
    fi
}

try "make $kind" "build/$kind.log" make "$kind"
export DARI_BUILD=$PWD/build/$kind BODIES=${BODIES:-30} # of each call
try "two accounts" "build/$kind-accounts.log" "${still[@]}" tests/contract/cross/two_accounts.py --face ec2
for script in $scripts; do
    try "$script" "build/$kind-${script/\//-}.log" "${still[@]}" "tests/contract/$script.py"
done
try "load" "build/$kind-load.log" "${still[@]}" env LOAD_CROWD=1000 tests/fault/50-load.py
echo "$passed passed, $failed failed"
[ $failed = 0 ]
