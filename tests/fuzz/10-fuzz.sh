#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: tests/fuzz src/base src/auth src/api/query src/api/metadata src/drivers/ovn src/api/azure/template src/api/scim
# build: tests/fuzz/build
# Every fuzz target for a second (FUZZ_S each; all-20-fuzz-long.sh takes a minute), with AddressSanitizer and UBSan, as
# many at once as there are processors. What was found to be new stays in build/fuzz/corpus; an input that fails is build/fuzz/<target>-crash-….
set -euo pipefail
cd "$(dirname "$0")/../.."
export FUZZ_S=${FUZZ_S:-1}
tests/fuzz/build
mapfile -t targets < <(basename -s .c tests/fuzz/fuzz_*.c)
tests/fuzz/make-corpus build/fuzz "${DARI_BUILD:-build/main}/src/daemon/dari"

# Reading a seed is a run as well, and the time limit holds only after all of them: ten a second, chosen evenly.
# Leaks are what the unit and golden tests look for: here they would be most of the time.
choose_seeds() {
    local all chosen=build/fuzz/chosen/$1
    mkdir -p "build/fuzz/seeds/$1"
    rm -rf "$chosen"
    mkdir -p "$chosen"
    all=$(find "build/fuzz/seeds/$1" -type f | wc -l)
    find "build/fuzz/seeds/$1" -type f | sort | awk -v step="$((all / (FUZZ_S * 10) + 1))" 'NR % step == 0' |
        while read -r seed; do cp "$seed" "$chosen/"; done
}

run() {
    mkdir -p "build/fuzz/corpus/$1"
    choose_seeds "$1"
    if "build/fuzz/tests/fuzz/$1" -max_total_time="$FUZZ_S" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 -detect_leaks=0 \
        -dict=build/fuzz/dictionary -artifact_prefix="build/fuzz/$1-" "build/fuzz/corpus/$1" "build/fuzz/chosen/$1" \
        >"build/fuzz/$1.log" 2>&1; then
        echo "ok - $1 $(grep -ao 'number_of_executed_units: *[0-9]*' "build/fuzz/$1.log")"
    else
        echo "not ok - $1
$(tail -n 40 "build/fuzz/$1.log")"
        return 1
    fi
}
export -f run choose_seeds
failed=0
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c 'run {}' || failed=1
# A slice of the bodies of all faces' calls, where all-30-bodies.sh has built the server; building it takes minutes.
if [ "$FUZZ_S" = 1 ] && [ -x build/asan/src/daemon/dari ]; then BODIES=0.1 BODIES_S=1 tests/fuzz/all-30-bodies.sh || failed=1; fi
exit $failed
