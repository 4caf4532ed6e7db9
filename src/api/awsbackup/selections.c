/* SPDX-License-Identifier: Apache-2.0
 * Selections: instances and volumes that a plan backs up, by ARNs, by tags and by conditions on tags. */
#include "api/awsbackup/internal.h"
#include "engine/tag.h"
#include "store/backup_plan.h"
#include "store/backup_selection.h"

enum { SELECTION_NAME_MAX = 50 };
#define TAG_CONDITION "aws:ResourceTag/"

struct tag_condition {
	struct str type, key, value;
};
struct tag_conditions {
	struct tag_condition *at;
	size_t count;
};
static const struct param of_tag_rows[] = {
	PARAM(struct tag_condition, "ConditionType", type, .flags = REQUIRED, .words = "STRINGEQUALS",
	      .doc = "STRINGEQUALS."),
	PARAM(struct tag_condition, "ConditionKey", key, .flags = REQUIRED, .max = TAG_KEY_MAX,
	      .doc = "Key of the tag."),
	PARAM(struct tag_condition, "ConditionValue", value, .flags = REQUIRED, .max = TAG_VALUE_MAX,
	      .doc = "Value of the tag."),
};
static const struct params of_tag_params = PARAMS(struct tag_condition, of_tag_rows);

static const struct param equal_rows[] = {
	PARAM(struct tag_condition, "ConditionKey", key, .flags = REQUIRED, .max = TAG_KEY_MAX + 16,
	      .doc = "aws:ResourceTag/ and the key of the tag."),
	PARAM(struct tag_condition, "ConditionValue", value, .flags = REQUIRED, .max = TAG_VALUE_MAX,
	      .doc = "Value of the tag."),
};
static const struct params equal_params = PARAMS(struct tag_condition, equal_rows);

struct conditions {
	struct tag_conditions of[VAULT_OPERATOR_COUNT];
};
#define CONDITION(name, operator, text)                                                                      \
	PARAM_LIST(struct conditions, name, of[operator], equal_params, .max = SELECTION_TAGS_MAX, .doc = text)
static const struct param conditions_rows[] = {
	CONDITION("StringEquals", VAULT_OPERATOR_EQUALS, "Tags that all resources have."),
	CONDITION("StringNotEquals", VAULT_OPERATOR_NOT_EQUALS, "Tags that none of the resources has."),
	CONDITION("StringLike", VAULT_OPERATOR_LIKE, "Patterns of tags that all resources have."),
	CONDITION("StringNotLike", VAULT_OPERATOR_NOT_LIKE, "Patterns of tags that no resource has."),
};
static const struct params conditions_params = PARAMS(struct conditions, conditions_rows);

struct selection {
	struct str name, role;
	struct strs resources, excluded;
	struct tag_conditions of_tag;
	struct conditions conditions;
};
static const struct param selection_rows[] = {
	PARAM(struct selection, "SelectionName", name, .flags = REQUIRED, .min = 1, .max = SELECTION_NAME_MAX,
	      .doc = "Name of the selection."),
	PARAM(struct selection, "IamRoleArn", role, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "ARN of the role whose policies decide on each backup. The caller may pass it."),
	PARAM(struct selection, "Resources", resources, .max = ARN_MAX,
	      .doc = "ARNs of instances and volumes, with wildcards. Absent, without ListOfTags: all."),
	PARAM_LIST(struct selection, "ListOfTags", of_tag, of_tag_params, .max = SELECTION_TAGS_MAX,
		   .doc = "Tags; resources with one of them are selected, too."),
	PARAM_OBJECT(struct selection, "Conditions", conditions, conditions_params,
		     .doc = "Conditions that all resources meet."),
	PARAM(struct selection, "NotResources", excluded, .max = ARN_MAX,
	      .doc = "ARNs of resources that are left out, with wildcards."),
};
static const struct params selection_params = PARAMS(struct selection, selection_rows);

/* ---- CreateBackupSelection ---- */

struct create_args {
	struct vault_selection_wish wish;
	struct str id;
	struct selection selection;
};
static const struct param create_params[] = {
	PARAM(struct create_args, "backupPlanId", id, .flags = REQUIRED, .max = 64, .doc = "The plan."),
	PARAM_OBJECT(struct create_args, "BackupSelection", selection, selection_params, .flags = REQUIRED,
		     .doc = "Role and resources."),
	PARAM(struct create_args, "CreatorRequestId", wish.token, .max = TOKEN_MAX,
	      .doc = "Text that the selection shows."),
};

/* The part of an ARN after its account, up to the first wildcard, may be the beginning of an instance's or a volume's. */
static bool may_select(struct str arn)
{
	static const char *const kinds[] = {"instance/", "volume/"};
	struct str start = STR("arn:aws:ec2:");
	size_t colons = 0, at = 0, end = 0;
	if (str_is(arn, "*"))
		return true;
	if (!str_starts_with(arn, start))
		return false;
	for (; at < arn.n && colons < 5; at++)
		colons += arn.p[at] == ':';
	if (colons < 5)
		return memchr(arn.p, '*', arn.n) != NULL;
	for (end = at; end < arn.n && arn.p[end] != '*' && arn.p[end] != '?';)
		end++;
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct str kind = str_from(kinds[k]), given = str_slice(arn, at, end);
		if (str_starts_with(given, kind) || (end < arn.n && str_starts_with(kind, given)))
			return true;
	}
	return false;
}

static RESULT check_arns(struct rest_json_call *e, const char *field, const struct strs *arns)
{
	struct ref ignored;
	for (size_t k = 0; k < arns->count; k++) {
		struct str arn = arns->at[k];
		bool has_wildcard = memchr(arn.p, '*', arn.n) || memchr(arn.p, '?', arn.n);
		if (arn.n && !has_wildcard)
			TRY(awsbackup_read_resource(e, arn, field, &ignored));
		else if (!arn.n || !may_select(arn))
			return ctx_fail_field(
				e->c, ERR_INVALID, str_from(field),
				"%s: '%" STR_FMT
				"' is not an ARN of instances or volumes, which plans back up here.",
				field, STR_ARG(str_cut(arn, 256)));
	}
	return OK;
}

/* Flattens the tags to texts: key and value, after the operator unless it is NULL. */
static RESULT add_tags(struct rest_json_call *e, const struct tag_conditions *tags, const char *operator,
		       struct strs * texts)
{
	size_t each = operator? 3 : 2, count = texts->count;
	struct str *at = arena_new_array(e->c->arena, struct str, count + each * tags->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	if (count)
		memcpy(at, texts->at, count * sizeof *at);
	for (size_t k = 0; k < tags->count; k++) {
		if (operator)
			at[count++] = str_from(operator);
		at[count++] = tags->at[k].key;
		at[count++] = tags->at[k].value;
	}
	*texts = (struct strs){at, count};
	return OK;
}

static RESULT prepare_create(struct rest_json_call *e, void *args)
{
	struct create_args *a = args;
	const struct selection *s = &a->selection;
	const struct backup_plan *plan = NULL;
	struct vault_selection_wish *wish = &a->wish;
	TRY(awsbackup_find_plan(e, a->id, &wish->plan, &plan));
	TRY(check_arns(e, "Resources", &s->resources));
	TRY(check_arns(e, "NotResources", &s->excluded));
	TRY(add_tags(e, &s->of_tag, NULL, &wish->some_tags));
	for (size_t k = 0; k < VAULT_OPERATOR_COUNT; k++)
		TRY(add_tags(e, &s->conditions.of[k], vault_operators[k], &wish->conditions));
	wish->name = s->name;
	wish->role = s->role;
	wish->resources = s->resources;
	wish->excluded = s->excluded;
	wish->arn_start = str_print(e->c->arena, "arn:aws:ec2:%" STR_FMT ":%" STR_FMT ":",
				    STR_ARG(e->config->region), STR_ARG(e->c->who->account_number));
	return OK;
}

static RESULT answer_create(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct create_args *a = args;
	const struct backup_selection *s = backup_selection_find(rest_json_tables(e), a->wish.selection);
	json_write_uuid(w, "SelectionId", a->wish.selection);
	json_write_uuid(w, "BackupPlanId", a->wish.plan.prefix);
	awsbackup_write_time(e, w, "CreationDate", s ? s->row.created_us : 0);
	return OK;
}

/* ---- GetBackupSelection, DeleteBackupSelection, ListBackupSelections ---- */

struct id_args {
	struct vault_plan_target wish;
	struct str id, selection;
	struct awsbackup_page page;
};
#define PLAN_ID PARAM(struct id_args, "backupPlanId", id, .flags = REQUIRED, .max = 64, .doc = "The plan.")
static const struct param id_params[] = {PLAN_ID,
					 PARAM(struct id_args, "selectionId", selection, .flags = REQUIRED,
					       .max = 64, .doc = "The selection.")};
static const struct param list_params[] = {PLAN_ID, AWSBACKUP_PAGE(struct id_args)};

static RESULT prepare_plan(struct rest_json_call *e, void *args)
{
	struct id_args *a = args;
	const struct backup_plan *plan = NULL;
	TRY(awsbackup_check_page(e, &a->page));
	return awsbackup_find_plan(e, a->id, &a->wish.plan, &plan);
}

/* Finds the selection that the call names, of the plan that it names. */
static RESULT find_selection(struct rest_json_call *e, const struct id_args *a, struct ref *ret_ref,
			     const struct backup_selection **ret_selection)
{
	const struct backup_plan *plan = NULL;
	uuid id = UUID_NONE;
	TRY(awsbackup_find_plan(e, a->id, ret_ref, &plan));
	bool is_id = result_is_ok(uuid_parse(a->selection, &id));
	*ret_selection = is_id ? backup_selection_find(rest_json_tables(e), id) : NULL;
	if (*ret_selection && uuid_equal((*ret_selection)->plan, plan->row.id))
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_BACKUP_SELECTION,
			     "The backup selection '%" STR_FMT "' does not exist.",
			     STR_ARG(str_cut(a->selection, 64)));
}

static RESULT prepare_id(struct rest_json_call *e, void *args)
{
	struct id_args *a = args;
	const struct backup_selection *s = NULL;
	TRY(find_selection(e, a, &a->wish.plan, &s));
	a->wish.selection = s->row.id;
	return OK;
}

static void write_ids(struct rest_json_call *e, struct json_writer *w, const struct backup_selection *s)
{
	json_write_uuid(w, "SelectionId", s->row.id);
	json_write_uuid(w, "BackupPlanId", s->plan);
	awsbackup_write_time(e, w, "CreationDate", s->row.created_us);
	if (s->token.n)
		json_write_text(w, "CreatorRequestId", s->token);
}

static void write_texts(struct json_writer *w, const char *name, const struct strs *texts)
{
	json_write_open_list(w, name);
	for (size_t k = 0; k < texts->count; k++)
		json_write_text(w, NULL, texts->at[k]);
	json_write_close_list(w);
}

static void write_tag(struct json_writer *w, const char *type, struct str key, struct str value)
{
	json_write_open(w, NULL);
	if (type)
		json_write_z(w, "ConditionType", type);
	json_write_text(w, "ConditionKey", key);
	json_write_text(w, "ConditionValue", value);
	json_write_close(w);
}

static void write_conditions(struct json_writer *w, const struct strs *texts)
{
	json_write_open(w, "Conditions");
	for (size_t k = 0; k < VAULT_OPERATOR_COUNT; k++) {
		json_write_open_list(w, vault_operators[k]);
		for (size_t m = 0; m + 2 < texts->count; m += 3)
			if (str_is(texts->at[m], vault_operators[k]))
				write_tag(w, NULL, texts->at[m + 1], texts->at[m + 2]);
		json_write_close_list(w);
	}
	json_write_close(w);
}

static RESULT answer_get(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct backup_selection *s = NULL;
	struct ref ref;
	TRY(find_selection(e, a, &ref, &s)); /* prepare had another view */
	json_write_open(w, "BackupSelection");
	json_write_text(w, "SelectionName", s->name);
	json_write_text(w, "IamRoleArn", s->role);
	write_texts(w, "Resources", &s->resources);
	write_texts(w, "NotResources", &s->excluded);
	json_write_open_list(w, "ListOfTags");
	for (size_t k = 0; k + 1 < s->some_tags.count; k += 2)
		write_tag(w, "STRINGEQUALS", s->some_tags.at[k], s->some_tags.at[k + 1]);
	json_write_close_list(w);
	write_conditions(w, &s->conditions);
	json_write_close(w);
	write_ids(e, w, s);
	return OK;
}

static void write_listed(struct rest_json_call *e, struct json_writer *w, const struct row *row,
			 const void *of)
{
	const struct backup_selection *s = backup_selection_of(row);
	(void) of;
	write_ids(e, w, s);
	json_write_text(w, "SelectionName", s->name);
	json_write_text(w, "IamRoleArn", s->role);
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct backup_plan *p = NULL;
	struct awsbackup_rows rows = {0};
	struct ref ref;
	TRY(awsbackup_find_plan(e, a->id, &ref, &p));
	for (const struct backup_selection *s =
		     backup_selection_first_by_plan(rest_json_tables(e), p->row.id);
	     s; s = backup_selection_next_by_plan(rest_json_tables(e), s))
		TRY(awsbackup_add_row(e, &rows, &s->row));
	awsbackup_write_page(e, w, "BackupSelectionsList", &a->page, &rows, write_listed, NULL);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_PUT, "/backup/plans/{backupPlanId}/selections", AWSBACKUP_ACTION("CreateBackupSelection"),
	 .flags = API_WRITES, .args = PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_vault_selection_run, .returns = KIND_BACKUP_PLAN, .answer = answer_create,
	 .doc = "Adds a selection of instances and volumes to a plan."},
	{HTTP_GET, "/backup/plans/{backupPlanId}/selections", AWSBACKUP_ACTION("ListBackupSelections"),
	 .args = PARAMS(struct id_args, list_params), .prepare = prepare_plan, .answer = answer_list,
	 .doc = "Lists the selections of a plan."},
	{HTTP_GET, "/backup/plans/{backupPlanId}/selections/{selectionId}",
	 AWSBACKUP_ACTION("GetBackupSelection"), .args = PARAMS(struct id_args, id_params),
	 .prepare = prepare_id, .answer = answer_get, .doc = "Describes a selection."},
	{HTTP_DELETE, "/backup/plans/{backupPlanId}/selections/{selectionId}",
	 AWSBACKUP_ACTION("DeleteBackupSelection"), .flags = API_WRITES,
	 .args = PARAMS(struct id_args, id_params), .prepare = prepare_id,
	 .operation = engine_delete_vault_selection_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a selection. A plan without selections makes no backups."},
};
const struct api_actions awsbackup_selection_actions = API_ACTIONS(actions);
