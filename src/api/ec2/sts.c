/* SPDX-License-Identifier: Apache-2.0
 * The Security Token Service, as far as it is built: who am I. */
#include "api/ec2/action.h"

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
	struct str path =
		is_root ? STR("root") : str_print(e->c->arena, "user/%" STR_FMT, STR_ARG(who->user_name));
	xml_text(x, "Arn",
		 str_print(e->c->arena, "arn:aws:iam::%" STR_FMT ":%" STR_FMT, STR_ARG(who->account_number),
			   STR_ARG(path)));
	xml_text(x, "UserId", is_root ? who->account_number : uuid_to_str(e->c->arena, who->user));
	xml_text(x, "Account", who->account_number);
	return OK;
}

static const struct ec2_action actions[] = {
	{"GetCallerIdentity",
	 "sts:GetCallerIdentity",
	 OF_STS,
	 {0, 0, sizeof(struct sts_nothing)},
	 .answer = sts_get_caller_identity,
	 .doc = "Whose credentials these are."},
};
const struct ec2_actions ec2_sts_actions = ACTIONS(actions);
