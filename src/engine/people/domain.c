/* SPDX-License-Identifier: Apache-2.0
 * Domains: rows only. */
#include "engine/people/domain.h"

#include "engine/internal.h"
#include "engine/people/keystone_extra_internal.h"
#include "engine/people/oidc_sign_in.h"
#include "engine/people/user_group_internal.h"
#include "engine/people/user_internal.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/domain_limit.h"
#include "store/network.h"
#include "store/role.h"
#include "store/role_assignment.h"
#include "store/user.h"
#include "store/user_group.h"

static RESULT check_name(struct op *op, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_DOMAIN, name));
	const struct domain *other = domain_find_by_name(op->head, name);
	if (other && !uuid_equal(other->row.id, but))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_DOMAIN,
				     "The domain '%" STR_FMT "' exists already.", STR_ARG(name));
	return OK;
}

RESULT engine_create_domain(struct op *op, struct domain_wish *wish)
{
	TRY(engine_permit(op, "domain.create", KIND_DOMAIN, NULL));
	TRY(check_name(op, wish->name, UUID_NONE));
	struct domain domain = {.row.id = engine_new_id(op, KIND_DOMAIN),
				.row.gen = 1,
				.name = wish->name,
				.description = wish->description,
				.enabled = choice_or(wish->enabled, true)};
	TRY(keystone_extra_add(op, KIND_DOMAIN, wish->extra, &domain.extra));
	TRY(domain_put(op, &domain));
	wish->domain = domain.row.id;
	return engine_log_event(op, KIND_DOMAIN, &domain.row, "created", "Domain %" STR_FMT ".",
				STR_ARG(domain.name));
}

static RESULT find_domain(struct op *op, const struct ref *ref, const struct domain **ret_domain)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, ref, &row));
	*ret_domain = domain_of(row);
	return OK;
}

static RESULT check_not_default(struct op *op, const struct domain *domain)
{
	if (!uuid_equal(domain->row.id, DOMAIN_DEFAULT))
		return OK;
	return ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_DOMAIN,
			     "The default domain is always there and enabled.");
}

RESULT engine_update_domain(struct op *op, struct domain_change *wish)
{
	const struct domain *domain = NULL;
	TRY(find_domain(op, &wish->domain, &domain));
	TRY(engine_permit(op, "domain.update", KIND_DOMAIN, &domain->row));
	struct domain next = *domain;
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->enabled, &next.enabled);
	TRY(check_name(op, next.name, domain->row.id));
	if (!next.enabled)
		TRY(check_not_default(op, domain));
	TRY(keystone_extra_add(op, KIND_DOMAIN, wish->extra, &next.extra));
	next.row.gen++;
	TRY(domain_put(op, &next));
	return engine_log_event(op, KIND_DOMAIN, &next.row, "changed", "Domain %" STR_FMT ", %s.",
				STR_ARG(next.name), next.enabled ? "enabled" : "disabled");
}

/* No account is left that could use them by their domain. */
static RESULT leave_networks(struct op *op, uuid domain)
{
	const struct network *n = network_first_by_domain(op->head, domain), *following = NULL;
	for (; n; n = following) {
		struct network next = *n;
		following = network_next_by_domain(op->head, n);
		next.domain = UUID_NONE;
		TRY(network_put(op, &next));
	}
	return OK;
}

static RESULT forget_people(struct op *op, uuid domain)
{
	const struct user *u = user_first_by_owner(op->head, UUID_NONE);
	for (; u; u = user_next_by_owner(op->head, u))
		if (uuid_equal(u->domain, domain))
			TRY(user_forget_whole(op, u->row.id));
	const struct user_group *g = user_group_first_by_domain(op->head, domain);
	for (; g; g = user_group_next_by_domain(op->head, g))
		TRY(user_group_forget_whole(op, g->row.id));
	return OK;
}

RESULT engine_delete_domain(struct op *op, struct domain_target *wish)
{
	const struct domain *domain = NULL;
	TRY(engine_permit(op, "domain.delete", KIND_DOMAIN, NULL));
	TRY(find_domain(op, &wish->domain, &domain));
	TRY(check_not_default(op, domain));
	if (domain->enabled)
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_DOMAIN,
				     "Cannot delete the domain %" STR_FMT
				     ": it is enabled. Disable it first.",
				     STR_ARG(domain->name));
	const struct account *a = account_first_by_domain(op->head, domain->row.id);
	while (a && !row_is_live(&a->row))
		a = account_next_by_domain(op->head, a);
	if (a)
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_DOMAIN,
				     "The domain %" STR_FMT " has the account %" STR_FMT ".",
				     STR_ARG(domain->name), STR_ARG(a->name));
	uuid id = domain->row.id;
	TRY(engine_log_event(op, KIND_DOMAIN, &domain->row, "deleted", "Domain %" STR_FMT ".",
			     STR_ARG(domain->name)));
	TRY(forget_people(op, id));
	TRY(leave_networks(op, id));
	TRY(oidc_sign_in_forget_domain(op, id));
	FORGET_EACH(op, domain_limit, domain, id);
	FORGET_EACH(op, role_assignment, domain, id);
	FORGET_EACH(op, role, domain, id);
	return domain_forget(op, id);
}
