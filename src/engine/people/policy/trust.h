/* SPDX-License-Identifier: Apache-2.0
 * Keystone's trusts: a user lets another act in one account, with some of the user's roles. The rights are
 * computed at each use: they end when a user of the chain loses a role or is disabled or deleted. If the
 * trust allows it, its trustee can create further trusts with it, which give no more than it does. Source:
 * keystone.trust.core, keystone.api.trusts. */
#pragma once

#include "engine/operation.h"
#include "engine/people/policy/role.h"

struct trust;

enum {
	TRUSTS_MAX = 1000,          /* per trustor */
	TRUST_REDELEGATION_MAX = 3, /* Keystone's max_redelegation_count */
};

struct trust_wish {
	struct ref trustor, trustee, account;
	struct refs roles;
	bool impersonation, allow_redelegation;
	bool has_redelegation_count;
	int64_t redelegation_count;
	int64_t remaining_uses; /* 0: unlimited */
	int64_t expires_us;     /* 0: never */
	/* result: */
	uuid trust;
};
/* ERR_DENIED: the caller is not the trustor, or the trust would give more than the caller has. ERR_NOT_FOUND
 * with KIND_ROLE: the trustor lacks that role in the account. */
OPERATION(engine_create_trust, trust_wish)

/* Deletes a trust, and the trusts created with it. */
struct trust_target {
	uuid trust;
};
OPERATION(engine_delete_trust, trust_target)

/* Counts a use before a token is created. Does nothing if the trust is not valid for the user: the code that
 * creates the token reports that. */
struct trust_use {
	uuid trust, user; /* user: the authenticated one; none: nobody */
	/* result: */
	bool is_used; /* a remaining use was consumed */
};
OPERATION(engine_use_trust, trust_use)

/* NULL: not found, expired or used up, without distinction. For the head or a view. */
const struct trust *engine_find_trust(const struct tables *t, uuid id, int64_t now_us);
/* NULL: the trust is valid and gives these roles; otherwise the reason, in Keystone's words. For the head or
 * a view. */
const char *engine_weigh_trust(const struct tables *t, const struct trust *trust, struct roles *ret_roles);

/* True if the caller may see all trusts of that user, as trustor or trustee: the user, administrators, and
 * readers of the system scope; for none: only the latter two. */
bool engine_may_see_trusts(const struct identity *who, uuid user);
/* True if the caller may see the trusts of its trustor or of its trustee. */
bool engine_may_see_trust(const struct identity *who, const struct trust *trust);
