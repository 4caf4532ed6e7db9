/* SPDX-License-Identifier: Apache-2.0
 * Accounts, their owners, access keys, limits and default VPCs. For administrators, except for a
 * user's own keys and the default VPC. */
#pragma once

#include "engine/operation.h"
#include "model/access_key.h"

/* Makes an account with its owner, who gets the role "member" on it, an access key, and on request
 * the default VPC: 172.31.0.0/16, a /20 subnet in each zone, an internet gateway, a default
 * route. */
enum { ACCOUNT_DEPTH_MAX = 5 }; /* accounts within each other */

struct account_wish {
	struct ref domain; /* none: the default one, or the parent's */
	struct ref parent; /* none: it is in no other. ERR_DENIED: they would be in each other too deep */
	struct str name, description;
	struct strs labels;           /* at most 80, of 1 to 255 characters, without '/' and ',' */
	enum choice enabled;          /* CHOICE_DEFAULT: yes */
	struct tags extra;            /* names and JSON values */
	struct str user_name;         /* the owner's; empty: "root" */
	const struct access_key *key; /* made by auth/key.h, with row.id set; NULL: none */
	bool with_default_router;
	/* made: */
	uuid account, user, router;
	struct str number; /* 12 digits */
};
OPERATION(engine_create_account, account_wish)

struct account_change {
	struct ref account;                   /* by name, or by id */
	const struct str *name, *description; /* NULL: as it is */
	const struct strs *labels;            /* likewise */
	enum choice enabled;                  /* keys and tokens of a disabled account are refused at once */
	struct tags extra;                    /* added to the present ones, or replace them */
};
OPERATION(engine_update_account, account_change)

/* Deletes an account with its users, keys, roles, credentials, key pairs and groups. ERR_IN_USE: it
 * has anything else. The row stays, marked deleted, because history and bills refer to it. */
struct account_target {
	struct ref account;
};
OPERATION(engine_delete_account, account_target)

/* Leaves a limit as it is. -1 means no limit. */
#define ACCOUNT_LIMIT_KEEP INT64_MIN
struct volume_type_limit_wish;
struct account_limits {
	struct ref account;
#define QUOTA(ID, figure, ...) int64_t figure;
#define EACH(ID, figure, ...) int64_t figure;
#define KEPT(ID, figure, ...) int64_t figure;
#include "engine/limits.def"
	/* Of this user in the account, by id: instances, vcpus and memory; kind none: of the account. None of the
	 * user's may be more than the account's (ERR_INVALID), unless force. */
	struct ref user;
	bool force, forgets_user; /* the latter: the user has no limits of their own any more */
	/* Of single volume types, besides; forgets_types: the account has none of its own but these. */
	const struct volume_type_limit_wish *types;
	size_t type_count;
	bool forgets_types;
};
OPERATION(engine_set_limits, account_limits)
/* Sets what accounts get that are made from now on. The wish names no account. */
OPERATION(engine_set_default_limits, account_limits)
/* All limits alike: ACCOUNT_LIMIT_KEEP, before some are set; or -1. */
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

/* Adds a key for a user. The user's roles on that account decide what the key may do. */
struct access_key_wish {
	struct ref user;    /* by id */
	struct ref account; /* none: the user's own */
	const struct access_key *key;
	bool is_told; /* id and secret are the caller's own, as Keystone has it: ERR_EXISTS, ERR_INVALID. The
			      user may have no role in the account yet */
	int64_t count_max; /* how many keys the user may have in that account; 0: any number */
};
OPERATION(engine_create_access_key, access_key_wish)

/* Gives a key another id and secret, or another account, as Keystone has it. Errors as for one that is told. */
struct access_key_change {
	uuid key;
	struct str key_id, secret; /* sealed; empty: as they are */
	struct ref account;        /* kind none: as it is */
};
OPERATION(engine_change_access_key, access_key_change)

struct access_key_target {
	struct str key_id;
	/* The user that the key must belong to, by id (else ERR_NOT_FOUND). None: any user. */
	struct ref user;
	bool enabled; /* for engine_enable_access_key */
};
OPERATION(engine_enable_access_key, access_key_target)
OPERATION(engine_delete_access_key, access_key_target)

/* Makes the account's default VPC. ERR_EXISTS with KIND_ROUTER: it has one. */
struct default_router_wish {
	/* made: */
	uuid router;
};
OPERATION(engine_create_default_router, default_router_wish)
