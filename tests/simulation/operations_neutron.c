/* SPDX-License-Identifier: Apache-2.0
 * Neutron's networks with subnets; routers, their interfaces and gateways; ports and floating addresses. EC2
 * shows the subnets on routers. */
#include <stdio.h>

#include "simulation.h"

static void add_uuid(struct request *x, const char *name, uuid id)
{
	char text[UUID_TEXT_SIZE];
	request_add(x, name, "\"%s\"", uuid_write(id, text));
}

/* ---- networks and subnets ---- */

static bool draw_network(struct request *x)
{
	request_add(x, "name", "\"n%d\"", (int) x->serial);
	return true;
}

static void apply_network(struct request *x, struct str answer)
{
	(void) model_add(&x->s->model, KIND_NETWORK, x->account, NULL, answer_at(answer, "network/id"));
}

/* Its subnets are deleted with it and do not prevent that. */
static void judge_delete_network(const struct request *x, struct verdict *v)
{
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->network == x->refs[0] && t->of && !model_is_of_blocks(t))
			refuse(v, "409 SubnetInUse");
	EACH (&x->s->model, t, KIND_PORT)
		if (model_subnet(t)->network == x->refs[0])
			refuse_or_doubt(v, !model_may_have_ended(t), "409 NetworkInUse");
}

static void apply_delete_network(struct request *x, struct str answer)
{
	(void) answer;
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->network == x->refs[0])
			model_end(&x->s->model, t, GONE);
	model_end(&x->s->model, x->refs[0], GONE);
}

/* A few blocks, so that they collide; some of them within EC2's. */
static bool draw_subnet(struct request *x)
{
	static const uint32_t bases[] = {0xC0A80000, 0xC0A80100, 0x0A000500, 0xAC1F6400};
	char text[CIDR_TEXT_SIZE];
	x->block = (struct cidr){ip_from_v4(bases[random_below(4)]), 24};
	request_add(x, "ip_version", "4");
	request_add(x, "cidr", "\"%s\"", cidr_write(x->block, text));
	return true;
}

static void judge_subnet(const struct request *x, struct verdict *v)
{
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->network == x->refs[0] && cidr_overlaps(t->block, x->block)) {
			refuse(v, "400 InvalidInput");
			return;
		}
}

static void apply_subnet(struct request *x, struct str answer)
{
	model_add_subnet(&x->s->model, x->account, NULL, x->refs[0], answer_at(answer, "subnet/id"))->block =
		x->block;
}

/* IPv6 subnets have automatic addresses. They are created beside an IPv4 subnet, so that no interface has
 * IPv6 only. */
static bool draw_ipv6_subnet(struct request *x)
{
	char text[CIDR_TEXT_SIZE];
	const struct thing *four = NULL;
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->network == x->refs[0] && t->block.base.family == IP_V4)
			four = t;
	if (!four || !server_is_alone(x, four))
		return false;
	x->block = (struct cidr){{{0xfd}, IP_V6}, 64};
	request_add(x, "ip_version", "6");
	request_add(x, "cidr", "\"%s\"", cidr_write(x->block, text));
	request_add(x, "ipv6_ra_mode", "\"slaac\"");
	request_add(x, "ipv6_address_mode", "\"slaac\"");
	return true;
}

/* ---- routers ---- */

static bool draw_router(struct request *x)
{
	request_add(x, "name", "\"r%d\"", (int) x->serial);
	x->flag = random_below(2) == 0;
	if (x->flag) {
		char id[UUID_TEXT_SIZE];
		request_add(x, "external_gateway_info", "{\"network_id\": \"%s\"}",
			    uuid_write(x->s->region.cloud->external_network, id));
	}
	return true;
}

static void judge_router(const struct request *x, struct verdict *v)
{
	size_t used = 0;
	EACH (&x->s->model, t, KIND_ROUTER)
		used += t->account == x->account;
	if (used >= LIMIT_ROUTERS)
		refuse(v, "409 OverQuota");
}

/* Adds the default route of each family, unless there is one. */
void neutron_set_gateway(struct request *x, struct thing *router)
{
	struct model *m = &x->s->model;
	struct thing *gateway = model_gateway(m, router), *table = NULL;
	const struct cidr all[] = {{ip_from_v4(0), 0}, {{.family = IP_V6}, 0}};
	if (!gateway)
		gateway = model_add(m, KIND_GATEWAY, router->account, NULL, STR_NONE);
	gateway->to = router;
	gateway->has_address = true;
	EACH (m, t, KIND_ROUTE_TABLE)
		if (t->of == router && t->is_default)
			table = t;
	for (size_t k = 0; k < 2; k++) {
		if (model_route(m, table, all[k]))
			continue;
		struct thing *route = model_add(m, KIND_ROUTE, router->account, table, STR_NONE);
		route->block = all[k];
		route->to = gateway;
	}
}

/* Neutron's gateway is deleted, EC2's detached; the routes to it are removed. */
void neutron_clear_gateway(struct request *x, struct thing *router)
{
	struct model *m = &x->s->model;
	struct thing *gateway = model_gateway(m, router);
	if (!gateway)
		return;
	EACH (m, t, KIND_ROUTE)
		if (t->to == gateway)
			model_end(m, t, GONE);
	gateway->to = NULL;
	if (gateway->has_address)
		model_end(m, gateway, GONE);
}

static void apply_router(struct request *x, struct str answer)
{
	struct thing *router = model_add_router(&x->s->model, x->account, answer_at(answer, "router/id"));
	if (x->flag)
		neutron_set_gateway(x, router);
}

static bool draw_gateway(struct request *x)
{
	char id[UUID_TEXT_SIZE];
	x->flag = random_below(2) == 0;
	if (x->flag)
		request_add(x, "external_gateway_info", "{\"network_id\": \"%s\"}",
			    uuid_write(x->s->region.cloud->external_network, id));
	else
		request_add(x, "external_gateway_info", "null");
	return true;
}

/* Public addresses need the gateway: floating ones, and those that EC2 gives on launch. */
static void judge_mapped(const struct request *x, const struct thing *router, struct verdict *v,
			 const char *code)
{
	EACH (&x->s->model, t, KIND_ADDRESS)
		if (t->to && model_subnet(t->to)->of == router)
			refuse_or_doubt(v, !model_may_have_ended(t->to), code);
	EACH (&x->s->model, t, KIND_INSTANCE)
		if (model_vpc(t) == router && t->is_public)
			doubt(v, code);
}

static void judge_gateway(const struct request *x, struct verdict *v)
{
	if (!x->flag && model_gateway(&x->s->model, x->refs[0]))
		judge_mapped(x, x->refs[0], v, "409 RouterExternalGatewayInUseByFloatingIp");
}

static void apply_gateway(struct request *x, struct str answer)
{
	(void) answer;
	if (x->flag)
		neutron_set_gateway(x, x->refs[0]);
	else
		neutron_clear_gateway(x, x->refs[0]);
}

/* The gateway is deleted with the router. Other parts prevent the deletion. */
static void judge_delete_router(const struct request *x, struct verdict *v)
{
	struct model *m = &x->s->model;
	const struct thing *router = x->refs[0];
	bool is_used = model_part(m, KIND_SUBNET, router) || model_part(m, KIND_EGRESS_GATEWAY, router) ||
		       model_holds_peering(m, router) || model_has_associations(m, router);
	EACH (m, t, KIND_SECURITY_GROUP)
		is_used = is_used || (t->of == router && !t->is_default);
	EACH (m, t, KIND_ROUTE_TABLE)
		is_used = is_used || (t->of == router && !t->is_default);
	EACH (m, t, KIND_NETWORK_ACL)
		is_used = is_used || (t->of == router && !t->is_default);
	if (is_used)
		refuse(v, "409 RouterInUse");
}

static void apply_delete_router(struct request *x, struct str answer)
{
	(void) answer;
	neutron_clear_gateway(x, x->refs[0]);
	model_end(&x->s->model, x->refs[0], GONE);
}

/* ---- interfaces ---- */

static void judge_add_interface(const struct request *x, struct verdict *v)
{
	const struct thing *router = x->refs[0], *subnet = x->refs[1];
	if (subnet->of == router)
		refuse(v, "400 BadRequest");
	else if (subnet->of)
		refuse(v, "409 PortInUse");
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t != subnet && t->of == router && cidr_overlaps(t->block, subnet->block)) {
			refuse(v, "400 InvalidInput");
			return;
		}
}

/* IPv6 subnets on its network get the network ACL of an IPv4 subnet beside them, or a new association. */
static void forget_lists_beside(struct model *m, const struct thing *subnet)
{
	EACH (m, t, KIND_SUBNET)
		if (t != subnet && t->network == subnet->network && t->block.base.family == IP_V6 &&
		    subnet->block.base.family == IP_V4) {
			t->acl = NULL;
			t->acl_association[0] = '\0';
		}
}

static void apply_add_interface(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[1]->of = x->refs[0];
	forget_lists_beside(&x->s->model, x->refs[1]);
	if (x->refs[1]->block.base.family == IP_V6)
		model_let_ipv6_through(&x->s->model, x->refs[0]);
}

/* Mostly with the right router. */
static bool draw_remove_interface(struct request *x)
{
	struct thing *subnet = request_ref(x, "subnet_id", KIND_SUBNET);
	if (subnet && subnet->of && subnet->of->life != GONE && random_below(8))
		request_name(x, "router_id", subnet->of);
	return subnet && (x->ref_count == 2 || request_ref(x, "router_id", KIND_ROUTER));
}

static bool leads_into(const struct thing *route, const struct thing *subnet)
{
	return route->to->kind == KIND_PORT && model_subnet(route->to) == subnet;
}

static void judge_remove_interface(const struct request *x, struct verdict *v)
{
	struct model *m = &x->s->model;
	const struct thing *subnet = x->refs[0], *router = x->refs[1];
	if (subnet->of != router) {
		refuse(v, "404 RouterNotFound");
		return;
	}
	if (model_is_of_blocks(subnet))
		refuse(v, "409 SubnetInUse");
	EACH (m, t, KIND_ADDRESS)
		if (t->to && model_subnet(t->to) == subnet)
			refuse_or_doubt(v, !model_may_have_ended(t->to),
					"409 RouterInterfaceInUseByFloatingIP");
	EACH (m, t, KIND_INSTANCE)
		if (t->of == subnet && t->is_public)
			doubt(v, "409 RouterInterfaceInUseByFloatingIP");
	EACH (m, t, KIND_ROUTE)
		if (leads_into(t, subnet))
			refuse_or_doubt(v, !model_may_have_ended(t->to), "409 RouterInterfaceInUseByRoute");
	EACH (m, t, KIND_NAT_GATEWAY)
		if (t->of == subnet && t->life == LIVE)
			refuse(v, "409 InUse");
	EACH (m, t, KIND_PORT) {
		const struct thing *group = t->of ? t->of->group : t->group;
		if (model_subnet(t) == subnet && group && group->of &&
		    (group->of == router || model_group_association(m, group, router)))
			refuse_or_doubt(v, !model_may_have_ended(t), "409 SecurityGroupInUse");
	}
}

/* The subnet loses its route table. */
static void apply_remove_interface(struct request *x, struct str answer)
{
	struct thing *subnet = x->refs[0];
	(void) answer;
	forget_lists_beside(&x->s->model, subnet);
	subnet->of = subnet->to = subnet->acl = NULL;
	subnet->association[0] = subnet->acl_association[0] = '\0';
}

/* ---- ports ---- */

static bool has_subnet(struct request *x, const struct thing *network)
{
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->network == network)
			return true;
	return false;
}

static bool draw_port(struct request *x)
{
	struct thing *network = request_ref(x, "network_id", KIND_NETWORK);
	return network && has_subnet(x, network);
}

static void apply_port(struct request *x, struct str answer)
{
	struct model *m = &x->s->model;
	struct thing *t = model_add(m, KIND_PORT, x->account, NULL, answer_at(answer, "port/id"));
	EACH (m, subnet, KIND_SUBNET)
		if (model_is_id(answer_at(answer, "port/fixed_ips/item/subnet_id"), subnet))
			t->subnet = subnet;
	if (!t->subnet || t->subnet->network != x->refs[0])
		blame(x->s, "#%d: a port in another network", (int) x->serial);
	t->group = model_default_group(m, t->subnet);
	ipv6_take(x->s, t, answer_at(answer, "port/fixed_ips"));
}

/* A NAT gateway's port is not used. */
static void judge_not_nats(const struct thing *port, struct verdict *v)
{
	if (port && port->of && port->of->kind == KIND_NAT_GATEWAY)
		refuse_or_doubt(v, port->life == LIVE, "409 ServicePortInUse");
}

/* Deletes a server's port only if the server is at rest, and its guest can release the port. */
static bool draw_delete_port(struct request *x)
{
	const struct thing *t = x->refs[0], *in = t->of ? t->of : t->to;
	bool is_servers = in && in->kind == KIND_INSTANCE;
	return !t->left &&
	       (!is_servers || (server_is_at_rest(x, in) && server_is_alone(x, in) && !in->is_paused));
}

static void judge_delete_port(const struct request *x, struct verdict *v)
{
	judge_not_nats(x->refs[0], v);
}

/* A server's port is detached first: the server then shows no primary port if that was it. */
static void apply_delete_port(struct request *x, struct str answer)
{
	struct thing *t = x->refs[0];
	(void) answer;
	if (t->of)
		t->of->has_lost_port = true;
	model_end(&x->s->model, t, ENDING);
}

/* ---- floating addresses ---- */

static bool draw_floating(struct request *x)
{
	add_uuid(x, "floating_network_id", x->s->region.cloud->external_network);
	return true;
}

static void judge_floating(const struct request *x, struct verdict *v)
{
	size_t used = 0;
	EACH (&x->s->model, t, KIND_ADDRESS)
		used += t->account == x->account;
	if (used >= LIMIT_ADDRESSES)
		refuse(v, "409 OverQuota");
}

static void apply_floating(struct request *x, struct str answer)
{
	(void) model_add(&x->s->model, KIND_ADDRESS, x->account, NULL, answer_at(answer, "floatingip/id"));
}

static bool draw_bind(struct request *x)
{
	x->flag = random_below(3) != 0;
	if (x->flag)
		return request_ref(x, "port_id", KIND_PORT) != NULL;
	request_add(x, "port_id", "null");
	return true;
}

static void judge_bind(const struct request *x, struct verdict *v)
{
	const struct thing *address = x->refs[0], *port = x->flag ? x->refs[1] : NULL;
	judge_not_nats(address->to, v);
	if (!port)
		return;
	judge_not_nats(port, v);
	if (!model_gateway(&x->s->model, model_subnet(port)->of))
		refuse(v, "404 ExternalGatewayForFloatingIPNotFound");
	EACH (&x->s->model, t, KIND_ADDRESS)
		if (t != address && t->to == port && !t->ip)
			refuse_or_doubt(v, !model_may_have_ended(port),
					"409 FloatingIPPortAlreadyAssociated");
}

static void apply_bind(struct request *x, struct str answer)
{
	struct thing *address = x->refs[0], *port = x->flag ? x->refs[1] : NULL;
	(void) answer;
	if (address->to != port || address->ip)
		address->association[0] = '\0'; /* a listing will show it */
	address->to = port;
	address->ip = NULL;
}

static void judge_release(const struct request *x, struct verdict *v)
{
	judge_not_nats(x->refs[0]->to, v);
}

#define NETWORK                                                                                              \
	{                                                                                                    \
		{                                                                                            \
			"network_id", KIND_NETWORK                                                           \
		}                                                                                            \
	}
#define ROUTER                                                                                               \
	{                                                                                                    \
		{                                                                                            \
			"router_id", KIND_ROUTER                                                             \
		}                                                                                            \
	}
#define FLOATING                                                                                             \
	{                                                                                                    \
		{                                                                                            \
			"floatingip_id", KIND_ADDRESS                                                        \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"POST /network/v2.0/networks", 3, {}, "network", draw_network, NULL, apply_network},
	{"DELETE /network/v2.0/networks/{network_id}", 2, NETWORK, NULL, NULL, judge_delete_network,
	 apply_delete_network},
	{"POST /network/v2.0/subnets", 5, NETWORK, "subnet", draw_subnet, judge_subnet, apply_subnet},
	{"POST /network/v2.0/subnets", 3, NETWORK, "subnet", draw_ipv6_subnet, judge_subnet, apply_subnet},
	{"POST /network/v2.0/routers", 3, {}, "router", draw_router, judge_router, apply_router},
	{"PUT /network/v2.0/routers/{router_id}", 3, ROUTER, "router", draw_gateway, judge_gateway,
	 apply_gateway},
	{"DELETE /network/v2.0/routers/{router_id}", 2, ROUTER, NULL, NULL, judge_delete_router,
	 apply_delete_router},
	{"PUT /network/v2.0/routers/{router_id}/add_router_interface",
	 6,
	 {{"router_id", KIND_ROUTER}, {"subnet_id", KIND_SUBNET}},
	 NULL,
	 NULL,
	 judge_add_interface,
	 apply_add_interface},
	{"PUT /network/v2.0/routers/{router_id}/remove_router_interface",
	 4,
	 {},
	 NULL,
	 draw_remove_interface,
	 judge_remove_interface,
	 apply_remove_interface},
	{"POST /network/v2.0/ports", 4, {}, "port", draw_port, NULL, apply_port},
	{"DELETE /network/v2.0/ports/{port_id}",
	 3,
	 {{"port_id", KIND_PORT}},
	 NULL,
	 draw_delete_port,
	 judge_delete_port,
	 apply_delete_port},
	{"POST /network/v2.0/floatingips",
	 2,
	 {},
	 "floatingip",
	 draw_floating,
	 judge_floating,
	 apply_floating},
	{"PUT /network/v2.0/floatingips/{floatingip_id}", 5, FLOATING, "floatingip", draw_bind, judge_bind,
	 apply_bind},
	{"DELETE /network/v2.0/floatingips/{floatingip_id}", 2, FLOATING, NULL, NULL, judge_release,
	 request_apply_end},
};
const struct operations neutron_operations = {rows, sizeof rows / sizeof *rows};
