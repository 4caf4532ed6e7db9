#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs 3,000 random histories in an optimised build, which costs some 1,000 s of processors; HISTORIES names another number. The number of commits says
# the first seed, so that a commit's run can be repeated and the next commit's has new seeds; HISTORIES_SEED names another.
# limit: 3600 s
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -f build/simulation/build.ninja ] || meson setup build/simulation --buildtype=release -Dbench=false >/dev/null
ninja -C build/simulation --quiet tests/simulation/simulate
exec build/simulation/tests/simulation/simulate --seed "${HISTORIES_SEED:-$((1000000 + 3000 * $(git rev-list --count HEAD)))}" --histories "${HISTORIES:-3000}"
