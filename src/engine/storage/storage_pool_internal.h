/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: storage pools. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct storage_pool;
struct volume_type;

/* Requires a new proof of what the host sees: it was away, or has booted. */
RESULT storage_pool_doubt_host(struct op *op, uuid host);
/* A live host that sees the pool, other than `except`; none: there is none. */
uuid storage_pool_find_host(const struct tables *t, uuid pool, uuid except);
/* Binds the volume type to the pool that its extra specs name; to none if they name none, or no existing
 * one. */
void storage_pool_bind_by_specs(struct op *op, struct volume_type *type);
/* ERR_CAPACITY: the type names a pool that does not exist, or requires a capability that its pool lacks. */
RESULT storage_pool_check_type(struct op *op, struct str type, struct str field);
/* ERR_CAPACITY: the pool takes no new volumes, or has too little room. pool NULL: OK. */
RESULT storage_pool_check_room(struct op *op, const struct storage_pool *pool, int64_t more,
			       struct str field);
