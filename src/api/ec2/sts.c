/* SPDX-License-Identifier: Apache-2.0
 * The Security Token Service, as far as it is built: who am I, and why I was refused. */
#include "api/ec2/action.h"
#include "auth/guard.h"
#include "model/iam_name.h"

struct sts_nothing {
	char none;
};

/* The account's root has the account's number for an id; other users have theirs from their UUID. */
static RESULT sts_get_caller_identity(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct identity *who = e->c->who;
	const struct user *user = user_find(ec2_walk(e), who->user);
	bool is_root = user && user->is_owner;
	(void) args;
	ec2_stop_walking(e);
	xml_text(x, "Arn", guard_write_principal(who, e->c->arena));
	xml_text(x, "UserId",
		 is_root ? who->account_number : iam_id_to_text(e->c->arena, KIND_USER, who->user));
	xml_text(x, "Account", who->account_number);
	return OK;
}

struct sts_decode {
	struct str message;
};
static const struct param decode_params[] = {
	PARAM(struct sts_decode, "EncodedMessage", message, .flags = REQUIRED, .min = 1, .max = 10240,
	      .doc = "As a refusal gave it."),
};

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

static const struct ec2_action actions[] = {
	{"GetCallerIdentity",
	 "sts:GetCallerIdentity",
	 OF_STS | FOR_ALL,
	 {0, 0, sizeof(struct sts_nothing)},
	 .answer = sts_get_caller_identity,
	 .doc = "Whose credentials these are."},
	{"DecodeAuthorizationMessage", "sts:DecodeAuthorizationMessage", OF_STS,
	 PARAMS(struct sts_decode, decode_params), .answer = sts_decode_message,
	 .doc = "Why a call was refused: the action, the resource, the statement."},
};
const struct ec2_actions ec2_sts_actions = ACTIONS(actions);
