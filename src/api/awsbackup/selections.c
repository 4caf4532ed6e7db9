/* SPDX-License-Identifier: Apache-2.0
 * Selections: instances that a plan backs up, by ARN or by a tag. A plan has one selection here. */
#include "api/awsbackup/internal.h"
#include "engine/tag.h"
#include "store/backup_plan.h"

enum { SELECTION_NAME_MAX = 50, RESOURCES_MAX = 500 };
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
	struct tag_conditions equal;
};
static const struct param conditions_rows[] = {
	PARAM_LIST(struct conditions, "StringEquals", equal, equal_params, .max = 30,
		   .doc = "A tag that all instances of the selection have: one."),
	NOT_BUILT("StringNotEquals", .only = "[]"),
	NOT_BUILT("StringLike", .only = "[]"),
	NOT_BUILT("StringNotLike", .only = "[]"),
};
static const struct params conditions_params = PARAMS(struct conditions, conditions_rows);

struct selection {
	struct str name, role;
	struct strs resources;
	struct tag_conditions of_tag;
	struct conditions conditions;
};
static const struct param selection_rows[] = {
	PARAM(struct selection, "SelectionName", name, .flags = REQUIRED, .min = 1, .max = SELECTION_NAME_MAX,
	      .doc = "Name of the selection."),
	PARAM(struct selection, "IamRoleArn", role, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "ARN of the role whose policies decide on each backup. The caller may pass it."),
	PARAM(struct selection, "Resources", resources, .max = ARN_MAX,
	      .doc = "ARNs of instances; * with a condition."),
	PARAM_LIST(struct selection, "ListOfTags", of_tag, of_tag_params, .max = 30,
		   .doc = "A tag whose instances are selected, too: one."),
	PARAM_OBJECT(struct selection, "Conditions", conditions, conditions_params,
		     .doc = "The tag in place of Resources and ListOfTags."),
	NOT_BUILT("NotResources", .only = "[]"),
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
		     .doc = "Role and instances."),
	PASSED_OVER("CreatorRequestId",
		    "botocore's model: it identifies the request; a plan has one selection here"),
};

static RESULT read_resources(struct rest_json_call *e, const struct strs *arns, struct refs *ret_refs)
{
	struct ref *refs = arena_new_array(e->c->arena, struct ref, arns->count + 1);
	if (!refs)
		return ctx_no_memory(e->c);
	if (arns->count > RESOURCES_MAX)
		return AWSBACKUP_FAIL(e, "Resources", "Resources: a selection has up to %d.", RESOURCES_MAX);
	for (size_t k = 0; k < arns->count; k++) {
		TRY(awsbackup_read_resource(e, arns->at[k], "Resources", &refs[k]));
		if (refs[k].kind != KIND_INSTANCE)
			return AWSBACKUP_FAIL(
				e, "Resources",
				"Resources: plans back up instances here, with all their volumes. '%" STR_FMT
				"' is no instance.",
				STR_ARG(arns->at[k]));
	}
	*ret_refs = (struct refs){refs, arns->count};
	return OK;
}

static bool is_any(const struct strs *arns)
{
	return !arns->count || (arns->count == 1 && (str_is(arns->at[0], "*") ||
						     str_is(arns->at[0], "arn:aws:ec2:*:*:instance/*")));
}

static RESULT read_conditions(struct rest_json_call *e, struct create_args *a)
{
	const struct tag_conditions *equal = &a->selection.conditions.equal;
	if (equal->count != 1 || a->selection.of_tag.count || !is_any(&a->selection.resources) ||
	    !str_starts_with(equal->at[0].key, STR(TAG_CONDITION)) ||
	    equal->at[0].key.n == sizeof TAG_CONDITION - 1 || !equal->at[0].value.n)
		return AWSBACKUP_FAIL(e, "Conditions",
				      "Conditions: one StringEquals of " TAG_CONDITION
				      "KEY with a value, without ListOfTags, of all resources (*), is what a "
				      "selection has here.");
	a->wish.tag_key = str_slice(equal->at[0].key, sizeof TAG_CONDITION - 1, equal->at[0].key.n);
	a->wish.tag_value = equal->at[0].value;
	a->wish.is_condition = true;
	return OK;
}

static RESULT prepare_create(struct rest_json_call *e, void *args)
{
	struct create_args *a = args;
	const struct selection *s = &a->selection;
	const struct backup_plan *plan = NULL;
	TRY(awsbackup_find_plan(e, a->id, &a->wish.plan, &plan));
	a->wish.name = s->name;
	a->wish.role = s->role;
	if (s->conditions.equal.count)
		return read_conditions(e, a);
	TRY(read_resources(e, &s->resources, &a->wish.instances));
	if (s->of_tag.count > 1)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("ListOfTags"),
				      "The parameter ListOfTags has one element here.");
	if (!s->of_tag.count && !s->resources.count)
		return AWSBACKUP_FAIL(e, "BackupSelection",
				      "BackupSelection: Resources, ListOfTags or Conditions are required.");
	if (s->of_tag.count && (!s->of_tag.at[0].key.n || !s->of_tag.at[0].value.n))
		return AWSBACKUP_FAIL(e, "ListOfTags", "ListOfTags: a tag has a key and a value.");
	if (s->of_tag.count) {
		a->wish.tag_key = s->of_tag.at[0].key;
		a->wish.tag_value = s->of_tag.at[0].value;
	}
	return OK;
}

static RESULT answer_create(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct create_args *a = args;
	const struct row *row = NULL;
	TRY(rest_json_find_returned(e, a->wish.plan.prefix, &row));
	json_write_uuid(w, "SelectionId", a->wish.selection);
	json_write_uuid(w, "BackupPlanId", a->wish.plan.prefix);
	awsbackup_write_time(e, w, "CreationDate", backup_plan_of(row)->selected_us);
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

/* Finds the plan whose selection the call names. */
static RESULT find_selection(struct rest_json_call *e, const struct id_args *a, struct ref *ret_ref,
			     const struct backup_plan **ret_plan)
{
	uuid id = UUID_NONE;
	TRY(awsbackup_find_plan(e, a->id, ret_ref, ret_plan));
	bool is_id = result_is_ok(uuid_parse(a->selection, &id)) && !uuid_is_none(id);
	if (is_id && uuid_equal((*ret_plan)->selection, id))
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_BACKUP_PLAN,
			     "The backup selection '%" STR_FMT "' does not exist.",
			     STR_ARG(str_cut(a->selection, 64)));
}

static RESULT prepare_id(struct rest_json_call *e, void *args)
{
	struct id_args *a = args;
	const struct backup_plan *plan = NULL;
	TRY(find_selection(e, a, &a->wish.plan, &plan));
	a->wish.selection = plan->selection;
	return OK;
}

static void write_ids(struct rest_json_call *e, struct json_writer *w, const struct backup_plan *p)
{
	json_write_uuid(w, "SelectionId", p->selection);
	json_write_uuid(w, "BackupPlanId", p->row.id);
	awsbackup_write_time(e, w, "CreationDate", p->selected_us);
}

static void write_tag(struct json_writer *w, const char *list, const char *type, const char *start,
		      const struct backup_plan *p, struct arena *a)
{
	json_write_open_list(w, list);
	json_write_open(w, NULL);
	if (type)
		json_write_z(w, "ConditionType", type);
	json_write_text(w, "ConditionKey", str_print(a, "%s%" STR_FMT, start, STR_ARG(p->tag_key)));
	json_write_text(w, "ConditionValue", p->tag_value);
	json_write_close(w);
	json_write_close_list(w);
}

static RESULT answer_get(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct backup_plan *p = NULL;
	struct ref ref;
	TRY(find_selection(e, a, &ref, &p)); /* prepare had another view */
	json_write_open(w, "BackupSelection");
	json_write_text(w, "SelectionName", p->selection_name);
	json_write_text(w, "IamRoleArn", p->role);
	json_write_open_list(w, "Resources");
	for (size_t k = 0; k < p->instances.count; k++)
		json_write_text(w, NULL, awsbackup_write_resource(e, KIND_INSTANCE, p->instances.at[k]));
	if (p->is_condition)
		json_write_z(w, NULL, "*");
	json_write_close_list(w);
	if (p->tag_key.n && !p->is_condition)
		write_tag(w, "ListOfTags", "STRINGEQUALS", "", p, e->c->arena);
	if (p->is_condition) {
		json_write_open(w, "Conditions");
		write_tag(w, "StringEquals", NULL, TAG_CONDITION, p, e->c->arena);
		json_write_close(w);
	}
	json_write_close(w);
	write_ids(e, w, p);
	return OK;
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct backup_plan *p = NULL;
	struct ref ref;
	TRY(awsbackup_find_plan(e, a->id, &ref, &p));
	json_write_open_list(w, "BackupSelectionsList");
	if (!uuid_is_none(p->selection)) {
		json_write_open(w, NULL);
		write_ids(e, w, p);
		json_write_text(w, "SelectionName", p->selection_name);
		json_write_text(w, "IamRoleArn", p->role);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_PUT, "/backup/plans/{backupPlanId}/selections", AWSBACKUP_ACTION("CreateBackupSelection"),
	 .flags = API_WRITES, .args = PARAMS(struct create_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_vault_selection_run, .returns = KIND_BACKUP_PLAN, .answer = answer_create,
	 .doc = "Selects the instances of a plan, which runs from then on."},
	{HTTP_GET, "/backup/plans/{backupPlanId}/selections", AWSBACKUP_ACTION("ListBackupSelections"),
	 .args = PARAMS(struct id_args, list_params), .prepare = prepare_plan, .answer = answer_list,
	 .doc = "Lists the selection of a plan."},
	{HTTP_GET, "/backup/plans/{backupPlanId}/selections/{selectionId}",
	 AWSBACKUP_ACTION("GetBackupSelection"), .args = PARAMS(struct id_args, id_params),
	 .prepare = prepare_id, .answer = answer_get, .doc = "Describes a selection."},
	{HTTP_DELETE, "/backup/plans/{backupPlanId}/selections/{selectionId}",
	 AWSBACKUP_ACTION("DeleteBackupSelection"), .flags = API_WRITES,
	 .args = PARAMS(struct id_args, id_params), .prepare = prepare_id,
	 .operation = engine_delete_vault_selection_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a selection. The plan makes no backups any more."},
};
const struct api_actions awsbackup_selection_actions = API_ACTIONS(actions);
