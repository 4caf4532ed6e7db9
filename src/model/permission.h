/* SPDX-License-Identifier: Apache-2.0
 * Permissions: actions that can be allowed or denied separately, in any face. Each has a name of ours
 * ("instance.terminate"), the corresponding IAM action ("ec2:TerminateInstances"), and OpenStack's policy
 * names for equivalent calls ("os_compute_api:servers:delete"). Policies compile to sets of permissions, so a
 * policy in one face's words applies in all faces. Actions missing in EC2 have names in its style
 * ("ec2:PauseInstances"), so "ec2:*" includes them. Pure; any thread. */
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
	const char *action; /* IAM's name */
	const char *also;   /* other faces' names, space-separated; "": none */
	const char *kinds;  /* kinds of rows it is decided on, space-separated; "*": all; "": none */
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

/* Finds a permission by our name. PERMISSION_NONE: not a permission, so no policy applies to it. */
int permission_find(struct str name);
/* Finds a permission by a face's name: IAM's ignoring case, OpenStack's exactly. PERMISSION_NONE: none.
 * Searches the entire table: for start-up and simulations. */
int permission_find_action(struct str action);
/* The n-th face name of a permission, IAM's first. False: no more. */
bool permission_word(int permission, size_t n, struct str *ret_word);
/* The permission for a face's action, for dumps; NULL: none. Searches the entire table. */
const struct permission *permission_of_action(struct str action);
/* True if a policy must allow the permission on each row of that kind named in a call. False: only a Deny
 * that names the row counts. PERMISSION_NONE is decided on every row. */
bool permission_is_decided_on(int permission, enum kind kind);
/* True if the permission is decided on the resource "*" only, like most Describe… and List… actions in IAM.
 * PERMISSION_NONE is, in calls that change nothing. */
bool permission_has_no_rows(int permission);
