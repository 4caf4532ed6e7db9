/* SPDX-License-Identifier: Apache-2.0
 * Pools. Source: Load Balancer API reference v2, "Pools". */
#include "api/openstack/load_balancer/load_balancer.h"
#include "model/listener.h"
#include "model/target.h"
#include "model/target_group.h"

/* ---- showing ---- */

#define GETTER(returned, function, expression)                                                               \
	ATTRIBUTE_GETTER(target_group, g, returned, function, expression)
GETTER(const char *, get_provisioning,
       octavia_get_part_provisioning(api_tables(e), g->elastic_load_balancer, g->proxy_gen, g->row.gen == 1))
GETTER(const char *, get_operating, octavia_get_pool_operating(api_tables(e), g))
GETTER(uuid, get_monitor, g->has_monitor ? g->row.id : UUID_NONE)
#undef GETTER

static const char *const protocols[] = {
	[TARGET_GROUP_PROTOCOL_TCP] = "TCP",     [TARGET_GROUP_PROTOCOL_UDP] = "UDP",
	[TARGET_GROUP_PROTOCOL_HTTP] = "HTTP",   [TARGET_GROUP_PROTOCOL_HTTPS] = "HTTPS",
	[TARGET_GROUP_PROTOCOL_PROXY] = "PROXY", [TARGET_GROUP_PROTOCOL_PROXYV2] = "PROXYV2",
};
static const char *const algorithms[] = {
	[TARGET_GROUP_ALGORITHM_ROUND_ROBIN] = "ROUND_ROBIN",
	[TARGET_GROUP_ALGORITHM_LEAST_OUTSTANDING_REQUESTS] = "LEAST_CONNECTIONS",
	[TARGET_GROUP_ALGORITHM_WEIGHTED_RANDOM] = "ROUND_ROBIN",
	[TARGET_GROUP_ALGORITHM_SOURCE_IP] = "SOURCE_IP",
};
static const char *const persistences[] = {
	[TARGET_GROUP_PERSISTENCE_NONE] = "",
	[TARGET_GROUP_PERSISTENCE_SOURCE_IP] = "SOURCE_IP",
	[TARGET_GROUP_PERSISTENCE_HTTP_COOKIE] = "HTTP_COOKIE",
	[TARGET_GROUP_PERSISTENCE_APP_COOKIE] = "APP_COOKIE",
};

ATTRIBUTE_TABLE(persistence_members, {
	ATTRIBUTE_AS(ENUM, target_group, "type", persistence, .words = persistences),
		ATTRIBUTE(target_group, "cookie_name", cookie, .flags = ATTRIBUTE_NULL_NONE),
		ATTRIBUTE_CONST("persistence_timeout", "null"),
		ATTRIBUTE_CONST("persistence_granularity", "null")
});
ATTRIBUTE_TABLE(balancer_members, {ATTRIBUTE(target_group, "id", elastic_load_balancer)});

static const void *find_persistence(struct api_call *e, const struct row *row)
{
	(void) e;
	return target_group_of(row)->persistence == TARGET_GROUP_PERSISTENCE_NONE ? NULL : row;
}

static struct attribute_rows list_balancer(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, 1, sizeof(struct target_group));
}

static const struct attribute pool_rows[] = {
	ATTRIBUTE(target_group, "id", row.id, .filter = "id"),
	OS_FIELD(target_group, "name", title),
	OS_FIELD(target_group, "description", description),
	LB_STATUS_ROWS(get_provisioning, get_operating),
	OS_UP(target_group, is_down),
	ATTRIBUTE_AS(ENUM, target_group, "protocol", protocol, .words = protocols, .filter = "protocol",
		     .sort = "protocol"),
	ATTRIBUTE_AS(ENUM, target_group, "lb_algorithm", algorithm, .words = algorithms,
		     .filter = "lb_algorithm", .sort = "lb_algorithm"),
	ATTRIBUTE_WITHIN_OF("session_persistence", persistence_members, find_persistence,
			    .flags = ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_ROWS("loadbalancers", balancer_members, list_balancer),
	ATTRIBUTE_EACH("listeners", os_lb_id_members, KIND_LISTENER, LISTENER_INDEX_TARGET_GROUP),
	ATTRIBUTE_EACH("members", os_lb_id_members, KIND_TARGET, TARGET_INDEX_TARGET_GROUP),
	ATTRIBUTE_MADE(ID, id, "healthmonitor_id", get_monitor),
	OS_FIELD(target_group, "tls_enabled", is_tls),
	ATTRIBUTE_CONST("tls_container_ref", "null"),
	ATTRIBUTE_CONST("ca_tls_container_ref", "null"),
	ATTRIBUTE_CONST("crl_container_ref", "null"),
	LB_STANDARD_ROWS(target_group),
};
static const struct attributes pool_members = ATTRIBUTES(pool_rows);

static bool is_shown(struct os_call *e, const struct row *row)
{
	(void) e;
	return octavia_is_pool(target_group_of(row));
}

static const struct os_filter filters[] = {
	OS_TAG_FILTERS,
	{"loadbalancer_id", "elastic_load_balancer"},
	{"load_balancer_id", "elastic_load_balancer"},
};
const struct os_listing os_lb_pools = {
	.kind = KIND_TARGET_GROUP,
	.items = "pools",
	.links = "pools_links",
	.flags = OS_ADMIN_SEES_ALL,
	.filters = OS_FILTERS(filters),
	.shows = is_shown,
	.attributes = &pool_members,
};

/* ---- calls ---- */

struct os_create_pool {
	struct octavia_pool_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_pool, "loadbalancer_id", wish.balancer, .flags = NULL_ABSENT,
		.kind = KIND_ELASTIC_LOAD_BALANCER, .doc = "Load balancer."),
	OS_BODY(struct os_create_pool, "listener_id", wish.listener, .flags = NULL_ABSENT,
		.kind = KIND_LISTENER, .doc = "Or a listener, which then leads to it."),
	LB_POOL_ROWS(struct os_create_pool, wish.pool., REQUIRED),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	return os_lb_prepare_pool(e, &((struct os_create_pool *) args)->wish.pool);
}

#define PATH(T, member) OS_PATH(T, "pool_id", member, .kind = KIND_TARGET_GROUP, .doc = "The pool.")

struct os_update_pool {
	struct octavia_pool_change wish;
};
#define P(wire, member, ...) OS_BODY(struct os_update_pool, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	PATH(struct os_update_pool, wish.pool),
	P("name", wish.name, .flags = NULLABLE, LB_TEXT, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, LB_TEXT, .doc = "Free text."),
	P("admin_state_up", wish.is_down, .flags = OPPOSITE | NULL_ABSENT,
	  .doc = "False: no member gets connections."),
	P("lb_algorithm", wish.algorithm, .flags = NULL_ABSENT, .words = LB_ALGORITHMS,
	  .doc = "Method that chooses a connection's member."),
	OS_BODY_OBJECT(struct os_update_pool, "session_persistence", wish.persistence,
		       os_lb_persistence_params, .flags = NULLABLE,
		       .given = OS_GIVEN(struct os_update_pool, wish.sets_persistence),
		       .doc = "How a client stays with a member; null: it does not."),
	P("tls_enabled", wish.is_tls, .flags = NULL_ABSENT, .doc = "Connections to members are encrypted."),
	P("tags", wish.words, LB_TEXT, .doc = "Replaces the tags."),
	LB_TLS_OF_POOL,
};
#undef P

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct octavia_pool_change *wish = &((struct os_update_pool *) args)->wish;
	return os_lb_read_words(e, wish->words, &wish->tags);
}

struct os_pool_target {
	struct octavia_pool_target wish;
};
static const struct param target_params[] = {PATH(struct os_pool_target, wish.pool)};

#define ALL "/v2/lbaas/pools"
#define ONE ALL "/{pool_id}"
#define POLICY "os_load-balancer_api:pool:"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY "get_all", .list = &os_lb_pools, .doc = "Pools of the project."},
	{HTTP_POST, ALL, .permit = POLICY "post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_create_pool, create_params), .wrap = "pool", .item = "pool",
	 .prepare = prepare_create, .operation = engine_create_octavia_pool_run, .returns = KIND_TARGET_GROUP,
	 OS_SHOWS(os_lb_pools, struct os_create_pool, wish.made), .doc = "Makes a pool."},
	{HTTP_GET, ONE, .permit = POLICY "get_one", .args = OS_PARAMS(struct os_pool_target, target_params),
	 .item = "pool", OS_SHOWS(os_lb_pools, struct os_pool_target, wish.pool), .doc = "One pool."},
	{HTTP_PUT, ONE, .permit = POLICY "put", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_pool, update_params), .wrap = "pool", .item = "pool",
	 .prepare = prepare_update, .operation = engine_change_octavia_pool_run, .returns = KIND_TARGET_GROUP,
	 OS_SHOWS(os_lb_pools, struct os_update_pool, wish.pool), .doc = "Changes a pool."},
	{HTTP_DELETE, ONE, .permit = POLICY "delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_pool_target, target_params), .operation = engine_delete_octavia_pool_run,
	 .doc = "Deletes a pool with its members."},
};
const struct os_actions os_load_balancer_pool_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
