/* SPDX-License-Identifier: Apache-2.0
 * Roles: trust policy and maximum session duration. principals.c handles their permissions. */
#include "api/iam/internal.h"
#include "base/clock.h"
#include "engine/people/policy/iam_role.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/iam_role.h"

void iam_write_role_use(struct iam_call *e, struct xml *x, const struct iam_role *role)
{
	const struct last_use stored = {
		.id = role->row.id, .at_us = role->last_used_us, .region = role->last_used_region};
	const struct last_use use = last_used_find(e->config->uses, e->c->arena, &stored);
	xml_open(x, "RoleLastUsed");
	if (use.at_us) {
		iam_write_time(x, "LastUsedDate", use.at_us);
		xml_text(x, "Region", use.region);
	}
	xml_close(x, "RoleLastUsed");
}

void iam_write_role(struct iam_call *e, struct xml *x, const struct iam_role *role, unsigned parts)
{
	iam_write_entity(e, x, KIND_IAM_ROLE, &role->row, "RoleName", "RoleId");
	xml_text(x, "AssumeRolePolicyDocument", str_encode_url(e->c->arena, role->trust, false));
	if (parts & IAM_ROLE_DESCRIPTION && role->description.n)
		xml_text(x, "Description", role->description);
	if (parts & IAM_ROLE_DURATION)
		iam_write_int(e, x, "MaxSessionDuration", role->session_max_us / SECOND);
	if (!(parts & IAM_ROLE_RIGHTS))
		return;
	iam_write_boundary(e, x, KIND_IAM_ROLE, &role->row);
	if (role->tags.count)
		iam_write_tags(x, role->tags);
}

static RESULT find_role(struct iam_call *e, const struct ref *ref, const struct iam_role **ret_role)
{
	const struct ref none = {0};
	struct policy_principal principal;
	TRY(engine_find_policy_principal(e->c, iam_tables(e), &none, &none, ref, &principal));
	*ret_role = iam_role_of(principal.row);
	return OK;
}

/* ---- reads ---- */

static const struct param get_params[] = {IAM_ROLE(struct iam_read_args, role)};
static const struct param list_tags_params[] = {IAM_ROLE(struct iam_read_args, role),
						IAM_PAGES(struct iam_read_args, pages)};

static RESULT get_role(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_role *role = NULL;
	TRY(find_role(e, &((const struct iam_read_args *) args)->role, &role));
	xml_open(x, "Role");
	iam_write_role(e, x, role, IAM_ROLE_DESCRIPTION | IAM_ROLE_DURATION | IAM_ROLE_RIGHTS);
	iam_write_role_use(e, x, role);
	xml_close(x, "Role");
	return OK;
}

static RESULT write_one(struct iam_call *e, struct xml *x, const struct row *row)
{
	iam_write_role(e, x, iam_role_of(row), IAM_ROLE_DESCRIPTION | IAM_ROLE_DURATION);
	return OK;
}

const struct iam_listing iam_roles = {
	.kind = KIND_IAM_ROLE,
	.order = "name",
	.paths = {{KIND_IAM_ROLE, IAM_ROLE_INDEX_ACCOUNT}},
	.path_index = IAM_ROLE_INDEX_PATH,
	.shown = {"Roles", .write = write_one},
};

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_read_args *a = args;
	const struct iam_role *role = NULL;
	TRY(find_role(e, &a->role, &role));
	return iam_list_tags(e, x, role->tags, &a->pages);
}

/* ---- changes ---- */

struct new_role {
	struct iam_role_wish wish;
	struct str boundary;
};
#define MAX_SESSION(T, member)                                                                               \
	PARAM(T, "MaxSessionDuration", member, .min = 3600, .max = SESSION_S_MAX,                            \
	      .doc = "Maximum session duration in seconds.")
static const struct param create_params[] = {
	PARAM(struct new_role, "RoleName", wish.name, .flags = REQUIRED, .min = 1, .max = 64,
	      .doc = "Name; unique in the account, regardless of letter case."),
	IAM_PATH(struct new_role, wish.path),
	PARAM(struct new_role, "AssumeRolePolicyDocument", wish.trust, .flags = REQUIRED, .min = 1,
	      .max = IAM_DOCUMENT_MAX, .doc = "Trust policy, as JSON: who may assume the role."),
	PARAM(struct new_role, "Description", wish.description, .max = 1000,
	      .doc = "Description: free text."),
	MAX_SESSION(struct new_role, wish.session_max_s),
	PARAM(struct new_role, "PermissionsBoundary", boundary, .min = 20, .max = 2048,
	      .doc = "ARN of the permissions boundary."),
	IAM_TAGS(struct new_role, wish.tags),
};

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct new_role *a = args;
	TRY(iam_check_name(e, a->wish.name, "RoleName"));
	TRY(iam_check_path(e, a->wish.path, "Path"));
	TRY(iam_check_document(e, a->wish.trust, POLICY_OF_TRUST, false));
	TRY(iam_check_tags(e, a->wish.tags, true));
	return a->boundary.n ? iam_find_boundary(e, a->boundary, &a->wish.boundary) : OK;
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct new_role *a = args;
	const struct row *row = NULL;
	TRY(iam_find_returned(e, a->wish.iam_role, &row));
	xml_open(x, "Role");
	iam_write_role(e, x, iam_role_of(row), IAM_ROLE_RIGHTS);
	xml_close(x, "Role");
	return OK;
}

struct changed_role {
	struct iam_role_change wish;
};
static const struct param update_params[] = {
	IAM_ROLE(struct changed_role, wish.iam_role),
	PARAM(struct changed_role, "Description", wish.description, .max = 1000,
	      .doc = "Description: free text."),
	MAX_SESSION(struct changed_role, wish.session_max_s),
};
static const struct param describe_params[] = {
	IAM_ROLE(struct changed_role, wish.iam_role),
	PARAM(struct changed_role, "Description", wish.description, .flags = REQUIRED, .max = 1000,
	      .doc = "Description: free text."),
};
static const struct param trust_params[] = {
	IAM_ROLE(struct changed_role, wish.iam_role),
	PARAM(struct changed_role, "PolicyDocument", wish.trust, .flags = REQUIRED, .min = 1,
	      .max = IAM_DOCUMENT_MAX, .doc = "Trust policy, as JSON: who may assume the role."),
};

static RESULT prepare_change(struct iam_call *e, void *args)
{
	struct changed_role *a = args;
	return a->wish.trust.n ? iam_check_document(e, a->wish.trust, POLICY_OF_TRUST, false) : OK;
}

static RESULT show_changed(struct iam_call *e, const void *args, struct xml *x)
{
	const struct iam_role *role = NULL;
	TRY(find_role(e, &((const struct changed_role *) args)->wish.iam_role, &role));
	xml_open(x, "Role");
	iam_write_role(e, x, role, IAM_ROLE_DESCRIPTION | IAM_ROLE_RIGHTS);
	xml_close(x, "Role");
	return OK;
}

/* Writes an empty result element. */
static RESULT show_nothing(struct iam_call *e, const void *args, struct xml *x)
{
	(void) e;
	(void) args;
	(void) x;
	return OK;
}

static const struct param delete_params[] = {IAM_ROLE(struct iam_role_target, iam_role)};
static const struct param tag_params[] = {IAM_ROLE(struct entity_tags, entity),
					  IAM_NEW_TAGS(struct entity_tags, tags)};
static const struct param untag_params[] = {IAM_ROLE(struct entity_tags, entity),
					    IAM_TAG_KEYS(struct entity_tags, keys)};

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateRole"), .flags = API_WRITES, .args = PARAMS(struct new_role, create_params),
	 .prepare = prepare_new, .operation = engine_create_iam_role_run, .returns = KIND_IAM_ROLE,
	 .answer = show_new, .doc = "Creates a role."},
	{IAM_ACTION("GetRole"), .args = PARAMS(struct iam_read_args, get_params), .answer = get_role,
	 .doc = "Returns a role."},
	{IAM_ACTION("ListRoles"), .args = IAM_LIST, .list = &iam_roles, .answer = iam_answer_list,
	 .doc = "Lists the account's roles."},
	{IAM_ACTION("UpdateRole"), .flags = API_WRITES, .args = PARAMS(struct changed_role, update_params),
	 .prepare = prepare_change, .operation = engine_update_iam_role_run, .answer = show_nothing,
	 .doc = "Changes the maximum session duration and the description of a role."},
	{IAM_ACTION("UpdateRoleDescription"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_role, describe_params), .prepare = prepare_change,
	 .operation = engine_update_iam_role_run, .answer = show_changed,
	 .doc = "Changes the description of a role."},
	{IAM_ACTION("UpdateAssumeRolePolicy"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_role, trust_params), .prepare = prepare_change,
	 .operation = engine_update_iam_role_trust_run, .doc = "Replaces the trust policy of a role."},
	{IAM_ACTION("DeleteRole"), .flags = API_WRITES, .args = PARAMS(struct iam_role_target, delete_params),
	 .operation = engine_delete_iam_role_run,
	 .doc = "Deletes a role without policies and instance profiles."},
	{IAM_ACTION("TagRole"), .flags = API_WRITES, .args = PARAMS(struct entity_tags, tag_params),
	 .prepare = iam_prepare_tag, .operation = engine_tag_entity_run, .doc = "Sets tags on a role."},
	{IAM_ACTION("UntagRole"), .flags = API_WRITES, .args = PARAMS(struct entity_tags, untag_params),
	 .prepare = iam_prepare_untag, .operation = engine_untag_entity_run,
	 .doc = "Removes tags from a role."},
	{IAM_ACTION("ListRoleTags"), .args = PARAMS(struct iam_read_args, list_tags_params),
	 .answer = list_tags, .doc = "Lists the tags of a role."},
};
const struct api_actions iam_role_actions = API_ACTIONS(actions);
