#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/azure src/engine
# Each golden case of Azure's face, and one in 64 of the places where it can be interrupted; other ones each day. FAULT_SEED
# repeats a day's.
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 64 \
  --seed "${FAULT_SEED:-$(date +%Y%m%d)}" tests/golden/azure
