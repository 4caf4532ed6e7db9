/* SPDX-License-Identifier: Apache-2.0
 * Accounts, their owners, access keys, limits and default VPCs. Requires an administrator, except for a
 * user's own keys and the default VPC. */
#pragma once

#include "engine/operation.h"
#include "model/access_key.h"

/* Creates an account with its owner, who gets the role "member" on it; on request also an access key and the
 * default VPC: 172.31.0.0/16, a /20 subnet in each zone, an internet gateway, a default route. */
enum { ACCOUNT_DEPTH_MAX = 5 }; /* levels of nested accounts */

struct account_wish {
	struct ref domain; /* none: the default domain, or the parent's */
	struct ref parent; /* none: top level. ERR_DENIED: more than ACCOUNT_DEPTH_MAX levels */
	struct str name, description;
	struct strs labels;           /* at most 80, each of 1 to 255 characters without '/' and ',' */
	enum choice enabled;          /* CHOICE_DEFAULT: yes */
	struct tags extra;            /* names and JSON values */
	struct str user_name;         /* owner's name; empty: "root" */
	const struct access_key *key; /* created by auth/key/key.h, with row.id set; NULL: none */
	bool with_default_router;
	/* results: */
	uuid account, user, router;
	struct str number; /* 12 digits */
};
OPERATION(engine_create_account, account_wish)

struct account_change {
	struct ref account;                   /* by name or id */
	const struct str *name, *description; /* NULL: no change */
	const struct strs *labels;            /* NULL: no change */
	enum choice enabled;                  /* a disabled account's keys and tokens stop working at once */
	struct tags extra;                    /* added to the present ones, or replacing those of the same
					       * name */
};
OPERATION(engine_update_account, account_change)

/* Deletes an account with its users, keys, roles, credentials, key pairs and groups. ERR_IN_USE: it has other
 * resources. The row stays, marked deleted, because history and bills refer to it. */
struct account_target {
	struct ref account;
};
OPERATION(engine_delete_account, account_target)

/* Leaves a limit unchanged. -1 means unlimited. */
#define ACCOUNT_LIMIT_KEEP INT64_MIN
struct volume_type_limit_wish;
struct account_limits {
	struct ref account;
#define QUOTA(ID, figure, ...) int64_t figure;
#define EACH(ID, figure, ...) int64_t figure;
#define KEPT(ID, figure, ...) int64_t figure;
#include "engine/limits.def"
	/* Limits for this user in the account, by id: instances, vcpus and memory; kind none: for the
	 * account. A user's limit must not exceed the account's (ERR_INVALID), unless `force`. */
	struct ref user;
	bool force, forgets_user; /* forgets_user: removes the user's own limits */
	/* Limits per volume type; forgets_types: these replace all of the account's limits per volume
	 * type. */
	const struct volume_type_limit_wish *types;
	size_t type_count;
	bool forgets_types;
};
OPERATION(engine_set_limits, account_limits)
/* Sets the limits for accounts created from now on. The wish names no account. */
OPERATION(engine_set_default_limits, account_limits)
/* Sets all limits to n: ACCOUNT_LIMIT_KEEP before setting some, or -1. */
static inline struct account_limits account_limits_all(struct ref account, int64_t n)
{
	return (struct account_limits){
		.account = account,
#define QUOTA(ID, figure, ...) .figure = n,
#define EACH(ID, figure, ...) .figure = n,
#define KEPT(ID, figure, ...) .figure = n,
#include "engine/limits.def"
	};
}

/* Adds a key for a user. The user's roles on that account determine the key's permissions. */
struct access_key_wish {
	struct ref user;    /* by id */
	struct ref account; /* none: the user's account */
	const struct access_key *key;
	bool is_told; /* the caller chose id and secret, as Keystone allows: ERR_EXISTS, ERR_INVALID. The user
		       * may lack a role in the account */
	int64_t count_max; /* limit of keys for this user in the account; 0: none */
};
OPERATION(engine_create_access_key, access_key_wish)

/* Changes a key's id and secret, or its account, as Keystone allows. Errors as for `is_told`. */
struct access_key_change {
	uuid key;
	struct str key_id, secret; /* secret: sealed; key_id empty: both unchanged */
	struct ref account;        /* kind none: no change */
};
OPERATION(engine_change_access_key, access_key_change)

struct access_key_target {
	struct str key_id;
	/* The user who must own the key, by id (else ERR_NOT_FOUND). None: any user. */
	struct ref user;
	bool enabled; /* for engine_enable_access_key */
};
OPERATION(engine_enable_access_key, access_key_target)
OPERATION(engine_delete_access_key, access_key_target)

/* Creates the account's default VPC. ERR_EXISTS with KIND_ROUTER: there is one. */
struct default_router_wish {
	/* result: */
	uuid router;
};
OPERATION(engine_create_default_router, default_router_wish)
