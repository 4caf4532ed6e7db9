#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Through CloudStack's face every place where a call can be interrupted, in every way.
# limit: 3600 s
# covers: 27-each-fault-cloudstack.sh
cd "$(dirname "$0")/../.." || exit 1
exec "${DARI_BUILD:-build/main}/tests/simulation/each_fault" tests/golden/cloudstack
