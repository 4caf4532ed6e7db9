/* SPDX-License-Identifier: Apache-2.0
 * A region for the tests of tokens. */
#include "token_world.h"

#include "base/log.h"
#include "engine/engine.h"
#include "engine/people/account/account.h"
#include "engine/people/account/domain.h"
#include "engine/people/user.h"
#include "engine/region/region.h"

struct ref to(enum kind kind, uuid id)
{
	return (struct ref){.kind = kind, .prefix = id, .bits = 128};
}

struct ref named(enum kind kind, const char *name)
{
	return (struct ref){.kind = kind, .text = str_from(name)};
}

void grant(struct token_world *w, const char *role, struct role_grant where)
{
	where.role = named(KIND_ROLE, role);
	if (where.user_group.kind == KIND_NONE)
		where.user = to(KIND_USER, w->ann);
	DO(w, engine_grant_role, &where);
}

struct token_world make_world(void **state)
{
	static const uint8_t master[MASTER_KEY_SIZE] = {1, 2, 3};
	struct token_world w = {.c = *state, .executor = executor_new_threads()};
	clock_set_us(T0);
	log_set_level(LOG_ERROR);
	struct store_config config = {.executor = w.executor,
				      .observe = engine_observe,
				      .check = engine_check_row,
				      .follow = engine_follow};
	assert_ok(sqlite_open(w.c, ":memory:", &config.sql));
	assert_ok(store_open(w.c, &config, &w.store));
	struct region_wish region = {.name = STR("home")};
	DO(&w, engine_bootstrap_region, &region);
	struct domain_wish domain = {.name = STR("works")};
	DO(&w, engine_create_domain, &domain);
	w.domain = domain.domain;
	struct account_wish account = {.name = STR("build"), .domain = to(KIND_DOMAIN, w.domain)};
	DO(&w, engine_create_account, &account);
	w.account = account.account;
	struct user_wish ann = {
		.name = STR("ann"), .domain = to(KIND_DOMAIN, w.domain), .password_hash = STR("first")};
	DO(&w, engine_create_user, &ann);
	w.ann = ann.user;
	const struct tokens_config tokens = {w.store, master, HOUR};
	assert_ok(tokens_new(w.c, &tokens, &w.tokens));
	return w;
}

void end_world(struct token_world *w)
{
	tokens_free(w->tokens);
	store_close(w->store);
	executor_free(w->executor);
	clock_set_us(0);
}
