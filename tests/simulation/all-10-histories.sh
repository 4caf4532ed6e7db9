#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs 20,000 random histories in an optimised build, with other seeds than make test.
# limit: 9000 s
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -f build/simulation/build.ninja ] || meson setup build/simulation --buildtype=release -Dbench=false >/dev/null
ninja -C build/simulation --quiet tests/simulation/simulate
exec build/simulation/tests/simulation/simulate --seed 1000000 --histories "${HISTORIES:-20000}"
