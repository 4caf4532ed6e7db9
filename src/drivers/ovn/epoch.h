/* SPDX-License-Identifier: Apache-2.0
 * The writer's epoch in OVN's northbound database. Several dari processes may share a region's rows, and one writes (store/lease.h).
 * A former writer's transactions may be under way when the next one begins. So each transaction names its writer's
 * epoch, and OVSDB itself refuses that of a superseded one: the epoch stands in NB_Global's external_ids, and a
 * `wait` operation compares it. */
#pragma once

#include "drivers/network.h"
#include "drivers/ovn/ovsdb.h"

struct epoch {
	int64_t number;     /* counts the writers; 0: one process has the region, and nothing is compared */
	const char *region; /* text of the region's id: regions may share a database */
};

/* Sets the epoch of an OVN network before its first use. */
void ovn_set_epoch(const struct network_handle *network, int64_t epoch);

/* Makes ops of a transaction that fails if another epoch stands in the database: operations in front, which also write an
 * epoch that is newer than the database's, and ops. ERR_STATE: the cache shows a newer one. The caller owns *ret_ops;
 * *ret_added: number of operations in front. */
RESULT epoch_guard(struct ctx *c, const struct ovsdb_cache *cache, const struct epoch *epoch,
		   const json_t *ops, json_t **ret_ops, size_t *ret_added);
/* ovsdb_transact() with that guard. ret_results is without the operations in front. */
RESULT epoch_transact(struct ovsdb *db, struct ctx *c, const struct epoch *epoch, const json_t *ops,
		      json_t **ret_results);
