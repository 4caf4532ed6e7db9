#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack src/engine
# Interrupts one golden case of each changing command of CloudStack's face at one in 32 possible places, chosen anew each day; FAULT_SEED repeats a
# day's choice. all-37-each-fault-cloudstack.sh covers all cases and places.
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 32 --once 1 \
  --seed "${FAULT_SEED:-$(date +%Y%m%d)}" tests/golden/cloudstack
