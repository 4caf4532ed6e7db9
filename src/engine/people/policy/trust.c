/* SPDX-License-Identifier: Apache-2.0
 * Trusts: rows only. Finished trusts stay listed until their trustor creates another one. */
#include "engine/people/policy/trust.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/user_owned.h"
#include "store/trust.h"
#include "store/user.h"

/* ---- validity ---- */

static bool is_over(const struct trust *trust, int64_t now_us)
{
	return (trust->expires_us && trust->expires_us <= now_us) ||
	       (trust->is_counted && trust->remaining_uses <= 0);
}

const struct trust *engine_find_trust(const struct tables *t, uuid id, int64_t now_us)
{
	const struct trust *trust = trust_find(t, id);
	return trust && !is_over(trust, now_us) ? trust : NULL;
}

/* Finds the first trust of the chain, whose trustor's roles all of them give. NULL: a trustee of the chain is
 * disabled or deleted. */
static const struct trust *find_first(const struct tables *t, const struct trust *trust)
{
	while (trust && !uuid_is_none(trust->redelegated)) {
		trust = trust_find(t, trust->redelegated);
		if (trust && !engine_is_user_open(t, user_find(t, trust->trustee)))
			return NULL;
	}
	return trust;
}

static bool has_role(const struct roles *roles, uuid role)
{
	return uuids_have(&(struct uuids){roles->at, roles->count}, role);
}

const char *engine_weigh_trust(const struct tables *t, const struct trust *trust, struct roles *ret_roles)
{
	struct roles own, given = {0};
	if (!engine_is_user_open(t, user_find(t, trust->trustor)))
		return "Trustor is disabled.";
	const struct trust *first = find_first(t, trust);
	if (!first || !engine_is_user_open(t, user_find(t, first->trustor)))
		return "One of the trust agents is disabled or deleted";
	for (size_t n = 0; n < trust->roles.count && n < ROLES_MAX; n++)
		given.at[given.count++] = trust->roles.at[n];
	engine_close_roles(t, &given);
	engine_find_roles(t, first->trustor, IDENTITY_ACCOUNT, trust->account, &own);
	for (size_t n = 0; n < given.count; n++)
		if (!has_role(&own, given.at[n]))
			return "Trustee has no delegated roles.";
	*ret_roles = given;
	return NULL;
}

bool engine_may_see_trusts(const struct identity *who, uuid user)
{
	return (!uuid_is_none(user) && uuid_equal(who->user, user)) || identity_is_admin(who) ||
	       (who->scope == IDENTITY_SYSTEM && identity_has(who, RIGHT_READER));
}

bool engine_may_see_trust(const struct identity *who, const struct trust *trust)
{
	return engine_may_see_trusts(who, trust->trustor) || engine_may_see_trusts(who, trust->trustee);
}

/* ---- create ---- */

static RESULT choose_roles(struct op *op, const struct trust_wish *wish, uuid trustor, uuid account,
			   struct roles *ret_roles)
{
	struct roles own, chosen = {0};
	if (wish->roles.count == 0)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
				     "You are not authorized to perform the requested action: At least one "
				     "role should be specified.");
	if (wish->roles.count > ROLES_MAX)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_TRUST, "At most %d roles.", ROLES_MAX);
	engine_find_roles(op->head, trustor, IDENTITY_ACCOUNT, account, &own);
	for (size_t n = 0; n < wish->roles.count; n++) {
		const struct row *role = NULL;
		TRY(engine_look_up(op->ctx, op->head, KIND_ROLE, &wish->roles.at[n], &role));
		if (!has_role(&own, role->id))
			return engine_fail_gone(op->ctx, KIND_ROLE, role->id);
		if (!has_role(&chosen, role->id))
			chosen.at[chosen.count++] = role->id;
	}
	*ret_roles = chosen;
	return OK;
}

/* Sets how often the trust may be redelegated; a redelegated trust allows one step less than the trust it was
 * created with. */
static RESULT choose_depth(struct op *op, const struct trust_wish *wish, const struct trust *from,
			   struct trust *trust)
{
	int64_t most = from ? from->redelegation_count - 1 : TRUST_REDELEGATION_MAX;
	bool has_count = wish->has_redelegation_count;
	bool allows = wish->allow_redelegation && !(has_count && wish->redelegation_count == 0);
	if (!allows)
		return OK;
	if (has_count && wish->redelegation_count > TRUST_REDELEGATION_MAX)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
				     "Requested redelegation depth of %lld is greater than allowed %d",
				     (long long) wish->redelegation_count, TRUST_REDELEGATION_MAX);
	if (wish->remaining_uses)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_TRUST,
				     "remaining_uses must not be set if redelegation is allowed");
	if (from && has_count && wish->redelegation_count != most)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
				     "Modifying \"redelegation_count\" upon redelegation is forbidden. "
				     "Omitting this parameter is advised.");
	trust->redelegation_count = has_count ? wish->redelegation_count : most;
	return OK;
}

/* A redelegated trust must not exceed the trust it was created with. The check for the same account is ours;
 * Keystone has none. */
static RESULT check_within(struct op *op, const struct trust_wish *wish, const struct trust *from,
			   struct trust *trust)
{
	if (from->redelegation_count <= 0)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
				     "Remaining redelegation depth of 0 out of allowed range of [0..%d]",
				     TRUST_REDELEGATION_MAX);
	if (wish->remaining_uses)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
				     "Field \"remaining_uses\" is set to %lld while it must not be set in "
				     "order to redelegate a trust",
				     (long long) wish->remaining_uses);
	if (from->expires_us && trust->expires_us > from->expires_us)
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
				     "Requested expiration time is more than redelegated trust can provide");
	if (!trust->expires_us)
		trust->expires_us = from->expires_us;
	for (size_t n = 0; n < trust->roles.count; n++)
		if (!uuids_have(&from->roles, trust->roles.at[n]))
			return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
					     "Some of requested roles are not in redelegated trust");
	if (trust->impersonation && !from->impersonation)
		return ctx_fail_kind(
			op->ctx, ERR_DENIED, KIND_TRUST,
			"Impersonation is not allowed because redelegated trust does not specify "
			"impersonation. Redelegated trust id: %" STR_FMT,
			STR_ARG(str_encode_hex(op->ctx->arena, from->row.id.b, sizeof from->row.id.b)));
	if (!uuid_equal(trust->account, from->account))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
				     "The redelegated trust is for another project");
	return OK;
}

static RESULT find_people(struct op *op, const struct trust_wish *wish, struct trust *trust)
{
	const struct row *trustor = NULL, *trustee = NULL, *account = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->trustor, &trustor));
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &account));
	TRY(engine_permit_own(op, "trust.create", user_of(trustor), account->id));
	TRY(engine_look_up_foreign(op->ctx, op->head, KIND_USER, &wish->trustee, &trustee));
	if (op->ctx->who && !uuid_equal(op->ctx->who->user, trustor->id))
		return ctx_fail_kind(op->ctx, ERR_DENIED, KIND_TRUST,
				     "You are not authorized to perform the requested action: The "
				     "authenticated user should match the trustor.");
	trust->trustor = trustor->id;
	trust->trustee = trustee->id;
	trust->account = account->id;
	return OK;
}

/* The trust of the caller's token, or NULL. */
static RESULT find_redelegated(struct op *op, const struct trust **ret_from)
{
	const struct identity *who = op->ctx->who;
	*ret_from = NULL;
	if (!who || uuid_is_none(who->trust))
		return OK;
	*ret_from = trust_find(op->head, who->trust);
	return *ret_from ? OK : engine_fail_gone(op->ctx, KIND_TRUST, who->trust);
}

/* Finished trusts can neither be used nor deleted by a request, so the engine removes them. */
static RESULT sweep_over(struct op *op, uuid trustor)
{
	const struct trust *next = NULL;
	for (const struct trust *t = trust_first_by_trustor(op->head, trustor); t; t = next) {
		next = trust_next_by_trustor(op->head, t);
		if (is_over(t, op->now_us))
			TRY(trust_forget(op, t->row.id));
	}
	return OK;
}

RESULT engine_create_trust(struct op *op, struct trust_wish *wish)
{
	struct trust trust = {.row.id = engine_new_id(op, KIND_TRUST),
			      .row.gen = 1,
			      .impersonation = wish->impersonation,
			      .is_counted = wish->remaining_uses > 0,
			      .remaining_uses = wish->remaining_uses,
			      .expires_us = wish->expires_us};
	const struct trust *from = NULL;
	struct roles roles;
	TRY(find_people(op, wish, &trust));
	TRY(find_redelegated(op, &from));
	const struct trust *first = from ? find_first(op->head, from) : NULL;
	TRY(choose_roles(op, wish, first ? first->trustor : trust.trustor, trust.account, &roles));
	trust.roles = (struct uuids){roles.at, roles.count};
	if (wish->expires_us && wish->expires_us <= op->now_us)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_TRUST,
				     "The 'expires_at' must not be before now. The server could not comply "
				     "with the request since it is either malformed or otherwise incorrect. "
				     "The client is assumed to be in error.");
	TRY(choose_depth(op, wish, from, &trust));
	if (from) {
		TRY(check_within(op, wish, from, &trust));
		trust.redelegated = from->row.id;
	}
	TRY(sweep_over(op, trust.trustor));
	TRY(limit_check(op, LIMIT_TRUSTS, trust.trustor, 1, STR_NONE));
	TRY(trust_put(op, &trust));
	wish->trust = trust.row.id;
	const struct user *user = user_find(op->head, trust.trustor);
	return engine_log_event(op, KIND_USER, &user->row, "trust created", "For the user %" STR_FMT ".",
				STR_ARG(user_find(op->head, trust.trustee)->name));
}

/* ---- use and end ---- */

RESULT engine_use_trust(struct op *op, struct trust_use *wish)
{
	const struct trust *trust = engine_find_trust(op->head, wish->trust, op->now_us);
	struct roles roles;
	if (!trust || !trust->is_counted || !uuid_equal(trust->trustee, wish->user) ||
	    engine_weigh_trust(op->head, trust, &roles))
		return OK;
	/* The trust itself gives the right, and this counts one use of it. */
	engine_need_no_permission(op);
	struct trust next = *trust;
	next.remaining_uses--;
	wish->is_used = true;
	return trust_put(op, &next);
}

RESULT engine_delete_trust(struct op *op, struct trust_target *wish)
{
	const struct trust *trust = engine_find_trust(op->head, wish->trust, op->now_us);
	const struct user *trustor = trust ? user_find(op->head, trust->trustor) : NULL;
	if (!trustor)
		return engine_fail_gone(op->ctx, KIND_TRUST, wish->trust);
	TRY(engine_permit_own(op, "trust.delete", trustor, trust->account));
	TRY(engine_log_event(op, KIND_USER, &trustor->row, "trust deleted", "Trust %" STR_FMT ".",
			     STR_ARG(engine_write_id(op, KIND_TRUST, trust->row.id))));
	return trust_forget(op, trust->row.id);
}
