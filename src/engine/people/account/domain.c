/* SPDX-License-Identifier: Apache-2.0
 * Domains: rows only. */
#include "engine/people/account/domain.h"

#include "engine/internal.h"
#include "engine/people/keystone_extra_internal.h"
#include "engine/people/sign_in/oidc_sign_in.h"
#include "engine/people/sign_in/saml_sign_in_internal.h"
#include "engine/people/user_internal.h"
#include "store/account.h"
#include "store/domain.h"
#include "store/user.h"

static RESULT check_name(struct op *op, struct str name, uuid but)
{
	TRY(engine_check_name(op, KIND_DOMAIN, name));
	const struct domain *other = domain_find_by_name(op->head, name);
	if (other && !uuid_equal(other->row.id, but))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_DOMAIN,
				     "The domain '%" STR_FMT "' exists already.", STR_ARG(name));
	return OK;
}

/* ---- the tree ---- */

uuid engine_get_parent(const struct domain *domain)
{
	if (uuid_equal(domain->row.id, DOMAIN_DEFAULT))
		return UUID_NONE;
	return uuid_is_none(domain->parent) ? DOMAIN_DEFAULT : domain->parent;
}

bool engine_is_domain_within(const struct tables *t, uuid inner, uuid outer)
{
	const struct domain *domain = domain_find(t, inner);
	while (domain && !uuid_equal(domain->row.id, outer))
		domain = domain_find(t, engine_get_parent(domain));
	return domain;
}

struct uuids engine_list_domains_above(struct arena *a, const struct tables *t, uuid domain)
{
	size_t count = 0;
	const struct domain *d = domain_find(t, domain);
	uuid *at = d && !uuid_is_none(d->parent) ? arena_new_array(a, uuid, DOMAIN_DEPTH_MAX) : NULL;
	for (; at && d && !uuid_is_none(d->parent) && count < DOMAIN_DEPTH_MAX; d = domain_find(t, d->parent))
		at[count++] = d->parent;
	return (struct uuids){at, count};
}

/* Finds the domain that a new one is to be below; none: the default domain. */
static RESULT find_parent(struct op *op, const struct ref *ref, uuid *ret_parent)
{
	const struct row *row = NULL;
	*ret_parent = UUID_NONE;
	if (!ref_is_given(ref))
		return OK;
	TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, ref, &row));
	if (engine_list_domains_above(op->ctx->arena, op->head, row->id).count + 1 >= DOMAIN_DEPTH_MAX)
		return ENGINE_FAIL_ABOUT(op, ERR_QUOTA, KIND_DOMAIN, ref,
					 "At most %d domains are below each other.", DOMAIN_DEPTH_MAX);
	if (domain_of(row)->is_deleting)
		return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_DOMAIN, ref,
					 "The domain %" STR_FMT " is being deleted.",
					 STR_ARG(domain_of(row)->name));
	if (!uuid_equal(row->id, DOMAIN_DEFAULT))
		*ret_parent = row->id;
	return OK;
}

RESULT engine_create_domain(struct op *op, struct domain_wish *wish)
{
	TRY(engine_permit(op, "domain.create", KIND_DOMAIN, NULL));
	TRY(check_name(op, wish->name, UUID_NONE));
	uuid parent = UUID_NONE;
	TRY(find_parent(op, &wish->parent, &parent));
	struct domain domain = {.row.id = engine_new_id(op, KIND_DOMAIN),
				.row.gen = 1,
				.name = wish->name,
				.description = wish->description,
				.parent = parent,
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

/* The first administrator's way in is `dari console` on the machine, which no setting closes. */
static RESULT set_passwords(struct op *op, const struct str *word, struct domain *next)
{
	for (size_t k = 0; word && domain_passwords_words[k]; k++)
		if (str_is(*word, domain_passwords_words[k])) {
			next->passwords = (enum domain_passwords) k;
			return OK;
		}
	return word ? ENGINE_FAIL(op, ERR_INVALID, KIND_DOMAIN, STR("passwords"),
				  "Passwords of a domain are accepted, directory-only or refused.")
		    : OK;
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
	TRY(set_passwords(op, wish->passwords, &next));
	TRY(check_name(op, next.name, domain->row.id));
	if (!next.enabled)
		TRY(check_not_default(op, domain));
	TRY(keystone_extra_add(op, KIND_DOMAIN, wish->extra, &next.extra));
	next.row.gen++;
	TRY(domain_put(op, &next));
	return engine_log_event(op, KIND_DOMAIN, &next.row, "changed",
				next.enabled ? "Domain %" STR_FMT ", enabled."
					     : "Domain %" STR_FMT ", disabled.",
				STR_ARG(next.name));
}

static RESULT forget_people(struct op *op, uuid domain)
{
	const struct user *u = NULL;
	while ((u = user_first_by_domain(op->head, domain)))
		TRY(user_forget_whole(op, u->row.id));
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
	const struct domain *below = domain_first_by_parent(op->head, domain->row.id);
	if (below)
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_DOMAIN,
				     "The domain %" STR_FMT " is above the domain %" STR_FMT ".",
				     STR_ARG(domain->name), STR_ARG(below->name));
	uuid id = domain->row.id;
	TRY(engine_log_event(op, KIND_DOMAIN, &domain->row, "deleted", "Domain %" STR_FMT ".",
			     STR_ARG(domain->name)));
	TRY(forget_people(op, id));
	TRY(oidc_sign_in_forget_domain(op, id));
	TRY(saml_sign_in_forget_domain(op, id));
	return domain_forget(op, id);
}
