/* SPDX-License-Identifier: Apache-2.0
 * Lifecycle policies: create, get, list, update, delete. Source: DLM's API Reference. */
#include "api/dlm/internal.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "engine/storage/snapshot/snapshot_policy.h"
#include "engine/tag.h"
#include "store/condition.h"

enum { DESCRIPTION_MAX = 500, ARN_MAX = 2048, STATUS_MAX = 500 };

/* ---- by id ---- */

struct str dlm_write_id(struct rest_json_call *e, uuid id)
{
	return id_to_prefixed(e->c->arena, "policy", id);
}

struct str dlm_write_arn(struct rest_json_call *e, struct str id)
{
	return engine_write_lifecycle_arn(e->c->arena, e->config->region, e->c->who->account_number, id);
}

RESULT dlm_find_policy(struct rest_json_call *e, struct str id, const char *field, struct ref *ret_ref)
{
	const struct snapshot_policy *policy = NULL;
	struct ref ref = {0};
	bool is_id = result_is_ok(id_parse_prefixed(id, "policy", &ref));
	ref.kind = KIND_SNAPSHOT_POLICY;
	ref.text = id;
	ref.field = str_from(field);
	struct result found =
		is_id ? engine_find_own_snapshot_policy(e->c, rest_json_tables(e), &ref, &policy)
		      : FAIL(NOT_FOUND);
	if (!result_is_ok(found) && found.code != ERR_NOT_FOUND)
		return found;
	ctx_clear_problem(e->c);
	*ret_ref = ref;
	if (result_is_ok(found) && engine_is_lifecycle_policy(policy))
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SNAPSHOT_POLICY,
			     "The policy '%" STR_FMT "' does not exist.", STR_ARG(str_cut(id, 64)));
}

/* ---- CreateLifecyclePolicy, UpdateLifecyclePolicy ---- */

struct put_args {
	struct lifecycle_policy_wish wish;
	struct str id, role, description, state;
	struct dlm_details details;
	bool has_details;
	struct snapshot_policy row;
};
#define GIVEN(member) offsetof(struct put_args, member) + 1
static const struct param create_params[] = {
	PARAM(struct put_args, "ExecutionRoleArn", role, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "ARN of the role whose policies decide on each snapshot. The caller may pass it."),
	PARAM(struct put_args, "Description", description, .flags = REQUIRED, .max = DESCRIPTION_MAX,
	      .doc = "Description."),
	PARAM(struct put_args, "State", state, .flags = REQUIRED, .words = "ENABLED|DISABLED",
	      .doc = "State."),
	PARAM_OBJECT(struct put_args, "PolicyDetails", details, dlm_details_params, .flags = REQUIRED,
		     .given = GIVEN(has_details), .doc = "Targets, schedule and retention."),
	PARAM(struct put_args, "Tags", wish.tags, .max = TAG_COUNT_MAX, .doc = "Tags of the policy."),
	NOT_BUILT("DefaultPolicy"),
	NOT_BUILT("CreateInterval"),
	NOT_BUILT("RetainInterval"),
	NOT_BUILT("CopyTags"),
	NOT_BUILT("ExtendDeletion"),
	NOT_BUILT("CrossRegionCopyTargets"),
	NOT_BUILT("Exclusions"),
};
static const struct param update_params[] = {
	PARAM(struct put_args, "policyId", id, .flags = REQUIRED, .max = 64, .doc = "The policy."),
	PARAM(struct put_args, "ExecutionRoleArn", role, .min = 1, .max = ARN_MAX,
	      .doc = "ARN of the role whose policies decide on each snapshot. The caller may pass it."),
	PARAM(struct put_args, "Description", description, .min = 1, .max = DESCRIPTION_MAX,
	      .doc = "Description."),
	PARAM(struct put_args, "State", state, .words = "ENABLED|DISABLED", .doc = "State."),
	PARAM_OBJECT(struct put_args, "PolicyDetails", details, dlm_details_params,
		     .given = GIVEN(has_details), .doc = "Targets, schedule and retention."),
	NOT_BUILT("CreateInterval"),
	NOT_BUILT("RetainInterval"),
	NOT_BUILT("CopyTags"),
	NOT_BUILT("ExtendDeletion"),
	NOT_BUILT("CrossRegionCopyTargets"),
	NOT_BUILT("Exclusions"),
};

/* DLM's descriptions have the characters [0-9A-Za-z _-]. */
static RESULT check_description(struct rest_json_call *e, struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (!str_is_alphanumeric(text.p[k]) && text.p[k] != ' ' && text.p[k] != '_' &&
		    text.p[k] != '-')
			return DLM_FAIL(
				e, "Description",
				"Description: only letters, digits, spaces, hyphens and underscores.");
	return OK;
}

static RESULT prepare_put(struct rest_json_call *e, struct put_args *a)
{
	TRY(check_description(e, a->description));
	a->wish.role = a->role.n ? &a->role : NULL;
	a->wish.description = a->description.n ? &a->description : NULL;
	a->wish.is_active = str_is(a->state, "ENABLED")    ? CHOICE_YES
			    : str_is(a->state, "DISABLED") ? CHOICE_NO
							   : CHOICE_DEFAULT;
	if (!a->has_details)
		return OK;
	a->wish.details = &a->row;
	return dlm_read_details(e, &a->details, &a->row);
}

static RESULT prepare_create(struct rest_json_call *e, void *args)
{
	return prepare_put(e, args);
}

static RESULT prepare_update(struct rest_json_call *e, void *args)
{
	struct put_args *a = args;
	TRY(dlm_find_policy(e, a->id, "policyId", &a->wish.policy));
	return prepare_put(e, a);
}

static RESULT answer_create(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	json_write_text(w, "PolicyId", dlm_write_id(e, ((const struct put_args *) args)->wish.made));
	return OK;
}

/* ---- GetLifecyclePolicy, DeleteLifecyclePolicy ---- */

struct id_args {
	struct lifecycle_policy_target wish;
	struct str id;
};
static const struct param id_params[] = {
	PARAM(struct id_args, "policyId", id, .flags = REQUIRED, .max = 64, .doc = "The policy."),
};

static RESULT prepare_id(struct rest_json_call *e, void *args)
{
	struct id_args *a = args;
	return dlm_find_policy(e, a->id, "policyId", &a->wish.policy);
}

/* NULL: the last run took all snapshots. */
static const struct condition *find_problem(struct rest_json_call *e, const struct snapshot_policy *p)
{
	return condition_find_by_subject(rest_json_tables(e), p->row.id, STR(SNAPSHOT_NOT_TAKEN));
}

static const char *state_of(struct rest_json_call *e, const struct snapshot_policy *p)
{
	return !p->is_active ? "DISABLED" : find_problem(e, p) ? "ERROR" : "ENABLED";
}

static void write_time(struct json_writer *w, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	json_write_z(w, name, clock_write_ms(time_us, text));
}

static RESULT answer_get(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct id_args *a = args;
	const struct snapshot_policy *p = NULL;
	TRY(engine_find_own_snapshot_policy(e->c, rest_json_tables(e), &a->wish.policy, &p));
	const struct condition *problem = find_problem(e, p);
	json_write_open(w, "Policy");
	json_write_text(w, "PolicyId", dlm_write_id(e, p->row.id));
	json_write_text(w, "Description", p->description);
	json_write_z(w, "State", state_of(e, p));
	json_write_text(w, "StatusMessage",
			!p->is_active ? STR("DISABLED")
			: problem     ? str_cut(problem->message, STATUS_MAX)
				      : STR("ENABLED"));
	json_write_text(w, "ExecutionRoleArn", p->role);
	write_time(w, "DateCreated", p->row.created_us);
	write_time(w, "DateModified", p->changed_us);
	dlm_write_details(e, w, p);
	rest_json_write_map(w, "Tags", p->tags);
	json_write_text(w, "PolicyArn", dlm_write_arn(e, dlm_write_id(e, p->row.id)));
	json_write_close(w);
	return OK;
}

/* ---- GetLifecyclePolicies ---- */

struct list_args {
	struct strs ids, types, targets, added;
	struct str state;
};
static const struct param list_params[] = {
	PARAM(struct list_args, "policyIds", ids, .max = 64, .doc = "Policies to list."),
	PARAM(struct list_args, "state", state, .words = "ENABLED|DISABLED|ERROR",
	      .doc = "State of the policies to list."),
	PARAM(struct list_args, "resourceTypes", types, .words = "VOLUME|INSTANCE",
	      .doc = "Types of targets."),
	PARAM(struct list_args, "targetTags", targets, .max = 512, .doc = "Target tags, as key=value."),
	PARAM(struct list_args, "tagsToAdd", added, .max = 512,
	      .doc = "Tags of the snapshots, as key=value."),
};

/* DLM refuses the whole list if one of the policies is missing. */
static RESULT prepare_list(struct rest_json_call *e, void *args)
{
	const struct list_args *a = args;
	struct ref ignored;
	for (size_t k = 0; k < a->ids.count; k++)
		TRY(dlm_find_policy(e, a->ids.at[k], "policyIds", &ignored));
	return OK;
}

static bool has(struct strs list, struct str text)
{
	for (size_t k = 0; k < list.count; k++)
		if (str_equal(list.at[k], text))
			return true;
	return !list.count;
}

static bool has_tag(struct rest_json_call *e, struct strs list, struct tags tags)
{
	for (size_t k = 0; k < tags.count; k++)
		if (has(list, str_print(e->c->arena, "%" STR_FMT "=%" STR_FMT, STR_ARG(tags.at[k].key),
					STR_ARG(tags.at[k].value))))
			return true;
	return !list.count;
}

static bool is_listed(struct rest_json_call *e, const struct list_args *a, const struct snapshot_policy *p)
{
	struct str type =
		p->targets == SNAPSHOT_POLICY_TARGETS_TAGGED_VOLUMES ? STR("VOLUME") : STR("INSTANCE");
	return engine_is_lifecycle_policy(p) && engine_is_own(e->c, KIND_SNAPSHOT_POLICY, &p->row) &&
	       (!a->ids.count || has(a->ids, dlm_write_id(e, p->row.id))) &&
	       (!a->state.n || str_is(a->state, state_of(e, p))) && has(a->types, type) &&
	       has_tag(e, a->targets, p->target_tags) && has_tag(e, a->added, p->added_tags);
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	json_write_open_list(w, "Policies");
	for (const struct snapshot_policy *p =
		     snapshot_policy_first_by_account(rest_json_tables(e), e->c->who->account);
	     p; p = snapshot_policy_next_by_account(rest_json_tables(e), p)) {
		if (!is_listed(e, args, p))
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "PolicyId", dlm_write_id(e, p->row.id));
		json_write_text(w, "Description", p->description);
		json_write_z(w, "State", state_of(e, p));
		rest_json_write_map(w, "Tags", p->tags);
		json_write_z(w, "PolicyType", "EBS_SNAPSHOT_MANAGEMENT");
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_POST, "/policies", DLM_ACTION("CreateLifecyclePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, create_params), .prepare = prepare_create,
	 .operation = engine_create_lifecycle_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_create, .doc = "Creates a policy."},
	{HTTP_GET, "/policies", DLM_ACTION("GetLifecyclePolicies"),
	 .args = PARAMS(struct list_args, list_params), .prepare = prepare_list, .answer = answer_list,
	 .doc = "Lists policies."},
	{HTTP_GET, "/policies/{policyId}", DLM_ACTION("GetLifecyclePolicy"),
	 .args = PARAMS(struct id_args, id_params), .prepare = prepare_id, .answer = answer_get,
	 .doc = "Describes a policy."},
	{HTTP_PATCH, "/policies/{policyId}", DLM_ACTION("UpdateLifecyclePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct put_args, update_params), .prepare = prepare_update,
	 .operation = engine_update_lifecycle_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Changes a policy."},
	{HTTP_DELETE, "/policies/{policyId}", DLM_ACTION("DeleteLifecyclePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct id_args, id_params), .prepare = prepare_id,
	 .operation = engine_delete_lifecycle_policy_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a policy. Its snapshots stay."},
};
const struct api_actions dlm_policy_actions = API_ACTIONS(actions);
