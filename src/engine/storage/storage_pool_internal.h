/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of storage pools. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct storage_pool;
struct volume_type;

/* The host is to prove anew what it sees: it was away, or has booted. */
RESULT storage_pool_doubt_host(struct op *op, uuid host);
/* A host that answers and sees the pool, but that one; none: there is none. */
uuid storage_pool_find_host(const struct tables *t, uuid pool, uuid except);
/* The host is no more. */
RESULT storage_pool_forget_host(struct op *op, uuid host);
/* The pool that a volume type's extra specs name is its pool from now on; none: there is no such pool, or none is
 * named. */
void storage_pool_bind_by_specs(struct op *op, struct volume_type *type);
/* ERR_CAPACITY: the type names a pool that is not there, or asks for what its pool has not. */
RESULT storage_pool_check_type(struct op *op, struct str type, struct str field);
/* ERR_CAPACITY: the pool takes no new volumes, or has not as many bytes left. pool NULL: OK. */
RESULT storage_pool_check_room(struct op *op, const struct storage_pool *pool, int64_t more,
			       struct str field);
