/* SPDX-License-Identifier: Apache-2.0
 * Sign-in by SAML: providers of domains, links between users and subjects. Rows only. */
#include "engine/people/sign_in/saml_sign_in_internal.h"

#include "engine/people/sign_in/arrival_internal.h"
#include "engine/resolve.h"
#include "store/saml_provider.h"
#include "store/user.h"

static RESULT find_provider(struct op *op, const struct ref *ref, struct saml_provider *ret_provider)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_SAML_PROVIDER, ref, &row));
	TRY(engine_permit(op, "saml_provider.set_sign_in", KIND_SAML_PROVIDER, row));
	TRY(arrival_check_administrator(op, KIND_SAML_PROVIDER));
	*ret_provider = *saml_provider_of(row);
	return OK;
}

static RESULT put(struct op *op, struct saml_provider *next, const char *what)
{
	next->row.gen++;
	TRY(saml_provider_put(op, next));
	return engine_log_event(op, KIND_SAML_PROVIDER, &next->row, "changed",
				"SAML provider %" STR_FMT ": %s.", STR_ARG(next->name), what);
}

static void clear(struct saml_provider *p)
{
	p->sign_in_domain = UUID_NONE;
	p->sign_in_name = p->sign_in_subject_claim = p->sign_in_name_claim = p->sign_in_group_claim =
		STR_NONE;
	p->sign_in_groups = (struct strs){0};
	p->sign_in_makes_users = p->sign_in_unasked = false;
}

/* ---- providers ---- */

/* Two providers of one entityID would vouch for each other's users. */
static RESULT check_others(struct op *op, const struct saml_provider *but, uuid domain)
{
	size_t count = 0;
	const struct saml_provider *p = saml_provider_first_by_sign_in(op->head, domain);
	for (; p; p = saml_provider_next_by_sign_in(op->head, p)) {
		if (uuid_equal(p->row.id, but->row.id))
			continue;
		count++;
		if (str_equal(p->entity_id, but->entity_id))
			return ctx_fail_kind(
				op->ctx, ERR_EXISTS, KIND_SAML_PROVIDER,
				"Another provider with this entityID lets people of the domain in.");
	}
	return count < SAML_SIGN_INS_MAX
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_SAML_PROVIDER,
				       "A domain's people sign in by %d SAML providers at most.",
				       SAML_SIGN_INS_MAX);
}

RESULT engine_set_saml_sign_in(struct op *op, struct saml_sign_in_wish *wish)
{
	struct saml_provider next;
	uuid domain = UUID_NONE;
	TRY(find_provider(op, &wish->saml_provider, &next));
	TRY(arrival_find_domain(op, &wish->domain, &domain));
	TRY(engine_check_name(op, KIND_SAML_PROVIDER, wish->name));
	TRY(check_others(op, &next, domain));
	TRY(arrival_check_rules(op, KIND_SAML_PROVIDER, wish->groups));
	next.sign_in_domain = domain;
	next.sign_in_name = wish->name;
	next.sign_in_makes_users = wish->makes_users;
	next.sign_in_unasked = wish->is_unasked;
	next.sign_in_subject_claim = wish->subject_claim;
	next.sign_in_name_claim = wish->name_claim;
	next.sign_in_group_claim = wish->group_claim;
	next.sign_in_groups = wish->groups;
	return put(op, &next, "people sign in by it");
}

RESULT engine_end_saml_sign_in(struct op *op, struct saml_sign_in_target *wish)
{
	struct saml_provider next;
	TRY(find_provider(op, &wish->saml_provider, &next));
	clear(&next);
	return put(op, &next, "nobody signs in by it");
}

RESULT saml_sign_in_forget_domain(struct op *op, uuid domain)
{
	const struct saml_provider *p = saml_provider_first_by_sign_in(op->head, domain);
	while (p) {
		struct saml_provider next = *p;
		clear(&next);
		TRY(put(op, &next, "nobody signs in by it"));
		p = saml_provider_first_by_sign_in(op->head, domain);
	}
	return OK;
}

RESULT saml_sign_in_check_free(struct op *op, const struct saml_provider *provider)
{
	return arrival_check_free(op, KIND_SAML_PROVIDER, provider->sign_in_domain);
}

RESULT saml_sign_in_check_issuer(struct op *op, const struct saml_provider *provider, struct str entity_id)
{
	return uuid_is_none(provider->sign_in_domain) || str_equal(provider->entity_id, entity_id)
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_STATE, KIND_SAML_PROVIDER,
				       "People sign in by this provider: its metadata keep their entityID.");
}

/* ---- subjects ---- */

static const struct user *find_user(const struct tables *t, const struct saml_provider *provider,
				    struct str subject)
{
	const struct user *u = subject.n ? user_first_by_saml(t, subject) : NULL;
	for (; u; u = user_next_by_saml(t, u))
		if (row_is_live(&u->row) && str_equal(u->saml_issuer, provider->entity_id) &&
		    uuid_equal(u->domain, provider->sign_in_domain))
			return u;
	return NULL;
}

RESULT engine_link_saml_user(struct op *op, struct saml_link *wish)
{
	struct saml_provider provider;
	const struct row *row = NULL;
	TRY(find_provider(op, &wish->saml_provider, &provider));
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, &row));
	TRY(engine_permit(op, "user.link_saml", KIND_USER, row));
	struct user next = *user_of(row);
	TRY(arrival_check_link(op, KIND_SAML_PROVIDER, wish->saml_provider.field, provider.sign_in_domain,
			       &next, find_user(op->head, &provider, wish->subject)));
	next.saml_issuer = wish->subject.n ? provider.entity_id : STR_NONE;
	next.saml_subject = wish->subject;
	next.row.gen++;
	TRY(user_put(op, &next));
	return engine_log_event(op, KIND_USER, &next.row, "changed",
				wish->subject.n ? "User %" STR_FMT " signs in by %" STR_FMT "."
						: "User %" STR_FMT " does not sign in by %" STR_FMT ".",
				STR_ARG(next.name), STR_ARG(provider.entity_id));
}

/* ---- arrival ---- */

static RESULT make_user(struct op *op, const struct saml_provider *provider, struct saml_arrival *wish)
{
	struct user user = {.domain = provider->sign_in_domain,
			    .email = wish->email,
			    .saml_issuer = provider->entity_id,
			    .saml_subject = wish->subject};
	TRY(arrival_make_user(op, &user, wish->names, provider->sign_in_name));
	wish->user = user.row.id;
	return OK;
}

/* To somebody who signs in a used assertion proves nothing. */
static RESULT spend(struct op *op, const struct saml_provider *provider, struct str assertion)
{
	struct result spent = saml_provider_spend(op, provider, assertion);
	if (spent.code != ERR_INVALID)
		return spent;
	ctx_clear_problem(op->ctx);
	return arrival_refuse(op, "The assertion was used before. Sign in at the identity provider again.");
}

RESULT engine_arrive_by_saml(struct op *op, struct saml_arrival *wish)
{
	const struct saml_provider *provider = saml_provider_find(op->head, wish->saml_provider);
	if (!provider)
		return arrival_refuse(op, "Nobody signs in by this provider any more.");
	const struct user *user = find_user(op->head, provider, wish->subject);
	TRY(arrival_check_person(op, provider->sign_in_domain, user, provider->sign_in_makes_users));
	/* Signing in: the caller has no identity yet, and the provider vouches for the subject. */
	engine_need_no_permission(op);
	TRY(spend(op, provider, wish->assertion));
	if (user)
		wish->user = user->row.id;
	else
		TRY(make_user(op, provider, wish));
	const struct arrival_groups groups = {provider->sign_in_groups, wish->groups, .ignores_case = false};
	return arrival_set_groups(op, wish->user, &groups);
}
