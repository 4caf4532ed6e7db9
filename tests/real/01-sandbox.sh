#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: tools/sandbox
# Tests the sandbox itself.
exec "$(dirname "$0")/sandbox_selftest.sh"
