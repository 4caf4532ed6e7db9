/* SPDX-License-Identifier: Apache-2.0
 * Named user data, and its link to templates. Source: API reference, "User Data", 4.18.
 */
#include "engine/instance/user_data.h"
#include "api/cloudstack/compute/compute.h"
#include "api/cloudstack/compute/templates.h"
#include "api/cloudstack/region/annotations.h"
#include "engine/instance/instance.h"
#include "engine/resolve.h"
#include "store/user_data.h"

RESULT cs_choose_user_data(struct cs_call *e, const struct ref *id, struct str *data)
{
	const struct user_data *found = NULL;
	if (!ref_is_given(id))
		return OK;
	if (data->n)
		return cs_fail(
			e, "userdataid",
			"Both userdata and userdata ID inputs are not allowed, please provide only one");
	TRY(engine_find_own_user_data(e->c, cs_tables(e), id, &found));
	*data = str_copy(e->c->arena, found->data);
	return data->p ? OK : ctx_no_memory(e->c);
}

/* ---- listUserData ---- */

struct list_data {
	struct cs_list_args list;
	struct ref project;
};
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_data, KIND_USER_DATA),
	CS_NAME_PARAM(struct list_data),
	CS_OWNER_PARAMS(struct list_data),
	CS_PROJECT_PARAM(struct list_data, project),
};

static struct str get_data(struct api_call *e, const struct row *row)
{
	return str_encode_base64(e->c->arena, user_data_of(row)->data);
}

static const struct member members[] = {
	CS_HAS_ANNOTATIONS,
	MEMBER(struct user_data, "id", row.id),
	MEMBER(struct user_data, "name", name),
	MEMBER(struct user_data, "accountid", account),
	CS_OWNER_MEMBERS(user_data),
	MEMBER_TEXT("userdata", get_data),
};
static const struct api_listing listing = CS_LISTING(
	KIND_USER_DATA, "userdata", members, .name = offsetof(struct user_data, name), .is_by_name = true);

/* ---- changes ---- */

struct register_args {
	struct user_data_wish wish;
	struct cs_owner owner;
};
static const struct param register_params[] = {
	PARAM(struct register_args, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 255,
	      .doc = "Name; unique in the account."),
	PARAM(struct register_args, "userdata", wish.data, .flags = REQUIRED | BASE64, .max = USER_DATA_MAX,
	      .doc = "User data in base64, up to 32 KiB."),
	CS_FOR_PARAMS(struct register_args, owner),
	NOT_BUILT("params"),
};

struct drop_args {
	struct user_data_target wish;
	struct cs_owner owner;
};
static const struct param delete_params[] = {
	PARAM(struct drop_args, "id", wish.user_data, .kind = KIND_USER_DATA, .flags = REQUIRED,
	      .doc = "The user data."),
	CS_FOR_PARAMS(struct drop_args, owner),
};

struct link_args {
	struct user_data_link wish;
	struct ref iso;
	struct str policy;
};
#define P(wire, member, ...) PARAM(struct link_args, wire, member, __VA_ARGS__)
static const struct param link_params[] = {
	P("templateid", wish.image, .kind = KIND_IMAGE, .doc = "The template."),
	P("isoid", iso, .kind = KIND_IMAGE, .doc = "The ISO, instead of a template."),
	P("userdataid", wish.user_data, .kind = KIND_USER_DATA,
	  .doc = "User data to link; absent: removes the link."),
	P("userdatapolicy", policy,
	  .doc = "Policy for user data of a deployment: ALLOWOVERRIDE or DENYOVERRIDE, in upper or lower "
		 "case."),
};
#undef P

static RESULT prepare_link(struct cs_call *e, void *args)
{
	struct link_args *a = args;
	if (ref_is_given(&a->wish.image) == ref_is_given(&a->iso)) /* the sentence is a guess */
		return cs_fail(e, "templateid", "Either template ID or ISO ID must be passed");
	if (ref_is_given(&a->iso))
		a->wish.image = a->iso;
	a->wish.denies_override = str_equal_nocase(a->policy, STR("DENYOVERRIDE"));
	if (a->policy.n && !a->wish.denies_override && !str_equal_nocase(a->policy, STR("ALLOWOVERRIDE")))
		return cs_fail(
			e, "userdatapolicy",
			"Unable to execute API command linkuserdatatotemplate due to invalid value %" STR_FMT
			" for parameter userdatapolicy. It must be one of: ALLOWOVERRIDE, DENYOVERRIDE",
			STR_ARG(a->policy));
	return OK;
}

struct reset_args {
	struct instance_settings wish;
	struct cs_owner owner;
	struct ref user_data;
};
#define P(wire, member, ...) PARAM(struct reset_args, wire, member, __VA_ARGS__)
static const struct param reset_params[] = {
	P("id", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED, .doc = "The virtual machine."),
	P("userdata", wish.user_data, .flags = BASE64, .max = USER_DATA_MAX,
	  .doc = "User data in base64, up to 32 KiB; absent: none."),
	P("userdataid", user_data, .kind = KIND_USER_DATA,
	  .doc = "Registered user data, instead of the text."),
	CS_FOR_PARAMS(struct reset_args, owner),
	NOT_BUILT("userdatadetails"),
};
#undef P

static RESULT prepare_reset(struct cs_call *e, void *args)
{
	struct reset_args *a = args;
	a->wish.set_user_data = true;
	return cs_choose_user_data(e, &a->user_data, &a->wish.user_data);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listUserData", "ec2:DescribeUserData"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_data, list_params), .listing = &listing,
	 .doc = "Lists registered user data."},
	{CS_ACTION("registerUserData", "ec2:CreateUserData"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct register_args, register_params), .operation = engine_create_user_data_run,
	 .returns = KIND_USER_DATA, CS_SUBJECT(struct register_args, wish.user_data), .shows = &listing,
	 .doc = "Registers user data under a name."},
	{CS_ACTION("deleteUserData", "ec2:DeleteUserData"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct drop_args, delete_params), .operation = engine_delete_user_data_run,
	 .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes registered user data. Virtual machines keep theirs."},
	{CS_ACTION("linkUserDataToTemplate", "ec2:ModifyImageAttribute"), .flags = API_WRITES,
	 .args = PARAMS(struct link_args, link_params), .prepare = prepare_link,
	 .operation = engine_link_user_data_run, .returns = KIND_IMAGE,
	 CS_SUBJECT(struct link_args, wish.image.prefix), .shows = &cs_templates,
	 .doc = "Links user data to a template, for its virtual machines."},
	{CS_ACTION("resetUserDataForVirtualMachine", "ec2:ModifyInstanceAttribute"),
	 .flags = API_WRITES | CS_OF_ACCOUNT, .args = PARAMS(struct reset_args, reset_params),
	 .prepare = prepare_reset, .operation = engine_update_instance_run, .returns = KIND_INSTANCE,
	 CS_SUBJECT(struct reset_args, wish.instance.prefix), .shows = &cs_machines,
	 .doc = "Changes the user data of a stopped virtual machine."},
};
const struct api_actions cs_user_data_actions = API_ACTIONS(actions);
