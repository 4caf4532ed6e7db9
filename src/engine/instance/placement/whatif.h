/* SPDX-License-Identifier: Apache-2.0
 * Answers what a change would do to instances, without making it: runs the real operations on the committer's
 * head with the real placement, and undoes them before the change ends. Nothing is stored, published or
 * woken. Other threads may see hosts' usage figures move meanwhile. For administrators. */
#pragma once

#include "engine/operation.h"

/* An instance, and where it would be. */
struct whatif_machine {
	uuid instance;
	struct str host; /* name; empty: no host */
	struct str why;  /* why there is no host; otherwise empty */
};
/* limit of an answer, which is computed in one change */
enum { WHATIF_MACHINES_MAX = 2000 };

/* A hypothetical host. */
struct whatif_addition {
	struct ref zone;            /* by name; kind none: the first zone */
	int64_t cpus, memory, disk; /* disk and memory in bytes; disk 0: as the largest host of the region */
};
enum whatif_event {
	WHATIF_NOTHING,   /* only the addition: which waiting instances would be placed? */
	WHATIF_HOST_DOWN, /* is there room elsewhere for all its instances? Ignores that disks on the host
			   * itself would be lost */
	WHATIF_DRAIN      /* see engine_drain_host() */
};
struct whatif {
	enum whatif_event event;
	struct ref host;                        /* by name or id; not for WHATIF_NOTHING */
	const struct whatif_addition *addition; /* NULL: none */
	/* outputs: */
	const struct whatif_machine *machines;
	size_t machine_count;
	bool is_cut;       /* there are more than WHATIF_MACHINES_MAX */
	struct strs hosts; /* for WHATIF_NOTHING: names of the existing hosts */
};
/* ERR_NOT_FOUND: unknown host or zone. ERR_INVALID: impossible sizes. */
OPERATION(engine_answer_whatif, whatif)

/* Plans live migrations that even out the load of hosts. Each would be accepted if it were requested after
 * those before it. */
struct rebalancing_move {
	uuid instance;
	struct str from, to;                              /* names of hosts */
	int from_before, from_after, to_before, to_after; /* in thousandths, see balance_load() */
};
enum { REBALANCING_MOVES_MAX = 50, REBALANCING_TRIES_MAX = 1000 };
struct rebalancing {
	size_t move_cap; /* at most REBALANCING_MOVES_MAX */
	/* outputs: */
	struct rebalancing_move moves[REBALANCING_MOVES_MAX];
	size_t move_count;
	int fullest_before, fullest_after, emptiest_before, emptiest_after; /* of open hosts */
};
OPERATION(engine_plan_rebalancing, rebalancing)
