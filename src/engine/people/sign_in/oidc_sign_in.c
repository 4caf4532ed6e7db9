/* SPDX-License-Identifier: Apache-2.0
 * Sign-in by OpenID Connect: providers of domains, links between users and subjects. Rows only. */
#include "engine/people/sign_in/oidc_sign_in.h"

#include "engine/people/sign_in/arrival_internal.h"
#include "engine/resolve.h"
#include "store/oidc_provider.h"
#include "store/user.h"

static RESULT find_provider(struct op *op, const struct ref *ref, struct oidc_provider *ret_provider)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_OIDC_PROVIDER, ref, &row));
	TRY(engine_permit(op, "oidc_provider.set_sign_in", KIND_OIDC_PROVIDER, row));
	TRY(arrival_check_administrator(op, KIND_OIDC_PROVIDER));
	*ret_provider = *oidc_provider_of(row);
	return OK;
}

static RESULT put(struct op *op, struct oidc_provider *next, const char *what)
{
	next->row.gen++;
	TRY(oidc_provider_put(op, next));
	return engine_log_event(op, KIND_OIDC_PROVIDER, &next->row, "changed",
				"OpenID Connect provider %" STR_FMT ": %s.", STR_ARG(next->url), what);
}

static void clear(struct oidc_provider *p)
{
	p->sign_in_domain = UUID_NONE;
	p->sign_in_name = p->sign_in_client = p->sign_in_secret = STR_NONE;
	p->sign_in_makes_users = false;
	p->sign_in_scopes = p->sign_in_group_claim = STR_NONE;
	p->sign_in_groups = (struct strs){0};
}

/* ---- providers ---- */

static RESULT check_others(struct op *op, const struct oidc_provider *but, uuid domain)
{
	size_t count = 0;
	const struct oidc_provider *p = oidc_provider_first_by_sign_in(op->head, domain);
	for (; p; p = oidc_provider_next_by_sign_in(op->head, p)) {
		if (uuid_equal(p->row.id, but->row.id))
			continue;
		count++;
		if (str_equal(p->url, but->url))
			return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_OIDC_PROVIDER,
					     "Another provider of this URL lets people of the domain in.");
	}
	return count < OIDC_SIGN_INS_MAX ? OK
					 : ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_OIDC_PROVIDER,
							 "A domain's people sign in by %d providers at most.",
							 OIDC_SIGN_INS_MAX);
}

RESULT engine_set_oidc_sign_in(struct op *op, struct oidc_sign_in_wish *wish)
{
	struct oidc_provider next;
	uuid domain = UUID_NONE;
	TRY(find_provider(op, &wish->oidc_provider, &next));
	TRY(arrival_find_domain(op, &wish->domain, &domain));
	TRY(engine_check_name(op, KIND_OIDC_PROVIDER, wish->name));
	TRY(check_others(op, &next, domain));
	TRY(arrival_check_rules(op, KIND_OIDC_PROVIDER, wish->groups));
	next.sign_in_domain = domain;
	next.sign_in_name = wish->name;
	next.sign_in_client = wish->client;
	next.sign_in_secret = wish->secret;
	next.sign_in_makes_users = wish->makes_users;
	next.sign_in_scopes = wish->scopes;
	next.sign_in_group_claim = wish->group_claim;
	next.sign_in_groups = wish->groups;
	return put(op, &next, "people sign in to the console by it");
}

RESULT engine_end_oidc_sign_in(struct op *op, struct oidc_sign_in_target *wish)
{
	struct oidc_provider next;
	TRY(find_provider(op, &wish->oidc_provider, &next));
	clear(&next);
	return put(op, &next, "nobody signs in to the console by it");
}

RESULT oidc_sign_in_forget_domain(struct op *op, uuid domain)
{
	const struct oidc_provider *p = oidc_provider_first_by_sign_in(op->head, domain);
	while (p) {
		struct oidc_provider next = *p;
		clear(&next);
		TRY(put(op, &next, "nobody signs in to the console by it"));
		p = oidc_provider_first_by_sign_in(op->head, domain);
	}
	return OK;
}

RESULT oidc_sign_in_check_free(struct op *op, const struct oidc_provider *provider)
{
	return arrival_check_free(op, KIND_OIDC_PROVIDER, provider->sign_in_domain);
}

/* ---- subjects ---- */

const struct user *oidc_sign_in_find_user(const struct tables *t, const struct oidc_provider *provider,
					  struct str subject)
{
	const struct user *u = subject.n ? user_first_by_oidc(t, subject) : NULL;
	for (; u; u = user_next_by_oidc(t, u))
		if (row_is_live(&u->row) && str_equal(u->oidc_issuer, provider->url) &&
		    uuid_equal(u->domain, provider->sign_in_domain))
			return u;
	return NULL;
}

RESULT engine_link_oidc_user(struct op *op, struct oidc_link *wish)
{
	struct oidc_provider provider;
	const struct row *row = NULL;
	TRY(find_provider(op, &wish->oidc_provider, &provider));
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, &row));
	TRY(engine_permit(op, "user.link_oidc", KIND_USER, row));
	struct user next = *user_of(row);
	TRY(arrival_check_link(op, KIND_OIDC_PROVIDER, wish->oidc_provider.field, provider.sign_in_domain,
			       &next, oidc_sign_in_find_user(op->head, &provider, wish->subject)));
	next.oidc_issuer = wish->subject.n ? provider.url : STR_NONE;
	next.oidc_subject = wish->subject;
	next.row.gen++;
	TRY(user_put(op, &next));
	return engine_log_event(op, KIND_USER, &next.row, "changed",
				wish->subject.n ? "User %" STR_FMT " signs in to the console by %" STR_FMT "."
						: "User %" STR_FMT
						  " does not sign in to the console by %" STR_FMT ".",
				STR_ARG(next.name), STR_ARG(provider.url));
}

/* ---- arrival ---- */

static RESULT make_user(struct op *op, const struct oidc_provider *provider, struct oidc_arrival *wish)
{
	struct user user = {.domain = provider->sign_in_domain,
			    .email = wish->email,
			    .oidc_issuer = provider->url,
			    .oidc_subject = wish->subject};
	TRY(arrival_make_user(op, &user, wish->names, provider->url));
	wish->user = user.row.id;
	return OK;
}

static RESULT set_groups(struct op *op, const struct oidc_provider *provider, const struct oidc_arrival *wish)
{
	const struct arrival_groups groups = {provider->sign_in_groups, wish->groups, .ignores_case = false};
	return arrival_set_groups(op, wish->user, &groups);
}

RESULT engine_arrive_by_oidc(struct op *op, struct oidc_arrival *wish)
{
	const struct oidc_provider *provider = oidc_provider_find(op->head, wish->oidc_provider);
	if (!provider)
		return arrival_refuse(op, "Nobody signs in by this provider any more.");
	const struct user *user = oidc_sign_in_find_user(op->head, provider, wish->subject);
	TRY(arrival_check_person(op, provider->sign_in_domain, user, provider->sign_in_makes_users));
	/* Signing in: the caller has no identity yet, and the provider vouches for the subject. */
	engine_need_no_permission(op);
	if (user)
		wish->user = user->row.id;
	else
		TRY(make_user(op, provider, wish));
	return set_groups(op, provider, wish);
}
