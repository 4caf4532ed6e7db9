/* SPDX-License-Identifier: Apache-2.0
 * The engine's two hooks in the store (struct store_config): the derived figures of accounts, hosts
 * and subnets, and the rules that hold for every single row. */
#pragma once

#include "model/host.h"
#include "store/store.h"

/* store_observer: keeps every [side] figure as a pure function of the rows. */
void engine_observe(const struct tables *head, enum kind kind, const struct row *before,
		    const struct row *after);

/* store_invariant: legal moves between states, and what must be set for good. NULL: fine. */
const char *engine_check_row(enum kind kind, const struct row *before, const struct row *after);

/* What is placed on a host, from any row of it in a view; any thread, also without walking. */
void engine_read_host_use(const struct host *host, struct host_side *ret_use);
