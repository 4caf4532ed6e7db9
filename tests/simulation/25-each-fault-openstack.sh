#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack src/engine
# One case of each action of OpenStack's face, and one in 4,096 of the places where it can be interrupted; other ones
# each day. FAULT_SEED repeats a day's. all-35-each-fault-openstack.sh takes every case and place.
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 4096 --once 1 \
  --seed "${FAULT_SEED:-$(date +%Y%m%d)}" tests/golden/openstack
