#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/cloudstack src/engine
# Interrupts one golden case of each changing command of CloudStack's face at one in 32 possible places. The number of commits says which; FAULT_SEED
# names others. all-37-each-fault-cloudstack.sh takes all cases and more places.
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 32 --once 1 \
  --seed "${FAULT_SEED:-$(git rev-list --count HEAD)}" tests/golden/cloudstack
