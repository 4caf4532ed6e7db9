/* SPDX-License-Identifier: Apache-2.0
 * Limits of users: a row per account and user. The usage is counted only when a user with such a row requests
 * more. */
#include "engine/people/user_limit.h"

#include <inttypes.h>

#include "engine/internal.h"
#include "engine/people/account/account.h"
#include "model/states.h"
#include "store/account.h"
#include "store/instance.h"
#include "store/user.h"
#include "store/user_limit.h"

void engine_count_user_usage(const struct tables *t, uuid account, uuid user, struct user_figures *ret_usage)
{
	*ret_usage = (struct user_figures){0};
	for (const struct instance *i = instance_first_by_made_by(t, user); i;
	     i = instance_next_by_made_by(t, i)) {
		enum instance_state state = model_derive_instance_state(i);
		if (!uuid_equal(i->account, account) || state == INSTANCE_TERMINATED ||
		    state == INSTANCE_DESTROYED)
			continue;
		ret_usage->instances++;
		ret_usage->vcpus += i->vcpus;
		ret_usage->memory += i->memory;
	}
}

static int64_t own_or(int64_t own, int64_t account)
{
	return own == ACCOUNT_LIMIT_KEEP ? account : own;
}

void engine_read_user_limits(const struct tables *t, const struct account *account, uuid user,
			     struct user_figures *ret_limits)
{
	const struct user_limit *l = user_limit_find_by_account(t, account->row.id, user);
	*ret_limits = (struct user_figures){
		own_or(l ? l->limit_instances : ACCOUNT_LIMIT_KEEP, account->limit_instances),
		own_or(l ? l->limit_vcpus : ACCOUNT_LIMIT_KEEP, account->limit_vcpus),
		own_or(l ? l->limit_memory : ACCOUNT_LIMIT_KEEP, account->limit_memory),
	};
}

/* ---- set ---- */

static RESULT check_below(struct op *op, const char *words, int64_t wanted, int64_t of_account)
{
	bool is_above =
		wanted != ACCOUNT_LIMIT_KEEP && of_account >= 0 && (wanted < 0 || wanted > of_account);
	return is_above ? ctx_fail_kind(op->ctx, ERR_INVALID, KIND_ACCOUNT,
					"Quota limit %" PRId64
					" for %s must be less than or equal to %" PRId64 ".",
					wanted, words, of_account)
			: OK;
}

static int64_t change(int64_t wanted, int64_t before)
{
	return wanted == ACCOUNT_LIMIT_KEEP ? before : wanted;
}

RESULT user_limit_set(struct op *op, const struct account *account, const struct account_limits *wish)
{
	const struct user *user = user_find(op->head, wish->user.prefix);
	const struct user_limit *there =
		user_limit_find_by_account(op->head, account->row.id, wish->user.prefix);
	if (!user || !row_is_live(&user->row))
		return ctx_fail_field(op->ctx, ERR_INVALID, wish->user.field,
				      "User %" STR_FMT " could not be found.", STR_ARG(wish->user.text));
	if (wish->forgets_user)
		return there ? user_limit_forget(op, there->row.id) : OK;
	if (!wish->force) {
		TRY(check_below(op, "instances", wish->instances, account->limit_instances));
		TRY(check_below(op, "cores", wish->vcpus, account->limit_vcpus));
		TRY(check_below(op, "bytes of ram", wish->memory, account->limit_memory));
	}
	struct user_limit next = {.row.id = engine_new_id(op, KIND_USER_LIMIT),
				  .account = account->row.id,
				  .user = user->row.id,
				  .limit_instances = ACCOUNT_LIMIT_KEEP,
				  .limit_vcpus = ACCOUNT_LIMIT_KEEP,
				  .limit_memory = ACCOUNT_LIMIT_KEEP};
	if (there)
		next = *there;
	next.limit_instances = change(wish->instances, next.limit_instances);
	next.limit_vcpus = change(wish->vcpus, next.limit_vcpus);
	next.limit_memory = change(wish->memory, next.limit_memory);
	next.row.gen++;
	TRY(user_limit_put(op, &next));
	return engine_log_event(op, KIND_ACCOUNT, &account->row, "limits changed",
				"The limits of user %" STR_FMT " were changed.", STR_ARG(user->name));
}

/* ---- check ---- */

static int64_t left_of(int64_t limit, int64_t used, int64_t each)
{
	if (limit < 0 || each <= 0)
		return INT64_MAX;
	return limit > used ? (limit - used) / each : 0;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t user_limit_left(const struct op *op, uuid account, int64_t vcpus, int64_t memory)
{
	const struct account *row = account_find(op->head, account);
	struct user_figures limits, used;
	uuid user = op->ctx->who ? op->ctx->who->user : UUID_NONE;
	if (!row || !user_limit_find_by_account(op->head, account, user))
		return INT64_MAX;
	engine_read_user_limits(op->head, row, user, &limits);
	engine_count_user_usage(op->head, account, user, &used);
	return least(
		left_of(limits.instances, used.instances, 1),
		least(left_of(limits.vcpus, used.vcpus, vcpus), left_of(limits.memory, used.memory, memory)));
}

static RESULT check_one(struct op *op, enum kind kind, const char *words, int64_t limit, int64_t used,
			int64_t more)
{
	if (more <= 0 || limit < 0 || used + more <= limit)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_QUOTA, (int) kind,
			     "The user has %" PRId64 " of %" PRId64 " %s; %" PRId64
			     " more would exceed the user's limit",
			     used, limit, words, more);
}

RESULT user_limit_check(struct op *op, uuid account, uuid user, const struct user_figures *more)
{
	const struct account *row = account_find(op->head, account);
	struct user_figures limits, used;
	if (!row || !user_limit_find_by_account(op->head, account, user))
		return OK;
	engine_read_user_limits(op->head, row, user, &limits);
	engine_count_user_usage(op->head, account, user, &used);
	TRY(check_one(op, KIND_INSTANCE, "instances", limits.instances, used.instances, more->instances));
	TRY(check_one(op, KIND_INSTANCE_TYPE, "vCPUs", limits.vcpus, used.vcpus, more->vcpus));
	return check_one(op, KIND_INSTANCE_TYPE, "bytes of memory", limits.memory, used.memory, more->memory);
}
