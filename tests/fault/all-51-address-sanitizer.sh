#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the unit and golden tests, two accounts, and load under AddressSanitizer with UBSan.
# limit: 5400 s
exec "$(dirname "$0")/../lib/sanitized.sh" asan
