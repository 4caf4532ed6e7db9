/* SPDX-License-Identifier: Apache-2.0
 * Health monitors. A pool has one at most, which is a part of the pool's row and has its id. Source: Load Balancer API
 * reference v2, "Health Monitor". */
#include "api/openstack/load_balancer/load_balancer.h"
#include "model/target_group.h"

/* ---- showing ---- */

#define GETTER(returned, function, expression)                                                               \
	ATTRIBUTE_GETTER(target_group, g, returned, function, expression)
GETTER(const char *, get_provisioning,
       octavia_get_part_provisioning(api_tables(e), g->elastic_load_balancer, g->monitor_gen,
				     !g->monitor_updated_us))
GETTER(const char *, get_operating, octavia_get_monitor_operating(api_tables(e), g))
GETTER(int64_t, get_updated, g->monitor_updated_us ? g->monitor_updated_us : g->monitor_created_us)
#undef GETTER

static const char *const types[] = {[TARGET_GROUP_CHECK_PROTOCOL_TCP] = "TCP",
				    [TARGET_GROUP_CHECK_PROTOCOL_HTTP] = "HTTP",
				    [TARGET_GROUP_CHECK_PROTOCOL_HTTPS] = "HTTPS",
				    [TARGET_GROUP_CHECK_PROTOCOL_SSL] = "TLS-HELLO"};

/* The tags of a pool's monitor are not those of the pool. */
static struct strs list_tags(struct api_call *e, const struct row *row)
{
	const struct tags *tags = &target_group_of(row)->monitor_tags;
	struct str *words = arena_new_array(e->c->arena, struct str, tags->count);
	for (size_t k = 0; words && k < tags->count; k++)
		words[k] = os_write_word(os_call_of(e), &tags->at[k]);
	return (struct strs){words, words ? tags->count : 0};
}

/* A number, as Octavia writes it. */
static void write_version(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct str version = target_group_of(row)->check_version;
	(void) e;
	if (version.n)
		json_write_raw(w, name, version);
	else
		json_write_null(w, name);
}

ATTRIBUTE_TABLE(pool_members, {ATTRIBUTE(target_group, "id", row.id)});

static struct attribute_rows list_pool(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, 1, sizeof(struct target_group));
}

#define WORD(wire, field)                                                                                    \
	ATTRIBUTE(target_group, wire, field, .flags = ATTRIBUTE_NULL_NONE, .filter = (wire), .sort = (wire))
static const struct attribute monitor_rows[] = {
	ATTRIBUTE(target_group, "id", row.id, .filter = "id"),
	OS_FIELD(target_group, "name", monitor_title),
	ATTRIBUTE_AS(ENUM, target_group, "type", check_protocol, .words = types, .filter = "type",
		     .sort = "type"),
	LB_STATUS_ROWS(get_provisioning, get_operating),
	OS_UP(target_group, monitor_is_down),
	OS_FIELD(target_group, "delay", interval_s),
	OS_FIELD(target_group, "timeout", timeout_s),
	OS_FIELD(target_group, "max_retries", healthy_threshold),
	OS_FIELD(target_group, "max_retries_down", unhealthy_threshold),
	WORD("http_method", check_method),
	WORD("url_path", check_path),
	WORD("expected_codes", matcher),
	ATTRIBUTE(target_group, "domain_name", check_host, .flags = ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_WRITTEN("http_version", write_version),
	ATTRIBUTE_ROWS("pools", pool_members, list_pool),
	ATTRIBUTE_AS(HEX, target_group, "project_id", account, .filter = "project_id", .sort = "project_id"),
	ATTRIBUTE_AS(HEX, target_group, "tenant_id", account, .filter = "tenant_id"),
	ATTRIBUTE_AS(TIME_FINE, target_group, "created_at", monitor_created_us),
	ATTRIBUTE_MADE(TIME_FINE, number, "updated_at", get_updated),
	ATTRIBUTE_MADE(TEXTS, texts, "tags", list_tags),
};
#undef WORD
static const struct attributes monitor_members = ATTRIBUTES(monitor_rows);

static bool is_shown(struct os_call *e, const struct row *row)
{
	(void) e;
	return octavia_is_pool(target_group_of(row)) && target_group_of(row)->has_monitor;
}

static const struct os_filter filters[] = {{"pool_id", .is_id = true}};
const struct os_listing os_lb_monitors = {
	.kind = KIND_TARGET_GROUP,
	.items = "healthmonitors",
	.links = "healthmonitors_links",
	.flags = OS_ADMIN_SEES_ALL,
	.filters = OS_FILTERS(filters),
	.shows = is_shown,
	.attributes = &monitor_members,
};

/* ---- calls ---- */

struct os_create_monitor {
	struct octavia_monitor_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_monitor, "pool_id", wish.pool, .flags = REQUIRED, .kind = KIND_TARGET_GROUP,
		.doc = "The pool that it checks."),
	LB_MONITOR_ROWS(struct os_create_monitor, wish.monitor.),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	return os_lb_prepare_monitor(e, &((struct os_create_monitor *) args)->wish.monitor);
}

#define PATH(T, member)                                                                                      \
	OS_PATH(T, "healthmonitor_id", member, .kind = KIND_TARGET_GROUP, .doc = "The health monitor.")

struct os_update_monitor {
	struct octavia_monitor_change wish;
	bool sets_version;
	struct str version;
};
#define P(wire, member, ...) OS_BODY(struct os_update_monitor, wire, member, __VA_ARGS__)
static const struct param update_params[] = {
	PATH(struct os_update_monitor, wish.monitor),
	P("name", wish.name, .flags = NULLABLE, LB_TEXT, .doc = "Name."),
	P("admin_state_up", wish.is_down, .flags = OPPOSITE | NULL_ABSENT,
	  .doc = "False: nothing is checked."),
	P("delay", wish.delay, .min = 0, .max = LB_SECONDS_MAX, .doc = "Seconds between two checks."),
	P("timeout", wish.timeout, .min = 0, .max = LB_SECONDS_MAX,
	  .doc = "Seconds after which a check has failed."),
	P("max_retries", wish.max_retries, .min = 1, .max = LB_RETRIES_MAX,
	  .doc = "Successes in a row that make a member healthy."),
	P("max_retries_down", wish.max_retries_down, .flags = NULLABLE, .absent = "3", .min = 1,
	  .max = LB_RETRIES_MAX, .doc = "Failures in a row that make a member unhealthy."),
	P("http_method", wish.method, .flags = NULLABLE, .words = LB_METHODS,
	  .doc = "Method of a check's request."),
	P("url_path", wish.path, .flags = NULLABLE, .max = LB_PATH_MAX, .doc = "Path of a check's request."),
	P("expected_codes", wish.codes, .flags = NULLABLE, LB_TEXT, .doc = "Statuses of a successful check."),
	OS_BODY_JSON(struct os_update_monitor, "http_version", version,
		     .given = OS_GIVEN(struct os_update_monitor, sets_version),
		     .doc = "Version of HTTP: 1.0 or 1.1; null: 1.0."),
	P("domain_name", wish.host, .flags = NULLABLE, LB_TEXT, .doc = "Host header of a check's request."),
	P("tags", wish.words, LB_TEXT, .doc = "Replaces the tags."),
};
#undef P

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_monitor *a = args;
	TRY(os_lb_read_version(e, &a->version));
	if (a->sets_version)
		a->wish.version = &a->version;
	return os_lb_read_words(e, a->wish.words, &a->wish.tags);
}

struct os_monitor_target {
	struct octavia_monitor_target wish;
};
static const struct param target_params[] = {PATH(struct os_monitor_target, wish.monitor)};

#define ALL "/v2/lbaas/healthmonitors"
#define ONE ALL "/{healthmonitor_id}"
#define POLICY "os_load-balancer_api:healthmonitor:"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY "get_all", .list = &os_lb_monitors,
	 .doc = "Health monitors of the project."},
	{HTTP_POST, ALL, .permit = POLICY "post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_create_monitor, create_params), .wrap = "healthmonitor",
	 .item = "healthmonitor", .prepare = prepare_create, .operation = engine_create_octavia_monitor_run,
	 .returns = KIND_TARGET_GROUP, OS_SHOWS(os_lb_monitors, struct os_create_monitor, wish.made),
	 .doc = "Gives a pool a health monitor."},
	{HTTP_GET, ONE, .permit = POLICY "get_one",
	 .args = OS_PARAMS(struct os_monitor_target, target_params), .item = "healthmonitor",
	 OS_SHOWS(os_lb_monitors, struct os_monitor_target, wish.monitor), .doc = "One health monitor."},
	{HTTP_PUT, ONE, .permit = POLICY "put", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_monitor, update_params), .wrap = "healthmonitor",
	 .item = "healthmonitor", .prepare = prepare_update, .operation = engine_change_octavia_monitor_run,
	 .returns = KIND_TARGET_GROUP, OS_SHOWS(os_lb_monitors, struct os_update_monitor, wish.monitor),
	 .doc = "Changes a health monitor."},
	{HTTP_DELETE, ONE, .permit = POLICY "delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_monitor_target, target_params),
	 .operation = engine_delete_octavia_monitor_run, .doc = "Takes a pool's health monitor away."},
};
const struct os_actions os_load_balancer_monitor_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
