#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the demo, and once more while it is up.
# covers: 10-demo.sh
TOURS=2 exec "$(dirname "$0")/10-demo.sh"
