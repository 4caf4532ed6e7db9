/* SPDX-License-Identifier: Apache-2.0
 * Templates of sign-ups, and the quotas they name. The next sign-up uses the new values. Called by:
 * api/native/signups.c, daemon/bill/commands_signup.c, signup.c. */
#include <string.h>

#include "engine/billing/standing.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/account/account.h"
#include "engine/people/account/signup.h"
#include "engine/people/account/signup_internal.h"
#include "engine/tag_internal.h"
#include "store/domain.h"
#include "store/signup.h"
#include "store/signup_template.h"

enum { DESCRIPTION_MAX = 255 };

RESULT signup_check_administrator(struct op *op)
{
	return identity_is_admin(op->ctx->who)
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_DENIED, KIND_SIGNUP_TEMPLATE,
				       "Only an administrator says how people sign up.");
}

struct signup_caller signup_act_as_region(struct op *op)
{
	const struct signup_caller caller = {op->ctx->guard, op->ctx->who};
	op->ctx->guard = NULL;
	op->ctx->who = NULL;
	return caller;
}

void signup_act_as(struct op *op, struct signup_caller caller)
{
	op->ctx->guard = caller.guard;
	op->ctx->who = caller.who;
}

/* ---- quotas by name ---- */

static const struct quota_name {
	const char *name;
	size_t at; /* offset in struct account_limits */
} quota_names[] = {
#define NAMED(figure) {#figure, offsetof(struct account_limits, figure)},
#define QUOTA(ID, figure, ...) NAMED(figure)
#define EACH(ID, figure, ...) NAMED(figure)
#define KEPT(ID, figure, ...) NAMED(figure)
#include "engine/limits.def"
};

static RESULT read_limit(struct op *op, const struct tag *said, struct account_limits *limits)
{
	int64_t n = 0;
	for (size_t k = 0; k < sizeof quota_names / sizeof quota_names[0]; k++) {
		if (!str_is(said->key, quota_names[k].name))
			continue;
		if (str_parse_int(said->value, &n).code || n < -1)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_SIGNUP_TEMPLATE, STR("limits"),
					   "The limit of %s is a number; -1 means none.",
					   quota_names[k].name);
		memcpy((char *) limits + quota_names[k].at, &n, sizeof n);
		return OK;
	}
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SIGNUP_TEMPLATE, STR("limits"),
			   "There is no limit of '%" STR_FMT "'; `dari dump limits` lists them.",
			   STR_ARG(said->key));
}

static RESULT read_limits(struct op *op, struct tags said, struct account_limits *limits)
{
	for (size_t k = 0; k < said.count; k++)
		TRY(read_limit(op, &said.at[k], limits));
	return OK;
}

RESULT signup_set_limits(struct op *op, uuid account, struct tags limits)
{
	struct ref ref = engine_ref_to(op, KIND_ACCOUNT, account, STR_NONE);
	struct account_limits wish = account_limits_all(ref, ACCOUNT_LIMIT_KEEP);
	TRY(read_limits(op, limits, &wish));
	return limits.count ? engine_set_limits(op, &wish) : OK;
}

/* ---- templates ---- */

static RESULT take_limits(struct op *op, bool has, struct tags said, struct tags *limits)
{
	struct account_limits unused = {0};
	if (!has)
		return OK;
	TRY(read_limits(op, said, &unused));
	return tag_normalize(op, said, limits);
}

RESULT engine_put_signup_template(struct op *op, struct signup_template_wish *wish)
{
	const struct signup_template *before = signup_template_find_by_name(op->head, wish->name);
	TRY(engine_permit(op, "signup_template.put", KIND_SIGNUP_TEMPLATE, before ? &before->row : NULL));
	TRY(signup_check_administrator(op));
	TRY(engine_check_word(op, KIND_SIGNUP_TEMPLATE, wish->name));
	struct signup_template next =
		before ? *before
		       : (struct signup_template){.row.id = engine_new_id(op, KIND_SIGNUP_TEMPLATE),
						  .name = wish->name};
	if (wish->description && wish->description->n > DESCRIPTION_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SIGNUP_TEMPLATE, STR("description"),
				   "A description has up to %d characters.", DESCRIPTION_MAX);
	next.description = wish->description ? *wish->description : next.description;
	choice_apply(wish->open, &next.is_open);
	choice_apply(wish->reviewed, &next.is_reviewed);
	choice_apply(wish->prepaid, &next.is_prepaid);
	if (ref_is_given(&wish->reseller))
		TRY(standing_find_reseller(op, &wish->reseller, &next.reseller));
	TRY(take_limits(op, wish->has_trial_limits, wish->trial_limits, &next.trial_limits));
	TRY(take_limits(op, wish->has_limits, wish->limits, &next.limits));
	next.row.gen++;
	wish->id = next.row.id;
	TRY(signup_template_put(op, &next));
	TRY(op_name(op, KIND_SIGNUP_TEMPLATE, &next.row));
	return engine_log_event(op, KIND_SIGNUP_TEMPLATE, &next.row, before ? "changed" : "created",
				next.is_open ? "Template %" STR_FMT ", open."
					     : "Template %" STR_FMT ", closed.",
				STR_ARG(next.name));
}

RESULT engine_delete_signup_template(struct op *op, struct signup_template_target *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_SIGNUP_TEMPLATE, &wish->signup_template, &row));
	TRY(engine_permit(op, "signup_template.delete", KIND_SIGNUP_TEMPLATE, row));
	TRY(signup_check_administrator(op));
	for (const struct signup *s = signup_first(op->head); s; s = signup_next(op->head, s))
		if (uuid_equal(s->template, row->id) && s->stage <= SIGNUP_STAGE_HELD)
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_SIGNUP_TEMPLATE, wish->signup_template.field,
					   "Somebody is signing up by it. Close it, and delete it in a day.");
	TRY(engine_log_event(op, KIND_SIGNUP_TEMPLATE, row, "deleted", "Template %" STR_FMT ".",
			     STR_ARG(signup_template_of(row)->name)));
	return signup_template_forget(op, row->id);
}
