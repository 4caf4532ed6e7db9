/* SPDX-License-Identifier: Apache-2.0
 * The engine's three hooks in the store (struct store_config): derived usage figures, invariants of single
 * rows, and records for billing. */
#pragma once

#include "store/store.h"

struct host;
struct host_usage;

/* A store_observer: maintains every [usage] figure as a pure function of the rows. */
void engine_observe(const struct tables *head, enum kind kind, const struct row *before,
		    const struct row *after);

/* A store_invariant: checks state transitions and immutable fields. Returns NULL, or what is wrong. */
const char *engine_check_row(enum kind kind, const struct row *before, const struct row *after);

/* A store_follower: writes usage and the ledger's subjects: meters derived from rows, used and idle
 * addresses, names of resources (meters.c). */
RESULT engine_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after);

/* The resources placed on a host. host: any version of its row in a view. Any thread, even after the view
 * stopped walking. */
void engine_read_host_use(const struct host *host, struct host_usage *ret_use);
/* Bytes of the volumes placed in a storage pool. pool: any version of its row in a view. Any thread, even
 * after the view stopped walking. */
struct storage_pool;
int64_t engine_read_pool_use(const struct storage_pool *pool);
