#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Interrupts all calls of EC2's face at one in 4 possible places, in every way. Each day takes others: 4 days in a row take each place once.
# limit: 3600 s
# covers: 20-each-fault.sh
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 4 --seed "${FAULT_SEED:-$(($(date +%s) / 86400))}" tests/golden/ec2
