/* SPDX-License-Identifier: Apache-2.0
 * Account alias and account summary. */
#include "store/account.h"
#include "api/iam/internal.h"
#include "engine/people/account/account_user.h"
#include "engine/people/credential/public_credential.h"
#include "engine/people/credential/server_certificate.h"
#include "engine/people/policy/iam_role.h"
#include "store/access_key.h"
#include "store/iam_role.h"
#include "store/instance_profile.h"
#include "store/oidc_provider.h"
#include "store/policy.h"
#include "store/policy_version.h"
#include "store/public_credential.h"
#include "store/second_factor.h"
#include "store/user.h"
#include "store/user_group.h"

/* ---- the alias ---- */

static const struct param alias_params[] = {PARAM(struct account_alias, "AccountAlias", alias,
						  .flags = REQUIRED, .min = 3, .max = 63,
						  .doc = "Alias; unique in the region.")};

static RESULT prepare_alias(struct iam_call *e, void *args)
{
	struct str alias = ((const struct account_alias *) args)->alias;
	bool is_good = alias.p[0] != '-' && alias.p[alias.n - 1] != '-';
	for (size_t k = 0; k < alias.n && is_good; k++) {
		char c = alias.p[k];
		is_good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
			  (c == '-' && alias.p[k - 1] != '-');
	}
	return is_good ? OK
		       : ctx_fail_field(e->c, ERR_INVALID, STR("AccountAlias"),
					"The specified value for AccountAlias is invalid. It must have small "
					"letters, digits and single hyphens within.");
}

struct account_args {
	struct iam_pages pages;
};
static const struct param pages_params[] = {IAM_PAGES(struct account_args, pages)};

static RESULT list_aliases(struct iam_call *e, const void *args, struct xml *x)
{
	const struct account_args *a = args;
	const struct account *account = account_find(iam_tables(e), e->c->who->account);
	struct iam_page page;
	TRY(iam_open_page(e, &a->pages, &page));
	xml_open(x, "AccountAliases");
	if (account && account->alias.n && iam_page_takes(&page, account->alias))
		xml_text(x, "member", account->alias);
	xml_close(x, "AccountAliases");
	return iam_close_page(e, x, &page);
}

/* ---- the summary ---- */

static bool is_of_managed(const struct iam_list *l, const struct row *row)
{
	const struct policy *p = policy_find(iam_tables(l->e), policy_version_of(row)->policy);
	return p && policy_is_managed(p);
}

static const struct iam_listing versions = {
	.kind = KIND_POLICY_VERSION,
	.paths = {{KIND_POLICY, POLICY_INDEX_ACCOUNT,
		   .joins = {JOIN_EACH(KIND_POLICY_VERSION, POLICY_VERSION_INDEX_POLICY)}}},
	.shows = is_of_managed,
};

static bool is_of_owner(const struct iam_list *l, const struct row *row)
{
	return user_find(iam_tables(l->e), access_key_of(row)->user)->is_owner;
}

static const struct iam_listing owner_keys = {
	.kind = KIND_ACCESS_KEY,
	.paths = {{KIND_USER, USER_INDEX_OWNER,
		   .joins = {JOIN_EACH(KIND_ACCESS_KEY, ACCESS_KEY_INDEX_USER)}}},
	.shows = is_of_owner,
};

static bool is_owner_with_password(const struct iam_list *l, const struct row *row)
{
	(void) l;
	return user_of(row)->is_owner && user_of(row)->password_hash.n;
}

static const struct iam_listing owner_passwords = {
	.kind = KIND_USER,
	.paths = {{KIND_USER, USER_INDEX_OWNER}},
	.shows = is_owner_with_password,
};

static bool is_confirmed(const struct iam_list *l, const struct row *row)
{
	(void) l;
	return second_factor_of(row)->confirmed;
}

static const struct iam_listing factors = {
	.kind = KIND_SECOND_FACTOR,
	.paths = {{KIND_USER, USER_INDEX_OWNER,
		   .joins = {JOIN_EACH(KIND_SECOND_FACTOR, SECOND_FACTOR_INDEX_USER)}}},
	.shows = is_confirmed,
};

static bool is_factor_of_owner(const struct iam_list *l, const struct row *row)
{
	return is_confirmed(l, row) && user_find(iam_tables(l->e), second_factor_of(row)->user)->is_owner;
}

static const struct iam_listing owner_factors = {
	.kind = KIND_SECOND_FACTOR,
	.paths = {{KIND_USER, USER_INDEX_OWNER,
		   .joins = {JOIN_EACH(KIND_SECOND_FACTOR, SECOND_FACTOR_INDEX_USER)}}},
	.shows = is_factor_of_owner,
};

static bool is_certificate(const struct iam_list *l, const struct row *row)
{
	const struct public_credential *p = public_credential_of(row);
	return p->type == PUBLIC_CREDENTIAL_TYPE_CERTIFICATE &&
	       user_find(iam_tables(l->e), p->user)->is_owner;
}

static const struct iam_listing owner_certificates = {
	.kind = KIND_PUBLIC_CREDENTIAL,
	.paths = {{KIND_USER, USER_INDEX_OWNER,
		   .joins = {JOIN_EACH(KIND_PUBLIC_CREDENTIAL, PUBLIC_CREDENTIAL_INDEX_USER)}}},
	.shows = is_certificate,
};

static RESULT get_summary(struct iam_call *e, const void *args, struct xml *x)
{
	static const struct {
		const char *key;
		int64_t value; /* or the number of rows of: */
		const struct iam_listing *listing;
		size_t max;                     /* counts at most this many; 0: all */
		const struct iam_listing *also; /* rows of another kind, which count with them; NULL: none */
	} told[] = {
		{"Users", .listing = &iam_users},
		{"UsersQuota", ACCOUNT_USERS_MAX},
		{"Groups", .listing = &iam_groups},
		{"GroupsQuota", ACCOUNT_GROUPS_MAX},
		{"GroupsPerUserQuota", GROUPS_OF_USER_MAX},
		{"AccessKeysPerUserQuota", ACCESS_KEYS_OF_USER_MAX},
		{"AccountAccessKeysPresent", .listing = &owner_keys, .max = 1},
		{"AccountMFAEnabled", .listing = &owner_factors, .max = 1},
		{"AccountPasswordPresent", .listing = &owner_passwords, .max = 1},
		{"AccountSigningCertificatesPresent", .listing = &owner_certificates, .max = 1},
		{"AssumeRolePolicySizeQuota", POLICY_CHARACTERS_OF_TRUST},
		{"GlobalEndpointTokenVersion", 1},
		{"MFADevices", .listing = &factors},
		{"MFADevicesInUse", .listing = &factors},
		{"Policies", .listing = &iam_policies},
		{"PoliciesQuota", POLICIES_MAX},
		{"PolicyVersionsInUse", .listing = &versions},
		{"PolicyVersionsInUseQuota", (int64_t) POLICIES_MAX * POLICY_VERSIONS_MAX},
		{"PolicySizeQuota", POLICY_CHARACTERS_MAX},
		{"VersionsPerPolicyQuota", POLICY_VERSIONS_MAX},
		{"AttachedPoliciesPerUserQuota", POLICIES_ATTACHED_MAX},
		{"AttachedPoliciesPerGroupQuota", POLICIES_ATTACHED_MAX},
		{"AttachedPoliciesPerRoleQuota", POLICIES_ATTACHED_MAX},
		{"UserPolicySizeQuota", POLICY_CHARACTERS_OF_USER},
		{"GroupPolicySizeQuota", POLICY_CHARACTERS_OF_GROUP},
		{"RolePolicySizeQuota", POLICY_CHARACTERS_OF_ROLE},
		{"Roles", .listing = &iam_roles},
		{"RolesQuota", IAM_ROLES_MAX},
		{"InstanceProfiles", .listing = &iam_profiles},
		{"InstanceProfilesQuota", IAM_ROLES_MAX},
		{"Providers", .listing = &iam_providers, .also = &iam_saml_providers},
		{"ServerCertificates", .listing = &iam_server_certificates},
		{"ServerCertificatesQuota", SERVER_CERTIFICATES_MAX},
		{"SigningCertificatesPerUserQuota", CERTIFICATES_MAX},
	};
	(void) args;
	xml_open(x, "SummaryMap");
	for (size_t k = 0; k < sizeof told / sizeof told[0]; k++) {
		struct iam_list list = {e, told[k].listing};
		struct iam_list others = {e, told[k].also};
		struct query_page found = {0}, more = {0};
		if (told[k].listing)
			TRY(iam_find_rows(&list, told[k].max ? told[k].max : SIZE_MAX, &found));
		if (told[k].also)
			TRY(iam_find_rows(&others, SIZE_MAX, &more));
		xml_open(x, "entry");
		xml_z(x, "key", told[k].key);
		iam_write_int(e, x, "value",
			      told[k].listing ? (int64_t) (found.count + more.count) : told[k].value);
		xml_close(x, "entry");
	}
	xml_close(x, "SummaryMap");
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateAccountAlias"), .flags = API_WRITES,
	 .args = PARAMS(struct account_alias, alias_params), .prepare = prepare_alias,
	 .operation = engine_set_account_alias_run,
	 .doc = "Creates the account's alias, or replaces the present one."},
	{IAM_ACTION("DeleteAccountAlias"), .flags = API_WRITES,
	 .args = PARAMS(struct account_alias, alias_params), .prepare = prepare_alias,
	 .operation = engine_clear_account_alias_run, .doc = "Deletes the account's alias."},
	{IAM_ACTION("ListAccountAliases"), .args = PARAMS(struct account_args, pages_params),
	 .answer = list_aliases, .doc = "Lists the account's alias, if it has one."},
	{IAM_ACTION("GetAccountSummary"), .args = {0, 0, sizeof(struct account_args)}, .answer = get_summary,
	 .doc = "Returns the usage and limits of the account."},
};
const struct api_actions iam_account_actions = API_ACTIONS(actions);
