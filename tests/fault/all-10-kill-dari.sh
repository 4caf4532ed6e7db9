#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two hundred kills of dari under load.
# limit: 1200 s
# covers: 10-kill-dari.py
KILLS=200 exec "$(dirname "$0")/10-kill-dari.py"
