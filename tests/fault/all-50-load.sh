#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# 50-load.py ten times over: what leaks a little shows.
# limit: 1500 s
# covers: 50-load.py
LOAD_ROUNDS=10 exec "$(dirname "$0")/50-load.py"
