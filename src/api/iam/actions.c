/* SPDX-License-Identifier: Apache-2.0
 * The actions of IAM that are built, of all files, and what the documentation and tests are told of them. */
#include "api/iam/internal.h"
#include "api/query/dump.h"

static const struct iam_actions *const groups[] = {
	&iam_user_actions,    &iam_password_actions, &iam_key_actions,        &iam_group_actions,
	&iam_role_actions,    &iam_profile_actions,  &iam_policy_actions,     &iam_principal_actions,
	&iam_account_actions, &iam_detail_actions,   &iam_simulation_actions, &iam_unkept_actions,
	&iam_oidc_actions,
};
enum { GROUP_COUNT = sizeof groups / sizeof groups[0] };

size_t iam_sum_actions(const struct iam_action **out, size_t max)
{
	size_t count = 0;
	for (size_t g = 0; g < GROUP_COUNT; g++)
		for (size_t k = 0; k < groups[g]->count && count < max; k++)
			out[count++] = &groups[g]->at[k];
	return count;
}

static void write_action(struct buf *out, const struct iam_action *a)
{
	const char *before = "";
	buf_print(out, "| %s | %s | ", a->name, a->doc);
	for (size_t n = 0; n < a->args.count; n++) {
		const struct param *p = &a->args.at[n];
		if (p->type != PARAM_NOT_BUILT)
			continue;
		buf_print(out, "%s`%s`", before, p->wire);
		if (p->only)
			buf_print(out, " (but `%s`)", p->only);
		before = ", ";
	}
	buf_print(out, " |\n");
}

void iam_write_coverage(struct buf *out)
{
	size_t count = 0;
	for (size_t g = 0; g < GROUP_COUNT; g++)
		count += groups[g]->count;
	buf_print(out,
		  "\n## IAM: %zu actions\n\nAn action that IAM has and Dari has not answers "
		  "`InvalidAction`.\n\n"
		  "| action | what it does | refused parameters |\n| --- | --- | --- |\n",
		  count);
	for (size_t g = 0; g < GROUP_COUNT; g++)
		for (size_t k = 0; k < groups[g]->count; k++)
			write_action(out, &groups[g]->at[k]);
}

static void dump_action(struct buf *out, const struct iam_action *a)
{
	bool first = true;
	buf_add_str(out, STR("    {"));
	params_dump_action(out, &a->core, "iam");
	buf_print(out, "\"writes\": %s, \"filters\": [], \"params\": [",
		  a->flags & API_WRITES ? "true" : "false");
	params_dump(out, &a->args, &first);
	buf_add_str(out, STR("]}"));
}

void iam_dump_actions(struct buf *out)
{
	bool first = true;
	buf_add_str(out, STR("{\n  \"actions\": [\n"));
	for (size_t g = 0; g < GROUP_COUNT; g++)
		for (size_t k = 0; k < groups[g]->count; k++) {
			buf_add_str(out, first ? STR("") : STR(",\n"));
			dump_action(out, &groups[g]->at[k]);
			first = false;
		}
	buf_add_str(out, STR("\n  ]\n}\n"));
}
