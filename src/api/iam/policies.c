/* SPDX-License-Identifier: Apache-2.0
 * Managed policies and their versions: converts parameters into the engine's wishes, and rows into answers. */
#include <inttypes.h>

#include "api/iam/internal.h"
#include "engine/people/policy/aws_policy.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/policy.h"
#include "store/policy_attachment.h"
#include "store/policy_version.h"

/* True for "arn:aws:iam::111122223333:policy/path/name". */
static bool is_policy_arn(struct str arn)
{
	struct str rest = arn, part = STR_NONE;
	for (size_t k = 0; k < 5; k++)
		if (!str_split_next(&rest, ':', &part) || (k == 0 && !str_is(part, "arn")) ||
		    (k == 2 && !str_is(part, "iam")))
			return false;
	return str_starts_with(rest, STR("policy/"));
}

static RESULT find_by_arn(struct iam_call *e, struct str arn, const char *field, const char *absent,
			  struct ref *ret_policy)
{
	const struct policy *p = engine_find_policy_arn(e->c->arena, iam_tables(e), e->c->who->account, arn);
	struct str name = str_from(field), words = str_from(absent);
	size_t gap = str_find_char(words, '*', 0);
	if (!is_policy_arn(arn))
		return ctx_fail_field(e->c, ERR_INVALID, name, "ARN %" STR_FMT " is not valid.",
				      STR_ARG(arn));
	if (!p)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, name, "%" STR_FMT "%" STR_FMT "%" STR_FMT,
				      STR_ARG(str_slice(words, 0, gap)), STR_ARG(arn),
				      STR_ARG(str_slice(words, gap + 1, words.n)));
	*ret_policy = (struct ref){
		.kind = KIND_POLICY, .prefix = p->row.id, .bits = 128, .text = arn, .field = name};
	return OK;
}

RESULT iam_find_policy(struct iam_call *e, struct str arn, const char *absent, struct ref *ret_policy)
{
	return find_by_arn(e, arn, "PolicyArn", absent, ret_policy);
}

RESULT iam_find_boundary(struct iam_call *e, struct str arn, struct ref *ret_policy)
{
	return find_by_arn(e, arn, "PermissionsBoundary", "Scope ARN: * does not exist or is not attachable.",
			   ret_policy);
}

struct policy_args { /* arguments of the reads of managed policies */
	struct str arn, version, scope, path, usage;
	struct iam_pages pages;
	bool only_attached;
	struct ref policy; /* found by the ARN; set by prepare */
};
struct new_policy {
	struct policy_wish wish; /* must be first */
};
struct gone_policy {
	struct policy_target wish;
	struct str arn;
};
struct new_version {
	struct policy_version_wish wish;
	struct str arn;
};
struct changed_version {
	struct policy_version_target wish;
	struct str arn, version;
};

/* ---- changes ---- */

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct new_policy *a = args;
	TRY(iam_check_name(e, a->wish.name, "PolicyName"));
	TRY(iam_check_path(e, a->wish.path, "Path"));
	TRY(iam_check_tags(e, a->wish.tags, false));
	return iam_check_document(e, a->wish.document, POLICY_OF_IDENTITY, true);
}

static RESULT prepare_delete(struct iam_call *e, void *args)
{
	struct gone_policy *a = args;
	return iam_find_policy(e, a->arn, IAM_NO_POLICY, &a->wish.policy);
}

static RESULT prepare_version(struct iam_call *e, void *args)
{
	struct new_version *a = args;
	TRY(iam_check_document(e, a->wish.document, POLICY_OF_IDENTITY, true));
	return iam_find_policy(e, a->arn, IAM_NOT_ATTACHABLE, &a->wish.policy);
}

/* Reads "v3". AWS also allows a suffix after a full stop, which no version here has. */
static RESULT read_version(struct iam_call *e, struct str text, int64_t *ret_number)
{
	struct str digits = str_slice(text, 1, text.n);
	digits = str_slice(digits, 0, str_find_char(digits, '.', 0));
	if (text.n >= 2 && text.p[0] == 'v' && digits.n && digits.p[0] != '0' && digits.p[0] != '-' &&
	    result_is_ok(str_parse_int(digits, ret_number)))
		return OK;
	return request_fail_member(e->c, STR("VersionId"), STR_NONE,
				   "satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?");
}

/* Finds the policy; a failure says that it has no such version. */
static RESULT find_versioned(struct iam_call *e, struct str arn, struct str version, struct ref *ret_policy)
{
	return iam_find_policy(e, arn,
			       str_to_z(e->c->arena, str_print(e->c->arena,
							       "Policy * version %" STR_FMT
							       " does not exist or is not attachable.",
							       STR_ARG(version))),
			       ret_policy);
}

static RESULT prepare_change_version(struct iam_call *e, void *args)
{
	struct changed_version *a = args;
	TRY(read_version(e, a->version, &a->wish.number));
	a->wish.field = STR("VersionId");
	return find_versioned(e, a->arn, a->version, &a->wish.policy);
}

/* ---- what is shown ---- */

/* Iterates over the attachments of a policy within the account. AWS's own policies are shared by all
 * accounts, so the account's attachments are searched. */
static const struct policy_attachment *next_attachment(struct iam_call *e, const struct policy *p,
						       const struct policy_attachment *after)
{
	const struct tables *t = iam_tables(e);
	if (!aws_policy_is(p))
		return after ? policy_attachment_next_by_policy(t, after)
			     : policy_attachment_first_by_policy(t, p->row.id);
	const struct policy_attachment *a = after ? policy_attachment_next_by_account(t, after)
						  : policy_attachment_first_by_account(t, e->c->who->account);
	while (a && !uuid_equal(a->policy, p->row.id))
		a = policy_attachment_next_by_account(t, a);
	return a;
}

static void count_attachments(struct iam_call *e, const struct policy *p, int64_t *ret_attached,
			      int64_t *ret_bounds)
{
	const struct policy_attachment *a = next_attachment(e, p, NULL);
	*ret_attached = *ret_bounds = 0;
	for (; a; a = next_attachment(e, p, a))
		*(a->is_boundary ? ret_bounds : ret_attached) += 1;
}

bool iam_is_attached(struct iam_call *e, const struct policy *p)
{
	return next_attachment(e, p, NULL) != NULL;
}

void iam_write_policy(struct iam_call *e, struct xml *x, const struct policy *p, bool is_whole)
{
	int64_t attached = 0, bounds = 0;
	count_attachments(e, p, &attached, &bounds);
	xml_text(x, "PolicyName", p->name);
	xml_text(x, "PolicyId", iam_id_to_text(e->c->arena, KIND_POLICY, p->row.id));
	xml_text(x, "Arn", iam_arn(e, KIND_POLICY, &p->row));
	xml_text(x, "Path", p->path);
	xml_text(x, "DefaultVersionId", str_print(e->c->arena, "v%" PRId64, p->default_version));
	iam_write_int(e, x, "AttachmentCount", attached);
	iam_write_int(e, x, "PermissionsBoundaryUsageCount", bounds);
	xml_z(x, "IsAttachable", "true");
	if (is_whole && p->description.n)
		xml_text(x, "Description", p->description);
	iam_write_time(x, "CreateDate", p->row.created_us);
	iam_write_time(x, "UpdateDate", p->row.updated_us);
	if (is_whole)
		iam_write_tags(x, p->tags);
}

void iam_write_version(struct iam_call *e, struct xml *x, const struct policy *p,
		       const struct policy_version *v, bool with_document)
{
	if (with_document)
		xml_text(x, "Document", str_encode_url(e->c->arena, v->document, false));
	xml_text(x, "VersionId", str_print(e->c->arena, "v%" PRId64, v->number));
	xml_z(x, "IsDefaultVersion", v->number == p->default_version ? "true" : "false");
	iam_write_time(x, "CreateDate", v->row.created_us);
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct new_policy *a = args;
	const struct row *row = NULL;
	TRY(iam_find_returned(e, a->wish.policy, &row));
	xml_open(x, "Policy");
	iam_write_policy(e, x, policy_of(row), false);
	if (policy_of(row)->tags.count)
		iam_write_tags(x, policy_of(row)->tags);
	xml_close(x, "Policy");
	return OK;
}

static RESULT show_new_version(struct iam_call *e, const void *args, struct xml *x)
{
	const struct new_version *a = args;
	const struct policy_version *v = policy_version_find(iam_tables(e), a->wish.made);
	const struct policy *p = v ? policy_find(iam_tables(e), v->policy) : NULL;
	if (!p)
		return engine_fail_gone(e->c, KIND_POLICY_VERSION, a->wish.made);
	xml_open(x, "PolicyVersion");
	iam_write_version(e, x, p, v, false);
	xml_close(x, "PolicyVersion");
	return OK;
}

/* ---- reads ---- */

static RESULT prepare_policy(struct iam_call *e, void *args)
{
	struct policy_args *a = args;
	return iam_find_policy(e, a->arn, IAM_NO_POLICY, &a->policy);
}

static RESULT prepare_version_read(struct iam_call *e, void *args)
{
	struct policy_args *a = args;
	int64_t number = 0;
	TRY(read_version(e, a->version, &number));
	return find_versioned(e, a->arn, a->version, &a->policy);
}

static RESULT get_policy(struct iam_call *e, const void *args, struct xml *x)
{
	const struct policy_args *a = args;
	const struct policy *p = NULL;
	TRY(engine_find_managed_policy(e->c, iam_tables(e), &a->policy, &p));
	xml_open(x, "Policy");
	iam_write_policy(e, x, p, true);
	xml_close(x, "Policy");
	return OK;
}

static RESULT get_version(struct iam_call *e, const void *args, struct xml *x)
{
	const struct policy_args *a = args;
	const struct policy *p = NULL;
	int64_t number = 0;
	TRY(read_version(e, a->version, &number));
	TRY(engine_find_managed_policy(e->c, iam_tables(e), &a->policy, &p));
	const struct policy_version *v = engine_find_version(iam_tables(e), p, number);
	if (!v)
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("VersionId"),
				      "Policy %" STR_FMT " version %" STR_FMT
				      " does not exist or is not attachable.",
				      STR_ARG(a->arn), STR_ARG(a->version));
	xml_open(x, "PolicyVersion");
	iam_write_version(e, x, p, v, true);
	xml_close(x, "PolicyVersion");
	return OK;
}

static bool is_listed(struct iam_call *e, const struct policy_args *a, const struct policy *p)
{
	int64_t attached = 0, bounds = 0;
	if (!policy_is_managed(p) || !str_starts_with(p->path, a->path) ||
	    str_is(a->scope, aws_policy_is(p) ? "Local" : "AWS"))
		return false;
	count_attachments(e, p, &attached, &bounds);
	return (!a->only_attached || attached || bounds) &&
	       (!str_is(a->usage, "PermissionsPolicy") || attached) &&
	       (!str_is(a->usage, "PermissionsBoundary") || bounds);
}

static bool is_managed(const struct iam_list *l, const struct row *row)
{
	return policy_is_managed(policy_of(row)) && (!l->args || is_listed(l->e, l->args, policy_of(row)));
}

static RESULT write_one(struct iam_call *e, struct xml *x, const struct row *row)
{
	iam_write_policy(e, x, policy_of(row), false);
	return OK;
}

const struct iam_listing iam_policies = {
	.kind = KIND_POLICY,
	.order = "name",
	.paths = {{KIND_POLICY, POLICY_INDEX_ACCOUNT}},
	.path_index = POLICY_INDEX_PATH,
	.shows = is_managed,
	.shown = {.write = write_one},
};

/* Lists the account's own policies, then AWS's. */
static RESULT list_policies(struct iam_call *e, const void *args, struct xml *x)
{
	const struct policy_args *a = args;
	struct iam_list own = {e, &iam_policies, .path = a->path, .args = a};
	const struct policy *p;
	struct iam_page page;
	TRY(iam_open_page(e, &a->pages, &page));
	xml_open(x, "Policies");
	TRY(iam_write_rows(&own, &page, x));
	page.section++;
	for (size_t k = 0; (p = aws_policy_at(k)); k++) {
		if (!is_listed(e, a, p) || !iam_page_takes(&page, iam_number_key(e, k)))
			continue;
		xml_open(x, "member");
		iam_write_policy(e, x, p, false);
		xml_close(x, "member");
	}
	xml_close(x, "Policies");
	return iam_close_page(e, x, &page);
}

static RESULT write_one_version(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct policy_version *v = policy_version_of(row);
	iam_write_version(e, x, engine_find_policy(iam_tables(e), v->policy), v, false);
	return OK;
}

static const struct iam_listing versions = {
	.kind = KIND_POLICY_VERSION,
	.order = "number",
	.descends = true,
	.paths = {{KIND_POLICY_VERSION, POLICY_VERSION_INDEX_POLICY}},
	.shown = {"Versions", .write = write_one_version},
};

struct iam_list iam_list_versions(struct iam_call *e, const struct policy *p)
{
	const struct row *aws = aws_policy_is(p) ? &aws_policy_version(p)->row : NULL;
	return (struct iam_list){e, &versions, p->row.id, .given = aws};
}

static RESULT list_versions(struct iam_call *e, const void *args, struct xml *x)
{
	const struct policy_args *a = args;
	const struct policy *p = NULL;
	TRY(engine_find_managed_policy(e->c, iam_tables(e), &a->policy, &p));
	struct iam_list list = iam_list_versions(e, p);
	return iam_write_list(&list, &a->pages, x);
}

/* ---- who has one ---- */

struct entities_args {
	struct str arn, filter, path, usage;
	struct iam_pages pages;
	struct ref policy;
};
static const struct param entities_params[] = {
	IAM_POLICY_ARN(struct entities_args, arn),
	PARAM(struct entities_args, "EntityFilter", filter,
	      .words = "User|Role|Group|LocalManagedPolicy|AWSManagedPolicy", .doc = "Kind of the entities."),
	IAM_PATH_PREFIX(struct entities_args, path),
	PARAM(struct entities_args, "PolicyUsageFilter", usage,
	      .words = "PermissionsPolicy|PermissionsBoundary",
	      .doc = "Usage of the policy: as a permissions policy or as a permissions boundary."),
	IAM_PAGES(struct entities_args, pages),
};

static RESULT prepare_entities(struct iam_call *e, void *args)
{
	struct entities_args *a = args;
	return iam_find_policy(e, a->arn, IAM_NO_POLICY, &a->policy);
}

static bool is_of_policy(const struct iam_list *l, const struct row *row)
{
	const struct policy *policy = l->args;
	return uuid_equal(policy_attachment_of(row)->policy, policy->row.id) && iam_is_own(l, row);
}

/* The parent is a policy, or an account whose attachments are searched for an AWS policy. */
static const struct iam_listing attachments = {
	.kind = KIND_POLICY_ATTACHMENT,
	.paths = {{KIND_POLICY_ATTACHMENT, POLICY_ATTACHMENT_INDEX_POLICY},
		  {KIND_POLICY_ATTACHMENT, POLICY_ATTACHMENT_INDEX_ACCOUNT}},
	.shows = is_of_policy,
};

struct entity_list {
	enum kind kind;
	const char *list, *name, *id, *filter;
};

static uuid entity_of(const struct policy_attachment *at, enum kind kind)
{
	return kind == KIND_USER ? at->user : kind == KIND_USER_GROUP ? at->user_group : at->iam_role;
}

static void list_entities_of(struct iam_call *e, const struct entities_args *a,
			     const struct query_page *found, const struct entity_list *l,
			     struct iam_page *page, struct xml *x)
{
	bool is_asked = str_is_empty(a->filter) || str_is(a->filter, l->filter);
	page->section++;
	xml_open(x, l->list);
	for (size_t k = 0; is_asked && k < found->count; k++) {
		const struct policy_attachment *at = policy_attachment_of(found->rows[k]);
		uuid id = entity_of(at, l->kind);
		const struct row *row = uuid_is_none(id) ? NULL : tables_find(iam_tables(e), l->kind, id);
		if (!row || !str_starts_with(iam_get_path(l->kind, row), a->path) ||
		    str_is(a->usage, at->is_boundary ? "PermissionsPolicy" : "PermissionsBoundary") ||
		    !iam_page_takes(page, iam_creation_key(e, &at->row)))
			continue;
		xml_open(x, "member");
		xml_text(x, l->name, iam_get_name(l->kind, row));
		xml_text(x, l->id, iam_id_to_text(e->c->arena, l->kind, id));
		xml_close(x, "member");
	}
	xml_close(x, l->list);
}

static RESULT list_entities(struct iam_call *e, const void *args, struct xml *x)
{
	static const struct entity_list lists[] = {
		{KIND_USER_GROUP, "PolicyGroups", "GroupName", "GroupId", "Group"},
		{KIND_USER, "PolicyUsers", "UserName", "UserId", "User"},
		{KIND_IAM_ROLE, "PolicyRoles", "RoleName", "RoleId", "Role"},
	};
	const struct entities_args *a = args;
	const struct policy *policy = NULL;
	struct query_page found;
	struct iam_page page;
	TRY(engine_find_managed_policy(e->c, iam_tables(e), &a->policy, &policy));
	uuid parent = aws_policy_is(policy) ? UUID_NONE : policy->row.id;
	struct iam_list all = {e, &attachments, parent, .args = policy};
	TRY(iam_open_page(e, &a->pages, &page));
	TRY(iam_find_rows(&all, SIZE_MAX, &found));
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
		list_entities_of(e, a, &found, &lists[k], &page, x);
	return iam_close_page(e, x, &page);
}

/* ---- tags ---- */

struct tag_args {
	struct entity_tags wish;
	struct str arn;
};
static const struct param tag_params[] = {IAM_POLICY_ARN(struct tag_args, arn),
					  IAM_NEW_TAGS(struct tag_args, wish.tags)};
static const struct param untag_params[] = {IAM_POLICY_ARN(struct tag_args, arn),
					    IAM_TAG_KEYS(struct tag_args, wish.keys)};

static RESULT prepare_tags(struct iam_call *e, void *args)
{
	struct tag_args *a = args;
	const struct policy *own = NULL;
	TRY(iam_check_tags(e, a->wish.tags, false));
	TRY(iam_check_tag_keys(e, a->wish.keys));
	TRY(iam_find_policy(e, a->arn, IAM_NO_POLICY, &a->wish.entity));
	return engine_find_own_policy(e->c, iam_tables(e), &a->wish.entity, &own);
}

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct policy_args *a = args;
	const struct policy *p = NULL;
	TRY(engine_find_managed_policy(e->c, iam_tables(e), &a->policy, &p));
	return iam_list_tags(e, x, p->tags, &a->pages);
}

static const struct param version_rows[] = {
	IAM_POLICY_ARN(struct policy_args, arn),
	PARAM(struct policy_args, "VersionId", version, .flags = REQUIRED, .doc = "Version, such as v1.")};
static const struct param arn_rows[] = {IAM_POLICY_ARN(struct policy_args, arn)};
static const struct param pages_rows[] = {IAM_POLICY_ARN(struct policy_args, arn),
					  IAM_PAGES(struct policy_args, pages)};
static const struct param list_rows[] = {
	IAM_PAGES(struct policy_args, pages),
	PARAM(struct policy_args, "Scope", scope, .words = "All|AWS|Local",
	      .doc = "Scope: All, AWS, or Local for the account's own policies."),
	PARAM(struct policy_args, "OnlyAttached", only_attached,
	      .doc = "Lists only policies that are attached."),
	IAM_PATH_PREFIX(struct policy_args, path),
	PARAM(struct policy_args, "PolicyUsageFilter", usage,
	      .words = "PermissionsPolicy|PermissionsBoundary",
	      .doc = "Usage of the policy: as a permissions policy or as a permissions boundary."),
};
static const struct param new_rows[] = {
	IAM_POLICY_NAME(struct new_policy, wish.name),
	PARAM(struct new_policy, "Path", wish.path, .max = 512, .doc = "Path of the ARN."),
	PARAM(struct new_policy, "Description", wish.description, .max = 1000,
	      .doc = "Description: free text."),
	IAM_DOCUMENT(struct new_policy, wish.document),
	IAM_TAGS(struct new_policy, wish.tags),
};
static const struct param gone_rows[] = {IAM_POLICY_ARN(struct gone_policy, arn)};
static const struct param new_version_rows[] = {IAM_POLICY_ARN(struct new_version, arn),
						IAM_DOCUMENT(struct new_version, wish.document),
						PARAM(struct new_version, "SetAsDefault", wish.is_default,
						      .doc = "Makes the new version the default one.")};
static const struct param changed_version_rows[] = {IAM_POLICY_ARN(struct changed_version, arn),
						    PARAM(struct changed_version, "VersionId", version,
							  .flags = REQUIRED, .doc = "Version, such as v1.")};

static const struct iam_action actions[] = {
	{IAM_ACTION("CreatePolicy"), .flags = API_WRITES, .args = PARAMS(struct new_policy, new_rows),
	 .prepare = prepare_new, .operation = engine_create_policy_run, .returns = KIND_POLICY,
	 .answer = show_new, .doc = "Creates a managed policy."},
	{IAM_ACTION("DeletePolicy"), .flags = API_WRITES, .args = PARAMS(struct gone_policy, gone_rows),
	 .prepare = prepare_delete, .operation = engine_delete_policy_run,
	 .doc = "Deletes a managed policy that is not attached."},
	{IAM_ACTION("GetPolicy"), .args = PARAMS(struct policy_args, arn_rows), .prepare = prepare_policy,
	 .answer = get_policy, .doc = "Returns a managed policy."},
	{IAM_ACTION("ListPolicies"), .args = PARAMS(struct policy_args, list_rows), .answer = list_policies,
	 .doc = "Lists the account's managed policies, and AWS's own."},
	{IAM_ACTION("CreatePolicyVersion"), .flags = API_WRITES,
	 .args = PARAMS(struct new_version, new_version_rows), .prepare = prepare_version,
	 .operation = engine_create_policy_version_run, .answer = show_new_version,
	 .doc = "Creates a version of a managed policy."},
	{IAM_ACTION("DeletePolicyVersion"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_version, changed_version_rows), .prepare = prepare_change_version,
	 .operation = engine_delete_policy_version_run,
	 .doc = "Deletes a version other than the default one."},
	{IAM_ACTION("SetDefaultPolicyVersion"), .flags = API_WRITES,
	 .args = PARAMS(struct changed_version, changed_version_rows), .prepare = prepare_change_version,
	 .operation = engine_set_default_policy_version_run,
	 .doc = "Sets the default version of a managed policy."},
	{IAM_ACTION("GetPolicyVersion"), .args = PARAMS(struct policy_args, version_rows),
	 .prepare = prepare_version_read, .answer = get_version,
	 .doc = "Returns a version of a managed policy with its document."},
	{IAM_ACTION("ListPolicyVersions"), .args = PARAMS(struct policy_args, pages_rows),
	 .prepare = prepare_policy, .answer = list_versions,
	 .doc = "Lists the versions of a managed policy."},
	{IAM_ACTION("ListEntitiesForPolicy"), .args = PARAMS(struct entities_args, entities_params),
	 .prepare = prepare_entities, .answer = list_entities,
	 .doc = "Lists the users, groups and roles that a policy is attached to, as permissions policy or "
		"boundary."},
	{IAM_ACTION("TagPolicy"), .flags = API_WRITES, .args = PARAMS(struct tag_args, tag_params),
	 .prepare = prepare_tags, .operation = engine_tag_entity_run, .doc = "Sets tags on a policy."},
	{IAM_ACTION("UntagPolicy"), .flags = API_WRITES, .args = PARAMS(struct tag_args, untag_params),
	 .prepare = prepare_tags, .operation = engine_untag_entity_run, .doc = "Removes tags from a policy."},
	{IAM_ACTION("ListPolicyTags"), .args = PARAMS(struct policy_args, pages_rows),
	 .prepare = prepare_policy, .answer = list_tags, .doc = "Lists the tags of a policy."},
};
const struct api_actions iam_policy_actions = API_ACTIONS(actions);
