#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/ovn
# Tests the OVN driver alone, on a real OVN with packets: tests/real/network_ovn.
set -euo pipefail
cd "$(dirname "$0")/../.."
export DARI_NETWORK_DRIVE=${DARI_BUILD:-$PWD/build/main}/tests/real/network_ovn/network-ovn-drive
eval "$(tests/lib/clone.py sandbox nw $$)"
tools/sandbox hold $$ || exit 1
exec /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/real/network_ovn
