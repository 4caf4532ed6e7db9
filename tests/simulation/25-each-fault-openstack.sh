#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One case of each action of OpenStack's face, and one in 2,048 of the places where it can be interrupted; other ones
# each day. FAULT_SEED repeats a day's.
# takes: 60 s
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 2048 --once 1 \
  --seed "${FAULT_SEED:-$(date +%Y%m%d)}" tests/golden/openstack
