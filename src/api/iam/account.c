/* SPDX-License-Identifier: Apache-2.0
 * The account as a whole: its alias, and what it has. */
#include "store/account.h"
#include "api/iam/internal.h"
#include "engine/people/account_user.h"
#include "store/access_key.h"
#include "store/iam_role.h"
#include "store/instance_profile.h"
#include "store/oidc_provider.h"
#include "store/policy.h"
#include "store/policy_version.h"
#include "store/user.h"
#include "store/user_group.h"

/* ---- the alias ---- */

static const struct param alias_params[] = {PARAM(struct account_alias, "AccountAlias", alias,
						  .flags = REQUIRED, .min = 3, .max = 63,
						  .doc = "Unique in the region.")};

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
	struct list_page page;
	TRY(iam_open_page(e, &a->pages, &page));
	xml_open(x, "AccountAliases");
	if (account && account->alias.n && list_page_takes(&page))
		xml_text(x, "member", account->alias);
	xml_close(x, "AccountAliases");
	return iam_close_page(e, x, &page);
}

/* ---- the summary ---- */

struct counts {
	int64_t users, groups, policies, versions, roles, profiles, owner_keys, providers;
};

static RESULT count_all(struct iam_call *e, struct counts *n)
{
	const struct tables *t = iam_tables(e);
	uuid account = e->c->who->account;
	const struct user *const *users = NULL;
	size_t count = 0;
	TRY(iam_list_people(e, &users, &count));
	n->users = (int64_t) count;
	for (const struct user_group *g = user_group_first_by_owner(t, account); g;
	     g = user_group_next_by_owner(t, g))
		n->groups++;
	for (const struct policy *p = policy_first_by_account(t, account); p;
	     p = policy_next_by_account(t, p)) {
		if (!policy_is_managed(p))
			continue;
		n->policies++;
		const struct policy_version *v = policy_version_first_by_policy(t, p->row.id);
		for (; v; v = policy_version_next_by_policy(t, v))
			n->versions++;
	}
	for (const struct iam_role *r = iam_role_first_by_account(t, account); r;
	     r = iam_role_next_by_account(t, r))
		n->roles++;
	for (const struct instance_profile *p = instance_profile_first_by_account(t, account); p;
	     p = instance_profile_next_by_account(t, p))
		n->profiles++;
	for (const struct oidc_provider *p = oidc_provider_first_by_account(t, account); p;
	     p = oidc_provider_next_by_account(t, p))
		n->providers++;
	for (const struct user *u = user_first_by_owner(t, account); u; u = user_next_by_owner(t, u))
		n->owner_keys |= u->is_owner && access_key_first_by_user(t, u->row.id);
	return OK;
}

static RESULT get_summary(struct iam_call *e, const void *args, struct xml *x)
{
	struct counts n = {0};
	(void) args;
	TRY(count_all(e, &n));
	const struct {
		const char *key;
		int64_t value;
	} told[] = {
		{"Users", n.users},
		{"UsersQuota", ACCOUNT_USERS_MAX},
		{"Groups", n.groups},
		{"GroupsQuota", ACCOUNT_GROUPS_MAX},
		{"GroupsPerUserQuota", GROUPS_OF_USER_MAX},
		{"AccessKeysPerUserQuota", ACCESS_KEYS_OF_USER_MAX},
		{"AccountAccessKeysPresent", n.owner_keys},
		{"AccountMFAEnabled", 0},
		{"AccountSigningCertificatesPresent", 0},
		{"MFADevices", 0},
		{"MFADevicesInUse", 0},
		{"Policies", n.policies},
		{"PoliciesQuota", POLICIES_MAX},
		{"PolicyVersionsInUse", n.versions},
		{"PolicySizeQuota", POLICY_CHARACTERS_MAX},
		{"VersionsPerPolicyQuota", POLICY_VERSIONS_MAX},
		{"AttachedPoliciesPerUserQuota", POLICIES_ATTACHED_MAX},
		{"AttachedPoliciesPerGroupQuota", POLICIES_ATTACHED_MAX},
		{"AttachedPoliciesPerRoleQuota", POLICIES_ATTACHED_MAX},
		{"UserPolicySizeQuota", POLICY_CHARACTERS_OF_USER},
		{"GroupPolicySizeQuota", POLICY_CHARACTERS_OF_GROUP},
		{"Roles", n.roles},
		{"InstanceProfiles", n.profiles},
		{"Providers", n.providers},
		{"ServerCertificates", 0},
	};
	xml_open(x, "SummaryMap");
	for (size_t k = 0; k < sizeof told / sizeof told[0]; k++) {
		xml_open(x, "entry");
		xml_z(x, "key", told[k].key);
		iam_write_int(e, x, "value", told[k].value);
		xml_close(x, "entry");
	}
	xml_close(x, "SummaryMap");
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateAccountAlias"), .flags = API_WRITES,
	 .args = PARAMS(struct account_alias, alias_params), .prepare = prepare_alias,
	 .operation = engine_set_account_alias_run,
	 .doc = "Gives the account an alias, in place of the one before."},
	{IAM_ACTION("DeleteAccountAlias"), .flags = API_WRITES,
	 .args = PARAMS(struct account_alias, alias_params), .prepare = prepare_alias,
	 .operation = engine_clear_account_alias_run, .doc = "Takes it away."},
	{IAM_ACTION("ListAccountAliases"), .args = PARAMS(struct account_args, pages_params),
	 .answer = list_aliases, .doc = "The account's alias, if it has one."},
	{IAM_ACTION("GetAccountSummary"), .args = {0, 0, sizeof(struct account_args)}, .answer = get_summary,
	 .doc = "How much the account has, and may have."},
};
const struct api_actions iam_account_actions = API_ACTIONS(actions);
