/* SPDX-License-Identifier: Apache-2.0
 * NAT gateways, and routes to every kind of target. */
#include <stdio.h>

#include "simulation.h"

/* ---- NAT gateways ---- */

static struct thing *add_nat(struct request *x, struct str answer)
{
	struct thing *nat = model_add(&x->s->model, KIND_NAT_GATEWAY, x->account, x->refs[0],
				      answer_at(answer, "natGateway/natGatewayId"));
	request_apply_tag(x, nat);
	return nat;
}

static bool draw_nat(struct request *x)
{
	request_add(x, "ConnectivityType", "private");
	return true;
}

/* For EC2 a subnet exists as long as it is in a VPC. */
static void judge_nat(const struct request *x, struct verdict *v)
{
	if (!x->refs[0]->of)
		refuse(v, "InvalidSubnetID.NotFound");
}

static void apply_nat(struct request *x, struct str answer)
{
	(void) model_add(&x->s->model, KIND_PORT, x->account, add_nat(x, answer), STR_NONE);
}

/* If the gateway cannot be created, it is shown as failed, without an address; the call succeeds. */
static void apply_public_nat(struct request *x, struct str answer)
{
	struct thing *address = x->refs[1], *nat = add_nat(x, answer);
	bool has_failed = str_is(answer_at(answer, "natGateway/state"), "failed");
	bool is_free = !address->to, has_way = model_gateway(&x->s->model, x->refs[0]->of);
	bool must_fail = !has_way || (address->to && !model_may_have_ended(address->to));
	if (has_failed ? is_free && has_way : must_fail)
		blame(x->s, "#%d: the NAT gateway %s", (int) x->serial, has_failed ? "failed" : "was made");
	if (has_failed) {
		nat->has_failed = true;
		nat->life = ENDING;
		return;
	}
	nat->to = address;
	address->to = model_add(&x->s->model, KIND_PORT, x->account, nat, STR_NONE);
	address->ip = NULL;
	address->association[0] = '\0'; /* a listing will show it */
}

static void apply_delete_nat(struct request *x, struct str answer)
{
	(void) answer;
	model_end(&x->s->model, x->refs[0], ENDING);
}

/* ---- targets of routes ---- */

static bool draw_destination(struct request *x)
{
	static const struct {
		const char *parameter, *block;
	} rows[] = {{"DestinationCidrBlock", "0.0.0.0/0"},
		    {"DestinationCidrBlock", "192.0.2.0/24"},
		    {"DestinationCidrBlock", "192.168.0.0/16"},
		    {"DestinationCidrBlock", "10.1.2.0/24"},
		    {"DestinationIpv6CidrBlock", "::/0"},
		    {"DestinationIpv6CidrBlock", "2001:db8:e000::/36"}};
	uint64_t k = random_below(sizeof rows / sizeof rows[0]);
	request_add(x, rows[k].parameter, "%s", rows[k].block);
	return result_is_ok(cidr_parse(str_from(rows[k].block), &x->block));
}

/* An instance's interface is the target; if it has several, one must be named. */
static void judge_instance(const struct request *x, const struct thing *instance, struct verdict *v)
{
	if (model_may_have_ended(instance))
		refuse_or_doubt(v, instance->life == ENDING, "IncorrectInstanceState");
	if (instance && instance->has_lost_port)
		doubt(v, "IncorrectInstanceState");
	EACH (&x->s->model, t, KIND_PORT)
		if (t->to == instance || t->left == instance)
			refuse_or_doubt(v, t->to == instance, "InvalidInstanceID");
}

static void judge_target(const struct request *x, struct verdict *v)
{
	struct thing *target = x->refs[1];
	const struct thing *vpc = target->kind == KIND_GATEWAY ? target->to
				  : target->kind == KIND_PORT  ? model_subnet(target)->of
							       : model_vpc(target);
	if (vpc != x->refs[0]->of)
		refuse(v, "InvalidParameterValue");
	if (target->kind == KIND_INSTANCE)
		judge_instance(x, target, v);
	if (target->kind == KIND_NAT_GATEWAY && target->life == ENDING)
		refuse(v, "NatGatewayNotFound");
	if (target->kind == KIND_EGRESS_GATEWAY && x->block.base.family == IP_V4)
		refuse(v, "InvalidParameterValue");
	if (target->kind == KIND_NAT_GATEWAY && x->block.base.family == IP_V6)
		refuse(v, "UnsupportedOperation");
	if (target->kind == KIND_PORT && target->of && target->of->kind == KIND_NAT_GATEWAY)
		refuse(v, "InvalidParameterValue");
}

/* ---- routes ---- */

static void judge_route(const struct request *x, struct verdict *v)
{
	judge_target(x, v);
	if (cidr_contains_cidr(x->refs[0]->of->block, x->block))
		refuse(v, "InvalidParameterValue");
	if (model_route(&x->s->model, x->refs[0], x->block))
		refuse(v, "RouteAlreadyExists");
}

static void apply_route(struct request *x, struct str answer)
{
	struct model *m = &x->s->model;
	struct thing *route = model_route(m, x->refs[0], x->block), *target = x->refs[1];
	(void) answer;
	if (!route)
		route = model_add(m, KIND_ROUTE, x->account, x->refs[0], STR_NONE);
	route->block = x->block;
	route->to = target->kind == KIND_INSTANCE ? model_part(m, KIND_PORT, target) : target;
}

static void judge_present_route(const struct request *x, struct verdict *v)
{
	if (!model_route(&x->s->model, x->refs[0], x->block))
		refuse(v, "InvalidRoute.NotFound");
}

static void judge_replace_route(const struct request *x, struct verdict *v)
{
	judge_target(x, v);
	judge_present_route(x, v);
}

static void apply_delete_route(struct request *x, struct str answer)
{
	(void) answer;
	model_end(&x->s->model, model_route(&x->s->model, x->refs[0], x->block), GONE);
}

#define CREATE(weight, parameter, kind)                                                                      \
	{                                                                                                    \
		"CreateRoute", weight, {{"RouteTableId", KIND_ROUTE_TABLE}, {parameter, kind}}, NULL,        \
			draw_destination, judge_route, apply_route                                           \
	}
#define REPLACE(weight, parameter, kind)                                                                     \
	{                                                                                                    \
		"ReplaceRoute", weight, {{"RouteTableId", KIND_ROUTE_TABLE}, {parameter, kind}}, NULL,       \
			draw_destination, judge_replace_route, apply_route                                   \
	}
static const struct operation rows[] = {
	{"CreateNatGateway", 2, {{"SubnetId", KIND_SUBNET}}, "natgateway", draw_nat, judge_nat, apply_nat},
	{"CreateNatGateway",
	 3,
	 {{"SubnetId", KIND_SUBNET}, {"AllocationId", KIND_ADDRESS}},
	 "natgateway",
	 NULL,
	 judge_nat,
	 apply_public_nat},
	{"DeleteNatGateway", 3, {{"NatGatewayId", KIND_NAT_GATEWAY}}, NULL, NULL, NULL, apply_delete_nat},
	CREATE(3, "GatewayId", KIND_GATEWAY),
	CREATE(2, "NatGatewayId", KIND_NAT_GATEWAY),
	CREATE(2, "InstanceId", KIND_INSTANCE),
	CREATE(2, "NetworkInterfaceId", KIND_PORT),
	CREATE(2, "EgressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY),
	REPLACE(2, "GatewayId", KIND_GATEWAY),
	REPLACE(1, "EgressOnlyInternetGatewayId", KIND_EGRESS_GATEWAY),
	REPLACE(1, "NatGatewayId", KIND_NAT_GATEWAY),
	REPLACE(1, "NetworkInterfaceId", KIND_PORT),
	{"DeleteRoute",
	 1,
	 {{"RouteTableId", KIND_ROUTE_TABLE}},
	 NULL,
	 draw_destination,
	 judge_present_route,
	 apply_delete_route},
};
const struct operations route_operations = {rows, sizeof rows / sizeof *rows};
