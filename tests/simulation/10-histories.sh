#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/engine src/reconcile src/store src/drivers/sim
# Runs 150 random histories: see tests/simulation/simulation.h.
exec "${DARI_BUILD:-$(dirname "$0")/../../build/main}/tests/simulation/simulate" --histories "${HISTORIES:-150}"
