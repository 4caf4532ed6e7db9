/* SPDX-License-Identifier: Apache-2.0
 * A network driver around another one which records the last configuration of each object as text. Looking at
 * everything again must not change any configuration: otherwise, an earlier change failed to wake its
 * subject. The record is global, like the simulated network's state. */
#pragma once

#include "drivers/network.h"

/* Puts itself around the handle. */
RESULT applied_open(struct ctx *c, struct network_handle *network);
void applied_reset(void);
struct str applied_read(struct arena *a); /* a line per thing */
