/* SPDX-License-Identifier: Apache-2.0
 * Chooses live migrations that even out the load of hosts. Works on figures alone; the callback decides
 * whether an instance may really go to a host. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct balance_host {
	uuid zone;                       /* instances stay within their zone */
	int64_t vcpus, memory;           /* capacity for placement; memory in bytes */
	int64_t used_vcpus, used_memory; /* used capacity, same units */
	bool is_open;                    /* accepts instances */
};
struct balance_machine {
	size_t host; /* index into hosts */
	int64_t vcpus, memory;
	bool stays; /* cannot be moved, or has been moved */
};
struct balance {
	struct balance_host *hosts;
	size_t host_count;
	struct balance_machine *machines;
	size_t machine_count;
	/* True if the instance may go to the host. NULL: every instance may go anywhere. */
	bool (*may)(void *arg, size_t machine, size_t host);
	void *arg;
};

/* Load in thousandths: of vCPUs or of memory, whichever is higher. A host without capacity counts as full. */
int balance_load(const struct balance_host *host);

/* BALANCE_GAIN: a move has to lower the load of the fuller of its two hosts by as many thousandths. */
enum { BALANCE_GAIN = 50, BALANCE_HOSTS_TRIED = 16 };
struct balance_move {
	size_t machine, host;
	int from_before, from_after, to_before, to_after; /* values of balance_load() */
};
/* Best move from the fullest host that has a worthwhile one. False if the BALANCE_HOSTS_TRIED fullest hosts
 * have none. */
bool balance_next(const struct balance *b, struct balance_move *ret_move);
/* Applies a move to the figures. The instance is not moved again. */
void balance_make(struct balance *b, const struct balance_move *move);
