#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs twenty histories of taint.py.
# limit: 5400 s
# when: long
# covers: cross/taint.py
SEEDS=20 exec "$(dirname "$0")/taint.py"
