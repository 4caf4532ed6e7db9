/* SPDX-License-Identifier: Apache-2.0
 * Elastic addresses. An address is associated with an interface, by the interface's primary or a secondary
 * address. */
#include <stdio.h>

#include "model/port.h"
#include "simulation.h"

void address_judge_allocate(const struct request *x, struct verdict *v)
{
	size_t used = 0;
	EACH (&x->s->model, t, KIND_ADDRESS)
		used += t->account == x->account;
	if (used >= LIMIT_ADDRESSES)
		refuse(v, "AddressLimitExceeded");
}

/* A network with one of these subnets is a VPC's tier in CloudStack. */
static bool is_tier(const struct thing *subnet)
{
	return subnet->of && subnet->of->block.bits && subnet->block.base.family == IP_V4;
}

/* CloudStack refuses if the account has neither a VPC's tier nor an isolated network with source NAT, or
 * several of the latter. The model does not know which networks have source NAT. */
static void judge_associate_ip(const struct request *x, struct verdict *v)
{
	size_t tiers = 0, others = 0;
	address_judge_allocate(x, v);
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->account == x->account) {
			tiers += is_tier(t) && t->life == LIVE;
			others += !is_tier(t) && t->of;
		}
	if (!tiers || others > 1)
		doubt(v, "431");
}

static void apply_allocate(struct request *x, struct str answer)
{
	request_apply_tag(x, model_add(&x->s->model, KIND_ADDRESS, x->account, NULL,
				       request_made(x, answer, "allocationId", NULL)));
}

/* The model does not associate addresses with a NAT gateway's interface. */
static void judge_not_nats(const struct thing *port, struct verdict *v)
{
	if (port && port->of && port->of->kind == KIND_NAT_GATEWAY)
		refuse_or_doubt(v, port->life == LIVE, "AuthFailure");
}

/* ---- association ---- */

static bool draw_associate(struct request *x)
{
	x->flag = random_below(2) == 0;
	if (!x->flag)
		request_add(x, "AllowReassociation", "false");
	return true;
}

/* Chooses an interface; in half of the cases with one of its secondary addresses, if it has any. */
static bool draw_associate_port(struct request *x)
{
	char text[CIDR_TEXT_SIZE];
	EACH (&x->s->model, t, KIND_SECONDARY_IP)
		if (t->of == x->refs[1] && t->block.bits && random_below(2))
			x->block = t->block;
	if (x->block.bits)
		request_add(x, "PrivateIpAddress", "%.*s", (int) strcspn(cidr_write(x->block, text), "/"),
			    text);
	return draw_associate(x);
}

static struct thing *thing_port(const struct request *x)
{
	struct thing *target = x->refs[1];
	return target->kind == KIND_PORT ? target : model_part(&x->s->model, KIND_PORT, target);
}

/* The named secondary address, present or just released; NULL if none is named, or it is not the
 * interface's. */
static struct thing *ip_of(const struct request *x)
{
	struct thing *found = NULL;
	EACH (&x->s->model, t, KIND_SECONDARY_IP)
		if (x->block.bits && t->of == x->refs[1] && cidr_equal(t->block, x->block) &&
		    (!found || found->life != LIVE))
			found = t;
	return found;
}

static struct thing *address_at(struct model *m, const struct thing *port, const struct thing *ip)
{
	EACH (m, t, KIND_ADDRESS)
		if (t->to == port && t->ip == ip)
			return t;
	return NULL;
}

static void judge_instance(const struct request *x, struct verdict *v)
{
	const struct thing *instance = x->refs[1];
	if (model_may_have_ended(instance))
		refuse_or_doubt(v, instance->life == ENDING, "InvalidInstanceID");
	if (instance && !server_is_at_rest(x, instance)) /* it may be pending */
		doubt(v, "InvalidInstanceID");
	if (instance && instance->has_lost_port)
		doubt(v, "IncorrectInstanceState");
	EACH (&x->s->model, t, KIND_PORT)
		if (t->to == instance || t->left == instance)
			refuse_or_doubt(v, t->to == instance, "InvalidInstanceID");
}

/* Judges the instance of the interface, present or last. */
static void judge_interface(const struct request *x, const struct thing *port, struct verdict *v)
{
	const struct thing *instance = port->to ? port->to : port->of;
	if (instance && instance->kind == KIND_INSTANCE &&
	    !server_is_at_rest(x, instance)) /* it may be pending */
		doubt(v, "IncorrectInstanceState");
}

static void judge_associate(const struct request *x, struct verdict *v)
{
	const struct thing *address = x->refs[0], *port = thing_port(x), *ip = ip_of(x);
	if (x->refs[1]->kind == KIND_INSTANCE)
		judge_instance(x, v);
	else
		judge_interface(x, port, v);
	judge_not_nats(address->to, v);
	if (!port)
		return;
	judge_not_nats(port, v);
	if (!model_gateway(&x->s->model, model_subnet(port)->of))
		refuse(v, "Gateway.NotAttached");
	if (x->block.bits && !(ip && ip->life == LIVE))
		refuse_or_doubt(v, !ip || !model_ends_with_port(ip), "InvalidParameterValue");
	const struct thing *there = address_at(&x->s->model, port, ip);
	bool moves = address->to && there != address, replaces = there && there != address;
	if (!x->flag && (moves || replaces))
		refuse_or_doubt(v, replaces || !model_may_have_ended(address->to),
				"Resource.AlreadyAssociated");
	EACH (&x->s->model, t, KIND_ADDRESS)
		if (!x->flag && ip && t->ip == ip && t->to && t->to != port)
			doubt(v, "Resource.AlreadyAssociated"); /* if it was created with the instance */
}

static void apply_associate(struct request *x, struct str answer)
{
	struct thing *port = thing_port(x), *ip = ip_of(x), *address = x->refs[0];
	struct thing *there = address_at(&x->s->model, port, ip);
	if (there)
		there->to = NULL;
	address->to = port;
	address->ip = ip;
	snprintf(address->association, sizeof address->association, "%" STR_FMT,
		 STR_ARG(answer_at(answer, "associationId")));
}

/* ---- disassociation ---- */

static bool draw_disassociate(struct request *x)
{
	const struct thing *t = request_ref(x, NULL, KIND_ADDRESS);
	if (!t || !t->association[0])
		return false;
	x->ref_count = 0; /* the association is named, not the address */
	snprintf(x->name, sizeof x->name, "%s", t->association);
	request_add(x, "AssociationId", "%s", x->name);
	return true;
}

static struct thing *find_associated(const struct request *x)
{
	EACH (&x->s->model, t, KIND_ADDRESS)
		if (t->to && t->account == x->account && strcmp(t->association, x->name) == 0)
			return t;
	return NULL;
}

static void judge_disassociate(const struct request *x, struct verdict *v)
{
	const struct thing *t = find_associated(x);
	if (!t || model_may_have_ended(t->to))
		refuse_or_doubt(v, !t, "InvalidAssociationID.NotFound");
	judge_not_nats(t ? t->to : NULL, v);
}

static void apply_disassociate(struct request *x, struct str answer)
{
	(void) answer;
	find_associated(x)->to = NULL;
}

/* ---- further addresses of NAT gateways ---- */

static void judge_public_nat(const struct thing *nat, struct verdict *v)
{
	if (nat->life != LIVE)
		refuse(v, "NatGatewayNotFound");
	else if (!nat->to)
		refuse(v, "InvalidParameterValue");
}

/* In half of the cases with a private address that other calls use, too. */
static bool draw_nat_address(struct request *x)
{
	const struct cidr block = x->refs[0]->of->block;
	char text[IP_TEXT_SIZE];
	if (random_below(2) && block.base.family == IP_V4)
		request_add(x, "PrivateIpAddress.1", "%s",
			    ip_write(ip_add(block.base, 200 + random_below(3)), text));
	return true;
}

static void judge_nat_address(const struct request *x, struct verdict *v)
{
	const struct thing *nat = x->refs[0], *address = x->refs[1];
	judge_public_nat(nat, v);
	if (address->to)
		refuse_or_doubt(v, !model_may_have_ended(address->to), "Resource.AlreadyAssociated");
	doubt(v, "InvalidIPAddress.InUse");
}

static void apply_nat_address(struct request *x, struct str answer)
{
	struct thing *address = x->refs[1], *port = model_part(&x->s->model, KIND_PORT, x->refs[0]);
	struct str item = answer_at(answer, "natGatewayAddressSet/item");
	struct thing *ip = model_add(&x->s->model, KIND_SECONDARY_IP, x->account, port, STR_NONE);
	ip->block.bits = 32;
	if (!result_is_ok(ip_parse(answer_at(item, "privateIp"), &ip->block.base)))
		blame(x->s, "#%d: an address that is none", (int) x->serial);
	address->to = port;
	address->ip = ip;
	snprintf(address->association, sizeof address->association, "%" STR_FMT,
		 STR_ARG(answer_at(item, "associationId")));
}

static bool draw_leaving(struct request *x)
{
	const struct thing *t = request_ref(x, NULL, KIND_ADDRESS);
	if (!t || !t->association[0])
		return false;
	x->ref_count = 1;
	snprintf(x->name, sizeof x->name, "%s", t->association);
	request_add(x, "AssociationId.1", "%s", x->name);
	return true;
}

static void judge_leaving(const struct request *x, struct verdict *v)
{
	const struct thing *nat = x->refs[0], *t = find_associated(x);
	judge_public_nat(nat, v);
	if (!t || t->to->of != nat)
		refuse(v, "InvalidAssociationID.NotFound");
	else if (!t->ip)
		refuse(v, "InvalidParameterValue");
}

static void apply_leaving(struct request *x, struct str answer)
{
	struct thing *t = find_associated(x);
	(void) answer;
	t->ip->life = ENDING;
	t->to = NULL;
}

void address_judge_release(const struct request *x, struct verdict *v)
{
	const struct thing *port = x->refs[0]->to;
	judge_not_nats(port, v);
	if (port)
		refuse_or_doubt(v, !model_may_have_ended(port), "InvalidIPAddress.InUse");
}

/* ---- CloudStack's ---- */

static bool draw_in_zone(struct request *x)
{
	request_add(x, "zoneid", "%s", x->s->region.zone);
	return true;
}

/* Uses the default NIC, if no call is about to change that. */
static bool draw_static_nat(struct request *x)
{
	const struct thing *port = thing_port(x);
	return !x->refs[1]->has_lost_port && server_is_alone(x, x->refs[1]) &&
	       (!port || server_is_alone(x, port));
}

static void judge_static_nat(const struct request *x, struct verdict *v)
{
	const struct thing *address = x->refs[0], *port = thing_port(x);
	if (model_may_have_ended(x->refs[1]))
		refuse_or_doubt(v, x->refs[1]->life == ENDING, "InvalidInstanceID");
	judge_not_nats(address->to, v);
	if (!port)
		return;
	if (!model_gateway(&x->s->model, model_subnet(port)->of))
		refuse(v, "Gateway.NotAttached");
	const struct thing *there = address_at(&x->s->model, port, NULL);
	if ((there && there != address) || (address->to && there != address))
		refuse_or_doubt(v, there || !model_may_have_ended(address->to), "Resource.AlreadyAssociated");
}

/* EC2's listing shows the association's id. */
static void apply_static_nat(struct request *x, struct str answer)
{
	struct thing *address = x->refs[0], *port = thing_port(x);
	(void) answer;
	if (address->to == port && !address->ip)
		return;
	address->to = port;
	address->ip = NULL;
	address->association[0] = '\0';
}

/* An association with an interface outside of any machine is no static NAT. */
static void judge_no_static_nat(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0]->to;
	bool is_free = !t || (!t->of && !t->to);
	judge_not_nats(t, v);
	if (is_free || model_may_have_ended(t))
		refuse_or_doubt(v, is_free && !(t && t->left), "InvalidAssociationID.NotFound");
}

static void apply_no_static_nat(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->to = NULL;
}

static void judge_disassociate_ip(const struct request *x, struct verdict *v)
{
	judge_not_nats(x->refs[0]->to, v);
}

/* ---- reverse names ---- */

static bool draw_reverse_name(struct request *x)
{
	snprintf(x->name, sizeof x->name, "m%d.x.yz", (int) random_below(3));
	request_add(x, "DomainName", "%s", x->name);
	return true;
}

static bool draw_no_reverse_name(struct request *x)
{
	x->name[0] = '\0';
	request_add(x, "Attribute", "domain-name");
	return true;
}

static void apply_reverse_name(struct request *x, struct str answer)
{
	(void) answer;
	snprintf(x->refs[0]->name, sizeof x->refs[0]->name, "%s", x->name);
}

static const struct operation rows[] = {
	{"associateIpAddress", 3, {}, NULL, draw_in_zone, judge_associate_ip, apply_allocate},
	{"disassociateIpAddress",
	 1,
	 {{"id", KIND_ADDRESS}},
	 NULL,
	 NULL,
	 judge_disassociate_ip,
	 request_apply_end},
	{"enableStaticNat",
	 4,
	 {{"ipaddressid", KIND_ADDRESS}, {"virtualmachineid", KIND_INSTANCE}},
	 NULL,
	 draw_static_nat,
	 judge_static_nat,
	 apply_static_nat},
	{"disableStaticNat",
	 2,
	 {{"ipaddressid", KIND_ADDRESS}},
	 NULL,
	 NULL,
	 judge_no_static_nat,
	 apply_no_static_nat},
	{"AllocateAddress", 4, {}, "elastic-ip", NULL, address_judge_allocate, apply_allocate},
	{"AssociateAddress",
	 5,
	 {{"AllocationId", KIND_ADDRESS}, {"InstanceId", KIND_INSTANCE}},
	 NULL,
	 draw_associate,
	 judge_associate,
	 apply_associate},
	{"AssociateAddress",
	 4,
	 {{"AllocationId", KIND_ADDRESS}, {"NetworkInterfaceId", KIND_PORT}},
	 NULL,
	 draw_associate_port,
	 judge_associate,
	 apply_associate},
	{"DisassociateAddress", 2, {}, NULL, draw_disassociate, judge_disassociate, apply_disassociate},
	{"AssociateNatGatewayAddress",
	 4,
	 {{"NatGatewayId", KIND_NAT_GATEWAY}, {"AllocationId.1", KIND_ADDRESS}},
	 NULL,
	 draw_nat_address,
	 judge_nat_address,
	 apply_nat_address},
	{"DisassociateNatGatewayAddress",
	 3,
	 {{"NatGatewayId", KIND_NAT_GATEWAY}},
	 NULL,
	 draw_leaving,
	 judge_leaving,
	 apply_leaving},
	{"ModifyAddressAttribute",
	 2,
	 {{"AllocationId", KIND_ADDRESS}},
	 NULL,
	 draw_reverse_name,
	 NULL,
	 apply_reverse_name},
	{"ResetAddressAttribute",
	 1,
	 {{"AllocationId", KIND_ADDRESS}},
	 NULL,
	 draw_no_reverse_name,
	 NULL,
	 apply_reverse_name},
	{"ReleaseAddress",
	 2,
	 {{"AllocationId", KIND_ADDRESS}},
	 NULL,
	 NULL,
	 address_judge_release,
	 request_apply_end},
};
const struct operations address_operations = {rows, sizeof rows / sizeof *rows};
