/* SPDX-License-Identifier: Apache-2.0
 * Instance profiles, which give instances a role. */
#include "api/iam/internal.h"
#include "engine/people/policy/iam_role.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/iam_role.h"
#include "store/instance_profile.h"

#define PROFILE(T, member)                                                                                   \
	PARAM(T, "InstanceProfileName", member, .flags = REQUIRED | BY_NAME, .kind = KIND_INSTANCE_PROFILE,  \
	      .min = 1, .max = 128, .doc = "The instance profile.")

RESULT iam_write_profile(struct iam_call *e, struct xml *x, const struct row *row)
{
	const struct iam_role *role = iam_role_find(iam_tables(e), instance_profile_of(row)->iam_role);
	iam_write_entity(e, x, KIND_INSTANCE_PROFILE, row, "InstanceProfileName", "InstanceProfileId");
	xml_open(x, "Roles");
	if (role) {
		xml_open(x, "member");
		iam_write_role(e, x, role, 0);
		xml_close(x, "member");
	}
	xml_close(x, "Roles");
	return OK;
}

/* Only GetInstanceProfile shows an empty list of tags. */
static RESULT write_whole(struct iam_call *e, struct xml *x, const struct row *row, bool shows_no_tags)
{
	const struct instance_profile *p = instance_profile_of(row);
	xml_open(x, "InstanceProfile");
	TRY(iam_write_profile(e, x, row));
	if (p->tags.count || shows_no_tags)
		iam_write_tags(x, p->tags);
	xml_close(x, "InstanceProfile");
	return OK;
}

static RESULT find_profile(struct iam_call *e, const struct ref *ref,
			   const struct instance_profile **ret_profile)
{
	const struct row *row = NULL;
	TRY(engine_find_own(e->c, iam_tables(e), KIND_INSTANCE_PROFILE, ref, &row));
	*ret_profile = instance_profile_of(row);
	return OK;
}

/* ---- reads ---- */

struct profile_args {
	struct ref profile;
	struct iam_pages pages;
};
static const struct param get_params[] = {PROFILE(struct profile_args, profile)};
static const struct param of_role_params[] = {IAM_ROLE(struct iam_read_args, role),
					      IAM_PAGES(struct iam_read_args, pages)};
static const struct param list_tags_params[] = {PROFILE(struct profile_args, profile),
						IAM_PAGES(struct profile_args, pages)};

static RESULT get_profile(struct iam_call *e, const void *args, struct xml *x)
{
	const struct instance_profile *profile = NULL;
	TRY(find_profile(e, &((const struct profile_args *) args)->profile, &profile));
	return write_whole(e, x, &profile->row, true);
}

const struct iam_listing iam_profiles = {
	.kind = KIND_INSTANCE_PROFILE,
	.order = "name",
	.paths = {{KIND_INSTANCE_PROFILE, INSTANCE_PROFILE_INDEX_ACCOUNT}},
	.path_index = INSTANCE_PROFILE_INDEX_PATH,
	.shown = {"InstanceProfiles", .write = iam_write_profile},
};

static const struct iam_listing profiles_of_role = {
	.kind = KIND_INSTANCE_PROFILE,
	.order = "name",
	.paths = {{KIND_INSTANCE_PROFILE, INSTANCE_PROFILE_INDEX_IAM_ROLE}},
	.find_parent = iam_find_principal,
	.shown = {"InstanceProfiles", .write = iam_write_profile},
};

static RESULT list_tags(struct iam_call *e, const void *args, struct xml *x)
{
	const struct profile_args *a = args;
	const struct instance_profile *profile = NULL;
	TRY(find_profile(e, &a->profile, &profile));
	return iam_list_tags(e, x, profile->tags, &a->pages);
}

/* ---- changes ---- */

static const struct param create_params[] = {
	PARAM(struct instance_profile_wish, "InstanceProfileName", name, .flags = REQUIRED, .min = 1,
	      .max = 128, .doc = "Name; unique in the account, regardless of letter case."),
	IAM_PATH(struct instance_profile_wish, path),
	IAM_TAGS(struct instance_profile_wish, tags),
};

static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct instance_profile_wish *a = args;
	TRY(iam_check_name(e, a->name, "InstanceProfileName"));
	TRY(iam_check_path(e, a->path, "Path"));
	return iam_check_tags(e, a->tags, false);
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct instance_profile_wish *a = args;
	const struct row *row = NULL;
	TRY(iam_find_returned(e, a->instance_profile, &row));
	return write_whole(e, x, row, false);
}

static const struct param delete_params[] = {PROFILE(struct instance_profile_target, instance_profile)};
static const struct param role_params[] = {PROFILE(struct profile_role, instance_profile),
					   IAM_ROLE(struct profile_role, iam_role)};
static const struct param tag_params[] = {PROFILE(struct entity_tags, entity),
					  IAM_NEW_TAGS(struct entity_tags, tags)};
static const struct param untag_params[] = {PROFILE(struct entity_tags, entity),
					    IAM_TAG_KEYS(struct entity_tags, keys)};

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct instance_profile_wish, create_params), .prepare = prepare_new,
	 .operation = engine_create_instance_profile_run, .returns = KIND_INSTANCE_PROFILE,
	 .answer = show_new, .doc = "Creates an instance profile."},
	{IAM_ACTION("GetInstanceProfile"), .args = PARAMS(struct profile_args, get_params),
	 .answer = get_profile, .doc = "Returns an instance profile and its role."},
	{IAM_ACTION("ListInstanceProfiles"), .args = IAM_LIST, .list = &iam_profiles,
	 .answer = iam_answer_list, .doc = "Lists the account's instance profiles."},
	{IAM_ACTION("ListInstanceProfilesForRole"), .args = PARAMS(struct iam_read_args, of_role_params),
	 .list = &profiles_of_role, .answer = iam_answer_list,
	 .doc = "Lists the instance profiles that contain a role."},
	{IAM_ACTION("DeleteInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct instance_profile_target, delete_params),
	 .operation = engine_delete_instance_profile_run,
	 .doc = "Deletes an instance profile without a role."},
	{IAM_ACTION("AddRoleToInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct profile_role, role_params), .operation = engine_add_role_to_profile_run,
	 .doc = "Adds a role to an instance profile, which can contain one."},
	{IAM_ACTION("RemoveRoleFromInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct profile_role, role_params), .operation = engine_remove_role_from_profile_run,
	 .doc = "Removes the role from an instance profile."},
	{IAM_ACTION("TagInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct entity_tags, tag_params), .prepare = iam_prepare_tag,
	 .operation = engine_tag_entity_run, .doc = "Sets tags on an instance profile."},
	{IAM_ACTION("UntagInstanceProfile"), .flags = API_WRITES,
	 .args = PARAMS(struct entity_tags, untag_params), .prepare = iam_prepare_untag,
	 .operation = engine_untag_entity_run, .doc = "Removes tags from an instance profile."},
	{IAM_ACTION("ListInstanceProfileTags"), .args = PARAMS(struct profile_args, list_tags_params),
	 .answer = list_tags, .doc = "Lists the tags of an instance profile."},
};
const struct api_actions iam_profile_actions = API_ACTIONS(actions);
