/* SPDX-License-Identifier: Apache-2.0
 * Private to api/native/: a change that is only tried (?dry=1). It runs on the committer, is undone, and the answer says
 * what it would have made, where that would find room, and how much of the account's limits it would take. */
#pragma once

#include "api/native/action.h"

struct dry_made {
	enum kind kind;
	uuid id;
	struct str meter,
		zone; /* what price lists call it, and where it is; empty: it has no price of its own */
	int64_t level;
};

/* Of a launch: how many hosts would take one more, and why others would not. By processors, memory and the type's root
 * disk: what else an instance asks for (groups, pools, further disks) does not count. */
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
	struct account_usage *before, *after; /* of the caller's account; NULL: none */
	const struct account *account;
	const struct dry_made *made;
	size_t made_count;
};

/* In prepare. */
RESULT dry_begin(struct native_call *e);
/* On the committer: before the operation, and behind it. */
RESULT dry_look_before(struct native_call *e, struct op *op);
RESULT dry_look_after(struct native_call *e, struct op *op);
/* On the committer: where an instance of that type would find room. */
RESULT dry_look_for_room(struct op *op, const struct ref *type, const struct ref *zone,
			 struct native_room *ret_room);
/* A list "reasons": how many hosts are out of the question, and why. */
void dry_write_reasons(const struct native_room *room, struct json_writer *w);
/* "items": what of each the account has, and may have. */
struct account;
void native_write_quotas(struct json_writer *w, const struct account *account);
