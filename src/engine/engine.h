/* SPDX-License-Identifier: Apache-2.0
 * The engine's three hooks in the store (struct store_config): derived figures of accounts, hosts,
 * subnets and others, rules that hold for every single row, and what follows for bills. */
#pragma once

#include "model/host.h"
#include "store/store.h"

/* A store_observer. It maintains every [usage] figure as a pure function of the rows. */
void engine_observe(const struct tables *head, enum kind kind, const struct row *before,
		    const struct row *after);

/* A store_invariant. It checks moves between states, and fields that are set for good. NULL:
 * fine. */
const char *engine_check_row(enum kind kind, const struct row *before, const struct row *after);

/* A store_follower. It writes usage and the ledger's subjects: meters that rows say, addresses in use or idle, what
 * resources are called (meters.c). */
RESULT engine_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after);

/* What is placed on a host. host is any version of its row that a view holds. Any thread, also when
 * the view no longer walks. */
void engine_read_host_use(const struct host *host, struct host_usage *ret_use);
/* Likewise the bytes of the volumes in a storage pool. */
struct storage_pool;
int64_t engine_read_pool_use(const struct storage_pool *pool);
