/* SPDX-License-Identifier: Apache-2.0
 * AssumeRoleWithWebIdentity: assumes a role with the token of an OpenID Connect issuer. The call is not
 * signed. First the token is read and compared with the provider; then the issuer's keys are fetched, while
 * the call is parked; then the role's trust policy decides, in its state at that time. */
#include "api/ec2/account/sts.h"
#include "auth/guard/guard.h"
#include "auth/token/issuers.h"
#include "model/account.h"
#include "model/iam_name.h"
#include "model/iam_role.h"
#include "store/oidc_provider.h"

struct sts_web {
	struct sts_assume assume; /* must be first */
	struct str token;
	/* set by prepare: */
	struct web_identity *identity;
	struct oidc_provider provider; /* a copy of the members needed */
	struct str provider_arn;
};
#define W struct sts_web
static const struct param web_params[] = {
	STS_ASSUME_PARAMS(W, assume.),
	PARAM(W, "WebIdentityToken", token, .flags = REQUIRED, .min = WEB_TOKEN_MIN, .max = WEB_TOKEN_MAX,
	      .doc = "Token of the identity provider: a signed JSON Web Token."),
	NOT_BUILT("ProviderId"),
};

static struct strs copy_texts(struct arena *a, struct strs texts)
{
	struct str *at = arena_new_array(a, struct str, texts.count + 1);
	for (size_t k = 0; at && k < texts.count; k++)
		at[k] = str_copy(a, texts.at[k]);
	return (struct strs){at, at ? texts.count : 0};
}

/* Finds the provider in the role's account; false: none has the token's issuer. */
static bool find_provider(struct ec2_call *e, const struct sts_taking *s, W *a)
{
	struct arena *arena = e->c->arena;
	const struct oidc_provider *p = oidc_provider_first_by_account(ec2_tables(e), s->account->row.id);
	while (p && !str_equal(p->url, a->identity->issuer))
		p = oidc_provider_next_by_account(ec2_tables(e), p);
	if (!p)
		return false;
	a->provider = (struct oidc_provider){.row.id = p->row.id,
					     .row.commit = p->row.commit,
					     .url = str_copy(arena, p->url),
					     .client_ids = copy_texts(arena, p->client_ids),
					     .thumbprints = copy_texts(arena, p->thumbprints)};
	a->provider_arn = iam_arn_to_text(arena, s->account->number, KIND_OIDC_PROVIDER, &a->provider.row);
	return true;
}

static RESULT refuse(struct ec2_call *e)
{
	return ctx_fail(e->c, ERR_DENIED, "Not authorized to perform sts:AssumeRoleWithWebIdentity");
}

static RESULT prepare_web(struct ec2_call *e, void *args)
{
	W *a = args;
	struct sts_taking s = {.e = e, .args = &a->assume};
	a->identity = arena_new_object(e->c->arena, struct web_identity);
	if (!a->identity)
		return ctx_no_memory(e->c);
	TRY(sts_prepare_assume(e, args));
	TRY(web_identity_read(e->c, a->token, a->identity));
	sts_find_role(&s);
	if (!s.role)
		return refuse(e);
	if (!find_provider(e, &s, a))
		return ctx_fail_kind(e->c, ERR_INVALID, KIND_OIDC_PROVIDER,
				     "No OpenIDConnect provider found in your account for https://%" STR_FMT,
				     STR_ARG(str_slice(a->identity->issuer, 0, 255)));
	if (!e->config->issuers)
		return ctx_fail(e->c, ERR_AGAIN, "no issuer can be asked here");
	e->lane = issuers_lane(e->config->issuers);
	e->asker = s.account->row.id; /* its provider answers as slowly as the account likes */
	return web_identity_fit(e->c, a->identity, &a->provider);
}

static RESULT prove_web(struct work_item *w)
{
	struct ec2_call *e = w->arg;
	const W *a = e->args;
	return issuers_prove(e->config->issuers, e->c, &a->provider, a->identity);
}

static enum policy_known find_key(const void *arg, struct str key, struct strs *ret_values)
{
	const W *a = arg;
	if (str_is(key, "sts:rolesessionname")) {
		*ret_values = (struct strs){&a->assume.name, 1};
		return POLICY_PRESENT;
	}
	return web_identity_find_key(a->identity, key, ret_values) ? POLICY_PRESENT : POLICY_ABSENT;
}

/* The provider or the role may have been deleted or replaced meanwhile. */
static RESULT assume_by_web(struct ec2_call *e, const void *args, struct xml *x)
{
	const W *a = args;
	struct sts_taking s = {.e = e, .args = &a->assume};
	sts_look_up(&s);
	const struct guard_trust trust = {.request = {.action = STR("sts:AssumeRoleWithWebIdentity"),
						      .resource = a->assume.role_arn,
						      .find = find_key,
						      .arg = a},
					  .trust = s.role ? s.role->trust : STR_NONE};
	bool is_trusted = false;
	if (s.role)
		TRY(guard_ask_federated(e->config->guards, e->call, &trust, a->provider_arn, &is_trusted));
	if (!is_trusted)
		return refuse(e);
	xml_text(x, "SubjectFromWebIdentityToken", a->identity->subject);
	xml_text(x, "Audience", a->identity->audience);
	xml_text(x, "Provider", a->provider_arn);
	return sts_grant(&s, x);
}

static const struct ec2_action actions[] = {
	{STS_ACTION("AssumeRoleWithWebIdentity"), .flags = EC2_OF_STS | API_FOR_ALL | API_OPEN,
	 .args = PARAMS(W, web_params), .prepare = prepare_web, .work = prove_web, .answer = assume_by_web,
	 .doc = "Returns temporary credentials of a role for a token of an OIDC provider that its trust "
		"policy names."},
};
const struct api_actions ec2_sts_web_actions = API_ACTIONS(actions);
