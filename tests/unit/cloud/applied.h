/* SPDX-License-Identifier: Apache-2.0
 * What the network was last told of each thing, as text: a driver around another's. Looking at
 * everything again must not tell it anything else, or somebody was not woken when it was time.
 * The record is the process's, as the simulated network's state. */
#pragma once

#include "drivers/network.h"

/* Puts itself around the handle. */
RESULT applied_open(struct ctx *c, struct network_handle *network);
void applied_reset(void);
struct str applied_read(struct arena *a); /* a line per thing */
