#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every fuzz target for a few seconds (FUZZ_S each), with AddressSanitizer and UBSan. What was found to be
# new stays in build/fuzz/corpus; an input that fails is build/fuzz/<target>-crash-….
# limit: 600 s
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${FUZZ_S:-5} passed=0 failed=0
if [ ! -f build/fuzz/build.ninja ]; then
    CC=clang-14 meson setup build/fuzz -Dfuzz=true -Dtests=false -Dbench=false -Db_sanitize=address,undefined -Db_lundef=false \
        -Dc_args='-fsanitize=fuzzer-no-link -Wno-error' >/dev/null
fi
ninja -C build/fuzz --quiet
tests/fuzz/make-corpus build/fuzz
for target in build/fuzz/tests/fuzz/fuzz_*; do
    [ -x "$target" ] && [ ! -d "$target" ] || continue
    name=$(basename "$target")
    mkdir -p "build/fuzz/corpus/$name" "build/fuzz/seeds/$name"
    if "$target" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -print_final_stats=1 \
        -dict=build/fuzz/dictionary -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" \
        "build/fuzz/seeds/$name" >"build/fuzz/$name.log" 2>&1; then
        echo "ok - $name $(grep -ao 'number_of_executed_units: *[0-9]*' "build/fuzz/$name.log")"
        passed=$((passed + 1))
    else
        echo "not ok - $name"
        tail -n 40 "build/fuzz/$name.log"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
