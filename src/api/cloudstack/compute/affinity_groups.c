/* SPDX-License-Identifier: Apache-2.0
 * Affinity groups: server groups. A machine is in one at most. Source: API reference, "Affinity group";
 * types as named in 4.18.
 */
#include "api/cloudstack/compute/compute.h"
#include "engine/instance/instance.h"
#include "engine/instance/placement/server_group.h"
#include "engine/resolve.h"
#include "store/instance.h"
#include "store/server_group.h"

/* EC2's partition groups are shown as the closest type. */
static const char *const types[] = {[SERVER_GROUP_POLICY_AFFINITY] = "host affinity",
				    [SERVER_GROUP_POLICY_ANTI_AFFINITY] = "host anti-affinity",
				    [SERVER_GROUP_POLICY_SOFT_AFFINITY] = "non-strict host affinity",
				    [SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY] =
					    "non-strict host anti-affinity"};
enum { TYPES = sizeof types / sizeof *types };

/* ---- listAffinityGroups ---- */

struct list_groups {
	struct cs_list_args list;
	struct ref project, machine;
	struct str type;
};
#define P(wire, member, ...) PARAM(struct list_groups, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	CS_LIST_PARAMS(struct list_groups, KIND_SERVER_GROUP),
	CS_NAME_PARAM(struct list_groups),
	CS_OWNER_PARAMS(struct list_groups),
	CS_PROJECT_PARAM(struct list_groups, project),
	P("type", type, .doc = "Type of the affinity group."),
	P("virtualmachineid", machine, .kind = KIND_INSTANCE, .doc = "Virtual machine in the group."),
};
#undef P

static struct str get_type(struct api_call *e, const struct row *row)
{
	enum server_group_policy policy = server_group_of(row)->policy;
	(void) e;
	return str_from(types[(int) policy < TYPES ? policy : SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY]);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_groups *a = args;
	const struct instance *machine = instance_find(api_tables(e), a->machine.prefix);
	bool has_machine = machine && engine_may_see(e->c, KIND_INSTANCE, &machine->row) &&
			   uuid_equal(machine->server_group, row->id);
	return (!a->type.n || str_equal_nocase(a->type, get_type(e, row))) &&
	       (!ref_is_given(&a->machine) || has_machine);
}

static void write_machines(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct tables *t = api_tables(e);
	json_write_open_list(w, name);
	for (const struct instance *i = instance_first_by_server_group(t, row->id); i;
	     i = instance_next_by_server_group(t, i))
		if (row_is_live(&i->row))
			json_write_text(w, NULL, uuid_to_str(e->c->arena, i->row.id));
	json_write_close_list(w);
}

static const struct member members[] = {
	MEMBER(struct server_group, "id", row.id),
	MEMBER(struct server_group, "name", name),
	MEMBER(struct server_group, "description", description, .instead = FITS(server_group, name)),
	CS_OWNER_MEMBERS(server_group),
	MEMBER_TEXT("type", get_type),
	MEMBER_WRITTEN("virtualmachineIds", write_machines),
};
static const struct api_listing groups =
	CS_LISTING(KIND_SERVER_GROUP, "affinitygroup", members, .name = offsetof(struct server_group, name),
		   .is_by_name = true, .matches = matches);

/* ---- listAffinityGroupTypes ---- */

static const struct param type_params[] = {CS_PAGE_PARAMS(struct list_groups)};

static void write_type(struct cs_call *e, struct json_writer *w, const void *item)
{
	(void) e;
	json_write_z(w, "type", item);
}

static RESULT list_types(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_groups *a = args;
	const void *listed[TYPES];
	size_t count = 0;
	for (size_t k = 0; k < TYPES; k++)
		if (!a->list.keyword.n || str_contains(str_from(types[k]), a->list.keyword))
			listed[count++] = types[k];
	return cs_write_items(e, w, &a->list, "affinityGroupType", listed, count, write_type);
}

/* ---- changes ---- */

struct make_group {
	struct server_group_wish wish;
	struct cs_owner owner;
	struct str type;
};
#define P(wire, member, ...) PARAM(struct make_group, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Name; unique in the account."),
	P("type", type, .flags = REQUIRED, .doc = "Affinity group type, as in listAffinityGroupTypes."),
	P("description", wish.description, .max = 255, .doc = "Description."),
	CS_FOR_PARAMS(struct make_group, owner),
};
#undef P

static RESULT prepare_create(struct cs_call *e, void *args)
{
	struct make_group *a = args;
	a->wish.is_name_unique = true;
	for (size_t k = 0; k < TYPES; k++)
		if (str_equal_nocase(a->type, str_from(types[k]))) {
			a->wish.policy = (enum server_group_policy) k;
			return OK;
		}
	return cs_fail(e, "type", "Unable to create affinity group, invalid affinity group type%" STR_FMT,
		       STR_ARG(a->type));
}

struct drop_group {
	struct server_group_target wish;
	struct cs_owner owner;
	struct str name;
};
static const struct param delete_params[] = {
	PARAM(struct drop_group, "id", wish.server_group, .kind = KIND_SERVER_GROUP, .doc = "The group."),
	PARAM(struct drop_group, "name", name, .doc = "Name, instead of the id."),
	CS_FOR_PARAMS(struct drop_group, owner),
};

static RESULT find_by_name(struct cs_call *e, struct str name, const char *parameter, struct ref *ret_group)
{
	const struct server_group *group = server_group_find_by_name(cs_tables(e), e->c->who->account, name);
	if (!group || !row_is_live(&group->row))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(parameter),
				      "Unable to find affinity group by name %" STR_FMT, STR_ARG(name));
	*ret_group = cs_ref_of(e->c, KIND_SERVER_GROUP, group->row.id, parameter);
	return OK;
}

static RESULT prepare_delete(struct cs_call *e, void *args)
{
	struct drop_group *a = args;
	if (!ref_is_given(&a->wish.server_group) == !a->name.n)
		return cs_fail(e, "id",
			       "Either the affinity group Id or group name must be specified to delete the "
			       "group");
	return a->name.n ? find_by_name(e, a->name, "name", &a->wish.server_group) : OK;
}

RESULT cs_choose_group(struct cs_call *e, const struct refs *ids, const struct strs *names,
		       struct ref *ret_group)
{
	if (ids->count && names->count)
		return cs_fail(e, "affinitygroupids",
			       "affinitygroupids parameter is mutually exclusive with affinitygroupnames "
			       "parameter");
	if (ids->count + names->count > 1)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("affinitygroupids"),
				      "A virtual machine has one affinity group at most");
	if (ids->count)
		*ret_group = ids->at[0];
	return names->count ? find_by_name(e, names->at[0], "affinitygroupnames", ret_group) : OK;
}

struct place_args {
	struct instance_placement wish;
	struct refs groups;
	struct strs names;
};
#define P(wire, member, ...) PARAM(struct place_args, wire, member, __VA_ARGS__)
static const struct param place_params[] = {
	P("id", wish.instance, .kind = KIND_INSTANCE, .flags = REQUIRED, .doc = "The virtual machine."),
	P("affinitygroupids", groups, .kind = KIND_SERVER_GROUP, .doc = "New affinity groups; empty: none."),
	P("affinitygroupnames", names, .doc = "Affinity groups by name."),
};
#undef P

static RESULT prepare_place(struct cs_call *e, void *args)
{
	struct place_args *a = args;
	a->wish.set_group = true;
	return cs_choose_group(e, &a->groups, &a->names, &a->wish.server_group);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listAffinityGroups", "ec2:DescribePlacementGroups"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_groups, list_params), .listing = &groups,
	 .doc = "Lists affinity groups."},
	{CS_ACTION("listAffinityGroupTypes", "ec2:DescribePlacementGroups"),
	 .args = PARAMS(struct list_groups, type_params), .answer = list_types, .says = "type",
	 .doc = "Lists affinity group types."},
	{CS_ACTION("createAffinityGroup", "ec2:CreatePlacementGroup"),
	 .flags = API_WRITES | CS_OF_ACCOUNT | CS_MAKES, .args = PARAMS(struct make_group, create_params),
	 .prepare = prepare_create, .operation = engine_create_server_group_run,
	 CS_SUBJECT(struct make_group, wish.server_group), .shows = &groups, CS_JOB(NOW),
	 .doc = "Creates an affinity group."},
	{CS_ACTION("deleteAffinityGroup", "ec2:DeletePlacementGroup"), .flags = API_WRITES | CS_OF_ACCOUNT,
	 .args = PARAMS(struct drop_group, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_server_group_run, CS_SUBJECT(struct drop_group, wish.server_group.prefix),
	 .about = KIND_SERVER_GROUP, CS_JOB(NOW),
	 .doc = "Deletes an affinity group. Its virtual machines stay where they are."},
	{CS_ACTION("updateVMAffinityGroup", "ec2:ModifyInstancePlacement"), .flags = API_WRITES,
	 .args = PARAMS(struct place_args, place_params), .prepare = prepare_place,
	 .operation = engine_change_placement_run, CS_SUBJECT(struct place_args, wish.instance.prefix),
	 .shows = &cs_machines, CS_JOB(SETTLED),
	 .doc = "Sets the affinity group of a stopped virtual machine."},
};
const struct api_actions cs_affinity_group_actions = API_ACTIONS(actions);
