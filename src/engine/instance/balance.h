/* SPDX-License-Identifier: Apache-2.0
 * Which live migrations would even out the hosts' load. Pure, and knows figures only; whether a machine may really go
 * there is asked of who knows. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct balance_host {
	uuid zone;                       /* machines stay in theirs */
	int64_t vcpus, memory;           /* what may be placed on it; memory in bytes */
	int64_t used_vcpus, used_memory; /* what is */
	bool is_open;                    /* takes machines */
};
struct balance_machine {
	size_t host; /* its index */
	int64_t vcpus, memory;
	bool stays; /* it cannot be moved, or has been */
};
struct balance {
	struct balance_host *hosts;
	size_t host_count;
	struct balance_machine *machines;
	size_t machine_count;
	/* Whether that machine may go to that host. NULL: all may. */
	bool (*may)(void *arg, size_t machine, size_t host);
	void *arg;
};

/* How full a host is, in thousandths: of vCPUs or of memory, whichever is more. One that offers nothing is full. */
int balance_load(const struct balance_host *host);

/* A move is worth its trouble if it lowers the fuller of its two hosts by as much. */
enum { BALANCE_GAIN = 50, BALANCE_HOSTS_TRIED = 16 };
struct balance_move {
	size_t machine, host;
	int from_before, from_after, to_before, to_after; /* balance_load() */
};
/* The move that lowers the fullest host most for which one is worth it. False: none is, for any of the
 * BALANCE_HOSTS_TRIED fullest. */
bool balance_next(const struct balance *b, struct balance_move *ret_move);
/* As if it had been made: the figures of both hosts, and the machine stays there from now on. */
void balance_make(struct balance *b, const struct balance_move *move);
