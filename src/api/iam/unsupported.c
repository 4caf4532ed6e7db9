/* SPDX-License-Identifier: Apache-2.0
 * Credentials that IAM has and Dari does not: service-specific passwords. Their list is empty, because clients go
 * through it before they delete a user. */
#include "api/iam/internal.h"
#include "model/user.h"

struct unkept_args {
	struct ref user;
	struct str service;
};
static const struct param service_params[] = {
	IAM_USER(struct unkept_args, user),
	PARAM(struct unkept_args, "ServiceName", service, .max = 128, .doc = "Service of the credentials."),
};

static RESULT choose_user(struct iam_call *e, void *args)
{
	return iam_choose_user(e, &((struct unkept_args *) args)->user);
}

static RESULT write_none(struct iam_call *e, const struct unkept_args *a, struct xml *x, const char *list)
{
	const struct user *user = NULL;
	TRY(iam_find_user(e, &a->user, &user));
	xml_open(x, list);
	xml_close(x, list);
	return OK;
}

static RESULT list_service_credentials(struct iam_call *e, const void *args, struct xml *x)
{
	return write_none(e, args, x, "ServiceSpecificCredentials");
}

static const struct iam_action actions[] = {
	{IAM_ACTION("ListServiceSpecificCredentials"), .args = PARAMS(struct unkept_args, service_params),
	 .prepare = choose_user, .answer = list_service_credentials,
	 .doc = "Lists the service-specific credentials of a user. There are none."},
};
const struct api_actions iam_unkept_actions = API_ACTIONS(actions);
