/* SPDX-License-Identifier: Apache-2.0
 * IPv6 in EC2: a VPC's blocks, their subnets, and interfaces' addresses. An interface has at most one
 * assigned address, besides an automatic one, so that its instance may be of any type. */
#include <stdio.h>

#include "engine/network/ipv6.h"
#include "model/id.h"
#include "model/router.h"
#include "simulation.h"
#include "store/router.h"

/* The block of that association: the answer to the association does not show it. None if the VPC is gone. */
static struct cidr block_of(struct request *x, const struct thing *vpc, struct str association)
{
	struct ref ref = {0};
	if (!result_is_ok(id_parse_prefixed(association, "vpc-cidr-assoc", &ref)))
		blame(x->s, "#%d: an association that is none", (int) x->serial);
	uuid id = region_find(&x->s->region, KIND_ROUTER, vpc->id);
	AUTO_VIEW view = {0};
	view_open(x->s->region.cloud->store, &view);
	const struct router *router = router_find(view.tables, id);
	for (size_t k = 0; router && k < router->ipv6_blocks.count; k++) {
		uuid here = engine_get_ipv6_association(router, router->ipv6_blocks.at[k]);
		if (id_has_prefix(here, ref.prefix, ref.bits))
			return router->ipv6_blocks.at[k];
	}
	if (router && row_is_live(&router->row))
		blame(x->s, "#%d: an association with no block", (int) x->serial);
	return (struct cidr){0};
}

/* ---- a VPC's blocks ---- */

static bool draw_block(struct request *x)
{
	request_add(x, "AmazonProvidedIpv6CidrBlock", "true");
	return true;
}

static void judge_block(const struct request *x, struct verdict *v)
{
	const struct thing *vpc = x->refs[0];
	if (!vpc->block.bits)
		refuse(v, "InvalidVpc.Range");
	if (vpc->six_count == SIX_BLOCKS_MAX)
		refuse(v, "CidrLimitExceeded");
}

static void apply_block(struct request *x, struct str answer)
{
	struct thing *vpc = x->refs[0];
	struct str association = answer_at(answer, "ipv6CidrBlockAssociation/associationId");
	struct cidr block = block_of(x, vpc, association);
	if (cidr_is_none(block))
		return;
	vpc->six[vpc->six_count].block = block;
	snprintf(vpc->six[vpc->six_count++].association, sizeof vpc->six[0].association, "%" STR_FMT,
		 STR_ARG(association));
	EACH (&x->s->model, t, KIND_ROUTER)
		for (size_t k = 0; t != vpc && k < t->six_count; k++)
			if (cidr_overlaps(t->six[k].block, vpc->six[vpc->six_count - 1].block))
				blame(x->s, "#%d: another VPC's block", (int) x->serial);
	model_let_ipv6_through(&x->s->model, vpc);
}

static bool draw_no_block(struct request *x)
{
	const struct thing *vpc = request_ref(x, NULL, KIND_ROUTER);
	if (!vpc || vpc->six_count == 0)
		return false;
	x->ref_count = 0; /* the association is named */
	snprintf(x->name, sizeof x->name, "%s", vpc->six[random_below(vpc->six_count)].association);
	request_add(x, "AssociationId", "%s", x->name);
	return true;
}

/* The account's VPC with the block of that association, or NULL. */
static struct thing *find_vpc(const struct request *x, size_t *ret_at)
{
	EACH (&x->s->model, t, KIND_ROUTER)
		for (*ret_at = 0; t->account == x->account && *ret_at < t->six_count; ++*ret_at)
			if (strcmp(t->six[*ret_at].association, x->name) == 0)
				return t;
	return NULL;
}

static void judge_no_block(const struct request *x, struct verdict *v)
{
	size_t at = 0;
	const struct thing *vpc = find_vpc(x, &at);
	if (!vpc)
		refuse(v, "InvalidVpcCidrBlockAssociationIdError.NotFound");
	EACH (&x->s->model, t, KIND_SUBNET)
		if (vpc && t->of == vpc && cidr_overlaps(t->block, vpc->six[at].block)) {
			refuse(v, "DependencyViolation");
			return;
		}
}

static void apply_no_block(struct request *x, struct str answer)
{
	size_t at = 0;
	struct thing *vpc = find_vpc(x, &at);
	(void) answer;
	memmove(&vpc->six[at], &vpc->six[at + 1], (--vpc->six_count - at) * sizeof vpc->six[0]);
}

/* ---- a subnet's block ---- */

/* The IPv6 half of a subnet of EC2's: the first on its network and router. */
static struct thing *find_half(struct model *m, const struct thing *subnet)
{
	EACH (m, t, KIND_SUBNET)
		if (t->network == subnet->network && t->of == subnet->of && t->block.base.family == IP_V6)
			return t;
	return NULL;
}

static bool draw_half(struct request *x)
{
	const struct thing *vpc = x->refs[0]->of;
	char text[CIDR_TEXT_SIZE];
	if (!vpc || vpc->kind != KIND_ROUTER || !vpc->six_count)
		return false;
	x->block = (struct cidr){vpc->six[random_below(vpc->six_count)].block.base, 64};
	x->block.base.b[7] = (uint8_t) random_below(3);
	request_add(x, "Ipv6CidrBlock", "%s", cidr_write(x->block, text));
	return true;
}

static bool is_within(const struct thing *vpc, struct cidr block)
{
	bool is = false;
	for (size_t k = 0; vpc && k < vpc->six_count; k++)
		is = is || cidr_contains_cidr(vpc->six[k].block, block);
	return is;
}

/* A half that the network has not confirmed as removed still occupies its block. */
static bool was_there(const struct model *m, const struct thing *vpc, struct cidr block)
{
	for (size_t k = 0; k < m->count; k++)
		if (m->things[k].kind == KIND_SUBNET && m->things[k].life != LIVE &&
		    cidr_overlaps(m->things[k].block, block) && m->things[k].of == vpc)
			return true;
	return false;
}

static void judge_half(const struct request *x, struct verdict *v)
{
	struct model *m = &x->s->model;
	const struct thing *subnet = x->refs[0], *vpc = subnet->of;
	if (find_half(m, subnet))
		refuse(v, "Resource.AlreadyAssociated");
	if (!is_within(vpc, x->block))
		refuse(v, "InvalidSubnet.Range");
	if (was_there(m, vpc, x->block))
		doubt(v, "InvalidSubnet.Conflict");
	EACH (m, t, KIND_SUBNET)
		if (t->of == vpc && cidr_overlaps(t->block, x->block)) {
			refuse(v, "InvalidSubnet.Conflict");
			return;
		}
}

/* Its id is the association's. */
static void apply_half(struct request *x, struct str answer)
{
	struct str id = answer_at(answer, "ipv6CidrBlockAssociation/associationId");
	struct thing *subnet = x->refs[0];
	const size_t before = sizeof "subnet-cidr-assoc-" - 1;
	char text[EC2_ID_TEXT_SIZE];
	snprintf(text, sizeof text, "subnet-%" STR_FMT, STR_ARG(str_slice(id, before, SIZE_MAX)));
	struct thing *half =
		model_add_subnet(&x->s->model, x->account, subnet->of, subnet->network, str_from(text));
	half->is_neutrons = false;
	half->block = x->block;
}

/* ---- IPv6-only subnets ---- */

static bool draw_native(struct request *x)
{
	const struct thing *vpc = x->refs[0];
	char text[CIDR_TEXT_SIZE];
	if (!vpc->six_count)
		return false;
	x->block = (struct cidr){vpc->six[random_below(vpc->six_count)].block.base, 64};
	x->block.base.b[7] = (uint8_t) random_below(4);
	if (random_below(12) == 0)
		x->block.base.b[0] = 0x3F;
	request_add(x, "Ipv6Native", "true");
	request_add(x, "Ipv6CidrBlock", "%s", cidr_write(x->block, text));
	return true;
}

static void judge_native(const struct request *x, struct verdict *v)
{
	const struct thing *vpc = x->refs[0];
	if (!is_within(vpc, x->block))
		refuse(v, "InvalidSubnet.Range");
	if (was_there(&x->s->model, vpc, x->block))
		doubt(v, "InvalidSubnet.Conflict");
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->of == vpc && cidr_overlaps(t->block, x->block)) {
			refuse(v, "InvalidSubnet.Conflict");
			return;
		}
}

static void apply_native(struct request *x, struct str answer)
{
	struct thing *subnet = model_add_subnet(&x->s->model, x->account, x->refs[0], NULL,
						answer_at(answer, "subnet/subnetId"));
	subnet->block = x->block;
	request_apply_tag(x, subnet);
}

/* An existing or former half. */
static bool draw_no_half(struct request *x)
{
	struct model *m = &x->s->model;
	const struct thing *picked = NULL;
	uint64_t count = 0;
	for (size_t k = 0; k < m->count; k++) {
		const struct thing *t = &m->things[k];
		if (t->kind == KIND_SUBNET && t->block.base.family == IP_V6 && !t->is_neutrons &&
		    t->account == x->account && random_below(++count) == 0)
			picked = t;
	}
	if (!picked)
		return false;
	snprintf(x->name, sizeof x->name, "%s", picked->id);
	request_add(x, "AssociationId", "subnet-cidr-assoc-%s", picked->id + sizeof "subnet-" - 1);
	return true;
}

static struct thing *find_named_half(const struct request *x)
{
	EACH (&x->s->model, t, KIND_SUBNET)
		if (strcmp(t->id, x->name) == 0)
			return t;
	return NULL;
}

static void judge_no_half(const struct request *x, struct verdict *v)
{
	const struct thing *half = find_named_half(x);
	if (!half)
		refuse(v, "InvalidSubnetCidrBlockAssociationID.NotFound");
	else if (model_is_ipv6_alone(&x->s->model, half))
		refuse(v, "OperationNotPermitted");
	EACH (&x->s->model, port, KIND_PORT)
		if (half && port->six_in == half)
			refuse_or_doubt(v, !model_may_have_ended(port), "DependencyViolation");
}

static void apply_no_half(struct request *x, struct str answer)
{
	(void) answer;
	model_end(&x->s->model, find_named_half(x), GONE);
}

/* ---- addresses ---- */

static bool draw_assign(struct request *x)
{
	const struct thing *port = x->refs[0], *subnet = model_subnet(port);
	request_add(x, "Ipv6AddressCount", "1");
	return subnet->block.base.family == IP_V4 && !port->six_in && server_is_alone(x, port);
}

static void judge_not_nats(const struct request *x, struct verdict *v)
{
	const struct thing *port = x->refs[0];
	if (port->of && port->of->kind == KIND_NAT_GATEWAY)
		refuse(v, "AuthFailure");
}

static void judge_assign(const struct request *x, struct verdict *v)
{
	const struct thing *port = x->refs[0];
	judge_not_nats(x, v);
	if (!model_subnet(port)->of || !find_half(&x->s->model, model_subnet(port)))
		refuse(v, "InvalidParameterValue");
	EACH (&x->s->model, t, KIND_SUBNET)
		if (model_has_own_ipv6(port, t) && t->of == model_subnet(port)->of)
			doubt(v, "InvalidIPAddress.InUse"); /* the older of two calls takes it */
}

static void apply_assign(struct request *x, struct str answer)
{
	struct thing *half = NULL;
	struct ip ip;
	if (!result_is_ok(ip_parse(answer_at(answer, "assignedIpv6Addresses/item"), &ip)))
		blame(x->s, "#%d: an address that is none", (int) x->serial);
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->of == model_subnet(x->refs[0])->of && cidr_contains(t->block, ip))
			half = t;
	if (!half || half->is_neutrons)
		blame(x->s, "#%d: an address of nowhere", (int) x->serial);
	x->refs[0]->six_in = half;
	x->refs[0]->six_ip = ip;
}

static bool draw_unassign(struct request *x)
{
	const struct thing *port = x->refs[0];
	char text[IP_TEXT_SIZE];
	if (!port->six_in || ip_is_none(port->six_ip) || !server_is_alone(x, port))
		return false;
	request_add(x, "Ipv6Addresses.1", "%s", ip_write(port->six_ip, text));
	return true;
}

static void apply_unassign(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->six_in = NULL;
}

void ipv6_take(struct simulation *s, struct thing *port, struct str fixed_ips)
{
	struct str item;
	while (answer_next_item(&fixed_ips, &item))
		EACH (&s->model, t, KIND_SUBNET) {
			if (t->block.base.family != IP_V6 || t->is_neutrons ||
			    !model_is_id(answer_at(item, "subnet_id"), t))
				continue;
			port->six_in = t;
			if (!result_is_ok(ip_parse(answer_at(item, "ip_address"), &port->six_ip)))
				blame(s, "an address of a port's that is none");
		}
}

#define PORT                                                                                                 \
	{                                                                                                    \
		{                                                                                            \
			"NetworkInterfaceId", KIND_PORT                                                      \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"AssociateVpcCidrBlock", 2, {{"VpcId", KIND_ROUTER}}, NULL, draw_block, judge_block, apply_block},
	{"DisassociateVpcCidrBlock", 1, {}, NULL, draw_no_block, judge_no_block, apply_no_block},
	{"CreateSubnet", 2, {{"VpcId", KIND_ROUTER}}, "subnet", draw_native, judge_native, apply_native},
	{"AssociateSubnetCidrBlock", 4, {{"SubnetId", KIND_SUBNET}}, NULL, draw_half, judge_half, apply_half},
	{"DisassociateSubnetCidrBlock", 2, {}, NULL, draw_no_half, judge_no_half, apply_no_half},
	{"AssignIpv6Addresses", 4, PORT, NULL, draw_assign, judge_assign, apply_assign},
	{"UnassignIpv6Addresses", 2, PORT, NULL, draw_unassign, judge_not_nats, apply_unassign},
};
const struct operations ipv6_operations = {rows, sizeof rows / sizeof *rows};
