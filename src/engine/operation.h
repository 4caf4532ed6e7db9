/* SPDX-License-Identifier: Apache-2.0
 * Common to all operations of the engine. An operation is a function that changes the cloud's rows. It runs
 * on the committer (store/store.h): memory only, no locks, no I/O, microseconds. It has three phases: it
 * resolves names to rows (engine/resolve.h); it checks states, permissions, quotas and placement; it writes
 * rows. A failure in any phase leaves no trace, because the store undoes the change.
 *
 * A wish is one struct with the request and the results. Results are in the arena of op->ctx, and valid only
 * if the operation returned OK and its change was published. Strings and lists in a wish are borrowed from
 * the caller; rows copy them.
 *
 * A failure sets the kind in the context's problem and, for an invalid parameter, its field (struct ref's),
 * so that a face can map (err, kind) to its own error code:
 *   NOT_FOUND kind    absent, deleted, or another account's, without distinction.
 *                     KIND_CLIENT_TOKEN: the instances launched with it are gone
 *   EXISTS kind       the name is in use. KIND_PORT: the private address is in use.
 *                     KIND_SECURITY_GROUP_RULE: the group has the rule already
 *   IN_USE kind       other resources depend on the one to delete
 *   CONFLICT kind     KIND_SUBNET, KIND_ROUTER: blocks overlap. KIND_CLIENT_TOKEN: the token was used
 *                     with other parameters
 *   RANGE kind        a block is outside of the one that must contain it, or has an invalid size
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

/* Declares an operation that the system alone runs: reports of drivers, sweeps, guests' own words about their
 * instance. name##_run() refuses every caller, the operator too; an operation that has asked for its own
 * permission may call name() itself. */
#define SYSTEM_OPERATION(name, type)                                                                         \
	RESULT name(struct op *op, struct type *wish);                                                       \
	static inline RESULT name##_run(struct op *op, void *wish)                                           \
	{                                                                                                    \
		TRY(engine_check_system(op->ctx));                                                           \
		return name(op, (struct type *) wish);                                                       \
	}
/* ERR_DENIED: the context belongs to a caller, and not to the system. A debug build aborts. */
RESULT engine_check_system(struct ctx *c);

/* A wish for a boolean: no change, true or false. */
enum choice { CHOICE_DEFAULT, CHOICE_YES, CHOICE_NO };

/* Evaluates the caller's policies for one resource, which exists (row) or will be created (planned, if more
 * than its kind is known). t: the head, or the tables of a view in walks. permission: the operation's own.
 * *ret_is_allowed: a policy allows it; otherwise no policy mentions it, and roles decide. ERR_DENIED: a
 * policy denies it, or a boundary does not include it. */
struct guard;
typedef RESULT guard_check(struct guard *g, struct ctx *c, const struct tables *t, const char *permission,
			   enum kind kind, const struct row *row, const struct row *planned,
			   bool *ret_is_allowed);

/* The engine has found a row that the call named. Evaluates the call's action on that row before it is used.
 * ERR_DENIED. */
typedef RESULT guard_check_found(struct guard *g, struct ctx *c, const struct tables *t, enum kind kind,
				 const struct row *row);
/* The engine has not found what the call named. ERR_DENIED: the caller may not learn that. */
typedef RESULT guard_check_absent(struct guard *g, struct ctx *c, const struct tables *t,
				  const struct ref *ref);
/* The engine has found another account's row that the row's own policy may open to the caller. Evaluates the call's action on it, first by
 * that policy. ERR_NOT_FOUND: it does not let the caller in. ERR_DENIED: it does, and the caller's own policies do not. */
typedef RESULT guard_check_shared(struct guard *g, struct ctx *c, const struct tables *t, enum kind kind,
				  const struct row *row);
/* The operation is about to do something that is a call of its own in every face, in addition to the request.
 * Evaluates that call, too, on a row (NULL: on no row); without a policy that allows it, it is denied. ERR_DENIED. */
typedef RESULT guard_check_beside(struct guard *g, struct ctx *c, const struct tables *t,
				  const char *permission, enum kind kind, const struct row *row);
/* Evaluates the caller's policies in one account, whatever account the call is for, about a secret of that
 * user (engine/people/user_owned.h). *ret_is_allowed: a policy allows it. ERR_DENIED: a policy denies it, or a
 * boundary does not include it. */
typedef RESULT guard_check_account(struct guard *g, struct ctx *c, const struct tables *t,
				   const char *permission, const struct user *user, uuid account,
				   bool *ret_is_allowed);

/* The policies' guard for a call. auth/guard/guard.h puts it into the call's context. */
struct guard {
	guard_check *check;
	guard_check_found *check_found;
	guard_check_absent *check_absent;
	guard_check_shared *check_shared;
	guard_check_beside *check_beside;
	guard_check_account *check_account;
	/* Set by the operation before the next permission (engine_permit_profile()). */
	const struct instance_profile *profile; /* the profile for the instance; NULL: no profile */
	const struct instance
		*instance; /* the instance that the profile's role is passed to; NULL: a new one */
};

/* The guard of a caller without policies: roles alone decide. Nobody writes to it. */
extern struct guard engine_guard_of_roles;
/* Sets the caller `who` (NULL: the system), with rights by roles only: for work without a call, and for
 * tests. */
void engine_act_by_roles(struct ctx *c, const struct identity *who);
/* Called by everything that finds, permits or changes a row. Refuses a context without a guard, unless it
 * belongs to the system (who NULL) or the operator, because no policy would be evaluated. ERR_DENIED; a debug
 * build aborts, because this is a bug in the code that created the context. */
RESULT engine_check_guarded(struct ctx *c);

/* A change of rows for a caller must ask for a permission, by one of the four engine_permit…(). An operation that
 * is open to every caller says so here, with the reason as a comment: it would be refused otherwise. */
void engine_need_no_permission(struct op *op);
/* Refuses a caller's change that asked for no permission. engine_follow() calls it for every changed row.
 * ERR_DENIED; a debug build aborts. */
RESULT engine_check_permitted(struct op *op);

/* Checks that the caller may do this to the resource. Called for each resolved resource before the write
 * phase, with our permission names ("instance.terminate"). row may be NULL for a resource that will be
 * created. ERR_DENIED. */
RESULT engine_permit(struct op *op, const char *permission, enum kind kind, const struct row *row);
/* Like engine_permit(), for a resource that will be created, as far as it is known: policies may depend on
 * its type, size and tags. */
RESULT engine_permit_new(struct op *op, const char *permission, enum kind kind, const struct row *planned);

/* Permits a side effect of the request: for example, a launch that creates a network requires the permission
 * to create networks. ERR_DENIED. */
RESULT engine_permit_beside(struct op *op, const char *permission);
/* The same about a row: for example, a rule that sends events to a queue requires the permission to send to that queue. */
RESULT engine_permit_beside_on(struct op *op, const char *permission, enum kind kind, const struct row *row);

/* Permits the call's action on another account's row, which that row's policy opens to the caller. ERR_NOT_FOUND, ERR_DENIED. */
RESULT engine_permit_shared(struct op *op, const char *permission, const struct ref *ref,
			    const struct row *row);

/* Sets the profile that an instance will get, and the instance (NULL: a new one), because policies may depend
 * on both. Valid for the next permission check. */
void engine_permit_profile(struct op *op, const struct instance_profile *profile,
			   const struct instance *instance);

/* The account that the operation acts for: the caller's. ERR_INVALID: the caller is the system, or an
 * operator without an account. ERR_DENIED: the account is disabled. */
RESULT engine_find_acting_account(struct op *op, const struct account **ret_account);
/* The account of a new resource: the caller's (wanted of kind none), or, for an administrator, any.
 * ERR_DENIED with KIND_ACCOUNT. */
RESULT engine_find_owner_to_be(struct op *op, const struct ref *wanted, const struct account **ret_account);
/* Checks that the wanted owner of a part is the owner of the whole. ERR_INVALID with KIND_ACCOUNT. */
RESULT engine_check_owner(struct op *op, const struct ref *wanted, uuid owner);
