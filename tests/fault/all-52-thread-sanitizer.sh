#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Under ThreadSanitizer: the unit and golden tests that have threads, two accounts, and load.
# limit: 5400 s
exec "$(dirname "$0")/../lib/sanitized.sh" tsan
