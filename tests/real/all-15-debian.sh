#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demo with Debian guests: cloud-init finds EC2, takes key, name and user data.
# limit: 1200 s
set -uo pipefail
cd "$(dirname "$0")/../.."
export DARI_DEMO=/tmp/dari-db DARI_DEMO_PORT=8798 DARI_SANDBOX=/tmp/ds-db DARI_SANDBOX_PREFIX=ddb- DARI_DEMO_IMAGE=debian
passed=0 failed=0

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

tools/demo down >/dev/null 2>&1
step "the demo with Debian guests" tools/demo up
step "audit is clean" env DARI_CONFIG=$DARI_DEMO/dari.yaml build/dari audit
step "down" tools/demo down
echo "$passed passed, $failed failed"
[ $failed = 0 ]
