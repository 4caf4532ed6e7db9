/* SPDX-License-Identifier: Apache-2.0
 * Networks: the caller's own, those shared with the caller, and external networks that the caller may use as
 * a gateway. */
#include "api/openstack/compute/servers.h"
#include "api/openstack/network/network.h"
#include "engine/network/network.h"
#include "engine/network/network_grant.h"
#include "store/external_network.h"
#include "store/network.h"
#include "store/network_grant.h"
#include "store/subnet.h"

struct os_network_item {
	const struct network *network;
	const struct external_network *external; /* NULL: not external */
	struct str name;
	bool is_shared;
	VEC(uuid) subnets;
};

/* Adds external networks that the caller may use. Administrators already see them as rows of all accounts. */
static RESULT add_externals(struct os_call *e, struct os_added *ret_rows)
{
	const struct tables *t = os_tables(e);
	for (const struct external_network *x = external_network_first(t); x && !os_is_admin(e);
	     x = external_network_next(t, x)) {
		const struct network *n = network_find(t, x->row.id);
		if (n && row_is_live(&n->row) && !uuid_equal(n->account, e->c->who->account) &&
		    engine_may_use_external(e->c, t, n->row.id) && os_wants(ret_rows, n->row.id) &&
		    !VEC_PUSH(e->c->arena, &ret_rows->rows, &n->row))
			return ctx_no_memory(e->c);
	}
	return OK;
}

/* Adds networks of other accounts that are shared with the caller. Administrators already see them. */
static RESULT add_granted(struct os_call *e, struct os_added *ret_rows)
{
	struct rows networks = {0};
	if (os_is_admin(e))
		return OK;
	TRY(engine_list_granted_networks(e->c, os_tables(e), &networks));
	for (size_t k = 0; k < networks.count; k++)
		if (!VEC_PUSH(e->c->arena, &ret_rows->rows, networks.at[k]))
			return ctx_no_memory(e->c);
	return OK;
}

RESULT os_add_other_subnets(struct os_call *e, struct os_added *ret_rows)
{
	const struct tables *t = os_tables(e);
	struct os_added networks = {0};
	TRY(add_granted(e, &networks));
	for (size_t k = 0; k < networks.rows.count; k++)
		for (const struct subnet *s = subnet_first_by_network(t, networks.rows.at[k]->id); s;
		     s = subnet_next_by_network(t, s))
			if (row_is_live(&s->row) && !VEC_PUSH(e->c->arena, &ret_rows->rows, &s->row))
				return ctx_no_memory(e->c);
	return OK;
}

static RESULT add_others(struct os_call *e, struct os_added *ret_rows)
{
	TRY(add_externals(e, ret_rows));
	return add_granted(e, ret_rows);
}

static const void *gather_network(struct os_call *e, const struct row *row)
{
	const struct tables *t = os_tables(e);
	struct os_network_item *item = arena_new_object(e->c->arena, struct os_network_item);
	if (!item)
		return NULL;
	*item = (struct os_network_item){.network = network_of(row),
					 .external = external_network_find(t, row->id)};
	item->is_shared = engine_is_network_granted(t, row->id, e->c->who->account);
	item->name = item->external ? item->network->name : os_network_label(e, row->id);
	for (const struct subnet *s = subnet_first_by_network(t, row->id); s;
	     s = subnet_next_by_network(t, s))
		if (row_is_live(&s->row) && !VEC_PUSH(e->c->arena, &item->subnets, s->row.id))
			return NULL;
	return item;
}

/* Networks without a physical network use tunnels. */
static const char *type_of(const struct external_network *x)
{
	return !x || !x->physical_network.n ? "geneve" : x->vlan ? "vlan" : "flat";
}

static void write_provider(struct os_call *e, struct json_writer *w, const struct os_network_item *i)
{
	if (!os_is_admin(e))
		return;
	json_write_z(w, "provider:network_type", type_of(i->external));
	json_write_text_or_null(w, "provider:physical_network",
				i->external ? i->external->physical_network : STR_NONE);
	if (i->external && i->external->vlan)
		json_write_int(w, "provider:segmentation_id", i->external->vlan);
	else
		json_write_null(w, "provider:segmentation_id");
}

static void write_network(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct os_network_item *i = item;
	const struct network *n = i->network;
	os_write_id(w, "id", n->row.id);
	json_write_text(w, "name", i->name);
	json_write_z(w, "status", "ACTIVE");
	json_write_bool(w, "admin_state_up", !n->is_down);
	json_write_int(w, "mtu", n->mtu);
	json_write_bool(w, "shared", i->is_shared);
	json_write_bool(w, "router:external", i->external != NULL);
	if (i->external)
		json_write_bool(w, "is_default", i->external->is_default);
	json_write_open_list(w, "subnets");
	for (size_t k = 0; k < i->subnets.count; k++)
		os_write_id(w, NULL, i->subnets.at[k]);
	json_write_close_list(w);
	json_write_open_list(w, "availability_zone_hints");
	json_write_close_list(w);
	json_write_open_list(w, "availability_zones");
	json_write_close_list(w);
	json_write_null(w, "ipv4_address_scope");
	json_write_null(w, "ipv6_address_scope");
	json_write_bool(w, "port_security_enabled", !n->is_open);
	write_provider(e, w, i);
	os_write_standard(e, w, &n->row, n->account, n->description, n->tags);
}

static struct str name_of(struct os_call *e, const struct row *row)
{
	const struct network *n = network_of(row);
	return external_network_find(os_tables(e), row->id) ? n->name : os_network_label(e, row->id);
}

static bool fits_name(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal(name_of(e, row), value);
}

static bool fits_external(struct os_call *e, const struct row *row, struct str value)
{
	return os_truth_is(external_network_find(os_tables(e), row->id) != NULL, value);
}

static bool fits_up(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	return os_truth_is(!network_of(row)->is_down, value);
}

static bool fits_shared(struct os_call *e, const struct row *row, struct str value)
{
	bool is_shared = engine_is_network_granted(os_tables(e), row->id, e->c->who->account);
	return os_truth_is(is_shared, value);
}

static bool fits_status(struct os_call *e, const struct row *row, struct str value)
{
	(void) e;
	(void) row;
	return str_is(value, "ACTIVE");
}

/* Matches external networks only. */
static bool fits_default(struct os_call *e, const struct row *row, struct str value)
{
	const struct external_network *x = external_network_find(os_tables(e), row->id);
	return x && os_truth_is(x->is_default, value);
}

static bool fits_type(struct os_call *e, const struct row *row, struct str value)
{
	const struct external_network *x = external_network_find(os_tables(e), row->id);
	return os_is_admin(e) && str_is(value, type_of(x));
}

static bool fits_physical(struct os_call *e, const struct row *row, struct str value)
{
	const struct external_network *x = external_network_find(os_tables(e), row->id);
	return os_is_admin(e) && x && str_equal(value, x->physical_network);
}

static bool fits_segment(struct os_call *e, const struct row *row, struct str value)
{
	const struct external_network *x = external_network_find(os_tables(e), row->id);
	int64_t vlan = 0;
	return os_is_admin(e) && x && x->vlan && !str_parse_int(value, &vlan).code && vlan == x->vlan;
}

static const struct os_namer namer = {KIND_SUBNET, JOIN_ONE(KIND_NETWORK, subnet, network)};
static const struct os_filter network_filters[] = {
	OS_STANDARD_FILTERS,
	{"name", .is_name = true, .namer = &namer, .fits = fits_name},
	{"description", "description"},
	{"admin_state_up", .is_truth = true, .fits = fits_up},
	{"status", .fits = fits_status},
	{"shared", .is_truth = true, .fits = fits_shared},
	{"router:external", .is_truth = true, .fits = fits_external},
	{"is_default", .is_truth = true, .fits = fits_default},
	{"mtu", "mtu"},
	{"provider:network_type", .fits = fits_type},
	{"provider:physical_network", .fits = fits_physical},
	{"provider:segmentation_id", .fits = fits_segment},
};
static const struct os_sort_key network_sort_keys[] = {
	{"name", .text = name_of}, OS_PROJECT_SORT, {"mtu", "mtu"}, {"description", "description"}};
const struct os_listing os_networks = {
	.kind = KIND_NETWORK,
	.items = "networks",
	.members = OS_STANDARD_MEMBERS "|port_security_enabled|ipv4_address_scope|ipv6_address_scope",
	.links = "networks_links",
	.filters = OS_FILTERS(network_filters),
	.sort_keys = {network_sort_keys, sizeof network_sort_keys / sizeof network_sort_keys[0]},
	.flags = OS_ADMIN_SEES_ALL,
	.add = add_others,
	.gather = gather_network,
	.write = write_network,
};

/* ---- show ---- */

struct os_network_target {
	struct network_target wish;
};
static const struct param target_params[] = {
	OS_PATH(struct os_network_target, "network_id", wish.network, .kind = KIND_NETWORK,
		.doc = "The network."),
};

/* ---- create, change ---- */

#define SECURITY_DOC                                                                                         \
	"Whether new ports in it are filtered and held to their addresses, unless they say otherwise."
#define NETWORK_UNBUILT                                                                                      \
	OS_UNBUILT("availability_zone_hints", .only = "[]"), OS_UNBUILT("qos_policy_id"),                    \
		OS_UNBUILT("segments"), OS_UNBUILT("vlan_transparent", .only = "false"),                     \
		OS_UNBUILT("dns_domain", .only = "")
#define EXTERNAL_DOC "Whether routers lead out there, and floating addresses are from it; for administrators."

struct os_create_network {
	struct network_wish wish;
	enum choice up, shared, security, external, is_default;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_network, "name", wish.name, .doc = "Need not be unique."),
	OS_BODY(struct os_create_network, "description", wish.description, .doc = "Free text."),
	OS_BODY(struct os_create_network, "admin_state_up", up, .doc = "Whether its ports are bound."),
	OS_BODY(struct os_create_network, "port_security_enabled", security, .doc = SECURITY_DOC),
	OS_BODY(struct os_create_network, "mtu", wish.mtu, .min = NETWORK_MTU_MIN, .max = EXTERNAL_MTU,
		.doc = "Of the guests' side."),
	OS_BODY(struct os_create_network, "shared", shared, .doc = "With all projects; for administrators."),
	OS_BODY(struct os_create_network, "router:external", external, .doc = EXTERNAL_DOC),
	OS_BODY(struct os_create_network, "is_default", is_default,
		.doc = "Of an external network: what is allocated for projects leads there."),
	OS_BODY(struct os_create_network, "provider:network_type", wish.provider.type, .flags = NULLABLE,
		.doc = "Of an external network: flat or vlan; absent or geneve: in tunnels."),
	OS_BODY(struct os_create_network, "provider:physical_network", wish.provider.physical_network,
		.flags = NULLABLE, .doc = "Where that lies: a key of the hosts' bridge mappings."),
	OS_BODY(struct os_create_network, "provider:segmentation_id", wish.provider.segment,
		.flags = NULLABLE, .doc = "Of a VLAN, its number."),
	OS_PROJECT(struct os_create_network, wish.account),
	NETWORK_UNBUILT,
};

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_create_network *a = args;
	(void) e;
	a->wish.is_down = a->up == CHOICE_NO;
	a->wish.is_open = a->security == CHOICE_NO;
	a->wish.is_shared = a->shared == CHOICE_YES;
	a->wish.is_external = a->external == CHOICE_YES;
	a->wish.is_default = a->is_default == CHOICE_YES;
	return OK;
}

struct os_update_network {
	struct network_settings wish;
	struct str name, description;
	bool has_name, has_description;
	enum choice up, security;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_network, "network_id", wish.network, .kind = KIND_NETWORK,
		.doc = "The network."),
	OS_BODY(struct os_update_network, "name", name, .given = OS_GIVEN(struct os_update_network, has_name),
		.doc = "Need not be unique."),
	OS_BODY(struct os_update_network, "description", description,
		.given = OS_GIVEN(struct os_update_network, has_description), .doc = "Free text."),
	OS_BODY(struct os_update_network, "admin_state_up", up, .doc = "Whether its ports are bound."),
	OS_BODY(struct os_update_network, "port_security_enabled", security, .doc = SECURITY_DOC),
	OS_BODY(struct os_update_network, "shared", wish.is_shared,
		.doc = "With all projects; for administrators."),
	OS_BODY(struct os_update_network, "is_default", wish.is_default,
		.doc = "Of an external network: what is allocated for projects leads there."),
	OS_BODY(struct os_update_network, "mtu", wish.mtu, .min = NETWORK_MTU_MIN, .max = EXTERNAL_MTU,
		.doc = "Of the guests' side."),
	OS_BODY(struct os_update_network, "router:external", wish.is_external, .doc = EXTERNAL_DOC),
	OS_UNBUILT("provider:network_type"),
	OS_UNBUILT("provider:physical_network"),
	OS_UNBUILT("provider:segmentation_id"),
	NETWORK_UNBUILT,
};

static RESULT prepare_update(struct os_call *e, void *args)
{
	struct os_update_network *a = args;
	(void) e;
	a->wish.name = a->has_name ? &a->name : NULL;
	a->wish.description = a->has_description ? &a->description : NULL;
	a->wish.is_down = os_choice_not(a->up);
	a->wish.is_open = os_choice_not(a->security);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/networks", .permit = "get_network", .list = &os_networks, .doc = "Networks."},
	{HTTP_POST, "/v2.0/networks", .permit = "create_network", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_network, create_params), .wrap = "network",
	 .item = "network", .prepare = prepare_create, .operation = engine_create_network_run,
	 OS_SHOWS(os_networks, struct os_create_network, wish.network), .returns = KIND_NETWORK,
	 .doc = "Makes a network."},
	{HTTP_GET, "/v2.0/networks/{network_id}", .permit = "get_network",
	 .args = OS_PARAMS(struct os_network_target, target_params), .item = "network",
	 OS_SHOWS(os_networks, struct os_network_target, wish.network), .doc = "One network."},
	{HTTP_PUT, "/v2.0/networks/{network_id}", .permit = "update_network", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_network, update_params), .wrap = "network", .item = "network",
	 .prepare = prepare_update, .operation = engine_update_network_run,
	 OS_SHOWS(os_networks, struct os_update_network, wish.network), .returns = KIND_NETWORK,
	 .doc = "Changes a network."},
	{HTTP_DELETE, "/v2.0/networks/{network_id}", .permit = "delete_network", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_network_target, target_params),
	 .operation = engine_delete_network_run, .doc = "Deletes a network with its subnets."},
};
const struct os_actions os_network_actions = OS_ACTIONS(OS_NETWORK, actions);
