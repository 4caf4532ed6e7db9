/* SPDX-License-Identifier: Apache-2.0
 * GetFederationToken: temporary credentials of the calling user under another name. They allow what both the user's policies
 * and the session policies allow. Source: STS API Reference, "GetFederationToken"; IAM User Guide, "Permissions for
 * GetFederationToken". */
#include "api/ec2/account/sts.h"
#include "auth/guard/guard.h"
#include "store/account.h"

#define A struct sts_assume
static const struct param federation_params[] = {
	PARAM(A, "Name", name, .flags = REQUIRED, .min = 2, .max = 32,
	      .doc = "Name of the federated user in ARNs and records."),
	PARAM(A, "DurationSeconds", duration_s, .min = SESSION_S_MIN, .max = OWN_SESSION_S_MAX,
	      .doc = "Lifetime of the credentials in seconds; at most an hour for the account's root user."),
	STS_POLICY_PARAMS(
		A, , "Session policy, as JSON. Without a session policy, the credentials allow nothing."),
	PARAM_LIST(A, "Tags.member", tags, sts_tag_params, .max = SESSION_TAGS_MAX,
		   .doc = "Session tags; they override the user's tags of the same key."),
};

static RESULT prepare_federation(struct ec2_call *e, void *args)
{
	const A *a = args;
	TRY(sts_check_characters(e->c, a->name, "+=,.@-", "Name"));
	TRY(sts_check_tags(e->c, a->tags));
	return sts_check_policy(e->c, a->policy);
}

static enum policy_known find_federation_key(const void *arg, struct str key, struct strs *ret_values)
{
	const struct sts_taking *s = arg;
	return sts_find_request_tag(s->e->c->arena, s->args->tags, key, ret_values);
}

/* The right to hand out the own rights in part is that of a member, whose role allows more than reading. */
static RESULT permit(const struct sts_taking *s, const char *action, struct str arn)
{
	const struct identity *who = s->e->c->who;
	const struct guard_request request = {.action = str_from(action),
					      .words = GUARD_OF_IAM,
					      .has_role = who->is_owner || identity_has(who, RIGHT_MEMBER),
					      .resource = arn,
					      .find = find_federation_key,
					      .arg = s};
	return guard_check_action(s->e->config->guards, s->e->call, &request);
}

/* Finds the session policies in the caller's account. ERR_INVALID: one does not exist. */
static RESULT find_policies(struct sts_taking *s)
{
	s->account = account_find(ec2_tables(s->e), s->e->c->who->account);
	if (s->account)
		sts_find_policies(s);
	ec2_release_tables(s->e);
	return s->absent.n ? ctx_fail_field(s->e->c, ERR_INVALID, STR("PolicyArns"),
					    "PolicyArn %" STR_FMT " does not exist in the account.",
					    STR_ARG(str_slice(s->absent, 0, 256)))
			   : OK;
}

static RESULT issue(struct sts_taking *s, struct str arn, struct xml *x)
{
	struct ec2_call *e = s->e;
	const struct identity *who = e->c->who;
	struct session_credentials credentials;
	struct session session = {.account = who->account,
				  .user = who->user,
				  .name = s->args->name,
				  .policy = s->args->policy,
				  .policies = {s->policies, s->args->arns.count},
				  .tags = s->args->tags};
	sts_set_times(&session, sts_choose_own_duration(who, s->args->duration_s));
	TRY(sigv4_issue_session(e->config->sigv4, e->c, &session, who->account_number, &credentials));
	sts_write_credentials(x, &credentials, session.expires_us);
	xml_open(x, "FederatedUser");
	xml_text(x, "FederatedUserId",
		 str_print(e->c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(who->account_number),
			   STR_ARG(session.name)));
	xml_text(x, "Arn", arn);
	xml_close(x, "FederatedUser");
	sts_write_packed_size(&session, e->c->arena, x);
	return OK;
}

static RESULT sts_get_federation_token(struct ec2_call *e, const void *args, struct xml *x)
{
	struct sts_taking s = {.e = e, .args = args};
	const struct identity *who = e->c->who;
	struct str arn = str_print(e->c->arena, "arn:aws:sts::%" STR_FMT ":federated-user/%" STR_FMT,
				   STR_ARG(who->account_number), STR_ARG(s.args->name));
	if (who->session)
		return ctx_fail(e->c, ERR_DENIED, "Cannot call GetFederationToken with session credentials");
	TRY(permit(&s, "sts:GetFederationToken", arn));
	if (s.args->tags.count)
		TRY(permit(&s, "sts:TagSession", arn));
	TRY(find_policies(&s));
	return issue(&s, arn, x);
}

static const struct ec2_action actions[] = {
	{STS_ACTION("GetFederationToken"), .flags = EC2_OF_STS | API_FOR_ALL,
	 .args = PARAMS(A, federation_params), .prepare = prepare_federation,
	 .answer = sts_get_federation_token,
	 .doc = "Returns temporary credentials of the calling user for a federated user, which session "
		"policies "
		"limit."},
};
const struct api_actions ec2_sts_federation_actions = API_ACTIONS(actions);
