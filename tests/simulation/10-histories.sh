#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A hundred and fifty random histories: tests/simulation/simulation.h.
# takes: 30 s
exec "${DARI_BUILD:-$(dirname "$0")/../../build/main}/tests/simulation/simulate" --histories "${HISTORIES:-150}"
