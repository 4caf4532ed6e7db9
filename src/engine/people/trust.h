/* SPDX-License-Identifier: Apache-2.0
 * Keystone's trusts: a user lets another act in one account, with some of the user's roles. What a trust gives is
 * worked out whenever it is used: who loses a role, is disabled or deleted gives it no longer. With a trust that
 * says so its trustee makes further ones, to others, which give no more than it. Source: keystone.trust.core,
 * keystone.api.trusts. */
#pragma once

#include "engine/operation.h"
#include "engine/people/role.h"

struct trust;

enum {
	TRUSTS_MAX = 1000,          /* that a user gave */
	TRUST_REDELEGATION_MAX = 3, /* Keystone's max_redelegation_count */
};

struct trust_wish {
	struct ref trustor, trustee, account;
	struct refs roles;
	bool impersonation, allow_redelegation;
	bool has_redelegation_count;
	int64_t redelegation_count;
	int64_t remaining_uses; /* 0: not counted */
	int64_t expires_us;     /* 0: never */
	/* made: */
	uuid trust;
};
/* ERR_DENIED: somebody else asks, or it would give more than the caller has. ERR_NOT_FOUND with KIND_ROLE: the
 * trustor has not that role there. */
OPERATION(engine_create_trust, trust_wish)

/* Also the trusts that were made with it. */
struct trust_target {
	uuid trust;
};
OPERATION(engine_delete_trust, trust_target)

/* A token is about to be made with it. Nothing happens unless it would be given: the caller is told why not where
 * the token is made. */
struct trust_use {
	uuid trust, user; /* user: proved to ask; none: nobody was */
	/* found: */
	bool is_used; /* there was a use left, and it is taken */
};
OPERATION(engine_use_trust, trust_use)

/* NULL: there is none, or it has expired or is used up, which is the same to all. On the head, or on a view that is
 * read. */
const struct trust *engine_find_trust(const struct tables *t, uuid id, int64_t now_us);
/* NULL: it is good, and gives these roles; else why not, in Keystone's words. Likewise. */
const char *engine_weigh_trust(const struct tables *t, const struct trust *trust, struct roles *ret_roles);

/* Whether the caller may see all trusts of that user, on either side: that user, administrators, and who reads of the
 * whole system; of none: these two. */
bool engine_may_see_trusts(const struct identity *who, uuid user);
/* And one: who may see those of its trustor or of its trustee. */
bool engine_may_see_trust(const struct identity *who, const struct trust *trust);

/* Inside the operation that deletes a user, or an account: all that are given by or to it. */
RESULT trusts_forget_of_user(struct op *op, uuid user);
RESULT trusts_forget_of_account(struct op *op, uuid account);
