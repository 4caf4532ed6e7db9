/* SPDX-License-Identifier: Apache-2.0
 * Azure's management locks. A lock protects the resources at its place (arm_rights.h) from deletion
 * (cannot_delete) or from any change (read_only), for all callers and faces. It does not restrict the
 * reconciler's records or the operator's commands. Changing a lock requires the account's owner, the role
 * manager, or a policy. Source: "Lock your resources to protect your infrastructure". */
#pragma once

#include "engine/people/policy/arm_rights.h"
#include "model/arm_lock_words.h"

struct arm_lock;

enum {
	ARM_LOCKS_MAX = 1000,    /* our limit; Azure's is 20 per scope */
	ARM_LOCK_NAME_MAX = 260, /* Azure's limit */
	ARM_NOTES_MAX = 512,     /* Azure's limit */
};

/* Creates the lock with that name at the scope, or replaces it. */
struct arm_lock_wish {
	struct str name, notes, scope;
	enum arm_lock_level level;
	struct arm_place place;
	uuid lock; /* created or replaced */
	bool is_new;
};
OPERATION(engine_put_arm_lock, arm_lock_wish)
struct arm_lock_target {
	uuid lock;
};
OPERATION(engine_delete_arm_lock, arm_lock_target)
/* The lock with that name at the scope, case-insensitive, or NULL. */
const struct arm_lock *engine_find_arm_lock(const struct tables *t, uuid account, struct str scope,
					    struct str name);
struct arm_place engine_get_lock_place(const struct arm_lock *l);
/* Runs at the end of a user's operation and fails if a lock forbids one of its changes. ERR_PROTECTED. */
RESULT engine_check_locks(struct op *op);
