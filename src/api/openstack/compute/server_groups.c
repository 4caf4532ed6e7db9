/* SPDX-License-Identifier: Apache-2.0
 * Server groups. Source: Compute API reference, "Server groups". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "engine/instance/placement/server_group.h"
#include "model/server_group.h"
#include "store/instance.h"

/* ---- gathering and writing ---- */

struct group_item {
	const struct server_group *group;
	VEC(uuid) members;
};

static const void *gather_group(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct group_item *item = arena_new_object(e->c->arena, struct group_item);
	if (!item)
		return NULL;
	item->group = server_group_of(row);
	for (const struct instance *i = instance_first_by_server_group(t, row->id); i;
	     i = instance_next_by_server_group(t, i))
		if (row_is_live(&i->row) && !VEC_PUSH(e->c->arena, &item->members, i->row.id))
			return NULL;
	return item;
}

/* Shows EC2's partition policy, which Nova lacks, as the closest policy. */
static const char *policy_word(enum server_group_policy policy)
{
	return server_group_policy_words[policy == SERVER_GROUP_POLICY_PARTITION
						 ? SERVER_GROUP_POLICY_SOFT_ANTI_AFFINITY
						 : policy];
}

/* Since 2.64 one policy with rules; before, a list of one policy. */
static void write_group(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct group_item *g = item;
	const char *policy = policy_word(g->group->policy);
	os_write_id(w, "id", g->group->row.id);
	json_write_text(w, "name", g->group->name);
	if (e->request.version < 64) {
		json_write_open_list(w, "policies");
		json_write_z(w, NULL, policy);
		json_write_close_list(w);
		json_write_open(w, "metadata");
		json_write_close(w);
	} else {
		json_write_z(w, "policy", policy);
		json_write_open(w, "rules");
		if (g->group->max_per_host > 1)
			json_write_int(w, "max_server_per_host", g->group->max_per_host);
		json_write_close(w);
	}
	json_write_open_list(w, "members");
	for (size_t k = 0; k < g->members.count; k++)
		os_write_id(w, NULL, g->members.at[k]);
	json_write_close_list(w);
	if (e->request.version < 13)
		return;
	os_write_hex(w, "project_id", g->group->account);
	os_write_maker(w, g->group->made_by, g->group->account);
}

static const struct os_sort_key group_sort_keys[] = {{"name", "name"}};
static const struct os_listing group_listing = {
	.kind = KIND_SERVER_GROUP,
	.items = "server_groups",
	.sort_keys = {group_sort_keys, 1},
	.flags = OS_ALL_PROJECTS | OS_BY_OFFSET,
	.page_max = 1000,
	.gather = gather_group,
	.write = write_group,
};

/* ---- show, delete ---- */

struct os_group_target {
	struct server_group_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_group_target, "server_group_id", wish.server_group, .kind = KIND_SERVER_GROUP,
		.doc = "The server group."),
};

/* ---- create ---- */

struct os_group_rules {
	int64_t max_per_host;
};
static const struct param rules_rows[] = {
	OS_BODY(struct os_group_rules, "max_server_per_host", max_per_host, .min = 1, .max = 1000,
		.doc = "Maximum number of members on one host."),
};
static const struct params rules_params = OS_PARAMS(struct os_group_rules, rules_rows);

struct os_create_group {
	struct server_group_wish wish;
	struct strs policies;
	struct str policy;
	struct os_group_rules rules;
};
#define POLICIES "affinity|anti-affinity|soft-affinity|soft-anti-affinity"
#define P(wire, member, ...) OS_BODY(struct os_create_group, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.name, .flags = REQUIRED, .min = 1, .max = 255, .doc = "Name."),
	P("policies", policies, .flags = REQUIRED, .until = 63, .doc = "Policy, as a list of one."),
	P("policy", policy, .flags = REQUIRED, .since = 64, .words = POLICIES,
	  .doc = "Policy for the placement of the members."),
	OS_BODY_OBJECT(struct os_create_group, "rules", rules, rules_params, .since = 64,
		       .doc = "Rules of the anti-affinity policy."),
};
#undef P

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_group *a = args;
	struct str policy = a->policies.count ? a->policies.at[0] : a->policy;
	TRY(os_check_name(e, a->wish.name, "name", OS_NAME_PLAIN));
	a->wish.max_per_host = a->rules.max_per_host;
	for (int k = 0; k < SERVER_GROUP_POLICY_PARTITION; k++) {
		bool is_soft = str_starts_with(policy, STR("soft-"));
		if (!str_is(policy, server_group_policy_words[k]) || a->policies.count > 1 ||
		    (is_soft && e->request.version < 15))
			continue;
		a->wish.policy = (enum server_group_policy) k;
		return OK;
	}
	return ctx_fail_field(e->c, ERR_INVALID, STR("policies"),
			      "Invalid input for field/attribute policies. Value: %" STR_FMT ".",
			      STR_ARG(str_slice(policy, 0, 64)));
}

#define ONE "/v2.1/os-server-groups/{server_group_id}"
static const struct os_action actions[] = {
	{HTTP_GET, "/v2.1/os-server-groups", .permit = "os_compute_api:os-server-groups:index",
	 .list = &group_listing, .doc = "Lists the server groups of the project."},
	{HTTP_GET, ONE, .permit = "os_compute_api:os-server-groups:show",
	 .args = OS_PARAMS(struct os_group_target, target_params), .item = "server_group",
	 OS_SHOWS(group_listing, struct os_group_target, wish.server_group),
	 .doc = "Shows one server group."},
	{HTTP_POST, "/v2.1/os-server-groups", .permit = "os_compute_api:os-server-groups:create",
	 .flags = API_WRITES, .args = OS_PARAMS(struct os_create_group, create_params),
	 .wrap = "server_group", .item = "server_group", .prepare = prepare_create,
	 .operation = engine_create_server_group_run,
	 OS_SHOWS(group_listing, struct os_create_group, wish.server_group), .returns = KIND_SERVER_GROUP,
	 .doc = "Creates a server group."},
	{HTTP_DELETE, ONE, .permit = "os_compute_api:os-server-groups:delete", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_group_target, target_params),
	 .operation = engine_delete_server_group_run, .doc = "Deletes a server group. Its members stay."},
};
const struct os_actions os_server_group_actions = OS_ACTIONS(OS_COMPUTE, actions);
