#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the unit and golden tests with threads, two accounts, and load under ThreadSanitizer.
# limit: 5400 s
exec "$(dirname "$0")/../lib/sanitized.sh" tsan
