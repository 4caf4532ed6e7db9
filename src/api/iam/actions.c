/* SPDX-License-Identifier: Apache-2.0
 * Collects the implemented actions of all files, and describes them for documentation and tests. */
#include <assert.h>

#include "api/iam/internal.h"

static const struct api_actions *const groups[] = {
	&iam_user_actions,
	&iam_password_actions,
	&iam_key_actions,
	&iam_group_actions,
	&iam_role_actions,
	&iam_profile_actions,
	&iam_policy_actions,
	&iam_principal_actions,
	&iam_account_actions,
	&iam_detail_actions,
	&iam_simulation_actions,
	&iam_unkept_actions,
	&iam_report_actions,
	&iam_mfa_actions,
	&iam_public_credential_actions,
	&iam_server_certificate_actions,
	&iam_service_role_actions,
	&iam_oidc_actions,
	&iam_saml_actions,
};
const struct api_groups iam_action_groups = {groups, sizeof groups / sizeof groups[0]};

size_t iam_sum_actions(const struct iam_action **out, size_t max)
{
	struct api_entries all;
	api_sum_actions(&iam_action_groups, &all);
	assert(all.count < max);
	for (size_t k = 0; k < all.count; k++)
		out[k] = iam_row_of(all.at[k].action);
	return all.count;
}

void iam_write_coverage(struct buf *out)
{
	const struct api_groups *all = &iam_action_groups;
	size_t count = 0;
	for (size_t g = 0; g < all->count; g++)
		count += all->at[g]->count;
	buf_print(out,
		  "\n## IAM: %zu actions\n\nAn action that IAM has and Dari has not answers "
		  "`InvalidAction`.\n\n",
		  count);
	api_write_coverage(out, all);
	buf_add_str(out,
		    STR("\n### Codes of failures of IAM\n\nThe codes that IAM's API Reference lists, by the "
			"actions that it lists them for.\n\n"));
	query_write_codes(out, &iam_codes, all);
}

void iam_dump_actions(struct buf *out)
{
	struct dump_form form = request_dump_form;
	struct json_writer w;
	form.face = "iam";
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < iam_action_groups.count; g++)
		for (size_t k = 0; k < groups[g]->count; k++) {
			const struct api_action *a = api_action_at(groups[g], k);
			dump_open_action(&w, &form, a, "iam", a->name);
			dump_params(&w, &form, NULL, &a->args);
			json_write_open_list(&w, "filters");
			json_write_close_list(&w);
			query_dump_codes(&w, &iam_codes, a->name);
			json_write_close(&w);
		}
	json_write_close_list(&w);
	json_write_close(&w);
}
