/* SPDX-License-Identifier: Apache-2.0
 * Names in IAM. */
#include "model/iam_name.h"

#include <stddef.h>

#include "model/iam_role.h"
#include "model/instance_profile.h"
#include "model/mfa_device.h"
#include "model/oidc_provider.h"
#include "model/policy.h"
#include "model/saml_provider.h"
#include "model/server_certificate.h"
#include "model/session.h"
#include "model/user.h"
#include "model/user_group.h"

enum { ID_DIGITS = 17, PREFIX_SIZE = 4 };

struct form {
	enum kind kind;
	const char *prefix, *type;
	size_t path, name; /* path 0: none */
};

static const struct form forms[] = {
	{KIND_USER, "AIDA", "user", offsetof(struct user, path), offsetof(struct user, name)},
	{KIND_USER_GROUP, "AGPA", "group", offsetof(struct user_group, path),
	 offsetof(struct user_group, name)},
	{KIND_IAM_ROLE, "AROA", "role", offsetof(struct iam_role, path), offsetof(struct iam_role, name)},
	{KIND_INSTANCE_PROFILE, "AIPA", "instance-profile", offsetof(struct instance_profile, path),
	 offsetof(struct instance_profile, name)},
	{KIND_MFA_DEVICE, "", "mfa", offsetof(struct mfa_device, path), offsetof(struct mfa_device, name)},
	{KIND_OIDC_PROVIDER, "", "oidc-provider", 0, offsetof(struct oidc_provider, url)},
	{KIND_SAML_PROVIDER, "", "saml-provider", 0, offsetof(struct saml_provider, name)},
	{KIND_POLICY, "ANPA", "policy", offsetof(struct policy, path), offsetof(struct policy, name)},
	{KIND_SERVER_CERTIFICATE, "ASCA", "server-certificate", offsetof(struct server_certificate, path),
	 offsetof(struct server_certificate, name)},
};

static const struct form *form_of(enum kind kind)
{
	for (size_t k = 0; k < sizeof forms / sizeof forms[0]; k++)
		if (forms[k].kind == kind)
			return &forms[k];
	return NULL;
}

bool iam_is_kind(enum kind kind)
{
	return form_of(kind) != NULL;
}

static struct str text_at(const struct row *row, size_t offset)
{
	return *(const struct str *) (const void *) ((const char *) row + offset);
}

struct str iam_get_path(enum kind kind, const struct row *row)
{
	const struct form *form = form_of(kind);
	struct str path = form && form->path ? text_at(row, form->path) : STR_NONE;
	return path.n ? path : STR("/");
}

struct str iam_get_name(enum kind kind, const struct row *row)
{
	const struct form *form = form_of(kind);
	return form ? text_at(row, form->name) : STR_NONE;
}

struct str iam_id_to_text(struct arena *a, enum kind kind, uuid id)
{
	const struct form *form = form_of(kind);
	struct str hex = str_encode_hex(a, id.b, sizeof id.b);
	char *out = arena_alloc(a, PREFIX_SIZE + ID_DIGITS);
	if (!form || !out || hex.n < ID_DIGITS)
		return STR_NONE;
	memcpy(out, form->prefix, PREFIX_SIZE);
	for (size_t k = 0; k < ID_DIGITS; k++)
		out[PREFIX_SIZE + k] = hex.p[k] >= 'a' ? (char) (hex.p[k] - ('a' - 'A')) : hex.p[k];
	return (struct str){out, PREFIX_SIZE + ID_DIGITS};
}

struct str iam_caller_id(struct arena *a, const struct identity *who)
{
	bool is_federated = session_is_federated(who->session), is_of_role = !uuid_is_none(who->iam_role);
	if (!is_federated && !is_of_role)
		return who->is_owner || uuid_is_none(who->user) ? who->account_number
								: iam_id_to_text(a, KIND_USER, who->user);
	return str_print(
		a, "%" STR_FMT ":%" STR_FMT,
		STR_ARG(is_federated ? who->account_number : iam_id_to_text(a, KIND_IAM_ROLE, who->iam_role)),
		STR_ARG(who->session ? who->session->name : STR_NONE));
}

struct str iam_arn_to_text(struct arena *a, struct str account_number, enum kind kind, const struct row *row)
{
	const struct form *form = form_of(kind);
	struct str path = row ? iam_get_path(kind, row) : STR("/");
	struct str name = row ? iam_get_name(kind, row) : STR("*");
	if (kind == KIND_POLICY && row && uuid_is_none(policy_of(row)->account))
		account_number = STR("aws");
	return str_print(a, "arn:aws:iam::%" STR_FMT ":%s%" STR_FMT "%" STR_FMT, STR_ARG(account_number),
			 form ? form->type : "", STR_ARG(path), STR_ARG(name));
}

struct str iam_last_part(struct str arn)
{
	size_t at = arn.n;
	while (at > 0 && arn.p[at - 1] != '/')
		at--;
	return str_slice(arn, at, arn.n);
}

bool iam_is_name(struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && (!name.p[k] || !strchr("_+=,.@-", name.p[k])))
			return false;
	return true;
}

bool iam_is_path(struct str path)
{
	bool is_good = str_is_empty(path) || (path.p[0] == '/' && path.p[path.n - 1] == '/');
	for (size_t k = 0; k < path.n && is_good; k++)
		is_good = path.p[k] > ' ' && path.p[k] < 0x7f;
	return is_good;
}
