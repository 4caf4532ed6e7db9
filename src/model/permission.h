/* SPDX-License-Identifier: Apache-2.0
 * Canonical permissions: what people may be given or denied apart, whatever face they come through. Each has
 * a name of ours ("instance.terminate"), the action of IAM's policies that it is ("ec2:TerminateInstances"),
 * and OpenStack's policy names of the calls that do the same ("os_compute_api:servers:delete"). Policies
 * compile to sets of these, so that what they say in one face's words holds in all of them. What EC2 has no
 * action for is named in its manner ("ec2:PauseInstances"): "ec2:*" means it, too. Pure; any thread. */
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
	const char *action; /* IAM's */
	const char *also;   /* other faces' names, with spaces between; "": none */
	const char *kinds;  /* of rows that it is decided on, with spaces between; "*": all; "": none */
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

/* By its own name; PERMISSION_NONE: an operation's that no policy speaks of. */
int permission_find(struct str name);
/* By a face's: IAM's in any letter case, OpenStack's as they are. PERMISSION_NONE: there is none. Walks the
 * whole table: for start-up and for simulations. */
int permission_find_action(struct str action);
/* The n-th name that faces have for it, IAM's first; false: it has no more. */
bool permission_word(int permission, size_t n, struct str *ret_word);
/* Of a face's action, for dumps: the permission that it is. Walks the whole table. NULL: it is none. */
const struct permission *permission_of_action(struct str action);
/* Whether policies decide it on each row of that kind that a call names: they must allow it there. False: a
 * Deny alone counts, and only one that names the row. PERMISSION_NONE is decided on every row. */
bool permission_is_decided_on(int permission, enum kind kind);
/* Whether it is decided on the resource "*" alone, as IAM decides most Describe… and List… actions.
 * PERMISSION_NONE is, in a call that changes nothing. */
bool permission_has_no_rows(int permission);
