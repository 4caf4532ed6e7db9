#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/iam src/api/elb src/api/autoscaling src/engine/balancing src/engine/scaling src/engine/people
# Interrupts calls of IAM, of both versions of Elastic Load Balancing and of Auto Scaling at one in 64 possible places. The number of commits says which;
# FAULT_SEED names others.
cd "$(dirname "$0")/../.." || exit 1
for face in iam elb elb_classic autoscaling; do
  "${DARI_BUILD:-build/main}/tests/simulation/each_fault" --one-in 64 --seed "${FAULT_SEED:-$(git rev-list --count HEAD)}" "tests/golden/$face" || exit 1
done
