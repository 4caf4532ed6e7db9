/* SPDX-License-Identifier: Apache-2.0
 * What would become of machines, without anything of it: the operations that would do it run on the committer's private
 * head, with the same placement, and are taken back before the change ends. Nothing is written down, published or
 * woken. Hosts' usage figures, which other threads may read at any time, move for as long. Only administrators ask. */
#pragma once

#include "engine/operation.h"

/* A machine, and where it would be. */
struct whatif_machine {
	uuid instance;
	struct str host; /* its name; empty: nowhere */
	struct str why;  /* why nowhere; with a host: empty */
};
/* Of the one that answers, in one change. */
enum { WHATIF_MACHINES_MAX = 2000 };

/* A host that is not there. */
struct whatif_addition {
	struct ref zone; /* by name; kind none: the first */
	int64_t cpus, memory,
		disk; /* of the machine; bytes; disk 0: as much as the largest host of the region has */
};
enum whatif_event {
	WHATIF_NOTHING, /* but the addition: what of the waiting machines would be placed */
	WHATIF_HOST_DOWN, /* its machines, running or not, are to be placed elsewhere: is there room? Their disks are
			   * another question: where they lie on the host alone, they are gone with it */
	WHATIF_DRAIN /* as engine_drain_host() would have it */
};
struct whatif {
	enum whatif_event event;
	struct ref host;                        /* by name or id; not of WHATIF_NOTHING */
	const struct whatif_addition *addition; /* NULL: none */
	/* made: */
	const struct whatif_machine *machines;
	size_t machine_count;
	bool is_cut;       /* there are more than WHATIF_MACHINES_MAX */
	struct strs hosts; /* of WHATIF_NOTHING: names of those that are there */
};
/* ERR_NOT_FOUND: no such host or zone. ERR_INVALID: sizes that no host has. */
OPERATION(engine_answer_whatif, whatif)

/* Live migrations that would even out the load of hosts, each of which would be accepted if it were asked for behind those
 * before it. */
struct rebalancing_move {
	uuid instance;
	struct str from, to;                              /* names */
	int from_before, from_after, to_before, to_after; /* thousandths, as balance_load() has them */
};
enum { REBALANCING_MOVES_MAX = 50, REBALANCING_TRIES_MAX = 1000 };
struct rebalancing {
	size_t move_cap; /* up to REBALANCING_MOVES_MAX */
	/* made: */
	struct rebalancing_move moves[REBALANCING_MOVES_MAX];
	size_t move_count;
	int fullest_before, fullest_after, emptiest_before, emptiest_after; /* of the open hosts */
};
OPERATION(engine_plan_rebalancing, rebalancing)
