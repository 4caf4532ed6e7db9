/* SPDX-License-Identifier: Apache-2.0
 * AssumeRoleWithSAML gives a session of a role for an assertion of a SAML identity provider. Callers do not sign it.
 * A lane verifies the assertion, because signatures take time. The guard then asks the role's trust policy, the store
 * spends the assertion, and the guard asks the policy again, in its state at that time. */
#include "api/ec2/account/sts.h"
#include "auth/guard/guard.h"
#include "auth/saml/saml.h"
#include "model/account.h"
#include "model/iam_name.h"
#include "model/iam_role.h"
#include "store/saml_provider.h"

struct sts_saml {
	struct saml_assertion_use use; /* the operation's wish, must be first */
	struct sts_assume assume;
	struct str principal_arn, encoded;
	/* set by prepare, as copies: the lane reads no tables */
	struct saml_provider provider;
	struct str account_number, trust;
	struct iam_role role;
	bool has_role;
	struct str absent;                /* a session policy that does not exist */
	struct arena *arena;              /* the call's */
	struct saml_assertion *assertion; /* set by verify */
};
#define W struct sts_saml
static const struct param saml_params[] = {
	STS_ROLE_PARAMS(W, assume.),
	PARAM(W, "PrincipalArn", principal_arn, .flags = REQUIRED, .min = 20, .max = 2048,
	      .doc = "ARN of the SAML provider."),
	PARAM(W, "SAMLAssertion", encoded, .flags = REQUIRED, .min = SAML_ENCODED_MIN,
	      .max = SAML_ENCODED_MAX, .doc = "SAML response of the provider, in base64."),
};

static RESULT refuse(struct ec2_call *e)
{
	return ctx_fail(e->c, ERR_DENIED, "Not authorized to perform sts:AssumeRoleWithSAML");
}

/* ---- what is looked up before ---- */

static struct strs copy_texts(struct arena *a, struct strs texts)
{
	struct str *at = arena_new_array(a, struct str, texts.count + 1);
	for (size_t k = 0; at && k < texts.count; k++)
		at[k] = str_copy(a, texts.at[k]);
	return (struct strs){at, at ? texts.count : 0};
}

/* Finds the provider in the role's account. */
static const struct saml_provider *find_provider(struct ec2_call *e, const struct sts_taking *s,
						 struct str arn)
{
	const struct saml_provider *p =
		s->account
			? saml_provider_find_by_account(ec2_tables(e), s->account->row.id, iam_last_part(arn))
			: NULL;
	bool is_meant =
		p &&
		str_equal(iam_arn_to_text(e->c->arena, s->account->number, KIND_SAML_PROVIDER, &p->row), arn);
	return is_meant ? p : NULL;
}

static RESULT copy_rows(struct ec2_call *e, const struct sts_taking *s, const struct saml_provider *p, W *a)
{
	struct arena *arena = e->c->arena;
	a->use.saml_provider = p->row.id;
	a->provider = (struct saml_provider){.name = str_copy(arena, p->name),
					     .entity_id = str_copy(arena, p->entity_id),
					     .certificates = copy_texts(arena, p->certificates),
					     .expires_us = p->expires_us};
	a->account_number = str_copy(arena, s->account->number);
	a->has_role = s->role;
	a->trust = s->role ? str_copy(arena, s->role->trust) : STR_NONE;
	a->role.session_max_us = s->role ? s->role->session_max_us : 0;
	a->absent = s->absent;
	return arena_is_full(arena) ? ctx_no_memory(e->c) : OK;
}

/* A role that does not exist is refused after the assertion was verified: strangers do not learn of it. */
static RESULT prepare_saml(struct ec2_call *e, void *args)
{
	W *a = args;
	struct sts_taking s = {.e = e, .args = &a->assume};
	a->arena = e->c->arena;
	a->assertion = arena_new_object(e->c->arena, struct saml_assertion);
	if (!a->assertion)
		return ctx_no_memory(e->c);
	TRY(sts_check_role_arn(e->c, a->assume.role_arn));
	TRY(sts_check_policy(e->c, a->assume.policy));
	sts_find_role(&s);
	const struct saml_provider *p = find_provider(e, &s, a->principal_arn);
	if (!p)
		return ctx_fail_kind(e->c, ERR_INVALID, KIND_SAML_PROVIDER,
				     "Specified provider doesn't exist");
	if (s.role)
		sts_find_policies(&s);
	return copy_rows(e, &s, p, a);
}

/* ---- who may ---- */

static enum policy_known find_key(const void *arg, struct str key, struct strs *ret_values)
{
	const W *a = arg;
	if (str_is(key, "sts:rolesessionname")) {
		*ret_values = (struct strs){&a->assume.name, 1};
		return POLICY_PRESENT;
	}
	return saml_find_key(a->arena, a->assertion, a->account_number, a->provider.name, key, ret_values)
		       ? POLICY_PRESENT
		       : POLICY_ABSENT;
}

static RESULT check_trust(struct ec2_call *e, const W *a, struct str document)
{
	const struct guard_trust trust = {.request = {.action = STR("sts:AssumeRoleWithSAML"),
						      .resource = a->assume.role_arn,
						      .find = find_key,
						      .arg = a},
					  .trust = document};
	bool is_trusted = false;
	TRY(guard_ask_federated(e->config->guards, e->call, &trust, a->principal_arn, &is_trusted));
	return is_trusted ? OK : refuse(e);
}

/* Attributes that would change the session, and that are not implemented. */
static RESULT check_absent_claims(struct ec2_call *e, const struct saml_assertion *s)
{
	struct str tag = STR(SAML_CLAIM("PrincipalTag:"));
	bool has_tags = saml_find_claim(s, SAML_CLAIM("TransitiveTagKeys")).count;
	for (size_t k = 0; k < s->claim_count; k++)
		has_tags |= str_starts_with(s->claims[k].name, tag);
	if (has_tags)
		return ctx_fail_kind(e->c, ERR_INVALID, KIND_SAML_PROVIDER,
				     "Session tags in an assertion are not supported here.");
	return saml_find_claim(s, SAML_CLAIM("SourceIdentity")).count
		       ? ctx_fail_kind(e->c, ERR_INVALID, KIND_SAML_PROVIDER,
				       "A SourceIdentity in an assertion is not supported here.")
		       : OK;
}

/* SessionDuration shortens the session; it does not prolong it. */
static RESULT choose_times(struct ec2_call *e, W *a)
{
	int64_t claimed_s = 0, *wanted_s = &a->assume.duration_s;
	TRY(saml_find_duration(e->c, a->assertion, &claimed_s));
	if (claimed_s && claimed_s < (*wanted_s ? *wanted_s : SESSION_S_ABSENT))
		*wanted_s = claimed_s;
	a->assume.ends_us = a->assertion->session_ends_us;
	return OK;
}

/* On a lane. Whatever can be refused is refused here, so that the assertion of a refused call is not spent. */
static RESULT verify_saml(struct work_item *w)
{
	struct ec2_call *e = w->arg;
	W *a = e->args;
	const struct sts_taking s = {.e = e, .args = &a->assume, .role = &a->role, .absent = a->absent};
	int64_t duration_s = 0;
	TRY(saml_read_response(e->c, a->encoded, &a->provider, NULL, a->assertion));
	if (!a->has_role || !saml_has_role(a->assertion, a->assume.role_arn, a->principal_arn))
		return refuse(e);
	TRY(saml_find_session_name(e->c, a->assertion, &a->assume.name));
	audit_add_subject(e->audit, "RoleSessionName", a->assume.name);
	audit_add_subject(e->audit, "Subject",
			  str_clean(e->c->arena, str_cut(a->assertion->subject, 256), true));
	TRY(check_absent_claims(e, a->assertion));
	TRY(choose_times(e, a));
	TRY(check_trust(e, a, a->trust));
	a->use.id = a->assertion->id;
	return sts_check_session(&s, &duration_s);
}

static RESULT assume_by_saml(struct ec2_call *e, const void *args, struct xml *x)
{
	const W *a = args;
	const struct saml_assertion *s = a->assertion;
	struct sts_taking taking = {.e = e, .args = &a->assume};
	sts_look_up(&taking);
	if (!taking.role)
		return refuse(e);
	TRY(check_trust(e, a, taking.role->trust));
	xml_text(x, "Subject", s->subject);
	xml_text_opt(x, "SubjectType", s->subject_type);
	xml_text(x, "Issuer", s->issuer);
	xml_text(x, "Audience", s->recipient);
	xml_text(x, "NameQualifier",
		 saml_name_qualifier(e->c->arena, s, a->account_number, a->provider.name));
	return sts_grant(&taking, x);
}

static const struct ec2_action actions[] = {
	{STS_ACTION("AssumeRoleWithSAML"), .flags = EC2_OF_STS | API_FOR_ALL | API_OPEN,
	 .args = PARAMS(W, saml_params), .prepare = prepare_saml, .work = verify_saml,
	 .operation = engine_use_saml_assertion_run, .answer = assume_by_saml,
	 .doc = "Returns temporary credentials of a role for an assertion of a SAML provider that its trust "
		"policy names."},
};
const struct api_actions ec2_sts_saml_actions = API_ACTIONS(actions);
