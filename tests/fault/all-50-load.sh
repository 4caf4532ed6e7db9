#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs 50-load.py ten times, to reveal small leaks.
# limit: 1500 s
# covers: 50-load.py
LOAD_ROUNDS=10 exec "$(dirname "$0")/50-load.py"
