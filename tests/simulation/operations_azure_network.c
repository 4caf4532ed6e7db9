/* SPDX-License-Identifier: Apache-2.0
 * Azure's public addresses and network interfaces. */
#include <stdio.h>

#include "simulation.h"

static struct str row_of(struct str answer)
{
	return answer_at(answer, "properties/resourceGuid");
}

/* ---- public addresses ---- */

/* The SKU cannot change: it is given for a new address, or as it is. */
static bool draw_address(struct request *x)
{
	if (!azure_draw_target(x, KIND_ADDRESS, "p"))
		return false;
	bool was_guarded = x->target && (x->target->is_guarded || !x->target->arm[0]);
	x->flag = random_below(2) == 0;
	x->count = x->target && random_below(2) == 0; /* omits the SKU */
	x->name[0] = '\0';
	if (random_below(2))
		snprintf(x->name, sizeof x->name, "m%d.x.yz", (int) random_below(3));
	azure_say(x, "{" AZURE_LOCATION);
	if (!x->count)
		azure_say(x, ", \"sku\": {\"name\": \"%s\"}", x->flag ? "Standard" : "Basic");
	azure_say(x, ", \"properties\": {\"publicIPAllocationMethod\": \"%s\"",
		  x->flag || was_guarded || random_below(2) ? "Static" : "Dynamic");
	if (x->name[0])
		azure_say(x, ", \"dnsSettings\": {\"reverseFqdn\": \"%s\"}", x->name);
	azure_say(x, "}");
	azure_draw_tags(x);
	azure_say(x, "}");
	return true;
}

static void judge_address(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->target;
	if (!t)
		address_judge_allocate(x, v);
	else if (!x->count && x->flag != (t->is_guarded || !t->arm[0]))
		refuse(v, "PropertyChangeNotAllowed");
}

static void apply_address(struct request *x, struct str answer)
{
	struct thing *t = x->target;
	if (!t) {
		t = model_add(&x->s->model, KIND_ADDRESS, x->account, NULL, row_of(answer));
		t->is_guarded = x->flag;
		azure_take_name(x, t);
	}
	snprintf(t->name, sizeof t->name, "%s", x->name);
	azure_apply_tags(x, t);
}

/* ---- virtual networks ---- */

static struct cidr draw_block(uint8_t bits)
{
	uint32_t second = (uint32_t) random_below(4), third = bits > 16 ? (uint32_t) random_below(6) + 16 : 0;
	return (struct cidr){ip_from_v4(10U << 24 | second << 16 | third << 8), bits};
}

/* With a subnet, or without. */
static bool draw_network(struct request *x)
{
	char block[CIDR_TEXT_SIZE], part[CIDR_TEXT_SIZE];
	if (!azure_draw_target(x, KIND_ROUTER, "v") || x->target)
		return false;
	x->block = draw_block(16);
	x->flag = random_below(2) == 0;
	azure_say(x,
		  "{" AZURE_LOCATION ", \"properties\": {\"addressSpace\": {\"addressPrefixes\": [\"%s\"]}",
		  cidr_write(x->block, block));
	if (x->flag)
		azure_say(x,
			  ", \"subnets\": [{\"name\": \"u0\", \"properties\": {\"addressPrefix\": \"%s\"}}]",
			  cidr_write((struct cidr){x->block.base, 24}, part));
	azure_say(x, "}");
	azure_draw_tags(x);
	azure_say(x, "}");
	return true;
}

static void judge_network(const struct request *x, struct verdict *v)
{
	size_t used = 0;
	EACH (&x->s->model, t, KIND_ROUTER)
		used += t->account == x->account;
	if (used >= LIMIT_ROUTERS)
		refuse(v, "OperationNotAllowed");
}

static struct thing *add_subnet(struct request *x, struct thing *vnet, struct cidr block, const char *name,
				struct str id)
{
	struct thing *t = model_add_subnet(&x->s->model, x->account, vnet, NULL, id);
	t->block = block;
	snprintf(t->arm, sizeof t->arm, "%.20s/%.8s", vnet->arm, name);
	t->area = vnet->area;
	return t;
}

/* A virtual network has built-in access to the outside. */
static void apply_network(struct request *x, struct str answer)
{
	struct thing *t = model_add_vpc(&x->s->model, x->account, x->block, false);
	model_name(t, row_of(answer));
	azure_take_name(x, t);
	azure_apply_tags(x, t);
	t->is_virtual = true;
	neutron_set_gateway(x, t);
	if (x->flag)
		(void) add_subnet(x, t, (struct cidr){x->block.base, 24}, "u0", STR_NONE);
}

static bool draw_delete_network(struct request *x)
{
	return x->refs[0]->is_virtual;
}

/* Resources of other faces on the network prevent its deletion, as do resources in its subnets. */
static void judge_delete_network(const struct request *x, struct verdict *v)
{
	struct model *m = &x->s->model;
	const struct thing *vnet = x->refs[0];
	bool is_used = model_part(m, KIND_EGRESS_GATEWAY, vnet) || model_holds_peering(m, vnet) ||
		       model_has_associations(m, vnet);
	EACH (m, t, KIND_SECURITY_GROUP)
		is_used = is_used || (t->of == vnet && !t->is_default);
	EACH (m, t, KIND_ROUTE_TABLE)
		is_used = is_used || (t->of == vnet && !t->is_default);
	EACH (m, t, KIND_NETWORK_ACL)
		is_used = is_used || (t->of == vnet && !t->is_default);
	if (is_used)
		refuse(v, "Conflict");
	EACH (m, t, KIND_PORT)
		if (model_subnet(t)->of == vnet)
			refuse_or_doubt(v, !model_may_have_ended(t), "InUseSubnetCannotBeDeleted");
}

static void apply_delete_network(struct request *x, struct str answer)
{
	neutron_clear_gateway(x, x->refs[0]);
	request_apply_end(x, answer);
}

static bool draw_subnet(struct request *x)
{
	char block[CIDR_TEXT_SIZE];
	struct thing *vnet = request_ref(x, NULL, KIND_ROUTER);
	if (!vnet || !vnet->is_virtual || vnet->account != x->account || vnet->life != LIVE)
		return false;
	snprintf(x->name, sizeof x->name, "u%d", (int) random_below(3));
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->of == vnet && strcmp(strchr(t->arm, '/') ? strchr(t->arm, '/') + 1 : "", x->name) == 0)
			return false;
	x->block = draw_block(24);
	snprintf(x->path, sizeof x->path, "PUT %" STR_FMT "/subnets/%s?api-version=2022-07-01",
		 STR_ARG(azure_id(x->s, vnet)), x->name);
	azure_say(x, "{\"properties\": {\"addressPrefix\": \"%s\"}}", cidr_write(x->block, block));
	return true;
}

static void judge_subnet(const struct request *x, struct verdict *v)
{
	const struct thing *vnet = x->refs[0];
	if (vnet->life != LIVE) {
		refuse(v, "ParentResourceNotFound");
		return;
	}
	if (!model_has_block(vnet, x->block))
		refuse(v, "NetcfgInvalidSubnet");
	EACH (&x->s->model, t, KIND_SUBNET) {
		if (t->of == vnet && cidr_overlaps(t->block, x->block))
			refuse(v, "NetcfgSubnetRangesOverlap");
		if (t->of == vnet && strcmp(strchr(t->arm, '/') ? strchr(t->arm, '/') + 1 : "", x->name) == 0)
			refuse(v, "Conflict"); /* created meanwhile */
	}
}

static void apply_put_subnet(struct request *x, struct str answer)
{
	(void) answer;
	(void) add_subnet(x, x->refs[0], x->block, x->name, STR_NONE);
}

/* A subnet may have any part of the virtual network's blocks. */
static bool draw_delete_subnet(struct request *x)
{
	const struct thing *t = x->refs[0];
	return t->of && t->block.base.family == IP_V4 && model_is_of_blocks(t) &&
	       server_is_alone(x, t->network);
}

/* ---- interfaces ---- */

static bool draw_interface(struct request *x)
{
	x->area = NULL;
	if (!azure_draw_target(x, KIND_PORT, "n") || x->target)
		return false;
	const struct thing *subnet = request_ref(x, NULL, KIND_SUBNET);
	if (!subnet || !subnet->of)
		return false;
	azure_say(x,
		  "{" AZURE_LOCATION ", \"properties\": {\"ipConfigurations\": [{\"name\": \"c\", "
		  "\"properties\": {\"subnet\": {\"id\": \"%" STR_FMT "\"}}}]}",
		  STR_ARG(azure_id(x->s, subnet)));
	azure_draw_tags(x);
	azure_say(x, "}");
	return true;
}

/* The virtual network's main table gets its outgoing route back. */
static void settle_routes(struct request *x, struct thing *vnet)
{
	struct model *m = &x->s->model;
	const struct cidr all = {ip_from_v4(0), 0};
	struct thing *gateway = model_gateway(m, vnet);
	EACH (m, t, KIND_ROUTE_TABLE)
		if (vnet->is_virtual && gateway && t->of == vnet && t->is_default &&
		    !model_route(m, t, all)) {
			struct thing *route = model_add(m, KIND_ROUTE, vnet->account, t, STR_NONE);
			route->block = all;
			route->to = gateway;
		}
}

static void apply_interface(struct request *x, struct str answer)
{
	struct thing *subnet = x->refs[0],
		     *t = model_add(&x->s->model, KIND_PORT, x->account, NULL, row_of(answer));
	const struct thing *gateway = model_gateway(&x->s->model, subnet->of);
	t->subnet = subnet;
	t->is_anyones = subnet->of->is_virtual || (gateway && gateway->has_address && !subnet->is_public);
	t->group = t->is_anyones ? NULL : model_default_group(&x->s->model, subnet);
	azure_take_name(x, t);
	azure_apply_tags(x, t);
	settle_routes(x, subnet->of);
}

static void judge_delete_interface(const struct request *x, struct verdict *v)
{
	attach_judge_free(x->refs[0], v, "NicInUse");
}

#define ON(kind)                                                                                             \
	{                                                                                                    \
		{                                                                                            \
			"", kind                                                                             \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"PUT publicIPAddresses", 4, {}, NULL, draw_address, judge_address, apply_address},
	{"PUT publicIPAddresses", 2, ON(KIND_ADDRESS), NULL, azure_draw_back},
	{"DELETE publicIPAddresses", 2, ON(KIND_ADDRESS), NULL, NULL, address_judge_release,
	 request_apply_end},
	{"PUT networkInterfaces", 4, {}, NULL, draw_interface, NULL, apply_interface},
	{"PUT networkInterfaces", 2, ON(KIND_PORT), NULL, azure_draw_back},
	{"DELETE networkInterfaces", 2, ON(KIND_PORT), NULL, NULL, judge_delete_interface,
	 attach_apply_ending},
	{"PUT virtualNetworks", 1, ON(KIND_ROUTER), NULL, azure_draw_back},
	{"PUT virtualNetworks", 3, {}, NULL, draw_network, judge_network, apply_network},
	{"DELETE virtualNetworks", 1, ON(KIND_ROUTER), NULL, draw_delete_network, judge_delete_network,
	 apply_delete_network},
	{"PUT subnets", 3, {}, NULL, draw_subnet, judge_subnet, apply_put_subnet},
	{"DELETE subnets", 1, ON(KIND_SUBNET), NULL, draw_delete_subnet, network_judge_delete_subnet,
	 network_apply_delete_subnet},
};
const struct operations azure_network_operations = {rows, sizeof rows / sizeof *rows};
