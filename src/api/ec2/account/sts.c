/* SPDX-License-Identifier: Apache-2.0
 * The Security Token Service: GetCallerIdentity, temporary credentials of a role or of the caller, and the
 * decoding of authorization messages. */
#include "api/ec2/account/sts.h"

#include "api/ec2/core/action.h"
#include "auth/guard/guard.h"
#include "engine/people/policy/iam_role.h"
#include "engine/people/policy/policy.h"
#include "model/iam_name.h"
#include "model/policy.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/iam_role.h"

struct sts_nothing {
	char none;
};

/* The root's id is the account's number; ids of other users are made from their UUID. */
static RESULT sts_get_caller_identity(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct identity *who = e->c->who;
	(void) args;
	xml_text(x, "Arn", guard_write_principal(who, e->c->arena));
	xml_text(x, "UserId", iam_caller_id(e->c->arena, who));
	xml_text(x, "Account", who->account_number);
	return OK;
}

struct sts_decode {
	struct str message;
};
static const struct param decode_params[] = {
	PARAM(struct sts_decode, "EncodedMessage", message, .flags = REQUIRED, .min = 1, .max = 10240,
	      .doc = "Encoded message of a refusal."),
};

/* The text of its errors is a guess: no recorded answer was found. */
static RESULT sts_decode_message(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct sts_decode *a = args;
	struct str json = STR_NONE;
	if (!e->config->guards)
		return ctx_fail_field(e->c, ERR_INVALID, STR("EncodedMessage"),
				      "No message was encoded here");
	TRY(guard_decode_refusal(e->config->guards, e->c, a->message, &json));
	xml_text(x, "DecodedMessage", json);
	return OK;
}

/* ---- whose key ---- */

struct sts_key {
	struct str key_id;
};
static const struct param key_params[] = {
	PARAM(struct sts_key, "AccessKeyId", key_id, .flags = REQUIRED, .min = 16, .max = 128,
	      .doc = "Access key of a user or a session of any account."),
};

static RESULT sts_get_key_info(struct ec2_call *e, const void *args, struct xml *x)
{
	struct str key_id = ((const struct sts_key *) args)->key_id;
	const struct tables *t = ec2_tables(e);
	char number[ACCOUNT_NUMBER_SIZE];
	const struct account *account = NULL;
	const struct access_key *key = access_key_find_by_key_id(t, key_id);
	if (key)
		account = account_find(t, key->account);
	else if (sigv4_read_number(e->config->sigv4, key_id, number))
		account = account_find_by_number(t, (struct str){number, sizeof number});
	if (!account)
		return ctx_fail_field(e->c, ERR_INVALID, STR("AccessKeyId"),
				      "The access key id %" STR_FMT " is nobody's.", STR_ARG(key_id));
	xml_text(x, "Account", account->number);
	return OK;
}

/* ---- temporary credentials ---- */

void sts_write_credentials(struct xml *x, const struct session_credentials *credentials, int64_t expires_us)
{
	char expires[CLOCK_TEXT_SIZE];
	xml_open(x, "Credentials");
	xml_text(x, "AccessKeyId", credentials->key_id);
	xml_text(x, "SecretAccessKey", credentials->secret);
	xml_text(x, "SessionToken", credentials->token);
	xml_z(x, "Expiration", clock_write_s(expires_us, expires));
	xml_close(x, "Credentials");
}

void sts_set_times(struct session *session, int64_t duration_s)
{
	session->issued_us = clock_now_us() / SECOND * SECOND;
	session->expires_us = session->issued_us + duration_s * SECOND;
}

int64_t sts_choose_own_duration(const struct identity *who, int64_t asked_s)
{
	int64_t duration_s = asked_s ? asked_s : OWN_SESSION_S_ABSENT;
	return who->is_owner && duration_s > OWNERS_SESSION_S_MAX ? OWNERS_SESSION_S_MAX : duration_s;
}

struct sts_own {
	struct sts_factor factor;
	int64_t duration_s;
};
static const struct param own_params[] = {
	PARAM(struct sts_own, "DurationSeconds", duration_s, .min = SESSION_S_MIN, .max = OWN_SESSION_S_MAX,
	      .doc = "Lifetime of the credentials in seconds; at most an hour for the account's root user."),
	STS_FACTOR_PARAMS(struct sts_own, factor),
};

static RESULT prepare_own(struct ec2_call *e, void *args)
{
	return sts_check_factor(e, &((struct sts_own *) args)->factor);
}

static RESULT sts_get_session_token(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct identity *who = e->c->who;
	const struct sts_own *own = args;
	struct session session = {.account = who->account, .user = who->user};
	struct session_credentials credentials;
	if (who->session)
		return ctx_fail(e->c, ERR_DENIED, "Cannot call GetSessionToken with session credentials");
	sts_set_times(&session, sts_choose_own_duration(who, own->duration_s));
	if (!uuid_is_none(own->factor.use.factor))
		session.factor_us = session.issued_us;
	TRY(sigv4_issue_session(e->config->sigv4, e->c, &session, who->account_number, &credentials));
	sts_write_credentials(x, &credentials, session.expires_us);
	return OK;
}

/* ---- a role's ---- */

#define A struct sts_assume
static const struct param arn_rows[] = {
	PARAM(struct sts_policy_arn, "arn", arn, .flags = REQUIRED, .min = 20, .max = 2048,
	      .doc = "ARN of a managed policy of the role's account or of AWS."),
};
const struct params sts_policy_arn_params = PARAMS(struct sts_policy_arn, arn_rows);
static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = 128, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .flags = REQUIRED, .max = 256, .doc = "Tag value."),
};
const struct params sts_tag_params = PARAMS(struct tag, tag_rows);
static const struct param assume_params[] = {
	STS_ASSUME_PARAMS(A, ),
	PARAM_LIST(A, "Tags.member", tags, sts_tag_params, .max = SESSION_TAGS_MAX,
		   .doc = "Session tags; they override the role's tags of the same key."),
	PARAM(A, "ExternalId", external_id, .min = 2, .max = 1224,
	      .doc = "External id that the role's trust policy may require."),
	STS_FACTOR_PARAMS(A, factor),
	NOT_BUILT("SourceIdentity|TransitiveTagKeys|ProvidedContexts"),
};

RESULT sts_check_characters(struct ctx *c, struct str text, const char *more, const char *field)
{
	for (size_t k = 0; k < text.n; k++) {
		char ch = text.p[k];
		if (!str_is_alphanumeric(ch) && ch != '_' && (!ch || !strchr(more, ch)))
			return request_fail_member(
				c, str_from(field), text,
				str_to_z(c->arena,
					 str_print(c->arena, "satisfy regular expression pattern: [\\w%s]*",
						   more)));
	}
	return OK;
}

RESULT sts_check_role_arn(struct ctx *c, struct str arn)
{
	struct str prefix = STR("arn:aws:iam::");
	struct str rest = str_slice(arn, prefix.n + ACCOUNT_NUMBER_SIZE, arn.n);
	return str_starts_with(arn, prefix) && str_starts_with(rest, STR(":role/"))
		       ? OK
		       : ctx_fail_field(c, ERR_INVALID, STR("RoleArn"), "%" STR_FMT " is invalid",
					STR_ARG(str_slice(arn, 0, 128)));
}

RESULT sts_check_tags(struct ctx *c, struct tags tags)
{
	for (size_t k = 0; k < tags.count; k++) {
		for (size_t n = 0; n < k; n++)
			if (str_equal_nocase(tags.at[n].key, tags.at[k].key))
				return ctx_fail_field(c, ERR_COMBINATION, STR("Tags"),
						      "Duplicate tag keys found. Please note that Tag keys "
						      "are case insensitive.");
		if (str_starts_with(str_lower(c->arena, tags.at[k].key), STR("aws:")))
			return ctx_fail_field(c, ERR_INVALID, STR("Tags"),
					      "Tag keys that begin with aws: are reserved.");
	}
	return OK;
}

RESULT sts_check_policy(struct ctx *c, struct str document)
{
	const struct policy_code *policy = NULL;
	if (str_is_empty(document))
		return OK;
	struct result compiled = policy_compile(c, document, POLICY_OF_IDENTITY, &policy);
	if (compiled.code == ERR_INVALID) {
		c->problem.kind = KIND_POLICY;
		c->problem.field = STR("Policy");
	}
	return compiled;
}

RESULT sts_prepare_assume(struct ec2_call *e, void *args)
{
	const A *a = args;
	TRY(sts_check_role_arn(e->c, a->role_arn));
	TRY(sts_check_characters(e->c, a->name, "+=,.@-", "RoleSessionName"));
	TRY(sts_check_characters(e->c, a->external_id, "+=,.@:\\/-", "ExternalId"));
	TRY(sts_check_tags(e->c, a->tags));
	return sts_check_policy(e->c, a->policy);
}

void sts_find_policies(struct sts_taking *s)
{
	const struct tables *t = ec2_tables(s->e);
	for (size_t k = 0; k < s->args->arns.count; k++) {
		struct str arn = s->args->arns.at[k].arn;
		const struct policy *p = engine_find_policy_arn(s->e->c->arena, t, s->account->row.id, arn);
		if (!p && str_is_empty(s->absent))
			s->absent = arn;
		s->policies[k] = p ? p->row.id : UUID_NONE;
	}
}

void sts_find_role(struct sts_taking *s)
{
	const struct tables *t = ec2_tables(s->e);
	struct str arn = s->args->role_arn;
	const size_t at = STR("arn:aws:iam::").n;
	s->account = account_find_by_number(t, str_slice(arn, at, at + ACCOUNT_NUMBER_SIZE));
	if (s->account)
		s->role = iam_role_find_by_account(t, s->account->row.id, iam_last_part(arn));
	if (s->role &&
	    !str_equal(iam_arn_to_text(s->e->c->arena, s->account->number, KIND_IAM_ROLE, &s->role->row),
		       arn))
		s->role = NULL;
}

void sts_look_up(struct sts_taking *s)
{
	sts_find_role(s);
	if (s->role)
		sts_find_policies(s);
	ec2_release_tables(s->e);
}

static RESULT prepare_role(struct ec2_call *e, void *args)
{
	TRY(sts_prepare_assume(e, args));
	return sts_check_factor(e, &((A *) args)->factor);
}

static enum policy_known give_one(struct arena *a, struct str value, struct strs *ret_values)
{
	struct str *at = arena_new_object(a, struct str);
	if (!value.n || !at)
		return POLICY_ABSENT;
	*at = value;
	*ret_values = (struct strs){at, 1};
	return POLICY_PRESENT;
}

/* Condition keys of the request. */
static enum policy_known find_assume_key(const void *arg, struct str key, struct strs *ret_values)
{
	const struct sts_taking *s = arg;
	struct arena *a = s->e->c->arena;
	if (!uuid_is_none(s->args->factor.use.factor) && str_is(key, "aws:multifactorauthpresent"))
		return give_one(a, STR("true"), ret_values);
	if (!uuid_is_none(s->args->factor.use.factor) && str_is(key, "aws:multifactorauthage"))
		return give_one(a, STR("0"), ret_values);
	if (str_is(key, "sts:externalid"))
		return give_one(a, s->args->external_id, ret_values);
	if (str_is(key, "sts:rolesessionname"))
		return give_one(a, s->args->name, ret_values);
	return sts_find_request_tag(a, s->args->tags, key, ret_values);
}

enum policy_known sts_find_request_tag(struct arena *a, struct tags tags, struct str key,
				       struct strs *ret_values)
{
	struct str prefix = STR("aws:requesttag/");
	if (str_starts_with(key, prefix)) {
		const struct tag *tag = tags_find(tags, str_slice(key, prefix.n, key.n));
		return tag ? give_one(a, tag->value, ret_values) : POLICY_ABSENT;
	}
	struct str *keys = arena_new_array(a, struct str, tags.count + 1);
	if (!str_is(key, "aws:tagkeys") || !tags.count || !keys)
		return POLICY_ABSENT;
	for (size_t k = 0; k < tags.count; k++)
		keys[k] = tags.at[k].key;
	*ret_values = (struct strs){keys, tags.count};
	return POLICY_PRESENT;
}

/* A missing role is refused with the same message as one that the caller may not assume. */
static RESULT permit_taking(const struct sts_taking *s, const char *action)
{
	const struct guard_trust trust = {.request = {.action = str_from(action),
						      .resource = s->args->role_arn,
						      .find = find_assume_key,
						      .arg = s},
					  .account = s->role ? s->account->row.id : UUID_NONE,
					  .trust = s->role ? s->role->trust : STR_NONE};
	return guard_check_trust(s->e->config->guards, s->e->call, &trust);
}

static RESULT choose_duration(const struct sts_taking *s, int64_t *ret_duration_s)
{
	int64_t duration_s = s->args->duration_s ? s->args->duration_s : SESSION_S_ABSENT;
	if (s->e->c->who->session && !uuid_is_none(s->e->c->who->iam_role) && duration_s > SESSION_S_ABSENT)
		return ctx_fail_field(
			s->e->c, ERR_INVALID, STR("DurationSeconds"),
			"The requested DurationSeconds exceeds the 1 hour session limit for roles "
			"assumed by role chaining");
	if (duration_s * SECOND > s->role->session_max_us)
		return ctx_fail_field(
			s->e->c, ERR_INVALID, STR("DurationSeconds"),
			"The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
	*ret_duration_s = duration_s;
	return OK;
}

static void write_taken(const struct sts_taking *s, const struct session *session, struct xml *x)
{
	struct arena *a = s->e->c->arena;
	xml_open(x, "AssumedRoleUser");
	xml_text(x, "AssumedRoleId",
		 str_print(a, "%" STR_FMT ":%" STR_FMT,
			   STR_ARG(iam_id_to_text(a, KIND_IAM_ROLE, s->role->row.id)),
			   STR_ARG(session->name)));
	xml_text(x, "Arn",
		 str_print(a, "arn:aws:sts::%" STR_FMT ":assumed-role/%" STR_FMT "/%" STR_FMT,
			   STR_ARG(s->account->number), STR_ARG(s->role->name), STR_ARG(session->name)));
	xml_close(x, "AssumedRoleUser");
	sts_write_packed_size(session, a, x);
}

void sts_write_packed_size(const struct session *session, struct arena *a, struct xml *x)
{
	size_t size = session_packed_size(session) - session->name.n;
	if (size)
		xml_text(x, "PackedPolicySize",
			 str_print(a, "%zu", (size * 100 + SESSION_PACKED_MAX - 1) / SESSION_PACKED_MAX));
}

RESULT sts_check_session(const struct sts_taking *s, int64_t *ret_duration_s)
{
	TRY(choose_duration(s, ret_duration_s));
	return s->absent.n ? ctx_fail_field(s->e->c, ERR_INVALID, STR("PolicyArns"),
					    "PolicyArn %" STR_FMT " does not exist in the role's account.",
					    STR_ARG(str_slice(s->absent, 0, 256)))
			   : OK;
}

RESULT sts_grant(struct sts_taking *s, struct xml *x)
{
	struct ec2_call *e = s->e;
	struct session_credentials credentials;
	int64_t duration_s = 0;
	TRY(sts_check_session(s, &duration_s));
	struct session session = {.account = s->account->row.id,
				  .iam_role = s->role->row.id,
				  .name = s->args->name,
				  .policy = s->args->policy,
				  .policies = {s->policies, s->args->arns.count},
				  .tags = s->args->tags};
	sts_set_times(&session, duration_s);
	if (s->args->ends_us && s->args->ends_us < session.expires_us)
		session.expires_us = s->args->ends_us / SECOND * SECOND;
	TRY(sigv4_issue_session(e->config->sigv4, e->c, &session, s->account->number, &credentials));
	write_taken(s, &session, x);
	sts_write_credentials(x, &credentials, session.expires_us);
	return OK;
}

static RESULT sts_assume_role(struct ec2_call *e, const void *args, struct xml *x)
{
	struct sts_taking s = {.e = e, .args = args};
	sts_look_up(&s);
	TRY(permit_taking(&s, "sts:AssumeRole"));
	if (s.args->tags.count)
		TRY(permit_taking(&s, "sts:TagSession"));
	return sts_grant(&s, x);
}

static const struct ec2_action actions[] = {
	{STS_ACTION("GetCallerIdentity"), .flags = EC2_OF_STS | API_FOR_ALL,
	 .args = {0, 0, sizeof(struct sts_nothing)}, .answer = sts_get_caller_identity,
	 .doc = "Returns the identity that signed the request."},
	{STS_ACTION("DecodeAuthorizationMessage"), .flags = EC2_OF_STS,
	 .args = PARAMS(struct sts_decode, decode_params), .answer = sts_decode_message,
	 .doc = "Decodes the reason of a refusal: the action, the resource and the policy statement."},
	{STS_ACTION("AssumeRole"), .flags = EC2_OF_STS | API_FOR_ALL, .args = PARAMS(A, assume_params),
	 .prepare = prepare_role, .operation = engine_use_second_factor_run, .answer = sts_assume_role,
	 .doc = "Returns temporary credentials of a role, if its trust policy and the caller's policies "
		"allow it."},
	{STS_ACTION("GetSessionToken"), .flags = EC2_OF_STS | API_FOR_ALL,
	 .args = PARAMS(struct sts_own, own_params), .prepare = prepare_own,
	 .operation = engine_use_second_factor_run, .answer = sts_get_session_token,
	 .doc = "Returns temporary credentials of the calling user."},
	{STS_ACTION("GetAccessKeyInfo"), .flags = EC2_OF_STS, .args = PARAMS(struct sts_key, key_params),
	 .answer = sts_get_key_info, .doc = "Returns the account of an access key."},
};
const struct api_actions ec2_sts_actions = API_ACTIONS(actions);
