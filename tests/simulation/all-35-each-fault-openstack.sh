#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Interrupts all calls of OpenStack's face at one in 16 possible places, in every way. Each day takes others: 16 days in a row take each place once.
# limit: 3600 s
# covers: 25-each-fault-openstack.sh
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 16 --seed "${FAULT_SEED:-$(($(date +%s) / 86400))}" tests/golden/openstack
