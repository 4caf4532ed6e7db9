/* SPDX-License-Identifier: Apache-2.0
 * Tags of vaults, plans and recovery points. */
#include "api/awsbackup/internal.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/backup_vault.h"
#include "store/machine_backup.h"

struct tag_args {
	struct backup_tags_wish wish;
	struct str arn;
};
#define ARN                                                                                                  \
	PARAM(struct tag_args, "resourceArn", arn, .flags = REQUIRED, .max = ARN_MAX,                        \
	      .doc = "ARN of a vault, a plan or a recovery point.")
static const struct param tag_params[] = {ARN, PARAM(struct tag_args, "Tags", wish.set, .flags = REQUIRED,
						     .max = TAG_COUNT_MAX, .doc = "Tags to set.")};
static const struct param untag_params[] = {ARN, PARAM(struct tag_args, "TagKeyList", wish.removed,
						       .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX,
						       .doc = "Tags to remove.")};
/* All tags of a resource, 50 at most, are one page. */
static const struct param list_params[] = {ARN, NOT_BUILT("maxResults"), NOT_BUILT("nextToken")};

/* Returns the name or id in an ARN of the kind; empty if the ARN is of another kind. */
static struct str rest_of(struct rest_json_call *e, struct str arn, enum kind kind)
{
	struct str start = awsbackup_write_arn(e, kind, NULL);
	start = str_slice(start, 0, start.n - 1);
	return str_starts_with(arn, start) ? str_slice(arn, start.n, arn.n) : STR_NONE;
}

static RESULT prepare(struct rest_json_call *e, void *args)
{
	struct tag_args *a = args;
	struct awsbackup_point p;
	const struct backup_vault *vault = NULL;
	const struct backup_plan *plan = NULL;
	struct str name = rest_of(e, a->arn, KIND_BACKUP_VAULT), id = rest_of(e, a->arn, KIND_BACKUP_PLAN);
	if (name.n)
		return awsbackup_find_vault(e, name, &a->wish.resource, &vault);
	if (id.n)
		return awsbackup_find_plan(e, id, &a->wish.resource, &plan);
	return awsbackup_find_point_of_arn(e, a->arn, "resourceArn", &a->wish.resource, &p);
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct tag_args *a = args;
	const struct row *row = NULL;
	enum kind kind = a->wish.resource.kind;
	TRY(engine_find_own(e->c, rest_json_tables(e), kind, &a->wish.resource, &row));
	rest_json_write_map(w, "Tags",
			    kind == KIND_BACKUP_VAULT  ? backup_vault_of(row)->tags
			    : kind == KIND_BACKUP_PLAN ? backup_plan_of(row)->tags
			    : kind == KIND_BACKUP      ? backup_of(row)->metadata
						       : machine_backup_of(row)->tags);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_POST, "/tags/{resourceArn}", AWSBACKUP_ACTION("TagResource"), .flags = API_WRITES,
	 .args = PARAMS(struct tag_args, tag_params), .prepare = prepare,
	 .operation = engine_tag_backup_resource_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets tags."},
	{HTTP_POST, "/untag/{resourceArn}", AWSBACKUP_ACTION("UntagResource"), .flags = API_WRITES,
	 .args = PARAMS(struct tag_args, untag_params), .prepare = prepare,
	 .operation = engine_tag_backup_resource_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Removes tags."},
	{HTTP_GET, "/tags/{resourceArn}", AWSBACKUP_ACTION("ListTags"),
	 .args = PARAMS(struct tag_args, list_params), .prepare = prepare, .answer = answer_list,
	 .doc = "Lists tags."},
};
const struct api_actions awsbackup_tag_actions = API_ACTIONS(actions);
