#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A minute for each fuzz target.
# limit: 900 s
# covers: 10-fuzz.sh
FUZZ_S=60 FUZZ_OPTIMIZATION=1 exec "$(dirname "$0")/10-fuzz.sh"
