/* SPDX-License-Identifier: Apache-2.0
 * What every operation of the engine is: a function that changes the cloud's rows. It runs on the
 * committer (store/store.h): memory only, no locks, no I/O, microseconds. It goes through three
 * phases. First, names become rows (engine/resolve.h). Then states, permissions, quotas and
 * placement are checked. Last, rows are written. A failure in any phase leaves no trace, because
 * the store undoes what the change had put.
 *
 * A wish is one struct: what is asked for, then what came of it. The latter ("made" and such) is in
 * the arena of op->ctx, and valid only when the operation returned OK and its change was published.
 * Strings and lists in a wish are borrowed from the caller; rows copy them.
 *
 * A failure puts into the context's problem the kind at fault and, where a parameter is at fault,
 * its field (struct ref's), so that a face can map (err, kind) to its own code:
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

/* Declares an operation, and name##_run() with the type that the store runs (op_run). */
#define OPERATION(name, type)                                                                                \
	RESULT name(struct op *op, struct type *wish);                                                       \
	static inline RESULT name##_run(struct op *op, void *wish)                                           \
	{                                                                                                    \
		return name(op, (struct type *) wish);                                                       \
	}

/* A wish for a boolean: leave it as it is, or make it true, or make it false. */
enum choice { CHOICE_DEFAULT, CHOICE_YES, CHOICE_NO };

/* What the caller's policies say of one resource, which exists (row) or is about to be made
 * (planned, if more of it is known than its kind). t: the head, or the tables of a view that is read.
 * permission: the operation's own. *ret_is_allowed: a policy allows it. Else no policy speaks of
 * it, and roles decide. ERR_DENIED: a policy denies it, or a boundary does not include it. */
struct guard;
typedef RESULT guard_check(struct guard *g, struct ctx *c, const struct tables *t, const char *permission,
			   enum kind kind, const struct row *row, const struct row *planned,
			   bool *ret_is_allowed);

/* The engine found a row that the call named. Decides the call's action on that row, before anybody
 * uses it. ERR_DENIED. */
typedef RESULT guard_check_found(struct guard *g, struct ctx *c, const struct tables *t, enum kind kind,
				 const struct row *row);
/* The engine did not find what the call named. ERR_DENIED: the caller may not even learn that. */
typedef RESULT guard_check_absent(struct guard *g, struct ctx *c, const struct tables *t,
				  const struct ref *ref);
/* The operation is about to do what is a call of its own in every face, though the caller asked for something else. Decides
 * that call, too: here, silence of the policies refuses. ERR_DENIED. */
typedef RESULT guard_check_beside(struct guard *g, struct ctx *c, const struct tables *t,
				  const char *permission);
/* What the caller's policies in one account, whichever the call is for, say of something that
 * belongs to that user (engine/people/own.h). *ret_is_allowed: a policy allows it. ERR_DENIED: a
 * policy denies it, or a boundary does not include it. */
typedef RESULT guard_check_account(struct guard *g, struct ctx *c, const struct tables *t,
				   const char *permission, const struct user *user, uuid account,
				   bool *ret_is_allowed);

/* The guard of a call that policies may speak of. auth/guard.h puts it into the call's context. */
struct guard {
	guard_check *check;
	guard_check_found *check_found;
	guard_check_absent *check_absent;
	guard_check_beside *check_beside;
	guard_check_account *check_account;
	/* What the operation says about the next permission that it asks for
	 * (engine_permit_profile()). */
	const struct instance_profile
		*profile; /* the profile that the instance shall get; NULL: nothing is said of one */
	const struct instance
		*instance; /* the instance that the profile's role is passed to; NULL: a new one */
};

/* The guard of a caller whom no policy names: roles alone decide. It is const in effect: nobody writes to it. */
extern struct guard engine_guard_of_roles;
/* Acts as `who` (NULL: the system) from now on, bound by roles alone: where no call asks, and in tests. */
void engine_act_by_roles(struct ctx *c, const struct identity *who);
/* Everything that finds, permits or changes a row asks this first. Refuses a context that belongs neither to the
 * system (who NULL) nor to the operator and carries no guard, because then no policy would be asked. ERR_DENIED; a
 * debug build aborts, because the code that made the context has to be corrected. */
RESULT engine_check_guarded(struct ctx *c);

/* Whether the caller may do this to this resource. Called for each resolved resource before the
 * write phase, with our names of permissions ("instance.terminate"). row may be NULL for a resource
 * that is about to be made. ERR_DENIED. */
RESULT engine_permit(struct op *op, const char *permission, enum kind kind, const struct row *row);
/* The same for a resource that is about to be made, as far as it is known: policies speak of its
 * type, its size and its tags. */
RESULT engine_permit_new(struct op *op, const char *permission, enum kind kind, const struct row *planned);

/* Permits what an operation does beside what was asked for: a launch that makes a network, for instance, needs the
 * permission to make networks. ERR_DENIED. */
RESULT engine_permit_beside(struct op *op, const char *permission);

/* Says which profile an instance shall get, and which instance (NULL: one that is about to be
 * made), because policies may ask about both. It holds until the next call. */
void engine_permit_profile(struct op *op, const struct instance_profile *profile,
			   const struct instance *instance);

/* The account in whose name the operation acts, which is the caller's. ERR_INVALID: the system
 * itself asks, or an operator that named no account. ERR_DENIED: the account is disabled. */
RESULT engine_find_acting_account(struct op *op, const struct account **ret_account);
/* The account that a new resource shall belong to: the caller's (wanted of kind none), or for an
 * administrator any. ERR_DENIED with KIND_ACCOUNT. */
RESULT engine_find_owner_to_be(struct op *op, const struct ref *wanted, const struct account **ret_account);
/* A part of another resource belongs to that one's owner. ERR_INVALID with KIND_ACCOUNT: somebody
 * else is wanted. */
RESULT engine_check_owner(struct op *op, const struct ref *wanted, uuid owner);
