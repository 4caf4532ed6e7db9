/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs: lists, entries, and associations with subnets. */
#include <stdio.h>

#include "simulation.h"

/* ---- lists ---- */

static void apply_acl(struct request *x, struct str answer)
{
	request_apply_tag(x, model_add(&x->s->model, KIND_NETWORK_ACL, x->account, x->refs[0],
				       answer_at(answer, "networkAcl/networkAclId")));
}

static void judge_delete_acl(const struct request *x, struct verdict *v)
{
	if (x->refs[0]->is_default)
		refuse(v, "InvalidParameterValue");
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->acl == x->refs[0])
			refuse(v, "DependencyViolation");
}

/* ---- entries, with few numbers, so that they collide ---- */

static bool draw_place(struct request *x)
{
	x->port = 90 + 10 * (int64_t) random_below(3);
	x->flag = random_below(2) == 0;
	request_add(x, "RuleNumber", "%d", (int) x->port);
	request_add(x, "Egress", "%s", x->flag ? "true" : "false");
	return true;
}

static bool draw_entry(struct request *x)
{
	char text[CIDR_TEXT_SIZE];
	bool is_ipv6 = random_below(4) == 0;
	x->block = (struct cidr){ip_from_v4((uint32_t) random_below(3) << 24), 8};
	if (is_ipv6)
		x->block = (struct cidr){{{0x20, (uint8_t) random_below(3)}, IP_V6}, 16};
	snprintf(x->name, sizeof x->name, "%s", random_below(2) ? "allow" : "deny");
	request_add(x, "RuleAction", "%s", x->name);
	request_add(x, is_ipv6 ? "Ipv6CidrBlock" : "CidrBlock", "%s", cidr_write(x->block, text));
	request_add(x, "Protocol", "-1");
	return draw_place(x);
}

static struct thing *find_entry(const struct request *x)
{
	return model_acl_entry(&x->s->model, x->refs[0], x->flag, x->port);
}

static void judge_entry(const struct request *x, struct verdict *v)
{
	if (find_entry(x))
		refuse(v, "NetworkAclEntryAlreadyExists");
}

static void judge_present_entry(const struct request *x, struct verdict *v)
{
	if (!find_entry(x))
		refuse(v, "InvalidNetworkAclEntry.NotFound");
}

static void apply_entry(struct request *x, struct str answer)
{
	struct thing *entry = find_entry(x);
	(void) answer;
	if (!entry)
		entry = model_add(&x->s->model, KIND_NETWORK_ACL_ENTRY, x->account, x->refs[0], STR_NONE);
	entry->port = x->port;
	entry->egress = x->flag;
	entry->block = x->block;
	snprintf(entry->name, sizeof entry->name, "%s", x->name);
}

static void apply_no_entry(struct request *x, struct str answer)
{
	(void) answer;
	model_end(&x->s->model, find_entry(x), GONE);
}

/* ---- associations ---- */

/* An existing or former association; occasionally another account's. */
static bool draw_association(struct request *x)
{
	struct model *m = &x->s->model;
	const struct thing *picked = NULL;
	uint64_t count = 0;
	for (size_t k = 0; k < m->count; k++) {
		const struct thing *t = &m->things[k];
		if (t->acl_association[0] && (t->account == x->account || random_below(20) == 0) &&
		    random_below(++count) == 0)
			picked = t;
	}
	if (!picked)
		return false;
	snprintf(x->name, sizeof x->name, "%s", picked->acl_association);
	request_add(x, "AssociationId", "%s", x->name);
	return true;
}

static struct thing *find_associated(const struct request *x)
{
	EACH (&x->s->model, t, KIND_SUBNET)
		if (t->of && t->account == x->account && strcmp(t->acl_association, x->name) == 0)
			return t;
	return NULL;
}

static void judge_association(const struct request *x, struct verdict *v)
{
	const struct thing *subnet = find_associated(x);
	if (!subnet)
		refuse(v, "InvalidAssociationID.NotFound");
	else if (subnet->of != x->refs[0]->of)
		refuse(v, "InvalidParameterValue");
}

static void apply_association(struct request *x, struct str answer)
{
	struct thing *subnet = find_associated(x);
	subnet->acl = x->refs[0]->is_default ? NULL : x->refs[0];
	snprintf(subnet->acl_association, sizeof subnet->acl_association, "%" STR_FMT,
		 STR_ARG(answer_at(answer, "newAssociationId")));
}

#define OF_ACL                                                                                               \
	{                                                                                                    \
		{                                                                                            \
			"NetworkAclId", KIND_NETWORK_ACL                                                     \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"CreateNetworkAcl", 2, {{"VpcId", KIND_ROUTER}}, "network-acl", NULL, NULL, apply_acl},
	{"DeleteNetworkAcl", 1, OF_ACL, NULL, NULL, judge_delete_acl, request_apply_end},
	{"CreateNetworkAclEntry", 3, OF_ACL, NULL, draw_entry, judge_entry, apply_entry},
	{"ReplaceNetworkAclEntry", 2, OF_ACL, NULL, draw_entry, judge_present_entry, apply_entry},
	{"DeleteNetworkAclEntry", 2, OF_ACL, NULL, draw_place, judge_present_entry, apply_no_entry},
	{"ReplaceNetworkAclAssociation", 2, OF_ACL, NULL, draw_association, judge_association,
	 apply_association},
};
const struct operations acl_operations = {rows, sizeof rows / sizeof *rows};
