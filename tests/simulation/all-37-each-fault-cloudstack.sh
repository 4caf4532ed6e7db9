#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Interrupts all calls of CloudStack's face at one in 4 possible places, in every way. Each day takes others: 4 days in a row take each place once.
# limit: 3600 s
# covers: 27-each-fault-cloudstack.sh
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 4 --seed "${FAULT_SEED:-$(($(date +%s) / 86400))}" tests/golden/cloudstack
