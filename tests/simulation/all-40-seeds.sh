#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/reconcile
# Runs the reconciler's stories with all seeds; make test uses every seventh.
# limit: 1800 s
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/steps.sh
export CLOUD_ALL_SEEDS=1
for name in chaos kill lifecycle maintenance network outage plug; do
    step "$name" "${DARI_BUILD:-build/main}/tests/unit/reconcile/test_reconcile_$name"
done
step "store faults" "${DARI_BUILD:-build/main}/tests/unit/store/test_store_faults"
end_steps
