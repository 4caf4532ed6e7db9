#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# limit: 3600 s
# Interrupts calls of IAM, of both versions of Elastic Load Balancing and of Auto Scaling at one in 4 possible places, in every way. Each day takes others:
# 4 days in a row take each place once.
# covers: 29-each-fault-query.sh
cd "$(dirname "$0")/../.." || exit 1
for face in iam elb elb_classic autoscaling; do
  "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 4 --seed "${FAULT_SEED:-$(($(date +%s) / 86400))}" "tests/golden/$face" || exit 1
done
