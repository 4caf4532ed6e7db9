#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2 src/engine src/store
# Interrupts calls at one in 256 possible places, chosen anew each day; FAULT_SEED repeats a day's choice. all-30-each-fault.sh covers all places.
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 256 --seed "${FAULT_SEED:-$(date +%Y%m%d)}" tests/golden/ec2
