#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: tools/debian-image src/api/metadata
# Runs the demo with Debian guests: cloud-init detects EC2, and applies key, name and user data.
# limit: 1200 s
set -uo pipefail
cd "$(dirname "$0")/../.."
eval "$(tests/lib/clone.py sandbox db $$)"
export DARI_DEMO_IMAGE=debian
. tests/lib/steps.sh

tools/sandbox hold $$ || exit 1
tools/demo down >/dev/null 2>&1
step "the demo with Debian guests" tools/demo up
step "audit is clean" env DARI_CONFIG=$DARI_DEMO/dari.yaml build/dari audit
step "down" tools/demo down
end_steps
