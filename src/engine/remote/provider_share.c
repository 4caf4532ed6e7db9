/* SPDX-License-Identifier: Apache-2.0
 * Sharing of providers. Called by: engine/resolve.c, api/native/, reconcile/remote/. */
#include "engine/remote/provider_share.h"

#include "engine/internal.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/remote_resource.h"

/* ---- who is below ---- */

static bool is_within(const struct tables *t, const struct account *account, uuid owner)
{
	for (int depth = 0; account && depth < PROVIDER_SHARES_DEEP; depth++) {
		if (uuid_equal(account->parent, owner))
			return true;
		account = account_find(t, account->parent);
	}
	return false;
}

/* The default domain is above all others, which do not name it. */
static bool is_domain_below(const struct tables *t, uuid id, uuid above)
{
	const struct domain *d = domain_find(t, id);
	if (uuid_equal(above, DOMAIN_DEFAULT))
		return d && !uuid_equal(id, DOMAIN_DEFAULT);
	for (int depth = 0; d && depth < PROVIDER_SHARES_DEEP; depth++) {
		if (uuid_equal(d->parent, above))
			return true;
		d = domain_find(t, d->parent);
	}
	return false;
}

bool engine_is_account_below(const struct tables *t, uuid account, uuid owner)
{
	const struct account *a = account_find(t, account), *above = account_find(t, owner);
	return a && above && row_is_live(&a->row) &&
	       (is_within(t, a, owner) || is_domain_below(t, a->domain, above->domain));
}

bool engine_is_provider_shared(const struct tables *t, const struct provider *p, uuid account)
{
	return p && row_is_live(&p->row) && !uuid_is_none(account) && uuids_have(&p->shared_with, account) &&
	       engine_is_account_below(t, account, p->account);
}

static const struct provider *find_provider_of(const struct tables *t, enum kind kind, const struct row *row)
{
	if (kind == KIND_PROVIDER)
		return provider_of(row);
	if (kind == KIND_REMOTE_MACHINE)
		return provider_find(t, remote_machine_of(row)->provider);
	return kind == KIND_REMOTE_RESOURCE ? provider_find(t, remote_resource_of(row)->provider) : NULL;
}

bool engine_is_of_provider(enum kind kind)
{
	return kind == KIND_PROVIDER || kind == KIND_REMOTE_MACHINE || kind == KIND_REMOTE_RESOURCE;
}

bool engine_is_shared_elsewhere(const struct ctx *c, const struct tables *t, enum kind kind,
				const struct row *row)
{
	return engine_is_of_provider(kind) && row_is_live(row) &&
	       engine_is_provider_shared(t, find_provider_of(t, kind, row), engine_get_account(c));
}

/* ---- acts ---- */

RESULT engine_check_shared_act(struct op *op, const struct provider *p, struct str field)
{
	return p->shares_acts || engine_is_own(op->ctx, KIND_PROVIDER, &p->row)
		       ? OK
		       : ENGINE_FAIL(op, ERR_DENIED, KIND_PROVIDER, field,
				     "The owner of provider %" STR_FMT " shares it for reading only.",
				     STR_ARG(p->name));
}

uuid engine_find_act_account(const struct remote_machine *m)
{
	return uuid_is_none(m->made_in) ? m->account : m->made_in;
}

const char *engine_weigh_shared_act(const struct tables *t, const struct remote_machine *m)
{
	const struct provider *p = provider_find(t, m->provider);
	bool may = uuid_is_none(m->made_in) ||
		   (p && p->shares_acts && engine_is_provider_shared(t, p, m->made_in));
	return may ? NULL : "The provider is not shared with the account for acts any more.";
}

/* ---- sharing ---- */

static RESULT take_account(struct op *op, const struct provider *p, const struct ref *ref, uuid *ret_account)
{
	const struct row *row = NULL;
	TRY(engine_look_up_foreign(op->ctx, op->head, KIND_ACCOUNT, ref, &row));
	*ret_account = row->id;
	/* the same words for an account elsewhere and for none: an owner learns of no stranger */
	return engine_is_account_below(op->head, row->id, p->account)
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_ACCOUNT, ref);
}

RESULT engine_share_provider(struct op *op, struct provider_share_wish *wish)
{
	const struct row *row = NULL;
	uuid *accounts = arena_new_array(op->ctx->arena, uuid, wish->accounts.count + 1);
	size_t count = 0;
	if (!accounts)
		return ctx_no_memory(op->ctx);
	TRY(engine_find_own(op->ctx, op->head, KIND_PROVIDER, &wish->provider, &row));
	TRY(engine_permit(op, "provider.put", KIND_PROVIDER, row));
	struct provider next = *provider_of(row);
	if (wish->accounts.count > PROVIDER_SHARES_MAX)
		return ENGINE_FAIL(op, ERR_QUOTA, KIND_PROVIDER, STR("accounts"),
				   "A provider is shared with at most %d accounts.", PROVIDER_SHARES_MAX);
	if (wish->shares_acts && !wish->accounts.count)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PROVIDER, STR("acts"),
				   "Say which accounts may act.");
	for (size_t k = 0; k < wish->accounts.count; k++) {
		uuid account = UUID_NONE;
		TRY(take_account(op, &next, &wish->accounts.at[k], &account));
		const struct uuids taken = {accounts, count};
		if (!uuids_have(&taken, account))
			accounts[count++] = account;
	}
	next.shared_with = (struct uuids){accounts, count};
	next.shares_acts = wish->shares_acts;
	next.row.gen++;
	TRY(provider_put(op, &next));
	return next.shares_acts
		       ? engine_log_event(op, KIND_PROVIDER, &next.row, "shared",
					  "Provider %" STR_FMT " is shared with %zu accounts, which may act.",
					  STR_ARG(next.name), count)
		       : engine_log_event(op, KIND_PROVIDER, &next.row, "shared",
					  "Provider %" STR_FMT " is shared with %zu accounts for reading.",
					  STR_ARG(next.name), count);
}
