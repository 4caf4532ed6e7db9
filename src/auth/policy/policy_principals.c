/* SPDX-License-Identifier: Apache-2.0
 * Principals of a trust policy that is to be stored: IAM refuses a policy that trusts somebody who does not exist, because it keeps the
 * principal's own id instead of the ARN. Source of the sentences: IAM's answers as people have reported them ("Invalid principal in
 * policy: \"AWS\":\"arn:aws:iam::…:role/…\"", "\"SERVICE\":\"nope.amazonaws.com\""; terraform-provider-aws #8905), and IAM User
 * Guide, "AWS JSON policy elements: Principal". */
#include <jansson.h>

#include "auth/policy/policy.h"
#include "model/iam_name.h"
#include "store/account.h"
#include "store/iam_role.h"
#include "store/oidc_provider.h"
#include "store/saml_provider.h"
#include "store/user.h"

/* "arn:aws:iam::123456789012:user/team/ann" */
struct principal_arn {
	struct str service, account, kind, rest; /* kind: "user"; rest: "/team/ann" */
};

static bool split(struct str text, struct principal_arn *ret_arn)
{
	struct str parts[6], rest = text;
	for (size_t k = 0; k < 5; k++) {
		size_t end = str_find_char(rest, ':', 0);
		parts[k] = str_slice(rest, 0, end);
		rest = str_slice(rest, end + (end < rest.n), rest.n);
	}
	size_t slash = str_find_char(rest, '/', 0);
	*ret_arn = (struct principal_arn){parts[2], parts[4], str_slice(rest, 0, slash),
					  str_slice(rest, slash, rest.n)};
	return str_is(parts[0], "arn") && str_is(parts[1], "aws") && !parts[3].n;
}

static bool is_row(struct ctx *c, const struct account *account, enum kind kind, const struct row *row,
		   struct str text)
{
	return row && str_equal(iam_arn_to_text(c->arena, account->number, kind, row), text);
}

/* An account's root, or a user or a role that exists under that ARN. */
static bool is_of_iam(struct ctx *c, const struct tables *t, const struct account *account,
		      const struct principal_arn *arn, struct str text)
{
	struct str name = iam_last_part(arn->rest);
	const struct user *user = user_find_by_owner(t, account->row.id, UUID_NONE, name);
	const struct iam_role *role = iam_role_find_by_account(t, account->row.id, name);
	if (str_is(arn->kind, "root"))
		return !arn->rest.n;
	if (str_is(arn->kind, "user"))
		return is_row(c, account, KIND_USER, user ? &user->row : NULL, text);
	return str_is(arn->kind, "role") && is_row(c, account, KIND_IAM_ROLE, role ? &role->row : NULL, text);
}

static bool is_identity(struct ctx *c, const struct tables *t, struct str text)
{
	struct principal_arn arn;
	bool is_arn = split(text, &arn);
	const struct account *account = account_find_by_number(t, is_arn ? arn.account : text);
	if (str_is(text, "*") || !account || !is_arn)
		return account || str_is(text, "*");
	if (str_is(arn.service, "sts"))
		return arn.rest.n > 1 &&
		       (str_is(arn.kind, "assumed-role") || str_is(arn.kind, "federated-user"));
	return str_is(arn.service, "iam") && is_of_iam(c, t, account, &arn, text);
}

static bool is_service(struct str name)
{
	static const char *const ends[] = {".amazonaws.com", ".amazon.com", ".amazonaws.com.cn"};
	for (size_t k = 0; k < sizeof ends / sizeof ends[0]; k++)
		if (name.n > strlen(ends[k]) && str_ends_with(name, str_from(ends[k])) &&
		    str_find_char(name, '*', 0) == name.n)
			return true;
	return false;
}

static bool is_provider(const struct tables *t, uuid account, const struct principal_arn *arn)
{
	struct str name = str_slice(arn->rest, 1, arn->rest.n);
	if (str_is(arn->kind, "oidc-provider"))
		return oidc_provider_find_by_account(t, account, name);
	return str_is(arn->kind, "saml-provider") && saml_provider_find_by_account(t, account, name);
}

/* An ARN of a provider that exists, or the host name of a well-known issuer. */
static RESULT check_federated(struct ctx *c, const struct tables *t, struct str text)
{
	struct principal_arn arn;
	if (!str_starts_with(text, STR("arn:")))
		return str_find_char(text, '.', 0) < text.n && str_find_char(text, '/', 0) == text.n
			       ? OK
			       : ctx_fail(c, ERR_INVALID,
					  "Federated principals must be valid domain names or SAML metadata "
					  "ARNs");
	const struct account *account = split(text, &arn) ? account_find_by_number(t, arn.account) : NULL;
	bool is_there = account && arn.rest.n && is_provider(t, account->row.id, &arn);
	return is_there ? OK
			: ctx_fail(c, ERR_INVALID,
				   "Invalid principal in policy: \"FEDERATED\":\"%" STR_FMT "\"",
				   STR_ARG(str_slice(text, 0, 256)));
}

static RESULT check_one(struct ctx *c, const struct tables *t, const char *type, struct str text)
{
	bool is_aws = strcmp(type, "AWS") == 0;
	if (strcmp(type, "Federated") == 0)
		return check_federated(c, t, text);
	bool is_good = is_aws                         ? is_identity(c, t, text)
		       : strcmp(type, "Service") == 0 ? is_service(text)
						      : true;
	return is_good ? OK
		       : ctx_fail(c, ERR_INVALID, "Invalid principal in policy: \"%s\":\"%" STR_FMT "\"",
				  is_aws ? "AWS" : "SERVICE", STR_ARG(str_slice(text, 0, 256)));
}

static RESULT check_statement(struct ctx *c, const struct tables *t, const json_t *statement)
{
	const json_t *principals = json_object_get(statement, "Principal");
	const char *type = NULL;
	json_t *list = NULL;
	if (!principals)
		principals = json_object_get(statement, "NotPrincipal");
	json_object_foreach ((json_t *) principals, type, list) {
		size_t count = json_is_array(list) ? json_array_size(list) : 1;
		for (size_t k = 0; k < count; k++) {
			const json_t *item = json_is_array(list) ? json_array_get(list, k) : list;
			struct str text = {json_string_value(item), json_string_length(item)};
			TRY(check_one(c, t, type, text));
		}
	}
	return OK;
}

static RESULT check(struct ctx *c, const struct tables *t, const json_t *statements)
{
	if (!json_is_array(statements))
		return check_statement(c, t, statements);
	for (size_t k = 0; k < json_array_size(statements); k++)
		TRY(check_statement(c, t, json_array_get(statements, k)));
	return OK;
}

RESULT policy_check_principals(struct ctx *c, const struct tables *t, struct str trust)
{
	json_t *json = json_loadb(trust.p ? trust.p : "", trust.n, JSON_REJECT_DUPLICATES, NULL);
	struct result result = check(c, t, json_object_get(json, "Statement"));
	json_decref(json);
	return result;
}
