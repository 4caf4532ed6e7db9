#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/engine src/store
# Interrupts calls of EC2's face at one in 256 possible places. The number of commits says which, so that a commit's run can be repeated; FAULT_SEED names
# another. all-30-each-fault.sh takes more places.
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 256 --seed "${FAULT_SEED:-$(git rev-list --count HEAD)}" tests/golden/ec2
