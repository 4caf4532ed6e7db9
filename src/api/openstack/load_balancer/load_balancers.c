/* SPDX-License-Identifier: Apache-2.0
 * Load balancers. Source: Load Balancer API reference v2, "Load Balancers". */
#include "api/openstack/load_balancer/load_balancer.h"
#include "model/elastic_load_balancer.h"
#include "model/port.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/listener_rule.h"
#include "store/target.h"
#include "store/target_group.h"

/* ---- showing ---- */

#define GETTER(returned, function, expression)                                                               \
	ATTRIBUTE_GETTER(elastic_load_balancer, b, returned, function, expression)
GETTER(const char *, get_provisioning, octavia_get_provisioning(api_tables(e), b))
GETTER(const char *, get_operating, octavia_get_balancer_operating(api_tables(e), b))
GETTER(uuid, get_front, b->fronts.count ? b->fronts.at[0] : UUID_NONE)
#undef GETTER

static const void *find_front(struct api_call *e, const struct row *row)
{
	return octavia_get_front(api_tables(e), elastic_load_balancer_of(row));
}

ATTRIBUTE_TABLE(front_members, {ATTRIBUTE(port, "vip_address", ip), ATTRIBUTE(port, "vip_subnet_id", subnet),
				ATTRIBUTE(port, "vip_network_id", network)});

static const struct attribute balancer_rows[] = {
	ATTRIBUTE(elastic_load_balancer, "id", row.id, .filter = "id"),
	OS_FIELD(elastic_load_balancer, "name", title),
	OS_FIELD(elastic_load_balancer, "description", description),
	LB_STATUS_ROWS(get_provisioning, get_operating),
	OS_UP(elastic_load_balancer, is_down),
	ATTRIBUTE_MADE(ID, id, "vip_port_id", get_front),
	ATTRIBUTE_INLINE(front_members, find_front),
	ATTRIBUTE_CONST("vip_qos_policy_id", "null"),
	ATTRIBUTE_CONST("additional_vips", "[]"),
	ATTRIBUTE_EACH("listeners", os_lb_id_members, KIND_LISTENER, LISTENER_INDEX_ELASTIC_LOAD_BALANCER),
	ATTRIBUTE_EACH("pools", os_lb_id_members, KIND_TARGET_GROUP,
		       TARGET_GROUP_INDEX_ELASTIC_LOAD_BALANCER),
	ATTRIBUTE_AS(ENUM, elastic_load_balancer, "provider", provider,
		     .words = elastic_load_balancer_provider_words, .filter = "provider", .sort = "provider"),
	ATTRIBUTE_CONST("flavor_id", "null"),
	ATTRIBUTE_CONST("availability_zone", "null"),
	LB_STANDARD_ROWS(elastic_load_balancer),
};
static const struct attributes balancer_members = ATTRIBUTES(balancer_rows);

static bool is_shown(struct os_call *e, const struct row *row)
{
	(void) e;
	return octavia_is_balancer(elastic_load_balancer_of(row));
}

static const struct os_filter filters[] = {OS_TAG_FILTERS};
const struct os_listing os_lb_balancers = {
	.kind = KIND_ELASTIC_LOAD_BALANCER,
	.items = "loadbalancers",
	.links = "loadbalancers_links",
	.flags = OS_ADMIN_SEES_ALL,
	.filters = OS_FILTERS(filters),
	.shows = is_shown,
	.attributes = &balancer_members,
};

/* ---- creation ---- */

struct os_create_balancer {
	struct octavia_balancer_wish wish;
};
#define P(wire, member, ...) OS_BODY(struct os_create_balancer, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	LB_NAME(struct os_create_balancer, wish.),
	LB_DESCRIPTION(struct os_create_balancer, wish.),
	LB_UP(struct os_create_balancer, wish.),
	P("vip_port_id", wish.port, .flags = NULL_ABSENT, .kind = KIND_PORT,
	  .doc = "Port of the user that has the address."),
	P("vip_subnet_id", wish.subnet, .flags = NULL_ABSENT, .kind = KIND_SUBNET,
	  .doc = "Or a subnet, in which it gets a port."),
	P("vip_network_id", wish.network, .flags = NULL_ABSENT, .kind = KIND_NETWORK,
	  .doc = "Or a network, one of whose subnets that is."),
	P("vip_address", wish.address, .flags = NULL_ABSENT | ANY_FAMILY,
	  .doc = "Address of the load balancer; absent: any."),
	P("provider", wish.provider, .flags = NULL_ABSENT, .max = 64,
	  .doc = "dari, or amphora or octavia, which mean the same."),
	OS_BODY_LIST(struct os_create_balancer, "listeners", wish.listeners, os_lb_listener_params,
		     .flags = NULL_ABSENT, .max = OCTAVIA_NESTED_MAX, .doc = "Listeners to begin with."),
	OS_BODY_LIST(struct os_create_balancer, "pools", wish.pools, os_lb_pool_params, .flags = NULL_ABSENT,
		     .max = OCTAVIA_NESTED_MAX, .doc = "Pools to begin with."),
	LB_TAGS(struct os_create_balancer, wish.),
	OS_PROJECT(struct os_create_balancer, wish.account),
	OS_UNBUILT("vip_qos_policy_id|flavor_id|availability_zone|vip_vnic_type"),
	OS_UNBUILT("vip_sg_ids|additional_vips", .only = "[]"),
};
#undef P

static RESULT check_provider(struct os_call *e, struct str provider)
{
	if (!provider.n || str_is(provider, "dari") || str_is(provider, "amphora") ||
	    str_is(provider, "octavia"))
		return OK;
	return ctx_fail_field(e->c, ERR_INVALID, STR("provider"), "Provider '%" STR_FMT "' is not enabled.",
			      STR_ARG(provider));
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct octavia_balancer_wish *wish = &((struct os_create_balancer *) args)->wish;
	TRY(check_provider(e, wish->provider));
	e->skips_work = true;
	for (size_t k = 0; k < wish->listeners.count; k++) {
		TRY(os_lb_prepare_listener(e, &wish->listeners.at[k]));
		e->skips_work = e->skips_work && !wish->listeners.at[k].certificates.count;
	}
	for (size_t k = 0; k < wish->pools.count; k++)
		TRY(os_lb_prepare_pool(e, &wish->pools.at[k]));
	return os_read_words(e, wish->words, &wish->tags);
}

static RESULT check_create(struct work_item *w)
{
	struct os_call *e = w->arg;
	struct octavia_listeners *listeners = &((struct os_create_balancer *) e->args)->wish.listeners;
	for (size_t k = 0; k < listeners->count; k++)
		TRY(os_lb_check_certificates(e, &listeners->at[k].certificates));
	return OK;
}

/* ---- change, deletion ---- */

#define PATH(T, member)                                                                                      \
	OS_PATH(T, "loadbalancer_id", member, .kind = KIND_ELASTIC_LOAD_BALANCER, .doc = "The load balancer.")

struct os_update_balancer {
	struct octavia_balancer_change wish;
};
static const struct param update_params[] = {
	PATH(struct os_update_balancer, wish.balancer),
	OS_BODY(struct os_update_balancer, "name", wish.name, .flags = NULLABLE, LB_TEXT, .doc = "Name."),
	OS_BODY(struct os_update_balancer, "description", wish.description, .flags = NULLABLE, LB_TEXT,
		.doc = "Free text."),
	OS_BODY(struct os_update_balancer, "admin_state_up", wish.is_down, .flags = OPPOSITE | NULL_ABSENT,
		.doc = "False: nothing listens."),
	OS_BODY(struct os_update_balancer, "tags", wish.words, LB_TEXT, .doc = "Replaces the tags."),
	OS_UNBUILT("vip_qos_policy_id"),
	OS_UNBUILT("vip_sg_ids", .only = "[]"),
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct octavia_balancer_change *wish = &((struct os_update_balancer *) args)->wish;
	return os_lb_read_words(e, wish->words, &wish->tags);
}

struct os_delete_balancer {
	struct octavia_balancer_target wish;
};
static const struct param delete_params[] = {
	PATH(struct os_delete_balancer, wish.balancer),
	OS_QUERY(struct os_delete_balancer, "cascade", wish.is_cascading,
		 .doc = "Deletes the listeners and pools, too."),
};

struct os_fail_over_balancer {
	struct octavia_balancer_target wish;
};
static const struct param failover_params[] = {PATH(struct os_fail_over_balancer, wish.balancer)};

/* ---- the tree of statuses ---- */

struct os_balancer_target {
	struct ref balancer;
};
static const struct param target_params[] = {PATH(struct os_balancer_target, balancer)};

struct part {
	uuid id;
	struct str name;
	const char *provisioning, *operating;
};

static void open_part(struct json_writer *w, const char *key, struct part part)
{
	json_write_open(w, key);
	os_write_id(w, "id", part.id);
	json_write_text(w, "name", part.name.p ? part.name : STR(""));
	json_write_z(w, "provisioning_status", part.provisioning);
	json_write_z(w, "operating_status", part.operating);
}

static void write_member_status(const struct tables *t, uuid balancer, const struct target *m,
				struct json_writer *w)
{
	open_part(w, NULL,
		  (struct part){m->row.id, m->title,
				octavia_get_part_provisioning(t, balancer, m->proxy_gen, m->row.gen == 1),
				octavia_get_member_operating(t, m)});
	os_write_ip(w, "address", m->private_ip);
	json_write_int(w, "protocol_port", m->number);
	json_write_close(w);
}

static void write_pool_status(const struct tables *t, const struct target_group *g, struct json_writer *w)
{
	static const char *const types[] = {[TARGET_GROUP_CHECK_PROTOCOL_TCP] = "TCP",
					    [TARGET_GROUP_CHECK_PROTOCOL_HTTP] = "HTTP",
					    [TARGET_GROUP_CHECK_PROTOCOL_HTTPS] = "HTTPS",
					    [TARGET_GROUP_CHECK_PROTOCOL_SSL] = "TLS-HELLO"};
	uuid balancer = g->elastic_load_balancer;
	open_part(w, NULL,
		  (struct part){g->row.id, g->title,
				octavia_get_part_provisioning(t, balancer, g->proxy_gen, g->row.gen == 1),
				octavia_get_pool_operating(t, g)});
	if (g->has_monitor) {
		open_part(w, "health_monitor",
			  (struct part){g->row.id, g->monitor_title,
					octavia_get_part_provisioning(t, balancer, g->monitor_gen,
								      !g->monitor_updated_us),
					octavia_get_monitor_operating(t, g)});
		json_write_z(w, "type", types[g->check_protocol]);
		json_write_close(w);
	}
	json_write_open_list(w, "members");
	for (const struct target *m = target_first_by_target_group(t, g->row.id); m;
	     m = target_next_by_target_group(t, m))
		write_member_status(t, balancer, m, w);
	json_write_close_list(w);
	json_write_close(w);
}

/* Neither the listener by default nor an earlier policy leads to the policy's pool. */
static bool is_first_use(const struct tables *t, const struct listener *l, const struct listener_rule *policy)
{
	uuid pool = octavia_get_policy_pool(t, policy->row.id);
	const struct listener_rule *p = listener_rule_first_by_listener(t, l->row.id);
	while (p && p != policy && !uuid_equal(octavia_get_policy_pool(t, p->row.id), pool))
		p = listener_rule_next_by_listener(t, p);
	return p == policy && !uuid_equal(l->target_group, pool);
}

static void write_listener_status(const struct tables *t, const struct listener *l, struct json_writer *w)
{
	const struct target_group *g = target_group_find(t, l->target_group);
	open_part(w, NULL,
		  (struct part){l->row.id, l->title,
				octavia_get_part_provisioning(t, l->elastic_load_balancer, l->proxy_gen,
							      l->row.gen == 1),
				octavia_get_listener_operating(t, l)});
	json_write_open_list(w, "pools");
	if (g)
		write_pool_status(t, g, w);
	for (const struct listener_rule *p = listener_rule_first_by_listener(t, l->row.id); p;
	     p = listener_rule_next_by_listener(t, p)) {
		g = target_group_find(t, octavia_get_policy_pool(t, p->row.id));
		if (g && is_first_use(t, l, p))
			write_pool_status(t, g, w);
	}
	json_write_close_list(w);
	json_write_close(w);
}

static RESULT show_status(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = os_tables(e);
	const struct row *row = NULL;
	TRY(os_lb_find(e, KIND_ELASTIC_LOAD_BALANCER, &((const struct os_balancer_target *) args)->balancer,
		       &row));
	const struct elastic_load_balancer *b = elastic_load_balancer_of(row);
	open_part(w, "loadbalancer",
		  (struct part){b->row.id, b->title, octavia_get_provisioning(t, b),
				octavia_get_balancer_operating(t, b)});
	json_write_open_list(w, "listeners");
	for (const struct listener *l = listener_first_by_elastic_load_balancer(t, b->row.id); l;
	     l = listener_next_by_elastic_load_balancer(t, l))
		write_listener_status(t, l, w);
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

#define ALL "/v2/lbaas/loadbalancers"
#define ONE ALL "/{loadbalancer_id}"
#define POLICY "os_load-balancer_api:loadbalancer:"
#define STATUS(below)                                                                                        \
	{                                                                                                    \
		HTTP_GET, ONE below, .permit = POLICY "get_status",                                          \
				     .args = OS_PARAMS(struct os_balancer_target, target_params),            \
				     .item = "statuses", .answer = show_status,                              \
				     .doc = "Statuses of a load balancer and of all its parts."              \
	}
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY "get_all", .list = &os_lb_balancers,
	 .doc = "Load balancers of the project."},
	{HTTP_POST, ALL, .permit = POLICY "post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_create_balancer, create_params), .wrap = "loadbalancer",
	 .item = "loadbalancer", .prepare = prepare_create, .work = check_create,
	 .operation = engine_create_octavia_balancer_run, .returns = KIND_ELASTIC_LOAD_BALANCER,
	 OS_SHOWS(os_lb_balancers, struct os_create_balancer, wish.balancer),
	 .doc = "Makes a load balancer."},
	{HTTP_GET, ONE, .permit = POLICY "get_one",
	 .args = OS_PARAMS(struct os_balancer_target, target_params), .item = "loadbalancer",
	 OS_SHOWS(os_lb_balancers, struct os_balancer_target, balancer), .doc = "One load balancer."},
	{HTTP_PUT, ONE, .permit = POLICY "put", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_balancer, update_params), .wrap = "loadbalancer",
	 .item = "loadbalancer", .prepare = prepare_update, .operation = engine_change_octavia_balancer_run,
	 .returns = KIND_ELASTIC_LOAD_BALANCER,
	 OS_SHOWS(os_lb_balancers, struct os_update_balancer, wish.balancer),
	 .doc = "Changes a load balancer."},
	{HTTP_DELETE, ONE, .permit = POLICY "delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_delete_balancer, delete_params),
	 .operation = engine_delete_octavia_balancer_run, .doc = "Deletes a load balancer."},
	{HTTP_PUT, ONE "/failover", .permit = POLICY "put_failover", .flags = API_WRITES | OS_ADMIN,
	 .status = 202, .args = OS_PARAMS(struct os_fail_over_balancer, failover_params),
	 .operation = engine_fail_over_octavia_balancer_run, .doc = "Starts another proxy."},
	STATUS("/status"),
	STATUS("/statuses"),
};
const struct os_actions os_load_balancer_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
