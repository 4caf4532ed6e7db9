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
#include "store/subnet_pool.h"

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

/* Networks without a physical network use tunnels. */
static const char *type_of(const struct external_network *x)
{
	return !x || !x->physical_network.n ? "geneve" : x->vlan ? "vlan" : "flat";
}

static struct str name_of(struct os_call *e, const struct row *row)
{
	const struct network *n = network_of(row);
	return external_network_find(os_tables(e), row->id) ? n->name : os_network_label(e, row->id);
}

static struct strs list_subnets(struct api_call *e, const struct row *row)
{
	const struct tables *t = api_tables(e);
	VEC(uuid) ids = {0};
	for (const struct subnet *s = subnet_first_by_network(t, row->id); s;
	     s = subnet_next_by_network(t, s))
		if (row_is_live(&s->row))
			(void) VEC_PUSH(e->c->arena, &ids, s->row.id);
	return os_list_ids(e->c->arena, (struct uuids){ids.at, ids.count});
}

/* The scope of the pool that a subnet of the family came from. All such subnets have the same. */
static uuid find_scope(struct api_call *e, uuid network, enum ip_family family)
{
	const struct tables *t = api_tables(e);
	for (const struct subnet *s = subnet_first_by_network(t, network); s;
	     s = subnet_next_by_network(t, s)) {
		const struct subnet_pool *pool = row_is_live(&s->row) && s->block.base.family == family &&
								 !uuid_is_none(s->subnet_pool)
							 ? subnet_pool_find(t, s->subnet_pool)
							 : NULL;
		if (pool)
			return pool->scope;
	}
	return UUID_NONE;
}

#define GETTER(returned, function, expression) ATTRIBUTE_GETTER(network, n, returned, function, expression)
GETTER(struct str, get_name, name_of(os_call_of(e), &n->row))
GETTER(bool, is_shared, engine_is_network_granted(api_tables(e), n->row.id, e->c->who->account))
GETTER(uuid, get_scope, find_scope(e, n->row.id, IP_V4))
GETTER(uuid, get_ipv6_scope, find_scope(e, n->row.id, IP_V6))
GETTER(bool, is_external, external_network_find(api_tables(e), n->row.id) != NULL)
GETTER(const char *, get_type, type_of(external_network_find(api_tables(e), n->row.id)))
#undef GETTER

#define EXTERNAL(wire, field, ...)                                                                           \
	ATTRIBUTE_OF(network, row.id, KIND_EXTERNAL_NETWORK, external_network, wire, field,                  \
		     .filter = (wire), __VA_ARGS__)
static const struct attribute network_rows[] = {
	ATTRIBUTE(network, "id", row.id, .filter = "id"),
	ATTRIBUTE_MADE(TEXT, text, "name", get_name, .sort = "name"),
	OS_FIXED("status", "\"ACTIVE\""),
	OS_UP(network, is_down),
	OS_FIELD(network, "mtu", mtu),
	ATTRIBUTE_MADE(BOOL, truth, "shared", is_shared, .filter = "shared"),
	ATTRIBUTE_MADE(BOOL, truth, "router:external", is_external, .filter = "router:external"),
	EXTERNAL("is_default", is_default, .flags = ATTRIBUTE_OMIT_NONE),
	ATTRIBUTE_MADE(TEXTS, texts, "subnets", list_subnets),
	ATTRIBUTE_CONST("availability_zone_hints", "[]"),
	ATTRIBUTE_CONST("availability_zones", "[]"),
	ATTRIBUTE_MADE(ID, id, "ipv4_address_scope", get_scope),
	ATTRIBUTE_MADE(ID, id, "ipv6_address_scope", get_ipv6_scope),
	ATTRIBUTE(network, "port_security_enabled", is_open, .flags = ATTRIBUTE_NOT,
		  .filter = "port_security_enabled"),
	ATTRIBUTE(network, "qos_policy_id", qos_policy),
	ATTRIBUTE_MADE(WORD, word, "provider:network_type", get_type, .flags = ATTRIBUTE_ADMIN,
		       .filter = "provider:network_type"),
	EXTERNAL("provider:physical_network", physical_network,
		 .flags = ATTRIBUTE_ADMIN | ATTRIBUTE_NULL_NONE),
	EXTERNAL("provider:segmentation_id", vlan, .flags = ATTRIBUTE_ADMIN | ATTRIBUTE_NULL_NONE),
	OS_STANDARD_ROWS(network),
};
#undef EXTERNAL
static const struct attributes network_members = ATTRIBUTES(network_rows);

static bool fits_name(struct os_call *e, const struct row *row, struct str value)
{
	return str_equal(name_of(e, row), value);
}

static const struct os_namer namer = {KIND_SUBNET, JOIN_ONE(KIND_NETWORK, subnet, network)};
static const struct os_filter network_filters[] = {
	OS_TAG_FILTERS, {"name", .is_name = true, .namer = &namer, .fits = fits_name}};
const struct os_listing os_networks = {
	.kind = KIND_NETWORK,
	.items = "networks",
	.links = "networks_links",
	.filters = OS_FILTERS(network_filters),
	.flags = OS_ADMIN_SEES_ALL,
	.add = add_others,
	.attributes = &network_members,
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

#define SECURITY_DOC "Whether security groups and anti-spoofing apply to new ports by default."
#define NETWORK_UNBUILT                                                                                      \
	OS_UNBUILT("availability_zone_hints", .only = "[]"), OS_UNBUILT("segments"),                         \
		OS_UNBUILT("vlan_transparent", .only = "false"), OS_UNBUILT("dns_domain", .only = "")
#define QOS_POLICY(T, absent)                                                                                \
	OS_BODY(T, "qos_policy_id", wish.qos.policy, .flags = NULLABLE, .kind = KIND_QOS_POLICY,             \
		.given = OS_GIVEN(T, wish.qos.is_given),                                                     \
		.doc = "QoS policy of ports without one of their own; null: none; absent: " absent ".")
#define EXTERNAL_DOC                                                                                         \
	"Whether the network is external, for router gateways and floating IPs; for administrators."

struct os_create_network {
	struct network_wish wish;
};
static const struct param create_params[] = {
	OS_BODY(struct os_create_network, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_create_network, "description", wish.description, .doc = "Description: free text."),
	OS_BODY(struct os_create_network, "admin_state_up", wish.is_down, .flags = OPPOSITE,
		.doc = "Whether the ports of the network are enabled."),
	OS_BODY(struct os_create_network, "port_security_enabled", wish.is_open, .flags = OPPOSITE,
		.doc = SECURITY_DOC),
	OS_BODY(struct os_create_network, "mtu", wish.mtu, .min = NETWORK_MTU_MIN, .max = EXTERNAL_MTU,
		.doc = "MTU of guests' packets, in bytes."),
	OS_BODY(struct os_create_network, "shared", wish.is_shared,
		.doc = "Whether all projects share the network; for administrators."),
	OS_BODY(struct os_create_network, "router:external", wish.is_external, .doc = EXTERNAL_DOC),
	OS_BODY(struct os_create_network, "is_default", wish.is_default,
		.doc = "Whether auto-allocated topologies use this external network."),
	OS_BODY(struct os_create_network, "provider:network_type", wish.provider.type, .flags = NULLABLE,
		.doc = "Type of an external network: flat or vlan. geneve or absent: a tunnelled network."),
	OS_BODY(struct os_create_network, "provider:physical_network", wish.provider.physical_network,
		.flags = NULLABLE, .doc = "Physical network: a key of the hosts' bridge mappings."),
	OS_BODY(struct os_create_network, "provider:segmentation_id", wish.provider.segment,
		.flags = NULLABLE, .doc = "VLAN id."),
	QOS_POLICY(struct os_create_network, "the project's default"),
	OS_PROJECT(struct os_create_network, wish.account),
	NETWORK_UNBUILT,
};

struct os_update_network {
	struct network_settings wish;
};
static const struct param update_params[] = {
	OS_PATH(struct os_update_network, "network_id", wish.network, .kind = KIND_NETWORK,
		.doc = "The network."),
	OS_BODY(struct os_update_network, "name", wish.name, .doc = "Name; need not be unique."),
	OS_BODY(struct os_update_network, "description", wish.description, .doc = "Description: free text."),
	OS_BODY(struct os_update_network, "admin_state_up", wish.is_down, .flags = OPPOSITE,
		.doc = "Whether the ports of the network are enabled."),
	OS_BODY(struct os_update_network, "port_security_enabled", wish.is_open, .flags = OPPOSITE,
		.doc = SECURITY_DOC),
	OS_BODY(struct os_update_network, "shared", wish.is_shared,
		.doc = "Whether all projects share the network; for administrators."),
	OS_BODY(struct os_update_network, "is_default", wish.is_default,
		.doc = "Whether auto-allocated topologies use this external network."),
	OS_BODY(struct os_update_network, "mtu", wish.mtu, .min = NETWORK_MTU_MIN, .max = EXTERNAL_MTU,
		.doc = "MTU of guests' packets, in bytes."),
	OS_BODY(struct os_update_network, "router:external", wish.is_external, .doc = EXTERNAL_DOC),
	QOS_POLICY(struct os_update_network, "unchanged"),
	OS_UNBUILT("provider:network_type"),
	OS_UNBUILT("provider:physical_network"),
	OS_UNBUILT("provider:segmentation_id"),
	NETWORK_UNBUILT,
};

static const struct os_action actions[] = {
	{HTTP_GET, "/v2.0/networks", .permit = "get_network", .list = &os_networks, .doc = "Lists networks."},
	{HTTP_POST, "/v2.0/networks", .permit = "create_network", .flags = API_WRITES | OS_BULK,
	 .status = 201, .args = OS_PARAMS(struct os_create_network, create_params), .wrap = "network",
	 .item = "network", .operation = engine_create_network_run,
	 OS_SHOWS(os_networks, struct os_create_network, wish.network), .returns = KIND_NETWORK,
	 .doc = "Creates a network."},
	{HTTP_GET, "/v2.0/networks/{network_id}", .permit = "get_network",
	 .args = OS_PARAMS(struct os_network_target, target_params), .item = "network",
	 OS_SHOWS(os_networks, struct os_network_target, wish.network), .doc = "Shows one network."},
	{HTTP_PUT, "/v2.0/networks/{network_id}", .permit = "update_network", .flags = API_WRITES,
	 .args = OS_PARAMS(struct os_update_network, update_params), .wrap = "network", .item = "network",
	 .operation = engine_update_network_run,
	 OS_SHOWS(os_networks, struct os_update_network, wish.network), .returns = KIND_NETWORK,
	 .doc = "Changes a network."},
	{HTTP_DELETE, "/v2.0/networks/{network_id}", .permit = "delete_network", .flags = API_WRITES,
	 .status = 204, .args = OS_PARAMS(struct os_network_target, target_params),
	 .operation = engine_delete_network_run, .doc = "Deletes a network with its subnets."},
};
const struct os_actions os_network_actions = OS_ACTIONS(OS_NETWORK, actions);
