#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Interrupts calls of CloudStack's face at every possible place, in every way.
# limit: 3600 s
# covers: 27-each-fault-cloudstack.sh
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" tests/golden/cloudstack
