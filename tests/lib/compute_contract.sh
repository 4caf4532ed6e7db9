#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# compute_contract.sh compute | disks | libvirt: runs that part of test_compute_libvirt.c in a separate sandbox.
set -uo pipefail
cd "$(dirname "$0")/../.."
eval "$(tests/lib/clone.py sandbox "cp${1:0:1}" $$)"
tools/sandbox hold $$ || exit 1
tools/sandbox down >/dev/null 2>&1
trap 'tools/sandbox down >/dev/null' EXIT
tools/sandbox up >/dev/null || exit 1
tools/tiny-image build/cache/tiny.qcow2 >/dev/null || exit 1
export DARI_TEST_SANDBOX=$PWD/tools/sandbox DARI_TEST_IMAGE=$PWD/build/cache/tiny.qcow2 CMOCKA_MESSAGE_OUTPUT=TAP DARI_TEST_PART=$1
"${DARI_BUILD:-$PWD/build/main}/tests/unit/drivers/test_drivers_compute_libvirt"
