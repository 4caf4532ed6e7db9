/* SPDX-License-Identifier: Apache-2.0
 * What every operation of the engine is: a function that changes the cloud's rows. It runs on the
 * committer (store/store.h): memory only, no locks, no I/O, microseconds. Each goes through three
 * phases: names become rows (engine/resolve.h); states, permissions, quotas and placement are
 * checked; then the rows are written. A failure in any phase leaves no trace, because the store
 * undoes what the change had put.
 *
 * A wish is one struct: what is asked for, then what came of it ("made" and such, in the arena of
 * op->ctx; valid only when the operation returned OK and its change was published). Strings and
 * lists in a wish are borrowed from the caller; rows copy them.
 *
 * Failures carry, in the context's problem, the kind at fault and where a parameter is at fault its
 * field (struct ref's), so that a face can map (err, kind) to its own code:
 *   NOT_FOUND kind    absent, deleted, or another account's: the three look alike.
 *                     KIND_CLIENT_TOKEN: the instances that were launched with it are gone
 *   EXISTS kind       the name is taken. KIND_PORT: the private address is taken.
 *                     KIND_SECURITY_GROUP_RULE: the group has the rule already
 *   IN_USE kind       the call deletes what others depend on
 *   CONFLICT kind     KIND_SUBNET, KIND_ROUTER: blocks overlap. KIND_CLIENT_TOKEN: the token was used
 *                     with other parameters
 *   RANGE kind        a block lies outside of what must contain it, or has a size that is not allowed
 *   PROTECTED kind    default groups, termination protection
 *   QUOTA kind        the account's limit for that kind is reached. KIND_NONE: more than 50 tags
 *   STATE kind        the resource's present state does not allow the call
 *   CAPACITY kind     KIND_INSTANCE: no host has room. KIND_SUBNET: no address is left.
 *                     KIND_ADDRESS: no public address is left */
#pragma once

#include "model/id.h"
#include "model/identity.h"
#include "model/state.h"
#include "store/store.h"

struct account;
struct instance;
struct instance_profile;
struct user;

/* Declares an operation, and name_run() with the type that the store runs (op_run). */
#define OPERATION(name, type)                                                                                \
	RESULT name(struct op *op, struct type *wish);                                                       \
	static inline RESULT name##_run(struct op *op, void *wish)                                           \
	{                                                                                                    \
		return name(op, (struct type *) wish);                                                       \
	}

/* Three-valued wishes: not said, or said to be so or not so. */
enum choice { CHOICE_DEFAULT, CHOICE_YES, CHOICE_NO };

/* What the policies of whoever calls say of one resource, which is there (row) or is about to be made
 * (planned, where more of it is known than its kind). t: the head, or a view that walks. permission: the
 * operation's own canonical one. *ret_is_allowed: a policy gives it; else none speaks of it, and roles
 * decide. ERR_DENIED: a policy denies it, or a boundary does not include it. */
struct guard;
typedef RESULT guard_check(struct guard *g, struct ctx *c, const struct tables *t, const char *permission,
			   enum kind kind, const struct row *row, const struct row *planned,
			   bool *ret_is_allowed);

/* A row that the call named was found (engine/resolve.h): decides the call's own action on it, before anybody
 * makes use of the row. ERR_DENIED. */
typedef RESULT guard_check_found(struct guard *g, struct ctx *c, const struct tables *t, enum kind kind,
				 const struct row *row);
/* What the call named was not found. ERR_DENIED: the caller may not even learn that. */
typedef RESULT guard_check_absent(struct guard *g, struct ctx *c, const struct tables *t,
				  const struct ref *ref);
/* What the caller's policies in one account, whichever the call is for, say of something of that user's:
 * engine/people/own.h. *ret_is_allowed: a policy gives it. ERR_DENIED: a policy denies it, or a boundary does
 * not include it. */
typedef RESULT guard_check_account(struct guard *g, struct ctx *c, const struct tables *t,
				   const char *permission, const struct user *user, uuid account,
				   bool *ret_is_allowed);

/* In the context of a call that policies may speak of: auth/guard.h. */
struct guard {
	guard_check *check;
	guard_check_found *check_found;
	guard_check_absent *check_absent;
	guard_check_account *check_account;
	/* What the operation says about the permission that it asks for next (engine_permit_profile()). */
	const struct instance_profile
		*profile;                /* that the instance is to get; NULL: nothing is said of one */
	const struct instance *instance; /* that has the profile's role passed on to it; NULL: a new one */
};

/* Whether the caller may do this to this resource: called for each resolved resource before the
 * write phase, with canonical permissions ("instance.terminate"). row may be NULL for a resource
 * that is about to be made. ERR_DENIED. */
RESULT engine_permit(struct op *op, const char *permission, enum kind kind, const struct row *row);
/* The same for a resource that is about to be made, as far as it is known: policies speak of its type, its
 * size, its tags. */
RESULT engine_permit_new(struct op *op, const char *permission, enum kind kind, const struct row *planned);

/* What policies may ask about besides: which profile an instance is to get, and which one (NULL: one that is
 * about to be made) gets its role. Holds until it is said otherwise. */
void engine_permit_profile(struct op *op, const struct instance_profile *profile,
			   const struct instance *instance);

/* The account in whose name the operation acts: the caller's; ERR_INVALID for the system itself
 * and for an operator that named none, ERR_DENIED when it is disabled. */
RESULT engine_find_acting_account(struct op *op, const struct account **ret_account);
/* Whose a new resource is to be: the caller's own account (wanted of kind none), or any other for an
 * administrator. ERR_DENIED with KIND_ACCOUNT. */
RESULT engine_find_owner_to_be(struct op *op, const struct ref *wanted, const struct account **ret_account);
/* What is part of another resource belongs to its owner: ERR_INVALID with KIND_ACCOUNT for another one. */
RESULT engine_check_owner(struct op *op, const struct ref *wanted, uuid owner);
