/* SPDX-License-Identifier: Apache-2.0
 * Members of pools. Source: Load Balancer API reference v2, "Members". */
#include "api/openstack/load_balancer/load_balancer.h"
#include "model/target.h"
#include "model/target_group.h"
#include "store/target_group.h"

/* ---- showing ---- */

static const char *get_provisioning(struct api_call *e, const struct row *row)
{
	const struct target *m = target_of(row);
	const struct target_group *g = target_group_find(api_tables(e), m->target_group);
	return octavia_get_part_provisioning(api_tables(e), g ? g->elastic_load_balancer : UUID_NONE,
					     m->proxy_gen, m->row.gen == 1);
}

ATTRIBUTE_GETTER(target, m, const char *, get_operating, octavia_get_member_operating(api_tables(e), m))

static const struct attribute member_rows[] = {
	ATTRIBUTE(target, "id", row.id, .filter = "id"),
	OS_FIELD(target, "name", title),
	LB_STATUS_ROWS(get_provisioning, get_operating),
	OS_UP(target, is_down),
	OS_FIELD(target, "address", private_ip),
	OS_FIELD(target, "protocol_port", number),
	OS_FIELD(target, "weight", weight),
	OS_FIELD(target, "backup", is_backup),
	ATTRIBUTE(target, "subnet_id", subnet),
	ATTRIBUTE(target, "monitor_address", check_ip),
	ATTRIBUTE(target, "monitor_port", check_number, .flags = ATTRIBUTE_NULL_NONE,
		  .filter = "monitor_port"),
	LB_STANDARD_ROWS_AT(target, changed_us),
};
static const struct attributes lb_member_members = ATTRIBUTES(member_rows);

/* Relies on the args of every action here starting with the pool's ref. */
static bool is_of_pool(struct os_call *e, const struct row *row)
{
	return uuid_equal(target_of(row)->target_group, ((const struct ref *) e->args)->prefix);
}

static const struct os_filter filters[] = {OS_TAG_FILTERS};
const struct os_listing os_lb_members = {
	.kind = KIND_TARGET,
	.items = "members",
	.links = "members_links",
	.flags = OS_ADMIN_SEES_ALL,
	.filters = OS_FILTERS(filters),
	.shows = is_of_pool,
	.attributes = &lb_member_members,
};

#define POOL(T, member) OS_PATH(T, "pool_id", member, .kind = KIND_TARGET_GROUP, .doc = "The pool.")
#define PATH(T) OS_PATH(T, "member_id", wish.member, .kind = KIND_TARGET, .doc = "The member.")

struct os_member_list {
	struct ref pool;
};
static const struct param list_params[] = {POOL(struct os_member_list, pool)};

static RESULT check_pool(struct os_call *e, const struct ref *ref)
{
	const struct row *row = NULL;
	TRY(engine_find(e->c, os_tables(e), KIND_TARGET_GROUP, ref, &row));
	return octavia_is_pool(target_group_of(row)) ? OK
						     : engine_fail_not_found(e->c, KIND_TARGET_GROUP, ref);
}

static RESULT list_members(struct os_call *e, const void *args, struct json_writer *w)
{
	TRY(check_pool(e, &((const struct os_member_list *) args)->pool));
	return os_list(e, &os_lb_members, w);
}

/* ---- calls ---- */

struct os_member_target {
	struct octavia_member_target wish;
};
static const struct param target_params[] = {POOL(struct os_member_target, wish.pool),
					     PATH(struct os_member_target)};

static RESULT show_member(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_member_target *a = args;
	TRY(check_pool(e, &a->wish.pool));
	return os_write_found(e, &os_lb_members, &a->wish.member, w);
}

struct os_create_member {
	struct octavia_member_wish wish;
};
static const struct param create_params[] = {POOL(struct os_create_member, wish.pool),
					     LB_MEMBER_ROWS(struct os_create_member, wish.member.)};

static RESULT prepare_create(struct os_call *e, void *args)
{
	return os_lb_prepare_member(e, &((struct os_create_member *) args)->wish.member);
}

struct os_update_member {
	struct octavia_member_change wish;
};
#define P(wire, member, ...) OS_BODY(struct os_update_member, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	POOL(struct os_update_member, wish.pool),
	PATH(struct os_update_member),
	P("name", wish.name, .flags = NULLABLE, LB_TEXT, .doc = "Name."),
	P("admin_state_up", wish.is_down, .flags = OPPOSITE | NULL_ABSENT, .doc = "False: it is off."),
	P("weight", wish.weight, .flags = NULLABLE, .min = 0, .max = LB_WEIGHT_MAX, .absent = "1",
	  .doc = "Share of new connections; 0: none."),
	P("backup", wish.is_backup, .flags = NULL_ABSENT,
	  .doc = "Gets connections only while no other member is healthy."),
	P("monitor_port", wish.check_number, .flags = NULLABLE, .min = 1, .max = LB_PORT_MAX,
	  .doc = "Port of health checks; null: the member's."),
	P("monitor_address", wish.check_ip, .flags = NULLABLE | ANY_FAMILY,
	  .doc = "Address of health checks; null: the member's."),
	P("tags", wish.words, LB_TEXT, .doc = "Replaces the tags."),
};
#undef P

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct octavia_member_change *wish = &((struct os_update_member *) args)->wish;
	return os_lb_read_words(e, wish->words, &wish->tags);
}

/* ---- batches ---- */

struct os_put_members {
	struct octavia_batch wish;
};
static const struct param batch_params[] = {
	POOL(struct os_put_members, wish.pool),
	OS_QUERY(struct os_put_members, "additive_only", wish.is_additive,
		 .doc = "Members that the list lacks stay."),
	OS_BODY_LIST(struct os_put_members, "members", wish.members, os_lb_member_params, .flags = REQUIRED,
		     .max = OCTAVIA_MEMBERS_MAX, .doc = "All members."),
};

static RESULT prepare_batch(struct os_call *e, void *args)
{
	return os_lb_prepare_members(e, &((struct os_put_members *) args)->wish.members);
}

#define ALL "/v2/lbaas/pools/{pool_id}/members"
#define ONE ALL "/{member_id}"
#define POLICY "os_load-balancer_api:member:"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY "get_all", .args = OS_PARAMS(struct os_member_list, list_params),
	 .list = &os_lb_members, .answer = list_members, .doc = "Members of a pool."},
	{HTTP_POST, ALL, .permit = POLICY "post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_create_member, create_params), .wrap = "member", .item = "member",
	 .prepare = prepare_create, .operation = engine_create_octavia_member_run, .returns = KIND_TARGET,
	 OS_SHOWS(os_lb_members, struct os_create_member, wish.made), .doc = "Adds a member."},
	{HTTP_PUT, ALL, .permit = POLICY "put", .flags = API_WRITES, .status = 202,
	 .args = OS_PARAMS(struct os_put_members, batch_params), .prepare = prepare_batch,
	 .operation = engine_put_octavia_members_run, .doc = "Replaces all members."},
	{HTTP_GET, ONE, .permit = POLICY "get_one", .args = OS_PARAMS(struct os_member_target, target_params),
	 .item = "member", .answer = show_member, .doc = "One member."},
	{HTTP_PUT, ONE, .permit = POLICY "put", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_member, update_params), .wrap = "member", .item = "member",
	 .prepare = prepare_update, .operation = engine_change_octavia_member_run, .returns = KIND_TARGET,
	 OS_SHOWS(os_lb_members, struct os_update_member, wish.member), .doc = "Changes a member."},
	{HTTP_DELETE, ONE, .permit = POLICY "delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_member_target, target_params),
	 .operation = engine_delete_octavia_member_run, .doc = "Removes a member."},
};
const struct os_actions os_load_balancer_member_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
