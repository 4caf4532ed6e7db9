/* SPDX-License-Identifier: Apache-2.0
 * Permissions: what people may be allowed or denied separately, whichever face they use. Each has a
 * name of ours ("instance.terminate"), the action of IAM that it is ("ec2:TerminateInstances"), and
 * OpenStack's policy names of the calls that do the same ("os_compute_api:servers:delete").
 * Policies compile to sets of permissions, so what a policy says in one face's words holds in all
 * faces. What EC2 has no action for is named in EC2's manner ("ec2:PauseInstances"), so "ec2:*"
 * includes it. Pure; any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/kinds.h"

enum {
	PERMISSION_COUNT = 0
#define PERMISSION(name, action, also, kinds) +1
#include "model/permissions.def"
#undef PERMISSION
};
enum { PERMISSION_NONE = -1, PERMISSION_WORDS = (PERMISSION_COUNT + 63) / 64 };

struct permission {
	const char *name;
	const char *action; /* in IAM's words */
	const char *also;   /* in other faces' words, separated by spaces; "": none */
	const char
		*kinds; /* the kinds of rows that it is decided on, separated by spaces; "*": all; "": none */
};

extern const struct permission model_permissions[PERMISSION_COUNT]; /* sorted by name */

struct permission_set {
	uint64_t bits[PERMISSION_WORDS];
};

static inline bool permission_in(const struct permission_set *set, int permission)
{
	return set->bits[permission / 64] >> permission % 64 & 1;
}
static inline void permission_add(struct permission_set *set, int permission)
{
	set->bits[permission / 64] |= UINT64_C(1) << permission % 64;
}

/* Finds a permission by our name. PERMISSION_NONE: the operation's name is not one, so no policy
 * speaks of it. */
int permission_find(struct str name);
/* Finds a permission by a face's name: IAM's in any letter case, OpenStack's exactly.
 * PERMISSION_NONE: there is none. Searches the whole table: for start-up and for simulations. */
int permission_find_action(struct str action);
/* The n-th name that faces have for a permission, IAM's first. False: it has no more. */
bool permission_word(int permission, size_t n, struct str *ret_word);
/* The permission of a face's action, for dumps; NULL: none. Searches the whole table. */
const struct permission *permission_of_action(struct str action);
/* Whether a policy must allow the permission on each row of that kind that a call names. False:
 * only a Deny counts, and only if it names the row. PERMISSION_NONE is decided on every row. */
bool permission_is_decided_on(int permission, enum kind kind);
/* Whether the permission is decided on the resource "*" alone, as IAM does for most Describe… and
 * List… actions. PERMISSION_NONE is, in a call that changes nothing. */
bool permission_has_no_rows(int permission);
