/* SPDX-License-Identifier: Apache-2.0
 * Changes of existing instances and network interfaces: protections, shutdown behaviour, groups, secondary
 * private addresses. */
#include <stdio.h>

#include "simulation.h"

static bool draw_volume_key(struct request *x)
{
	request_add(x, "KmsKeyId", "alias/aws/ebs");
	return true;
}

/* ---- instances ---- */

static bool draw_terminates(struct request *x)
{
	x->flag = random_below(2) == 0;
	request_add(x, "InstanceInitiatedShutdownBehavior.Value", "%s", x->flag ? "terminate" : "stop");
	return true;
}

static void judge_setting(const struct request *x, struct verdict *v)
{
	if (model_may_have_ended(x->refs[0]))
		refuse_or_doubt(v, x->refs[0]->life == ENDING, "IncorrectInstanceState");
}

static void apply_terminates(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->ends_itself = x->flag;
}

static bool draw_protection(struct request *x, const char *name)
{
	x->flag = random_below(3) == 0;
	request_add(x, name, "%s", x->flag ? "true" : "false");
	return true;
}

static bool draw_no_termination(struct request *x)
{
	return draw_protection(x, "DisableApiTermination.Value");
}

static void apply_no_termination(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->may_not_end = x->flag;
}

static bool draw_no_stop(struct request *x)
{
	return draw_protection(x, "DisableApiStop.Value");
}

static void apply_no_stop(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->may_not_stop = x->flag;
}

/* Only for an existing instance of the caller: for others the answer reports each failure, and the call
 * succeeds. */
static bool draw_credits(struct request *x)
{
	if (x->refs[0]->life != LIVE || x->refs[0]->account != x->account)
		return false;
	request_add(x, "InstanceCreditSpecification.1.CpuCredits", "%s",
		    random_below(2) ? "standard" : "unlimited");
	return true;
}

static bool draw_report(struct request *x)
{
	request_add(x, "Status", "impaired");
	request_add(x, "ReasonCode.1", "unresponsive");
	return true;
}

static void judge_report(const struct request *x, struct verdict *v)
{
	(void) x;
	doubt(v, "IncorrectInstanceState"); /* it does not run */
}

static bool draw_credit_default(struct request *x)
{
	request_add(x, "InstanceFamily", "%s", random_below(2) ? "t2" : "t3");
	request_add(x, "CpuCredits", "%s", random_below(2) ? "standard" : "unlimited");
	return true;
}

static bool draw_defaults(struct request *x)
{
	request_add(x, "HttpTokens", "%s", random_below(2) ? "required" : "no-preference");
	request_add(x, "HttpPutResponseHopLimit", "%d", random_below(2) ? -1 : (int) random_below(64) + 1);
	return true;
}

static void judge_only_port(const struct request *x, struct verdict *v)
{
	judge_setting(x, v);
	if (x->refs[0]->has_lost_port)
		doubt(v, "IncorrectInstanceState");
	if (!model_group_fits(&x->s->model, x->refs[1], x->refs[0]->of))
		refuse(v, "InvalidParameterValue");
	EACH (&x->s->model, t, KIND_PORT)
		if (t->to == x->refs[0] || t->left == x->refs[0])
			refuse_or_doubt(v, t->to == x->refs[0], "InvalidInstanceID");
}

static void apply_instance_group(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->group = x->refs[1];
}

/* ---- placement ---- */

static bool is_stopped(const struct thing *t)
{
	return !t->wanted_on && !t->is_saved && !t->is_shelved;
}

/* The destination may have no room. */
static void judge_placement(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	bool is_sure = server_is_at_rest(x, t) && !model_may_have_ended(t);
	if (!is_sure || !is_stopped(t))
		refuse_or_doubt(v, is_sure || t->life == ENDING, "IncorrectInstanceState");
	doubt(v, "InsufficientInstanceCapacity");
}

static void apply_placement(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->near = x->refs[1];
}

/* ---- network interfaces ---- */

/* A NAT gateway's interface is not used. */
static void judge_not_nats(const struct thing *port, struct verdict *v)
{
	if (port->of && port->of->kind == KIND_NAT_GATEWAY)
		refuse(v, "AuthFailure");
}

static void judge_port_group(const struct request *x, struct verdict *v)
{
	judge_not_nats(x->refs[0], v);
	if (!model_group_fits(&x->s->model, x->refs[1], model_subnet(x->refs[0])))
		refuse(v, "InvalidParameter");
}

static void apply_port_group(struct request *x, struct str answer)
{
	struct thing *port = x->refs[0];
	(void) answer;
	*(port->of ? &port->of->group : &port->group) = x->refs[1];
}

/* ---- secondary addresses ---- */

enum { IPS_OF_MICRO = 2 /* limit of an interface of a t3.micro */ };

/* A few addresses of the subnet, so that they collide. */
static bool draw_named(struct request *x)
{
	const struct cidr block = model_subnet(x->refs[0])->block;
	uint32_t ip = ip_to_v4(block.base) + 200 + (uint32_t) random_below(3);
	char text[CIDR_TEXT_SIZE];
	x->block = (struct cidr){ip_from_v4(ip), 32};
	request_add(x, "PrivateIpAddress.1", "%.*s", (int) strcspn(cidr_write(x->block, text), "/"), text);
	return true;
}

static bool draw_assigned(struct request *x)
{
	x->flag = random_below(2) == 0;
	if (x->flag)
		request_add(x, "AllowReassignment", "true");
	x->count = (int64_t) random_below(3);
	if (x->count == 0)
		return draw_named(x);
	request_add(x, "SecondaryPrivateIpAddressCount", "%d", (int) x->count);
	return true;
}

/* The present or last holder of the address in that subnet. */
static struct thing *find_ip(const struct request *x)
{
	struct thing *found = NULL;
	EACH (&x->s->model, t, KIND_SECONDARY_IP)
		if (model_subnet(t->of) == model_subnet(x->refs[0]) && cidr_equal(t->block, x->block) &&
		    (!found || found->life != LIVE))
			found = t;
	return found;
}

static void judge_room(const struct request *x, struct verdict *v, int64_t more)
{
	const struct thing *port = x->refs[0], *in = port->of ? port->of : port->to;
	int64_t going = 0;
	EACH (&x->s->model, t, KIND_SECONDARY_IP) {
		more += t->of == port && t->life == LIVE;
		going += t->of == port && model_ends_with_port(t);
	}
	if ((in || port->left) && 1 + more + going > IPS_OF_MICRO)
		refuse_or_doubt(v, in && !model_may_have_ended(in) && 1 + more > IPS_OF_MICRO,
				"PrivateIpAddressLimitExceeded");
}

static void judge_assign(const struct request *x, struct verdict *v)
{
	const struct thing *there = x->count ? NULL : find_ip(x);
	bool has_it = there && there->of == x->refs[0] && there->life == LIVE;
	judge_not_nats(x->refs[0], v);
	judge_room(x, v, x->count ? x->count : !has_it);
	if (x->count || has_it)
		return;
	if (there && x->flag && there->of->of && there->of->of->kind == KIND_NAT_GATEWAY)
		refuse_or_doubt(v, there->life == LIVE && there->of->life == LIVE, "AuthFailure");
	doubt(v, "InvalidIPAddress.InUse"); /* a primary address, or one just released */
	if (there && !x->flag && (there->life == LIVE || model_ends_with_port(there)))
		refuse_or_doubt(v, there->life == LIVE && !model_may_have_ended(there->of),
				"InvalidParameterValue");
}

/* Removes its public association, too; if its interface may have ended, a listing will show it. */
static void take_ip(struct request *x, struct thing *ip)
{
	EACH (&x->s->model, t, KIND_ADDRESS)
		if (t->to == ip->of && t->ip == ip && !model_may_have_ended(ip->of))
			t->to = x->refs[0];
	ip->of = x->refs[0];
	ip->life = LIVE;
}

static void apply_assign(struct request *x, struct str answer)
{
	struct str set = answer_at(answer, "assignedPrivateIpAddressesSet"), item;
	int64_t made = 0;
	for (; answer_next_item(&set, &item); made++) {
		x->block.bits = 32;
		if (!result_is_ok(ip_parse(answer_at(item, "privateIpAddress"), &x->block.base)))
			blame(x->s, "#%d: an address that is none", (int) x->serial);
		struct thing *there = find_ip(x);
		if (there && (there->life == LIVE || model_ends_with_port(there)))
			take_ip(x, there);
		else
			model_add(&x->s->model, KIND_SECONDARY_IP, x->account, x->refs[0], STR_NONE)->block =
				x->block;
	}
	if (made != (x->count ? x->count : 1))
		blame(x->s, "#%d: %d addresses were assigned", (int) x->serial, (int) made);
}

static void judge_unassign(const struct request *x, struct verdict *v)
{
	const struct thing *there = find_ip(x);
	judge_not_nats(x->refs[0], v);
	if (there && there->of == x->refs[0] && model_ends_with_port(there))
		doubt(v, "InvalidParameterValue");
	else if (!there || there->of != x->refs[0] || there->life != LIVE)
		refuse(v, "InvalidParameterValue");
}

static void apply_unassign(struct request *x, struct str answer)
{
	(void) answer;
	struct thing *ip = find_ip(x);
	EACH (&x->s->model, t, KIND_ADDRESS)
		if (t->to == ip->of && t->ip == ip)
			t->to = NULL;
	ip->life = ENDING;
}

#define INSTANCE                                                                                             \
	{                                                                                                    \
		"InstanceId", KIND_INSTANCE                                                                  \
	}
#define PORT                                                                                                 \
	{                                                                                                    \
		"NetworkInterfaceId", KIND_PORT                                                              \
	}
static const struct operation rows[] = {
	{"ModifyInstanceCreditSpecification",
	 1,
	 {{"InstanceCreditSpecification.1.InstanceId", KIND_INSTANCE}},
	 NULL,
	 draw_credits,
	 NULL,
	 NULL},
	{"ReportInstanceStatus", 1, {{"InstanceId.1", KIND_INSTANCE}}, NULL, draw_report, judge_report, NULL},
	{"ModifyInstanceMetadataDefaults", 1, {}, NULL, draw_defaults, NULL, NULL},
	{"EnableEbsEncryptionByDefault", 1, {}, NULL, NULL, NULL, NULL},
	{"DisableEbsEncryptionByDefault", 1, {}, NULL, NULL, NULL, NULL},
	{"ModifyEbsDefaultKmsKeyId", 1, {}, NULL, draw_volume_key, NULL, NULL},
	{"ResetEbsDefaultKmsKeyId", 1, {}, NULL, NULL, NULL, NULL},
	{"EnableSerialConsoleAccess", 1, {}, NULL, NULL, NULL, NULL},
	{"DisableSerialConsoleAccess", 1, {}, NULL, NULL, NULL, NULL},
	{"DisableImageBlockPublicAccess", 1, {}, NULL, NULL, NULL, NULL},
	{"DisableSnapshotBlockPublicAccess", 1, {}, NULL, NULL, NULL, NULL},
	{"ModifyDefaultCreditSpecification", 1, {}, NULL, draw_credit_default, NULL, NULL},
	{"ModifyInstanceAttribute", 2, {INSTANCE}, NULL, draw_terminates, judge_setting, apply_terminates},
	{"ModifyInstanceAttribute",
	 1,
	 {INSTANCE},
	 NULL,
	 draw_no_termination,
	 judge_setting,
	 apply_no_termination},
	{"ModifyInstanceAttribute", 1, {INSTANCE}, NULL, draw_no_stop, judge_setting, apply_no_stop},
	{"ModifyInstanceAttribute",
	 2,
	 {INSTANCE, {"GroupId.1", KIND_SECURITY_GROUP}},
	 NULL,
	 NULL,
	 judge_only_port,
	 apply_instance_group},
	{"ModifyInstancePlacement",
	 2,
	 {INSTANCE, {"GroupId", KIND_SERVER_GROUP}},
	 NULL,
	 NULL,
	 judge_placement,
	 apply_placement},
	{"ModifyNetworkInterfaceAttribute",
	 2,
	 {PORT, {"SecurityGroupId.1", KIND_SECURITY_GROUP}},
	 NULL,
	 NULL,
	 judge_port_group,
	 apply_port_group},
	{"AssignPrivateIpAddresses", 6, {PORT}, NULL, draw_assigned, judge_assign, apply_assign},
	{"UnassignPrivateIpAddresses", 3, {PORT}, NULL, draw_named, judge_unassign, apply_unassign},
};
const struct operations setting_operations = {rows, sizeof rows / sizeof *rows};
