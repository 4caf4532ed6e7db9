#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure src/engine
# Interrupts each golden case of Azure's face at one in 64 possible places. The number of commits says which; FAULT_SEED names others.
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 64 \
  --seed "${FAULT_SEED:-$(git rev-list --count HEAD)}" tests/golden/azure
