/* SPDX-License-Identifier: Apache-2.0
 * Rules of the writer's lease, without clock or database. Several processes may share one database, and one of
 * them writes: the holder of the lease, which it renews. The database's clock decides when the lease has
 * expired. The holder counts its own deadline from before the request for the renewal was sent, so its deadline
 * is never later than the database's. Times are microseconds of clock_boot_us(). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
	LEASE_TTL_MS = 2000,
	LEASE_RENEW_MS = 500, /* between two renewals */
	LEASE_LOOK_MS = 250,  /* between two looks of a follower */
	LEASE_MARGIN_MS = 500 /* the holder stops calling drivers that much before its deadline */
};

struct lease {
	int64_t until_us;     /* the holder's deadline */
	int64_t acts_from_us; /* no driver is called before: calls of the former holder may be under way */
	bool is_lost;         /* another process has taken the lease, for good */
	bool is_silent;       /* the database did not answer the last renewal */
};

enum lease_answer { LEASE_RENEWED, LEASE_TAKEN, LEASE_SILENT };

/* The lease was taken. sent_us: before the request. acts_from_us: when the former holder's calls are over. */
void lease_begin(struct lease *lease, int64_t sent_us, int64_t acts_from_us);
/* Answer of the database to a renewal that was sent at sent_us, received at now_us. If the lease had ended by then, another process
 * may have taken it since, and a fail-over may have lost that: no driver is called until that process's time is over. */
void lease_note(struct lease *lease, int64_t sent_us, int64_t now_us, enum lease_answer answer);
/* True while no other process can have the lease. */
bool lease_is_held(const struct lease *lease, int64_t now_us);
/* True if calls may be sent to hosts and the network. */
bool lease_may_act(const struct lease *lease, int64_t now_us);
/* True if reads may be answered from memory: the lease is held, or the database does not answer, so that reads go on
 * while it is away. A writer that is cut off from the database alone then answers too, although another process
 * may write by now. False for a process that was stopped and does not know yet whether it is still the writer. */
bool lease_may_answer(const struct lease *lease, int64_t now_us);
