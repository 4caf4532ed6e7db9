/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: dry runs of changes (?dry=1). A dry run executes the change on the committer and undoes it. The answer lists the
 * rows that the change would create, the hosts with room for them, and the use of the account's limits. */
#pragma once

#include "api/native/action.h"

struct dry_made {
	enum kind kind;
	uuid id;
	struct str meter, zone; /* meter in price lists, and zone; empty: the row has no price of its own */
	int64_t level;
};

/* Room for a launch: number of hosts that could run another instance, and reasons of the other hosts. Considers processors, memory
 * and the type's root disk only, not placement groups, pools or further disks. */
struct native_room {
	bool is_known;
	size_t fitting, hosts;
	struct room_reason {
		const char *why;
		size_t hosts;
	} reasons[20];
	size_t reason_count;
};

struct dry {
	struct account_usage *before,
		*after; /* usage of the caller's account; NULL: the caller has no account */
	const struct account *account;
	const struct dry_made *made;
	size_t made_count;
};

/* Allocates e->dry, in prepare. */
RESULT dry_begin(struct native_call *e);
/* Read the account's usage before the operation, and the new rows and the usage after it. Run on the committer. */
RESULT dry_look_before(struct native_call *e, struct op *op);
RESULT dry_look_after(struct native_call *e, struct op *op);
/* Finds the hosts with room for an instance of the type. Runs on the committer. */
RESULT dry_look_for_room(struct op *op, const struct ref *type, const struct ref *zone,
			 struct native_room *ret_room);
/* Writes the list "reasons": number of unsuitable hosts for each reason. */
void dry_write_reasons(const struct native_room *room, struct json_writer *w);
/* Writes "items": for each quota the account's usage and limit. */
struct account;
void native_write_quotas(struct json_writer *w, const struct account *account);
