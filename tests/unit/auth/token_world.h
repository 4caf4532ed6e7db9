/* SPDX-License-Identifier: Apache-2.0
 * A region with a domain, an account and a user who has no role yet, for what is proved by tokens. */
#pragma once

#include "../base/test_base.h"

#include "auth/token/token.h"
#include "base/clock.h"
#include "engine/people/policy/role.h"
#include "store/sql.h"

#define T0 (INT64_C(1700000000) * SECOND)

struct token_world {
	struct ctx *c;
	struct executor *executor;
	struct store *store;
	struct tokens *tokens;
	uuid account, ann, domain;
	struct token token;
	struct identity *who;
};

#define DO(w, operation, wish) assert_ok(store_commit((w)->store, (w)->c, "test", operation##_run, (wish)))

/* References by id and by name. */
struct ref to(enum kind kind, uuid id);
struct ref named(enum kind kind, const char *name);
/* A role to the user, where nobody else is named. */
void grant(struct token_world *w, const char *role, struct role_grant where);
/* state: cmocka's, with a struct ctx. */
struct token_world make_world(void **state);
void end_world(struct token_world *w);
