#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Under AddressSanitizer with UBSan: the unit and golden tests, two accounts, and load.
# limit: 5400 s
exec "$(dirname "$0")/../lib/sanitized.sh" asan
