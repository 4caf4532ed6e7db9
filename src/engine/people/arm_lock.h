/* SPDX-License-Identifier: Apache-2.0
 * Azure's locks. A lock keeps what is at its place (arm_rights.h) from being deleted (cannot_delete) or changed at all (read_only),
 * whoever asks and through whichever face. It does not bind the region itself, which writes down what it sees, nor the operator's
 * commands. Changing one takes the account's owner, the role manager, or a policy. Source: "Lock your resources to protect your
 * infrastructure". */
#pragma once

#include "engine/people/arm_rights.h"
#include "model/arm_lock.h"

enum {
	ARM_LOCKS_MAX = 1000,    /* ours; Azure has 20 at a scope */
	ARM_LOCK_NAME_MAX = 260, /* Azure's */
	ARM_NOTES_MAX = 512,     /* likewise */
};

/* Makes the lock of that name at the scope, or replaces it. */
struct arm_lock_wish {
	struct str name, notes, scope;
	enum arm_lock_level level;
	struct arm_place place;
	uuid lock; /* made or found */
	bool is_new;
};
OPERATION(engine_put_arm_lock, arm_lock_wish)
struct arm_lock_target {
	uuid lock;
};
OPERATION(engine_delete_arm_lock, arm_lock_target)
/* The lock of that name at the scope, in any letter case; NULL: there is none. */
const struct arm_lock *engine_find_arm_lock(const struct tables *t, uuid account, struct str scope,
					    struct str name);
struct arm_place engine_get_lock_place(const struct arm_lock *l);
/* At the end of an operation that somebody asked for: whether a lock forbids what it did. ERR_PROTECTED. */
RESULT engine_check_locks(struct op *op);
