/* SPDX-License-Identifier: Apache-2.0
 * Floating IPs, which are EC2's elastic addresses. */
#include "api/openstack/network/network.h"
#include "engine/network/address/address.h"
#include "engine/network/address/port_forwarding.h"
#include "engine/network/port/port.h"
#include "model/address.h"
#include "model/load_balancer.h"
#include "model/secondary_ip.h"
#include "store/port.h"
#include "store/port_forwarding.h"

struct floating_item {
	const struct address *address;
	const struct port *port; /* NULL: not associated */
	uuid router;
	struct str device;
	VEC(const struct port_forwarding *) forwardings;
};

static const void *gather_floating(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct floating_item *item = arena_new_object(e->c->arena, struct floating_item);
	if (!item)
		return NULL;
	*item = (struct floating_item){.address = address_of(row)};
	item->port = uuid_is_none(item->address->port) ? NULL : port_find(t, item->address->port);
	if (item->port)
		item->router = engine_get_router_of_ip(t, item->port, item->address->private_ip);
	else
		item->router = engine_get_forwarding_router(t, row->id);
	const struct port_forwarding *f = port_forwarding_first_by_address(t, row->id);
	for (; f; f = port_forwarding_next_by_address(t, f)) {
		if (!VEC_PUSH(e->c->arena, &item->forwardings, f))
			return NULL;
	}
	return item;
}

static void write_port_details(struct json_writer *w, const struct port *p)
{
	char id[UUID_TEXT_SIZE];
	if (!p) {
		json_write_null(w, "port_details");
		return;
	}
	json_write_open(w, "port_details");
	json_write_text(w, "name", os_name_of(p->name, p->tags));
	os_write_id(w, "network_id", p->network);
	os_write_mac(w, "mac_address", p->mac);
	json_write_bool(w, "admin_state_up", !p->is_down);
	json_write_z(w, "status", p->seen_up ? "ACTIVE" : "DOWN");
	json_write_text(w, "device_id",
			uuid_is_none(p->instance) ? p->device_id : str_from(uuid_write(p->instance, id)));
	json_write_text(w, "device_owner", uuid_is_none(p->instance) ? p->device_owner : STR("compute:nova"));
	json_write_close(w);
}

static void write_forwardings(struct json_writer *w, const struct floating_item *i)
{
	json_write_open_list(w, "port_forwardings");
	for (size_t k = 0; k < i->forwardings.count; k++) {
		json_write_open(w, NULL);
		os_write_forwarded(w, i->forwardings.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_floating(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct floating_item *i = item;
	const struct address *a = i->address;
	os_write_id(w, "id", a->row.id);
	json_write_z(w, "status", i->port || !uuid_is_none(i->router) ? "ACTIVE" : "DOWN");
	os_write_id(w, "floating_network_id", a->external_network);
	os_write_ip(w, "floating_ip_address", a->ip);
	os_write_ip(w, "fixed_ip_address", a->private_ip);
	os_write_id(w, "port_id", a->port);
	os_write_id(w, "router_id", i->router);
	json_write_z(w, "dns_domain", "");
	json_write_z(w, "dns_name", "");
	write_port_details(w, i->port);
	write_forwardings(w, i);
	os_write_standard(e, w, &a->row, a->account, a->description, a->tags);
}

/* Addresses assigned at launch and gateway addresses are not floating IPs. */
static bool is_elastic(struct os_call *e, const struct row *row)
{
	(void) e;
	return row_is_live(row) && address_of(row)->is_elastic;
}

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	bool is_down = uuid_is_none(address_of(row)->port) &&
		       uuid_is_none(engine_get_forwarding_router(os_tables(e), row->id));
	return str_is(value, is_down ? "DOWN" : "ACTIVE");
}

static bool fits_router(struct os_call *e, const struct row *row, struct str value)
{
	const struct address *a = address_of(row);
	const struct port *port = uuid_is_none(a->port) ? NULL : port_find(os_tables(e), a->port);
	uuid router = port ? engine_get_router_of_ip(os_tables(e), port, a->private_ip)
			   : engine_get_forwarding_router(os_tables(e), row->id);
	struct ref ref;
	return os_parse_id(value, KIND_ROUTER, &ref) && uuid_equal(ref.prefix, router);
}

static const struct os_filter floating_filters[] = {
	OS_STANDARD_FILTERS,
	{"description", "description"},
	{"floating_ip_address", "ip"},
	{"fixed_ip_address", "private_ip",
	 .access_paths = {{KIND_PORT, PORT_INDEX_IP, .joins = {JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}},
			  {KIND_SECONDARY_IP, SECONDARY_IP_INDEX_IP,
			   .joins = {JOIN_ONE(KIND_PORT, secondary_ip, port),
				     JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}}}},
	{"floating_network_id", "external_network"},
	{"port_id", "port"},
	{"router_id", .fits = fits_router,
	 .access_paths = {{KIND_PORT, PORT_INDEX_IN_ROUTER,
			   .joins = {JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}},
			  {KIND_SECONDARY_IP, SECONDARY_IP_INDEX_ROUTER,
			   .joins = {JOIN_ONE(KIND_PORT, secondary_ip, port),
				     JOIN_EACH(KIND_ADDRESS, ADDRESS_INDEX_PORT)}},
			  {KIND_PORT_FORWARDING, PORT_FORWARDING_INDEX_ROUTER,
			   .joins = {JOIN_ONE(KIND_ADDRESS, port_forwarding, address)}},
			  {KIND_LOAD_BALANCER, LOAD_BALANCER_INDEX_ROUTER,
			   .joins = {JOIN_ONE(KIND_ADDRESS, load_balancer, address)}}}},
	{"status", .fits = fits_status},
};
static const struct os_sort_key floating_sort_keys[] = {
	{"project_id", "account"}, {"floating_ip_address", "ip"}, {"fixed_ip_address", "private_ip"}};
const struct os_listing os_floating_ips = {
	.kind = KIND_ADDRESS,
	.items = "floatingips",
	.members = OS_STANDARD_MEMBERS "|dns_name|dns_domain",
	.links = "floatingips_links",
	.filters = OS_FILTERS(floating_filters),
	.sort_keys = {floating_sort_keys, sizeof floating_sort_keys / sizeof floating_sort_keys[0]},
	.flags = OS_ADMIN_SEES_ALL,
	.shows = is_elastic,
	.gather = gather_floating,
	.write = write_floating,
};

/* ---- show, delete ---- */

struct os_floating_target {
	struct address_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_floating_target, "floatingip_id", wish.address, .kind = KIND_ADDRESS,
		.doc = "The address."),
};

static RESULT prepare_delete(struct os_call *e, void *args)
{
	(void) e;
	((struct os_floating_target *) args)->wish.with_association = true;
	return OK;
}

/* ---- create ---- */

#define FLOATING_UNBUILT                                                                                     \
	OS_UNBUILT("dns_name", .only = ""), OS_UNBUILT("dns_domain", .only = ""), OS_UNBUILT("qos_policy_id")

struct os_create_floating {
	struct address_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_floating, "floating_network_id", wish.external_network, .flags = REQUIRED,
		.kind = KIND_EXTERNAL_NETWORK, .doc = "The external network that it is from."),
	OS_BODY(struct os_create_floating, "floating_ip_address", wish.ip, .flags = NULLABLE,
		.doc = "Which; absent: any."),
	OS_BODY(struct os_create_floating, "port_id", wish.port, .flags = NULLABLE, .kind = KIND_PORT,
		.doc = "What it stands for."),
	OS_BODY(struct os_create_floating, "fixed_ip_address", wish.private_ip, .flags = NULLABLE,
		.doc = "Which of the port's addresses; absent: its first."),
	OS_BODY(struct os_create_floating, "description", wish.description, .doc = "Free text."),
	OS_BODY(struct os_create_floating, "subnet_id", wish.subnet, .flags = NULLABLE, .kind = KIND_SUBNET,
		.doc = "In which subnet of the external network; absent: any."),
	OS_PROJECT(struct os_create_floating, wish.account),
	FLOATING_UNBUILT,
};

/* Source: Neutron, _check_and_get_fip_assoc(). */
static RESULT check_fixed(struct os_call *e, struct ip fixed, const struct ref *port)
{
	return ip_is_none(fixed) || port->kind != KIND_NONE
		       ? OK
		       : ctx_fail_field(
				 e->c, ERR_COMBINATION, STR("fixed_ip_address"),
				 "Bad floatingip request: fixed_ip_address cannot be specified without "
				 "a port_id.");
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	const struct address_wish *wish = &((const struct os_create_floating *) args)->wish;
	TRY(check_fixed(e, wish->private_ip, &wish->port));
	return os_check_external(e, &((const struct os_create_floating *) args)->wish.external_network);
}

/* ---- change ---- */

struct os_update_floating {
	struct address_change wish;
	struct str description;
	bool has_description;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_floating, "floatingip_id", wish.address, .kind = KIND_ADDRESS,
		.doc = "The address."),
	OS_BODY(struct os_update_floating, "port_id", wish.port, .flags = NULLABLE, .kind = KIND_PORT,
		.given = OS_GIVEN(struct os_update_floating, wish.sets_port),
		.doc = "What it stands for; null: nothing."),
	OS_BODY(struct os_update_floating, "fixed_ip_address", wish.private_ip, .flags = NULLABLE,
		.doc = "Which of the port's addresses; absent: its first."),
	OS_BODY(struct os_update_floating, "description", description,
		.given = OS_GIVEN(struct os_update_floating, has_description), .doc = "Free text."),
	FLOATING_UNBUILT,
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_floating *a = args;
	a->wish.description = a->has_description ? &a->description : NULL;
	if (json_object_size(e->request.body) == 0) /* Neutron disassociates the address on an empty body */
		a->wish.sets_port = true;
	return check_fixed(e, a->wish.private_ip, &a->wish.port);
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/floatingips", .permit = "get_floatingip", .list = &os_floating_ips,
	 .doc = "Floating addresses."},
	{HTTP_POST, "/v2.0/floatingips", .permit = "create_floatingip", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_floating, create_params), .wrap = "floatingip",
	 .item = "floatingip", .prepare = prepare_create, .operation = engine_allocate_address_run,
	 OS_SHOWS(os_floating_ips, struct os_create_floating, wish.address), .returns = KIND_ADDRESS,
	 .doc = "Takes a floating address, and binds it."},
	{HTTP_GET, "/v2.0/floatingips/{floatingip_id}", .permit = "get_floatingip",
	 .args = OS_PARAMS(struct os_floating_target, target_params), .item = "floatingip",
	 OS_SHOWS(os_floating_ips, struct os_floating_target, wish.address), .doc = "One floating address."},
	{HTTP_PUT, "/v2.0/floatingips/{floatingip_id}", .permit = "update_floatingip", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_floating, update_params), .wrap = "floatingip",
	 .item = "floatingip", .prepare = prepare_update, .operation = engine_change_address_run,
	 OS_SHOWS(os_floating_ips, struct os_update_floating, wish.address), .returns = KIND_ADDRESS,
	 .doc = "Binds a floating address, or frees it."},
	{HTTP_DELETE, "/v2.0/floatingips/{floatingip_id}", .permit = "delete_floatingip", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_floating_target, target_params),
	 .prepare = prepare_delete, .operation = engine_release_address_run,
	 .doc = "Gives a floating address back."},
};
const struct os_actions os_floating_ip_actions = OS_ACTIONS(OS_NETWORK, actions);
