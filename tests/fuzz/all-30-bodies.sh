#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api src/engine src/base src/http
# limit: 3600 s
# Ten minutes (BODIES_S) of nearly valid bodies for every row of every face's tables (tests/contract/cross/random_bodies.py), round after round with
# another seed, against `dari dev` with simulated hosts under AddressSanitizer and UBSan. The first report ends the server, and so the run. SEED=… begins
# with that round, BODIES=… asks for more or fewer bodies of each call.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -f build/asan/build.ninja ] || meson setup build/asan -Db_sanitize=address,undefined -Db_lundef=false >/dev/null
ninja -C build/asan --quiet src/daemon/dari
export ASAN_OPTIONS=abort_on_error=1 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export DARI_BUILD=$PWD/build/asan BODIES=${BODIES:-1}
SEED=${SEED:-$RANDOM}
begun=$SECONDS passed=0
while [ "$passed" = 0 ] || [ $((SECONDS - begun)) -lt "${BODIES_S:-600}" ]; do
    SEED=$SEED tests/contract/cross/random_bodies.py
    SEED=$((SEED + 1)) passed=$((passed + 1))
done
echo "$passed passed, 0 failed"
