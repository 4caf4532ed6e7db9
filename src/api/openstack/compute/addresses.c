/* SPDX-License-Identifier: Apache-2.0
 * Floating IPs in the older Compute API: associated with a server by address, and listed at
 * os-floating-ips. Source: Compute API reference, "Floating IPs (DEPRECATED)". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "api/openstack/network/network.h"
#include "engine/network/address/address.h"
#include "engine/network/network_grant.h"
#include "model/address.h"
#include "model/instance.h"
#include "store/external_network.h"
#include "store/port.h"
#include "store/secondary_ip.h"

enum { LAST_PROXY = 35, LAST_ACTION = 43 }; /* last microversions with these calls */

/* ---- a server's ---- */

struct os_bind_address {
	struct address_association wish;
	struct ip address;
};
static const struct param add_params[] = {
	OS_SERVER(struct os_bind_address, wish.instance),
	OS_BODY(struct os_bind_address, "address", address, .flags = REQUIRED, .doc = "Floating IP address."),
	OS_BODY(struct os_bind_address, "fixed_address", wish.private_ip, .flags = NULLABLE,
		.doc = "Fixed address of the server to associate; absent: its first one."),
};
static const struct param remove_params[] = {
	OS_SERVER(struct os_bind_address, wish.instance),
	OS_BODY(struct os_bind_address, "address", address, .flags = REQUIRED, .doc = "Floating IP address."),
};

static RESULT fail_not_found(struct os_call *e, const struct ip *ip)
{
	char text[IP_TEXT_SIZE];
	return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("address"), "floating IP %s not found",
			      ip_write(*ip, text));
}

/* Finds an address of the project. Other projects' addresses are reported as not found. */
static RESULT find_address(struct os_call *e, struct os_bind_address *a, const struct address **ret_address)
{
	const struct address *address = engine_find_public_ip(os_tables(e), a->address);
	bool is_own = address && address->is_elastic &&
		      (os_is_admin(e) || uuid_equal(address->account, e->c->who->account));
	if (!is_own)
		return fail_not_found(e, &a->address);
	a->wish.address = (struct ref){.kind = KIND_ADDRESS,
				       .prefix = address->row.id,
				       .bits = 128,
				       .text = uuid_to_str(e->c->arena, address->row.id),
				       .field = STR("address")};
	*ret_address = address;
	return OK;
}

static void name_port(struct os_call *e, struct os_bind_address *a, const struct port *p)
{
	a->wish.instance = (struct ref){0};
	a->wish.port = (struct ref){.kind = KIND_PORT,
				    .prefix = p->row.id,
				    .bits = 128,
				    .text = uuid_to_str(e->c->arena, p->row.id),
				    .field = STR("fixed_address")};
}

static bool has_ip(const struct tables *t, const struct port *p, struct ip ip)
{
	if (ip_is_none(ip) || ip_equal(p->ip, ip))
		return true;
	for (const struct secondary_ip *s = secondary_ip_first_by_port(t, p->row.id); s;
	     s = secondary_ip_next_by_port(t, s))
		if (row_is_live(&s->row) && ip_equal(s->ip, ip))
			return true;
	return false;
}

/* Associates with the server's first port, or with the port that has the fixed address. */
static RESULT prepare_add(struct os_call *e, void *args)
{
	struct os_bind_address *a = args;
	const struct instance *instance = NULL;
	const struct address *address = NULL;
	const struct tables *t = os_tables(e);
	TRY(os_find_live_server(e, &a->wish.instance, &instance));
	TRY(find_address(e, a, &address));
	const struct port *first = NULL;
	for (const struct port *p = port_first_by_instance(t, instance->row.id); p;
	     p = port_next_by_instance(t, p))
		if (row_is_live(&p->row) && has_ip(t, p, a->wish.private_ip) &&
		    (!first || p->device_index < first->device_index))
			first = p;
	if (!first)
		return ctx_fail_field(e->c, ERR_INVALID, STR("fixed_address"),
				      ip_is_none(a->wish.private_ip)
					      ? "No fixed IPs associated to instance"
					      : "Specified fixed address not assigned to instance");
	a->wish.keeps_present = true;
	name_port(e, a, first);
	return OK;
}

static RESULT prepare_remove(struct os_call *e, void *args)
{
	struct os_bind_address *a = args;
	const struct instance *instance = NULL;
	const struct address *address = NULL;
	TRY(os_find_live_server(e, &a->wish.instance, &instance));
	return find_address(e, a, &address);
}

/* ---- a project's ---- */

struct old_address {
	const struct address *address;
	uuid instance;
	struct str pool;
};

static bool is_elastic(struct os_call *e, const struct row *row)
{
	(void) e;
	return row_is_live(row) && address_of(row)->is_elastic;
}

static const void *gather_address(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct old_address *item = arena_new_object(e->c->arena, struct old_address);
	if (!item)
		return NULL;
	*item = (struct old_address){.address = address_of(row)};
	const struct port *port = port_find(t, item->address->port);
	const struct external_network *pool = external_network_find(t, item->address->external_network);
	item->instance = port ? port->instance : UUID_NONE;
	item->pool = pool ? pool->name : STR_NONE;
	return item;
}

static void write_old_address(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct old_address *i = item;
	(void) e;
	os_write_id(w, "id", i->address->row.id);
	os_write_ip(w, "ip", i->address->ip);
	os_write_id(w, "instance_id", i->instance);
	os_write_ip(w, "fixed_ip", i->address->private_ip);
	json_write_text(w, "pool", i->pool);
}

static const struct os_listing old_addresses = {
	.kind = KIND_ADDRESS,
	.items = "floating_ips",
	.shows = is_elastic,
	.gather = gather_address,
	.write = write_old_address,
};

struct os_old_address {
	struct address_target wish;
};
static const struct param old_params[] = {
	OS_PATH(struct os_old_address, "id", wish.address, .kind = KIND_ADDRESS, .doc = "The floating IP."),
};

/* ---- one more ---- */

struct os_take_address {
	struct address_wish wish;
	struct str pool;
};
static const struct param take_params[] = {
	OS_BODY(struct os_take_address, "pool", pool, .flags = NULLABLE, .max = 255,
		.doc = "External network, by name or id; absent: any."),
};

static bool is_usable(struct os_call *e, const struct row *row)
{
	return row_is_live(row) && engine_may_use_external(e->c, os_tables(e), row->id);
}

static RESULT prepare_take(struct os_call *e, void *args)
{
	struct os_take_address *a = args;
	struct ref *ref = &a->wish.external_network;
	const struct tables *t = os_tables(e);
	if (str_is_empty(a->pool))
		return OK;
	(void) os_parse_id(a->pool, KIND_EXTERNAL_NETWORK, ref);
	for (const struct external_network *n = external_network_first(t); n; n = external_network_next(t, n))
		if (is_usable(e, &n->row) && str_equal(n->name, a->pool))
			*ref = (struct ref){.kind = KIND_EXTERNAL_NETWORK,
					    .prefix = n->row.id,
					    .bits = 128,
					    .text = uuid_to_str(e->c->arena, n->row.id)};
	ref->field = STR("pool");
	return ref->kind ? OK
			 : ctx_fail_field(e->c, ERR_NOT_FOUND, STR("pool"), "Floating IP pool not found.");
}

/* ---- pools ---- */

static void write_pool(struct os_call *e, struct json_writer *w, const void *item)
{
	(void) e;
	json_write_text(w, "name", external_network_of(item)->name);
}

static const struct os_listing pools = {
	.kind = KIND_EXTERNAL_NETWORK,
	.items = "floating_ip_pools",
	.flags = OS_ALL_SEE_ALL,
	.shows = is_usable,
	.write = write_pool,
};

#define ALL "/v2.1/os-floating-ips"
#define ARGS OS_PARAMS(struct os_old_address, old_params)
#define BIND(word, policy, rows, run, before, words)                                                         \
	OS_SERVER_ACTION(word, "os-floating-ips:" policy, struct os_bind_address, rows,                      \
			 .until = LAST_ACTION, .prepare = (before), .operation = (run), .doc = (words))
static const struct os_action actions[] = {
	BIND("addFloatingIp", "add", add_params, engine_associate_address_run, prepare_add,
	     "Associates a floating IP with a server."),
	BIND("removeFloatingIp", "remove", remove_params, engine_disassociate_address_run, prepare_remove,
	     "Disassociates a floating IP from a server."),
	{HTTP_GET, ALL, .permit = "os_compute_api:os-floating-ips:list", .until = LAST_PROXY,
	 .list = &old_addresses, .doc = "Lists floating IPs through the deprecated Compute proxy."},
	{HTTP_POST, ALL, .permit = "os_compute_api:os-floating-ips:create", .flags = API_WRITES,
	 .until = LAST_PROXY, .args = OS_PARAMS(struct os_take_address, take_params), .item = "floating_ip",
	 .prepare = prepare_take, .operation = engine_allocate_address_run,
	 OS_SHOWS(old_addresses, struct os_take_address, wish.address), .returns = KIND_ADDRESS,
	 .doc = "Allocates a floating IP."},
	{HTTP_GET, ALL "/{id}", .permit = "os_compute_api:os-floating-ips:show", .until = LAST_PROXY,
	 .args = ARGS, .item = "floating_ip", OS_SHOWS(old_addresses, struct os_old_address, wish.address),
	 .doc = "Shows one floating IP."},
	{HTTP_DELETE, ALL "/{id}", .permit = "os_compute_api:os-floating-ips:delete", .flags = API_WRITES,
	 .until = LAST_PROXY, .status = 202, .args = ARGS,
	 .sets = {API_SETS(struct os_old_address, wish.with_association)},
	 .operation = engine_release_address_run, .doc = "Releases a floating IP."},
	{HTTP_GET, "/v2.1/os-floating-ip-pools", .permit = "os_compute_api:os-floating-ip-pools",
	 .until = LAST_PROXY, .list = &pools,
	 .doc = "Lists the pools of floating IPs, which are the external networks."},
};
const struct os_actions os_compute_address_actions = OS_ACTIONS(OS_COMPUTE, actions);
