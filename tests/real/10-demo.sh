#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: tools/demo tools/tiny-image
# The demo as a newcomer runs it, then down, which leaves nothing behind. TOURS=2 runs it again before (all-10-demo.sh).
set -uo pipefail
cd "$(dirname "$0")/../.."
eval "$(tests/lib/clone.py sandbox dm $$)"
. tests/lib/steps.sh

processes() { ps -e -o args= | grep -E "$DARI_SANDBOX|$DARI_DEMO" | grep -v grep; }
nothing_left() {
    ! ip netns list | grep "^$DARI_SANDBOX_PREFIX" >/dev/null && [ ! -e $DARI_SANDBOX ] && [ ! -e $DARI_DEMO ] &&
        ! grep -q "$DARI_SANDBOX" /proc/mounts && ! ip -o link | grep "$DARI_SANDBOX_PREFIX" >/dev/null && [ -z "$(processes)" ]
}

tools/sandbox hold $$ || exit 1
tools/demo down >/dev/null 2>&1
step "the demo" tools/demo up
for ((tour = 2; tour <= ${TOURS:-1}; tour++)); do step "the demo, run again" tools/demo up; done
step "what is up already stays as it is" tools/demo region
step "audit is clean" env DARI_CONFIG=$DARI_DEMO/dari.yaml build/dari audit
step "doctor is content" env DARI_CONFIG=$DARI_DEMO/dari.yaml build/dari doctor
step "down" tools/demo down
step "no process, namespace, mount, link or file is left" nothing_left
end_steps
