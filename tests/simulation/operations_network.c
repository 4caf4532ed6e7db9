/* SPDX-License-Identifier: Apache-2.0
 * VPCs, subnets, gateways, route tables. */
#include <stdio.h>

#include "simulation.h"

static struct str id_in(struct str answer, const char *path)
{
	return answer_at(answer, path);
}

/* ---- VPCs ---- */

static bool draw_vpc(struct request *x)
{
	uint64_t second = random_below(4);
	bool is_wide = random_below(12) == 0;
	x->block = (struct cidr){ip_from_v4((uint32_t) (10U << 24 | second << 16)), is_wide ? 8 : 16};
	request_add(x, "CidrBlock", "10.%d.0.0/%d", (int) second, x->block.bits);
	x->flag = random_below(8) == 0;
	if (x->flag)
		request_add(x, "InstanceTenancy", "dedicated");
	return true;
}

static void judge_vpc(const struct request *x, struct verdict *v)
{
	size_t used = 0;
	EACH (&x->s->model, t, KIND_ROUTER)
		used += t->account == x->account;
	if (x->block.bits < 16)
		refuse(v, "InvalidVpc.Range");
	if (used >= LIMIT_ROUTERS)
		refuse(v, "VpcLimitExceeded");
}

static void apply_vpc(struct request *x, struct str answer)
{
	struct thing *vpc = model_add_vpc(&x->s->model, x->account, x->block, false);
	model_name(vpc, id_in(answer, "vpc/vpcId"));
	vpc->is_alone = x->flag;
	request_apply_tag(x, vpc);
}

static bool draw_names(struct request *x)
{
	x->flag = random_below(2) == 0;
	request_add(x, "EnableDnsHostnames.Value", "%s", x->flag ? "true" : "false");
	return true;
}

static void apply_names(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->has_names = x->flag;
}

static bool draw_shared(struct request *x)
{
	request_add(x, "InstanceTenancy", "default");
	return true;
}

static void apply_shared(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->is_alone = false;
}

static void judge_delete_vpc(const struct request *x, struct verdict *v)
{
	struct model *m = &x->s->model;
	const struct thing *vpc = x->refs[0];
	bool is_used = model_part(m, KIND_SUBNET, vpc) || model_gateway(m, vpc) ||
		       model_part(m, KIND_EGRESS_GATEWAY, vpc) || model_holds_peering(m, vpc) ||
		       model_has_associations(m, vpc);
	EACH (m, t, KIND_SECURITY_GROUP)
		is_used = is_used || (t->of == vpc && !t->is_default);
	EACH (m, t, KIND_ROUTE_TABLE)
		is_used = is_used || (t->of == vpc && !t->is_default);
	EACH (m, t, KIND_NETWORK_ACL)
		is_used = is_used || (t->of == vpc && !t->is_default);
	if (is_used)
		refuse(v, "DependencyViolation");
}

/* ---- default VPC ---- */

static struct thing *default_vpc(const struct request *x)
{
	EACH (&x->s->model, t, KIND_ROUTER)
		if (t->account == x->account && t->is_default)
			return t;
	return NULL;
}

static void judge_default_vpc(const struct request *x, struct verdict *v)
{
	size_t used = 0;
	EACH (&x->s->model, t, KIND_ROUTER)
		used += t->account == x->account;
	if (default_vpc(x))
		refuse(v, "DefaultVpcAlreadyExists");
	if (used >= LIMIT_ROUTERS)
		refuse(v, "VpcLimitExceeded");
}

static void apply_default_vpc(struct request *x, struct str answer)
{
	struct cidr block = {ip_from_v4(UINT32_C(0xAC1F0000)), 16};
	model_name(model_add_vpc(&x->s->model, x->account, block, true), id_in(answer, "vpc/vpcId"));
}

static bool draw_default_subnet(struct request *x)
{
	request_add(x, "AvailabilityZone", "xy-west-2a");
	return true;
}

/* The first free /20; if there is none, block.bits is 0. */
static struct cidr find_default_block(const struct request *x, const struct thing *vpc)
{
	struct cidr block = {vpc->block.base, 20};
	for (; cidr_contains_cidr(vpc->block, block); block.base = ip_add(block.base, cidr_count(block))) {
		bool is_free = true;
		EACH (&x->s->model, t, KIND_SUBNET)
			is_free = is_free && !(t->of == vpc && cidr_overlaps(t->block, block));
		if (is_free)
			return block;
	}
	return (struct cidr){0};
}

static void judge_default_subnet(const struct request *x, struct verdict *v)
{
	const struct thing *vpc = default_vpc(x);
	if (!vpc) {
		refuse(v, "DefaultVpcDoesNotExist");
		return;
	}
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->of == vpc && t->is_default)
			refuse(v, "DefaultSubnetAlreadyExistsInAvailabilityZone");
	if (!find_default_block(x, vpc).bits)
		doubt(v, "InsufficientFreeAddressesInSubnet"); /* a further block may have a free one */
}

static void apply_default_subnet(struct request *x, struct str answer)
{
	struct thing *vpc = default_vpc(x), *subnet = model_add_subnet(&x->s->model, x->account, vpc, NULL,
								       id_in(answer, "subnet/subnetId"));
	if (!result_is_ok(cidr_parse(id_in(answer, "subnet/cidrBlock"), &subnet->block)))
		subnet->block = find_default_block(x, vpc);
	subnet->is_default = subnet->is_public = true;
}

/* ---- further blocks ---- */

static bool draw_block(struct request *x)
{
	static const uint8_t seconds[] = {0, 1, 64, 65, 66, 67};
	uint32_t second = seconds[random_below(sizeof seconds)];
	x->block = (struct cidr){ip_from_v4(10U << 24 | second << 16), 16};
	request_add(x, "CidrBlock", "10.%d.0.0/16", (int) second);
	return true;
}

/* EC2 does not combine 10.0/16 with blocks in 10.0/15, or 10/8 with other private ranges. */
static bool is_kept_apart(const struct thing *vpc, struct cidr block)
{
	const struct cidr ten = {ip_from_v4(10U << 24), 8}, pair = {ten.base, 15}, lowest = {ten.base, 16};
	bool has_of_pair = cidr_overlaps(vpc->block, pair);
	for (size_t k = 0; k < vpc->more_count; k++)
		has_of_pair = has_of_pair || cidr_overlaps(vpc->more[k].block, pair);
	return !cidr_overlaps(vpc->block, ten) || (has_of_pair && cidr_equal(block, lowest));
}

static bool has_overlapping(const struct thing *vpc, struct cidr block)
{
	bool has = cidr_overlaps(vpc->block, block);
	for (size_t k = 0; k < vpc->more_count; k++)
		has = has || cidr_overlaps(vpc->more[k].block, block);
	return has;
}

/* True if the VPC has requested a peering that is not accepted yet, or if the peer has the block, too. */
static bool is_kept_by_peering(struct model *m, const struct thing *vpc, struct cidr block)
{
	EACH (m, t, KIND_PEERING) {
		const struct thing *peer = t->to == vpc ? t->peer : t->peer == vpc ? t->to : NULL;
		if (t->life == LIVE && peer && (t->is_accepted ? has_overlapping(peer, block) : t->to == vpc))
			return true;
	}
	return false;
}

static void judge_block(const struct request *x, struct verdict *v)
{
	const struct thing *vpc = x->refs[0];
	bool is_bad = !vpc->block.bits || model_has_block(vpc, x->block) || is_kept_apart(vpc, x->block) ||
		      is_kept_by_peering(&x->s->model, vpc, x->block);
	EACH (&x->s->model, t, KIND_SUBNET)
		is_bad = is_bad || (t->of == vpc && cidr_overlaps(t->block, x->block));
	EACH (&x->s->model, t, KIND_ROUTE)
		is_bad = is_bad || (t->of->of == vpc && cidr_contains_cidr(x->block, t->block));
	if (is_bad)
		refuse(v, "InvalidVpc.Range");
	if (vpc->more_count == MORE_BLOCKS_MAX)
		refuse(v, "CidrLimitExceeded");
}

static void apply_block(struct request *x, struct str answer)
{
	struct thing *vpc = x->refs[0];
	snprintf(vpc->more[vpc->more_count].association, sizeof vpc->more[0].association, "%" STR_FMT,
		 STR_ARG(id_in(answer, "cidrBlockAssociation/associationId")));
	vpc->more[vpc->more_count++].block = x->block;
	EACH (&x->s->model, t, KIND_PEERING)
		if (t->life == LIVE && !t->is_accepted && t->peer == vpc &&
		    has_overlapping(t->to, x->block)) {
			t->life = ENDING;
			t->has_failed = true;
		}
}

static bool draw_no_block(struct request *x)
{
	const struct thing *vpc = request_ref(x, NULL, KIND_ROUTER);
	if (!vpc || vpc->more_count == 0)
		return false;
	x->ref_count = 0; /* the association is named */
	snprintf(x->name, sizeof x->name, "%s", vpc->more[random_below(vpc->more_count)].association);
	request_add(x, "AssociationId", "%s", x->name);
	return x->name[0] != 0;
}

/* The account's VPC with the block of that association, or NULL. */
static struct thing *find_block_association(const struct request *x, size_t *ret_block)
{
	EACH (&x->s->model, t, KIND_ROUTER)
		for (size_t k = 0; t->account == x->account && k < t->more_count; k++)
			if (strcmp(t->more[k].association, x->name) == 0) {
				*ret_block = k;
				return t;
			}
	return NULL;
}

static void judge_no_block(const struct request *x, struct verdict *v)
{
	size_t at = 0;
	const struct thing *vpc = find_block_association(x, &at);
	if (!vpc)
		refuse(v, "InvalidVpcCidrBlockAssociationIdError.NotFound");
	EACH (&x->s->model, t, KIND_SUBNET)
		if (vpc && t->of == vpc && cidr_overlaps(t->block, vpc->more[at].block)) {
			refuse(v, "DependencyViolation");
			return;
		}
}

static void apply_no_block(struct request *x, struct str answer)
{
	size_t at = 0;
	struct thing *vpc = find_block_association(x, &at);
	(void) answer;
	memmove(&vpc->more[at], &vpc->more[at + 1], (--vpc->more_count - at) * sizeof vpc->more[0]);
}

/* ---- DHCP options sets ---- */

static bool draw_dhcp_options(struct request *x)
{
	snprintf(x->name, sizeof x->name, "name%d.example", (int) random_below(3));
	request_add(x, "DhcpConfiguration.1.Key", "domain-name");
	request_add(x, "DhcpConfiguration.1.Value.1", "%s", x->name);
	return true;
}

static void apply_dhcp_options(struct request *x, struct str answer)
{
	struct thing *set = model_add(&x->s->model, KIND_DHCP_OPTIONS, x->account, NULL,
				      answer_at(answer, "dhcpOptions/dhcpOptionsId"));
	snprintf(set->name, sizeof set->name, "%s", x->name);
	request_apply_tag(x, set);
}

static void apply_associate_options(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[1]->told = x->refs[0];
}

static bool draw_no_options(struct request *x)
{
	request_add(x, "DhcpOptionsId", "default");
	return true;
}

static void apply_no_options(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->told = NULL;
}

static void judge_delete_options(const struct request *x, struct verdict *v)
{
	EACH (&x->s->model, t, KIND_ROUTER)
		if (t->told == x->refs[0])
			refuse(v, "DependencyViolation");
}

/* ---- subnets ---- */

static bool draw_subnet(struct request *x)
{
	const struct thing *vpc = x->refs[0];
	bool is_in_more = vpc->more_count && random_below(2) == 0;
	struct cidr of = is_in_more ? vpc->more[random_below(vpc->more_count)].block : vpc->block;
	uint32_t base = (of.bits ? ip_to_v4(of.base) : 10U << 24) + (uint32_t) (random_below(6) + 16) * 256;
	if (random_below(12) == 0)
		base += 1 << 24;
	x->block = (struct cidr){ip_from_v4(base), 24};
	char text[CIDR_TEXT_SIZE];
	request_add(x, "CidrBlock", "%s", cidr_write(x->block, text));
	return true;
}

static void judge_subnet(const struct request *x, struct verdict *v)
{
	const struct thing *vpc = x->refs[0];
	if (!model_has_block(vpc, x->block))
		refuse(v, "InvalidSubnet.Range");
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->of == vpc && cidr_overlaps(t->block, x->block)) {
			refuse(v, "InvalidSubnet.Conflict");
			return;
		}
}

static void apply_subnet(struct request *x, struct str answer)
{
	struct thing *subnet = model_add_subnet(&x->s->model, x->account, x->refs[0], NULL,
						id_in(answer, "subnet/subnetId"));
	subnet->block = x->block;
	request_apply_tag(x, subnet);
}

static bool draw_public(struct request *x)
{
	x->flag = random_below(2) == 0;
	request_add(x, "MapPublicIpOnLaunch.Value", "%s", x->flag ? "true" : "false");
	return true;
}

static void apply_public(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->is_public = x->flag;
}

/* Does not delete an IPv4 subnet before the IPv6 subnet beside it: no interface may be left with IPv6
 * only. */
static bool draw_delete_subnet(struct request *x)
{
	const struct thing *subnet = x->refs[0];
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t != subnet && t->network == subnet->network && t->block.base.family == IP_V6)
			return false;
	return server_is_alone(x, subnet->network);
}

/* Interfaces with their first address in another subnet of the network may have an IPv6 address of this
 * one. */
static void judge_further_addresses(const struct request *x, const char *code, struct verdict *v)
{
	const struct thing *subnet = x->refs[0];
	if (subnet->block.base.family != IP_V6)
		return;
	EACH (&x->s->model, t, KIND_PORT)
		if (model_subnet(t) && model_subnet(t)->network == subnet->network)
			doubt(v, code);
	EACH (&x->s->model, t, KIND_INSTANCE)
		if (t->of && t->of->network == subnet->network)
			doubt(v, code);
}

/* A subnet outside of its router's blocks must be removed from the router first. */
void network_judge_delete_subnet(const struct request *x, struct verdict *v)
{
	const struct thing *subnet = x->refs[0];
	const char *code = request_word(x, "DependencyViolation", "409 SubnetInUse");
	EACH (&x->s->model, t, KIND_PORT)
		if (model_subnet(t) == subnet)
			refuse_or_doubt(v, !model_may_have_ended(t), code);
	judge_further_addresses(x, code, v);
	if (subnet->of && !model_is_of_blocks(subnet))
		refuse(v, code);
}

/* The IPv6 half is deleted with the IPv4 subnet. A call already under way may have created it. */
void network_apply_delete_subnet(struct request *x, struct str answer)
{
	struct model *m = &x->s->model;
	struct thing *subnet = x->refs[0];
	bool is_pair = subnet->block.base.family == IP_V4 && model_is_of_blocks(subnet);
	EACH (m, t, KIND_SUBNET)
		if (is_pair && t->network == subnet->network && t->of == subnet->of &&
		    t->block.base.family == IP_V6)
			model_end(m, t, GONE);
	request_apply_end(x, answer);
}

/* ---- reservations ---- */

static bool draw_reservation(struct request *x)
{
	char text[CIDR_TEXT_SIZE];
	if (x->refs[0]->block.bits == 0 || x->refs[0]->block.bits > 24)
		return false;
	x->block = (struct cidr){ip_add(x->refs[0]->block.base, 128 + 16 * random_below(4)), 28};
	request_add(x, "Cidr", "%s", cidr_write(x->block, text));
	request_add(x, "ReservationType", random_below(2) ? "explicit" : "prefix");
	return true;
}

static void judge_reservation(const struct request *x, struct verdict *v)
{
	EACH (&x->s->model, t, KIND_SUBNET_RESERVATION)
		if (t->of == x->refs[0] && cidr_overlaps(t->block, x->block))
			refuse(v, "InvalidParameterValue");
}

static void apply_reservation(struct request *x, struct str answer)
{
	struct thing *t = model_add(&x->s->model, KIND_SUBNET_RESERVATION, x->account, x->refs[0],
				    id_in(answer, "subnetCidrReservation/subnetCidrReservationId"));
	t->block = x->block;
}

/* Named only by its id: no list shows the reservations of all subnets. */
static bool draw_no_reservation(struct request *x)
{
	const struct thing *t = request_ref(x, NULL, KIND_SUBNET_RESERVATION);
	if (!t)
		return false;
	x->ref_count = 0;
	snprintf(x->name, sizeof x->name, "%s", t->id);
	request_add(x, "SubnetCidrReservationId", "%s", x->name);
	return true;
}

static struct thing *find_reservation(const struct request *x)
{
	EACH (&x->s->model, t, KIND_SUBNET_RESERVATION)
		if (t->account == x->account && strcmp(t->id, x->name) == 0)
			return t;
	return NULL;
}

static void judge_no_reservation(const struct request *x, struct verdict *v)
{
	if (!find_reservation(x))
		refuse(v, "InvalidSubnetCidrReservationID.NotFound");
}

static void apply_no_reservation(struct request *x, struct str answer)
{
	(void) answer;
	model_end(&x->s->model, find_reservation(x), GONE);
}

/* ---- internet gateways ---- */

static void apply_gateway(struct request *x, struct str answer)
{
	request_apply_tag(x, model_add(&x->s->model, KIND_GATEWAY, x->account, NULL,
				       id_in(answer, "internetGateway/internetGatewayId")));
}

static void judge_delete_gateway(const struct request *x, struct verdict *v)
{
	if (x->refs[0]->to)
		refuse(v, "DependencyViolation");
}

static void judge_attach(const struct request *x, struct verdict *v)
{
	if (x->refs[0]->to || model_gateway(&x->s->model, x->refs[1]))
		refuse(v, "Resource.AlreadyAssociated");
}

static void apply_attach(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->to = x->refs[1];
}

/* An instance launched in a public subnet may have a public address. */
static void judge_detach(const struct request *x, struct verdict *v)
{
	const struct thing *vpc = x->refs[1];
	if (x->refs[0]->to != vpc)
		refuse(v, "Gateway.NotAttached");
	EACH (&x->s->model, t, KIND_ADDRESS)
		if (t->to && model_subnet(t->to)->of == vpc)
			refuse_or_doubt(v, !model_may_have_ended(t->to), "DependencyViolation");
	EACH (&x->s->model, t, KIND_INSTANCE)
		if (model_vpc(t) == vpc && t->is_public)
			doubt(v, "DependencyViolation");
}

static void apply_detach(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->to = NULL;
	x->refs[0]->has_address = false;
}

static void judge_egress(const struct request *x, struct verdict *v)
{
	if (model_part(&x->s->model, KIND_EGRESS_GATEWAY, x->refs[0]))
		refuse(v, "Resource.AlreadyAssociated");
}

static void apply_egress(struct request *x, struct str answer)
{
	request_apply_tag(x,
			  model_add(&x->s->model, KIND_EGRESS_GATEWAY, x->account, x->refs[0],
				    id_in(answer, "egressOnlyInternetGateway/egressOnlyInternetGatewayId")));
}

/* ---- route tables ---- */

static void apply_table(struct request *x, struct str answer)
{
	request_apply_tag(x, model_add(&x->s->model, KIND_ROUTE_TABLE, x->account, x->refs[0],
				       id_in(answer, "routeTable/routeTableId")));
}

static void judge_delete_table(const struct request *x, struct verdict *v)
{
	bool is_used = x->refs[0]->is_default;
	EACH (&x->s->model, t, KIND_SUBNET)
		is_used = is_used || t->to == x->refs[0];
	if (is_used)
		refuse(v, "DependencyViolation");
}

static void judge_associate_table(const struct request *x, struct verdict *v)
{
	const struct thing *table = x->refs[0], *subnet = x->refs[1];
	if (table->of != subnet->of)
		refuse(v, "InvalidParameterValue");
	if (subnet->to && subnet->to != table)
		refuse(v, "Resource.AlreadyAssociated");
}

static void set_association(struct thing *t, struct str id)
{
	snprintf(t->association, sizeof t->association, "%" STR_FMT, STR_ARG(id));
}

static void apply_associate_table(struct request *x, struct str answer)
{
	x->refs[1]->to = x->refs[0];
	set_association(x->refs[1], id_in(answer, "associationId"));
}

/* Draws an association, existing or former: a subnet's, or a VPC's with its main route table. */
static bool draw_association(struct request *x)
{
	struct model *m = &x->s->model;
	const struct thing *picked = NULL;
	uint64_t count = 0;
	for (size_t k = 0; k < m->count; k++) {
		const struct thing *t = &m->things[k];
		bool has_one = t->association[0] && (t->kind == KIND_SUBNET || t->kind == KIND_ROUTE_TABLE);
		if (has_one && (t->account == x->account || random_below(20) == 0) &&
		    random_below(++count) == 0)
			picked = t;
	}
	if (!picked)
		return false;
	snprintf(x->name, sizeof x->name, "%s", picked->association);
	request_add(x, "AssociationId", "%s", x->name);
	return true;
}

/* Present owner of the association: a subnet, or a main route table. */
static struct thing *find_associated(const struct request *x)
{
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->to && t->account == x->account && strcmp(t->association, x->name) == 0)
			return t;
	EACH (&x->s->model, t, KIND_ROUTE_TABLE)
		if (t->is_default && t->account == x->account && strcmp(t->association, x->name) == 0)
			return t;
	return NULL;
}

static void judge_disassociate_table(const struct request *x, struct verdict *v)
{
	const struct thing *t = find_associated(x);
	if (!t)
		refuse(v, "InvalidAssociationID.NotFound");
	else if (t->kind == KIND_ROUTE_TABLE)
		refuse(v, "InvalidParameterValue");
}

static void apply_disassociate_table(struct request *x, struct str answer)
{
	(void) answer;
	find_associated(x)->to = NULL;
}

static void judge_replace_association(const struct request *x, struct verdict *v)
{
	const struct thing *t = find_associated(x);
	if (!t)
		refuse(v, "InvalidAssociationID.NotFound");
	else if (t->of != x->refs[0]->of)
		refuse(v, "InvalidParameterValue");
}

static void apply_replace_association(struct request *x, struct str answer)
{
	struct thing *t = find_associated(x), *table = x->refs[0];
	struct str id = id_in(answer, "newAssociationId");
	if (t->kind == KIND_SUBNET) {
		t->to = table;
		set_association(t, id);
		return;
	}
	t->is_default = false;
	set_association(t, STR_NONE);
	table->is_default = true;
	set_association(table, id);
}

static const struct operation rows[] = {
	{"DELETE /network/v2.0/subnets/{subnet_id}",
	 2,
	 {{"subnet_id", KIND_SUBNET}},
	 NULL,
	 draw_delete_subnet,
	 network_judge_delete_subnet,
	 request_apply_end},
	{"CreateVpc", 3, {}, "vpc", draw_vpc, judge_vpc, apply_vpc},
	{"ModifyVpcAttribute", 1, {{"VpcId", KIND_ROUTER}}, NULL, draw_names, NULL, apply_names},
	{"ModifyVpcTenancy", 1, {{"VpcId", KIND_ROUTER}}, NULL, draw_shared, NULL, apply_shared},
	{"DeleteVpc", 2, {{"VpcId", KIND_ROUTER}}, NULL, NULL, judge_delete_vpc, request_apply_end},
	{"CreateDefaultVpc", 1, {}, NULL, NULL, judge_default_vpc, apply_default_vpc},
	{"CreateDefaultSubnet", 1, {}, NULL, draw_default_subnet, judge_default_subnet, apply_default_subnet},
	{"AssociateVpcCidrBlock", 2, {{"VpcId", KIND_ROUTER}}, NULL, draw_block, judge_block, apply_block},
	{"DisassociateVpcCidrBlock", 1, {}, NULL, draw_no_block, judge_no_block, apply_no_block},
	{"CreateDhcpOptions", 1, {}, "dhcp-options", draw_dhcp_options, NULL, apply_dhcp_options},
	{"AssociateDhcpOptions",
	 2,
	 {{"DhcpOptionsId", KIND_DHCP_OPTIONS}, {"VpcId", KIND_ROUTER}},
	 NULL,
	 NULL,
	 NULL,
	 apply_associate_options},
	{"AssociateDhcpOptions", 1, {{"VpcId", KIND_ROUTER}}, NULL, draw_no_options, NULL, apply_no_options},
	{"DeleteDhcpOptions",
	 1,
	 {{"DhcpOptionsId", KIND_DHCP_OPTIONS}},
	 NULL,
	 NULL,
	 judge_delete_options,
	 request_apply_end},
	{"CreateSubnet", 4, {{"VpcId", KIND_ROUTER}}, "subnet", draw_subnet, judge_subnet, apply_subnet},
	{"CreateSubnetCidrReservation",
	 1,
	 {{"SubnetId", KIND_SUBNET}},
	 NULL,
	 draw_reservation,
	 judge_reservation,
	 apply_reservation},
	{"DeleteSubnetCidrReservation",
	 1,
	 {},
	 NULL,
	 draw_no_reservation,
	 judge_no_reservation,
	 apply_no_reservation},
	{"DeleteSubnet",
	 2,
	 {{"SubnetId", KIND_SUBNET}},
	 NULL,
	 draw_delete_subnet,
	 network_judge_delete_subnet,
	 network_apply_delete_subnet},
	{"ModifySubnetAttribute", 2, {{"SubnetId", KIND_SUBNET}}, NULL, draw_public, NULL, apply_public},
	{"CreateInternetGateway", 2, {}, "internet-gateway", NULL, NULL, apply_gateway},
	{"DeleteInternetGateway",
	 1,
	 {{"InternetGatewayId", KIND_GATEWAY}},
	 NULL,
	 NULL,
	 judge_delete_gateway,
	 request_apply_end},
	{"CreateEgressOnlyInternetGateway",
	 2,
	 {{"VpcId", KIND_ROUTER}},
	 "egress-only-internet-gateway",
	 NULL,
	 judge_egress,
	 apply_egress},
	{"DeleteEgressOnlyInternetGateway",
	 1,
	 {{"EgressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY}},
	 NULL,
	 NULL,
	 NULL,
	 request_apply_end},
	{"AttachInternetGateway",
	 3,
	 {{"InternetGatewayId", KIND_GATEWAY}, {"VpcId", KIND_ROUTER}},
	 NULL,
	 NULL,
	 judge_attach,
	 apply_attach},
	{"DetachInternetGateway",
	 1,
	 {{"InternetGatewayId", KIND_GATEWAY}, {"VpcId", KIND_ROUTER}},
	 NULL,
	 NULL,
	 judge_detach,
	 apply_detach},
	{"CreateRouteTable", 3, {{"VpcId", KIND_ROUTER}}, "route-table", NULL, NULL, apply_table},
	{"DeleteRouteTable",
	 2,
	 {{"RouteTableId", KIND_ROUTE_TABLE}},
	 NULL,
	 NULL,
	 judge_delete_table,
	 request_apply_end},
	{"AssociateRouteTable",
	 3,
	 {{"RouteTableId", KIND_ROUTE_TABLE}, {"SubnetId", KIND_SUBNET}},
	 NULL,
	 NULL,
	 judge_associate_table,
	 apply_associate_table},
	{"DisassociateRouteTable",
	 1,
	 {},
	 NULL,
	 draw_association,
	 judge_disassociate_table,
	 apply_disassociate_table},
	{"ReplaceRouteTableAssociation",
	 2,
	 {{"RouteTableId", KIND_ROUTE_TABLE}},
	 NULL,
	 draw_association,
	 judge_replace_association,
	 apply_replace_association},
};
const struct operations network_operations = {rows, sizeof rows / sizeof *rows};
