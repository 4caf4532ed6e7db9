#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Kills dari two hundred times under load.
# limit: 1200 s
# covers: 10-kill-dari.py
KILLS=200 exec "$(dirname "$0")/10-kill-dari.py"
