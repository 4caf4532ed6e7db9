#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The unit and golden tests under AddressSanitizer with UBSan, and under ThreadSanitizer.
# limit: 1500 s
cd "$(dirname "$0")/../.." || exit 1
passed=0 failed=0
for kind in asan tsan; do
    if make $kind >"build/$kind.log" 2>&1; then
        echo "ok - make $kind: $(tail -n 1 "build/$kind.log")"
        passed=$((passed + 1))
    else
        echo "not ok - make $kind"
        tail -n 60 "build/$kind.log"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
