#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Interrupts calls of OpenStack's face at every possible place, in every way.
# limit: 9000 s
# covers: 25-each-fault-openstack.sh
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" tests/golden/openstack
