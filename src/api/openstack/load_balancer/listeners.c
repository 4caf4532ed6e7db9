/* SPDX-License-Identifier: Apache-2.0
 * Listeners. Source: Load Balancer API reference v2, "Listeners". */
#include "api/openstack/load_balancer/load_balancer.h"
#include "model/listener.h"
#include "model/listener_rule.h"
#include "store/server_certificate.h"

/* ---- showing ---- */

#define GETTER(returned, function, expression) ATTRIBUTE_GETTER(listener, l, returned, function, expression)
GETTER(const char *, get_provisioning,
       octavia_get_part_provisioning(api_tables(e), l->elastic_load_balancer, l->proxy_gen, l->row.gen == 1))
GETTER(const char *, get_operating, octavia_get_listener_operating(api_tables(e), l))
GETTER(int64_t, get_limit, octavia_swap_limit(l->connection_limit))
#undef GETTER

static struct strs list_sources(struct api_call *e, const struct row *row)
{
	return os_list_cidrs(e->c->arena, listener_of(row)->sources);
}

static void write_headers(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct strs *headers = &listener_of(row)->headers;
	json_write_open(w, name);
	for (size_t k = 0; k < headers->count; k++) {
		struct str value = headers->at[k], key = STR_NONE;
		(void) str_split_next(&value, '=', &key);
		json_write_text(w, str_to_z(e->c->arena, key), value);
	}
	json_write_close(w);
}

/* The reference that a certificate of the listener was copied from. */
static struct str find_source(struct api_call *e, const struct listener *l, size_t k)
{
	const struct server_certificate *s =
		k < l->certificates.count ? server_certificate_find(api_tables(e), l->certificates.at[k])
					  : NULL;
	return s ? s->source : STR_NONE;
}

static struct str get_default_ref(struct api_call *e, const struct row *row)
{
	return find_source(e, listener_of(row), 0);
}

static struct strs list_sni_refs(struct api_call *e, const struct row *row)
{
	const struct listener *l = listener_of(row);
	struct str *at = arena_new_array(e->c->arena, struct str, l->certificates.count + 1);
	size_t count = 0;
	for (size_t k = 1; at && k < l->certificates.count; k++)
		at[count++] = find_source(e, l, k);
	return (struct strs){at, count};
}

/* Octavia's words; HTTPS is passed on as it is. */
static const char *const protocols[] = {[LISTENER_PROTOCOL_TCP] = "TCP",
					[LISTENER_PROTOCOL_UDP] = "UDP",
					[LISTENER_PROTOCOL_HTTP] = "HTTP",
					[LISTENER_PROTOCOL_HTTPS] = "HTTPS",
					[LISTENER_PROTOCOL_SSL] = "TERMINATED_HTTPS"};

ATTRIBUTE_TABLE(balancer_members, {ATTRIBUTE(listener, "id", elastic_load_balancer)});

static struct attribute_rows list_balancer(struct api_call *e, const struct row *row)
{
	return attribute_rows_of(e, row, 1, sizeof(struct listener));
}

static const struct attribute listener_rows[] = {
	ATTRIBUTE(listener, "id", row.id, .filter = "id"),
	OS_FIELD(listener, "name", title),
	OS_FIELD(listener, "description", description),
	LB_STATUS_ROWS(get_provisioning, get_operating),
	OS_UP(listener, is_down),
	ATTRIBUTE_AS(ENUM, listener, "protocol", protocol, .words = protocols, .filter = "protocol",
		     .sort = "protocol"),
	OS_FIELD(listener, "protocol_port", port),
	OS_MADE(INT, number, "connection_limit", get_limit,
		.offset = offsetof(struct listener, connection_limit)),
	OS_FIELD(listener, "default_pool_id", target_group),
	ATTRIBUTE_ROWS("loadbalancers", balancer_members, list_balancer),
	ATTRIBUTE_EACH("l7policies", os_lb_id_members, KIND_LISTENER_RULE, LISTENER_RULE_INDEX_LISTENER),
	ATTRIBUTE_WRITTEN("insert_headers", write_headers),
	ATTRIBUTE_MADE(TEXTS, texts, "allowed_cidrs", list_sources, .flags = ATTRIBUTE_NULL_NONE),
	OS_FIELD(listener, "timeout_client_data", client_ms),
	OS_FIELD(listener, "timeout_member_connect", connect_ms),
	OS_FIELD(listener, "timeout_member_data", member_ms),
	OS_FIELD(listener, "timeout_tcp_inspect", inspect_ms),
	ATTRIBUTE_MADE(TEXT, text, "default_tls_container_ref", get_default_ref,
		       .flags = ATTRIBUTE_NULL_NONE),
	ATTRIBUTE_MADE(TEXTS, texts, "sni_container_refs", list_sni_refs),
	ATTRIBUTE_CONST("client_ca_tls_container_ref", "null"),
	ATTRIBUTE_CONST("client_authentication", "\"NONE\""),
	ATTRIBUTE_CONST("client_crl_container_ref", "null"),
	LB_STANDARD_ROWS(listener),
};
static const struct attributes listener_members = ATTRIBUTES(listener_rows);

static bool is_shown(struct os_call *e, const struct row *row)
{
	return engine_is_of_octavia(os_tables(e), KIND_LISTENER, row);
}

static const struct os_filter filters[] = {
	OS_TAG_FILTERS,
	{"loadbalancer_id", "elastic_load_balancer"},
	{"load_balancer_id", "elastic_load_balancer"},
};
const struct os_listing os_lb_listeners = {
	.kind = KIND_LISTENER,
	.items = "listeners",
	.links = "listeners_links",
	.flags = OS_ADMIN_SEES_ALL,
	.filters = OS_FILTERS(filters),
	.shows = is_shown,
	.attributes = &listener_members,
};

/* ---- calls ---- */

struct os_create_listener {
	struct octavia_listener_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_listener, "loadbalancer_id", wish.balancer, .flags = REQUIRED,
		.kind = KIND_ELASTIC_LOAD_BALANCER, .doc = "Load balancer."),
	LB_LISTENER_ROWS(struct os_create_listener, wish.listener.),
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct octavia_listener *listener = &((struct os_create_listener *) args)->wish.listener;
	TRY(os_lb_prepare_listener(e, listener));
	e->skips_work = !listener->certificates.count;
	return OK;
}

static RESULT check_create(struct work_item *w)
{
	struct os_call *e = w->arg;
	return os_lb_check_certificates(e,
					&((struct os_create_listener *) e->args)->wish.listener.certificates);
}

#define PATH(T, member) OS_PATH(T, "listener_id", member, .kind = KIND_LISTENER, .doc = "The listener.")

struct os_update_listener {
	struct octavia_listener_change wish;
	struct tags headers;
	struct strs allowed;
};
#define P(wire, member, ...) OS_BODY(struct os_update_listener, wire, member, __VA_ARGS__)
#define TIME(wire, member, otherwise, ...)                                                                   \
	LB_MILLISECONDS(struct os_update_listener, wire, member, otherwise, __VA_ARGS__)
static const struct param update_params[] = {
	PATH(struct os_update_listener, wish.listener),
	P("name", wish.name, .flags = NULLABLE, LB_TEXT, .doc = "Name."),
	P("description", wish.description, .flags = NULLABLE, LB_TEXT, .doc = "Free text."),
	P("admin_state_up", wish.is_down, .flags = OPPOSITE | NULL_ABSENT, .doc = "False: it is off."),
	P("connection_limit", wish.connection_limit, .flags = NULLABLE, .min = -1, .max = LB_CONNECTIONS_MAX,
	  .doc = "Most connections at a time; -1: no limit."),
	P("default_pool_id", wish.default_pool, .flags = NULLABLE, .kind = KIND_TARGET_GROUP,
	  .given = OS_GIVEN(struct os_update_listener, wish.sets_pool),
	  .doc = "Pool that it leads to; null: none."),
	P("insert_headers", headers, .flags = NULLABLE,
	  .given = OS_GIVEN(struct os_update_listener, wish.sets_headers),
	  .doc = "Headers that requests get."),
	P("allowed_cidrs", allowed, .flags = NULLABLE, .max = CIDR_TEXT_SIZE,
	  .given = OS_GIVEN(struct os_update_listener, wish.sets_sources),
	  .doc = "Permitted clients; null: any."),
	TIME("timeout_client_data", wish.client_ms, "50000",
	     .doc = "Milliseconds for which a client may be silent."),
	TIME("timeout_member_connect", wish.connect_ms, "5000", .doc = "Milliseconds for connecting."),
	TIME("timeout_member_data", wish.member_ms, "50000",
	     .doc = "Milliseconds for which a member may be silent."),
	TIME("timeout_tcp_inspect", wish.inspect_ms, "0",
	     .doc = "Milliseconds for looking at a connection's first bytes."),
	P("default_tls_container_ref", wish.tls_ref, .flags = NULL_ABSENT, LB_TEXT,
	  .doc = "Another container with the certificate, or another secret; the same one is read again."),
	P("sni_container_refs", wish.sni_refs, .flags = NULLABLE, LB_TEXT,
	  .given = OS_GIVEN(struct os_update_listener, wish.sets_sni),
	  .doc = "Replaces further certificates."),
	P("tags", wish.words, LB_TEXT, .doc = "Replaces the tags."),
	LB_TLS_OF_LISTENER,
};
#undef P
#undef TIME

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_listener *a = args;
	TRY(os_lb_read_sources(e, a->allowed, &a->wish.sources));
	TRY(os_lb_read_headers(e, a->headers, &a->wish.headers));
	TRY(os_lb_read_certificates(e, a->wish.tls_ref, &a->wish.sni_refs, &a->wish.certificates));
	e->skips_work = !a->wish.certificates.count;
	return os_lb_read_words(e, a->wish.words, &a->wish.tags);
}

static RESULT check_update(struct work_item *w)
{
	struct os_call *e = w->arg;
	return os_lb_check_certificates(e, &((struct os_update_listener *) e->args)->wish.certificates);
}

struct os_listener_target {
	struct octavia_listener_target wish;
};
static const struct param target_params[] = {PATH(struct os_listener_target, wish.listener)};

#define ALL "/v2/lbaas/listeners"
#define ONE ALL "/{listener_id}"
#define POLICY "os_load-balancer_api:listener:"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = POLICY "get_all", .list = &os_lb_listeners,
	 .doc = "Listeners of the project."},
	{HTTP_POST, ALL, .permit = POLICY "post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_create_listener, create_params), .wrap = "listener", .item = "listener",
	 .prepare = prepare_create, .work = check_create, .operation = engine_create_octavia_listener_run,
	 .returns = KIND_LISTENER, OS_SHOWS(os_lb_listeners, struct os_create_listener, wish.made),
	 .doc = "Makes a listener."},
	{HTTP_GET, ONE, .permit = POLICY "get_one",
	 .args = OS_PARAMS(struct os_listener_target, target_params), .item = "listener",
	 OS_SHOWS(os_lb_listeners, struct os_listener_target, wish.listener), .doc = "One listener."},
	{HTTP_PUT, ONE, .permit = POLICY "put", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_listener, update_params), .wrap = "listener", .item = "listener",
	 .prepare = prepare_update, .work = check_update, .operation = engine_change_octavia_listener_run,
	 .returns = KIND_LISTENER, OS_SHOWS(os_lb_listeners, struct os_update_listener, wish.listener),
	 .doc = "Changes a listener."},
	{HTTP_DELETE, ONE, .permit = POLICY "delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_listener_target, target_params),
	 .operation = engine_delete_octavia_listener_run, .doc = "Deletes a listener."},
};
const struct os_actions os_load_balancer_listener_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
