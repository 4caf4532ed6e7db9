/* SPDX-License-Identifier: Apache-2.0
 * The model: each account's things, which are parts of others and refer to others. */
#include <stdio.h>

#include "simulation.h"

void model_name(struct thing *t, struct str id)
{
	if (!result_is_ok(uuid_parse(id, &t->uuid)))
		snprintf(t->id, sizeof t->id, "%" STR_FMT, STR_ARG(id));
	else if (*model_kinds[t->kind].ec2_prefix)
		id_write_ec2(t->kind, t->uuid, t->id);
	else
		uuid_write(t->uuid, t->id);
}

bool model_is_id(struct str id, const struct thing *t)
{
	char text[EC2_ID_TEXT_SIZE];
	uuid u;
	if (!t)
		return str_is_empty(id);
	if (!result_is_ok(uuid_parse(id, &u)))
		return str_is(id, t->id);
	if (!*model_kinds[t->kind].ec2_prefix)
		return uuid_equal(u, t->uuid); /* Keystone writes UUIDs without dashes */
	return strcmp(t->id, id_write_ec2(t->kind, u, text)) == 0;
}

bool model_is_strange_group(struct model *m, struct str group)
{
	EACH (m, t, KIND_SECURITY_GROUP)
		if (model_is_id(group, t))
			return false;
	return true;
}

struct thing *model_add(struct model *m, enum kind kind, unsigned account, struct thing *of, struct str id)
{
	assert_true(m->count < THINGS_MAX);
	struct thing *t = &m->things[m->count++];
	*t = (struct thing){.kind = kind, .account = account, .of = of};
	model_name(t, id);
	return t;
}

struct thing *model_next(struct model *m, enum kind kind, const struct thing *after)
{
	for (size_t k = after ? (size_t) (after - m->things) + 1 : 0; k < m->count; k++)
		if (m->things[k].kind == kind && m->things[k].life != GONE)
			return &m->things[k];
	return NULL;
}

struct thing *model_part(struct model *m, enum kind kind, const struct thing *of)
{
	EACH (m, t, kind)
		if (t->of == of)
			return t;
	return NULL;
}

void model_end_server_group(struct model *m, struct thing *group)
{
	EACH (m, t, KIND_INSTANCE)
		if (t->near == group)
			t->near = NULL;
	group->life = GONE;
}

bool model_may_have_ended(const struct thing *t)
{
	if ((t->kind == KIND_VOLUME || t->kind == KIND_PORT) && t->of && t->life == LIVE)
		t = t->of;
	return t->life != LIVE || (t->is_restless && t->ends_itself);
}

bool model_may_be_off(const struct thing *instance)
{
	return instance->is_restless || instance->is_drained;
}

enum encryption model_encryption_of(const struct thing *source)
{
	return source->encryption == ENCRYPTED ? ENCRYPTED : NOT_KNOWN_YET;
}

bool model_is_disk_of(const struct thing *volume, const struct thing *instance)
{
	return volume->life == LIVE && (volume->of == instance || volume->to == instance);
}

const char *model_device(const struct thing *volume)
{
	return volume->of && !volume->is_spare ? "" : volume->name;
}

struct thing *model_root(struct model *m, const struct thing *instance)
{
	EACH (m, t, KIND_VOLUME)
		if (t->of == instance && t->life == LIVE && !t->is_spare)
			return t;
	return NULL;
}

bool model_ends_with_port(const struct thing *ip)
{
	return ip->life == ENDING && ip->of->life == ENDING;
}

static void end_network_with_last(struct model *m, struct thing *network, enum life life)
{
	EACH (m, t, KIND_SUBNET)
		if (t->network == network && t->life == LIVE)
			return;
	network->life = life;
}

bool model_holds_peering(struct model *m, const struct thing *vpc)
{
	EACH (m, t, KIND_PEERING)
		if (t->life == LIVE && t->is_accepted && (t->to == vpc || t->peer == vpc))
			return true;
	return false;
}

/* Ends peerings that nobody has accepted. */
static void end_peerings(struct model *m, const struct thing *vpc)
{
	EACH (m, t, KIND_PEERING)
		if (t->life == LIVE && (t->to == vpc || t->peer == vpc))
			t->life = ENDING;
}

void model_end(struct model *m, struct thing *t, enum life life)
{
	t->life = life;
	if (t->kind == KIND_ROUTER)
		end_peerings(m, t);
	for (size_t k = 0; k < m->count; k++)
		if (m->things[k].of == t && m->things[k].life != GONE && m->things[k].kind != KIND_INSTANCE &&
		    m->things[k].kind != KIND_NAT_GATEWAY)
			model_end(m, &m->things[k], life);
	EACH (m, subnet, KIND_SUBNET)
		if (subnet->to == t) /* a route table */
			subnet->to = NULL;
	if (t->kind == KIND_SUBNET && model_is_of_blocks(t))
		end_network_with_last(m, t->network, life);
}

void model_end_image(struct model *m, struct thing *image)
{
	model_end(m, image, GONE);
	for (size_t k = 0; k < m->count; k++) {
		struct thing *snapshot = m->things[k].to;
		bool is_its = m->things[k].kind == KIND_IMAGE_DEVICE && m->things[k].of == image;
		if (!is_its || !snapshot->is_bound)
			continue;
		bool is_held = false;
		EACH (m, device, KIND_IMAGE_DEVICE)
			is_held = is_held || device->to == snapshot;
		if (!is_held)
			snapshot->life = GONE;
	}
}

const struct thing *model_subnet(const struct thing *port)
{
	return port->of ? port->of->of : port->subnet;
}

struct thing *model_vpc(struct thing *t)
{
	while (t && t->kind != KIND_ROUTER)
		t = t->of;
	return t;
}

struct thing *model_gateway(struct model *m, const struct thing *vpc)
{
	EACH (m, t, KIND_GATEWAY)
		if (vpc && t->to == vpc)
			return t;
	return NULL;
}

struct thing *model_default_vpc(struct model *m, unsigned account)
{
	EACH (m, t, KIND_ROUTER)
		if (t->is_default && t->account == account)
			return t;
	return NULL;
}

struct thing *model_default_group(struct model *m, const struct thing *subnet)
{
	struct thing *found = NULL;
	EACH (m, t, KIND_SECURITY_GROUP)
		if (t->is_default && t->account == subnet->account && (t->of ? t->of == subnet->of : !found))
			found = t;
	return found;
}

struct thing *model_group_association(struct model *m, const struct thing *group, const struct thing *vpc)
{
	EACH (m, t, KIND_SECURITY_GROUP_ASSOCIATION)
		if (t->of == group && t->to == vpc)
			return t;
	return NULL;
}

bool model_has_associations(struct model *m, const struct thing *vpc)
{
	EACH (m, t, KIND_SECURITY_GROUP_ASSOCIATION)
		if (t->to == vpc)
			return true;
	return false;
}

bool model_group_fits(struct model *m, const struct thing *group, const struct thing *subnet)
{
	return !group->of || group->of == subnet->of || model_group_association(m, group, subnet->of);
}

bool model_has_block(const struct thing *vpc, struct cidr part)
{
	bool has = vpc->block.bits && cidr_contains_cidr(vpc->block, part);
	for (size_t k = 0; k < vpc->more_count; k++)
		has = has || cidr_contains_cidr(vpc->more[k].block, part);
	for (size_t k = 0; k < vpc->six_count; k++)
		has = has || cidr_contains_cidr(vpc->six[k].block, part);
	return has;
}

bool model_is_ipv6_alone(const struct model *m, const struct thing *subnet)
{
	if (subnet->block.base.family == IP_V4)
		return false;
	for (size_t k = 0; k < m->count; k++) {
		const struct thing *other = &m->things[k];
		if (other->kind == KIND_SUBNET && other->life == LIVE && other->block.base.family == IP_V4 &&
		    other->of == subnet->of && other->network == subnet->network)
			return false;
	}
	return true;
}

bool model_has_ipv6_alone(const struct model *m, const struct thing *network)
{
	for (size_t k = 0; k < m->count; k++) {
		const struct thing *t = &m->things[k];
		if (t->kind == KIND_SUBNET && t->life == LIVE && t->network == network && !t->is_neutrons &&
		    model_is_ipv6_alone(m, t))
			return true;
	}
	return false;
}

bool model_is_of_blocks(const struct thing *subnet)
{
	return subnet->of && model_has_block(subnet->of, subnet->block);
}

struct thing *model_route(struct model *m, const struct thing *table, struct cidr block)
{
	EACH (m, t, KIND_ROUTE)
		if (t->of == table && cidr_equal(t->block, block))
			return t;
	return NULL;
}

struct thing *model_acl_entry(struct model *m, const struct thing *acl, bool egress, int64_t number)
{
	EACH (m, t, KIND_NETWORK_ACL_ENTRY)
		if (t->of == acl && t->egress == egress && t->port == number)
			return t;
	return NULL;
}

struct thing *model_rule(struct model *m, const struct thing *group, bool egress, int64_t port,
			 struct cidr block, const struct thing *peer)
{
	EACH (m, t, KIND_SECURITY_GROUP_RULE)
		if (t->of == group && t->egress == egress && t->port == port && t->to == peer &&
		    cidr_equal(t->block, block))
			return t;
	return NULL;
}

static void add_rule_for_all(struct model *m, struct thing *group, bool egress, bool is_ipv6)
{
	struct thing *rule = model_add(m, KIND_SECURITY_GROUP_RULE, group->account, group, STR_NONE);
	rule->egress = egress;
	rule->port = -1;
	rule->to = egress ? NULL : group;
	rule->is_ipv6 = !egress && is_ipv6;
	if (egress)
		rule->block = (struct cidr){is_ipv6 ? (struct ip){.family = IP_V6} : ip_from_v4(0), 0};
}

/* Groups of the account have their default rules for both families, like those of a VPC with IPv6 blocks. */
struct thing *model_add_group(struct model *m, unsigned account, struct thing *vpc, struct str name,
			      struct str id)
{
	struct thing *group = model_add(m, KIND_SECURITY_GROUP, account, vpc, id);
	snprintf(group->name, sizeof group->name, "%" STR_FMT, STR_ARG(name));
	group->is_default = str_is(name, "default");
	for (int is_ipv6 = 0; is_ipv6 < (vpc && !vpc->six_count ? 1 : 2); is_ipv6++) {
		add_rule_for_all(m, group, true, is_ipv6);
		if (group->is_default && (!vpc || !is_ipv6))
			add_rule_for_all(m, group, false, is_ipv6);
	}
	return group;
}

struct thing *model_add_subnet(struct model *m, unsigned account, struct thing *vpc, struct thing *network,
			       struct str id)
{
	struct thing *subnet = model_add(m, KIND_SUBNET, account, vpc, id);
	subnet->network = network ? network : model_add(m, KIND_NETWORK, account, NULL, STR_NONE);
	subnet->is_neutrons = network != NULL;
	return subnet;
}

/* A default ACL allows everything. */
static void add_default_acl(struct model *m, struct thing *router)
{
	struct thing *acl = model_add(m, KIND_NETWORK_ACL, router->account, router, STR_NONE);
	acl->is_default = true;
	for (int egress = 0; egress < 2; egress++) {
		struct thing *entry = model_add(m, KIND_NETWORK_ACL_ENTRY, router->account, acl, STR_NONE);
		entry->egress = egress;
		entry->port = 100;
		entry->block = (struct cidr){ip_from_v4(0), 0};
		snprintf(entry->name, sizeof entry->name, "allow");
	}
}

static bool lets_all_out(const struct thing *rule, enum ip_family family)
{
	return rule->egress && !rule->to && rule->port == -1 && rule->block.bits == 0 &&
	       rule->block.base.family == family;
}

/* The first IPv6 block is allowed where IPv4 is: by the router's default ACL, and its default group. */
void model_let_ipv6_through(struct model *m, struct thing *router)
{
	const struct cidr all = {{.family = IP_V6}, 0};
	EACH (m, acl, KIND_NETWORK_ACL)
		for (int egress = 0; egress < 2 && acl->of == router && acl->is_default; egress++) {
			const struct thing *entry = model_acl_entry(m, acl, egress, 100);
			bool is_as_made = entry && strcmp(entry->name, "allow") == 0 && !entry->block.bits;
			if (!is_as_made || model_acl_entry(m, acl, egress, 101))
				continue;
			struct thing *more =
				model_add(m, KIND_NETWORK_ACL_ENTRY, router->account, acl, STR_NONE);
			more->egress = egress;
			more->port = 101;
			more->block = all;
			snprintf(more->name, sizeof more->name, "allow");
		}
	EACH (m, group, KIND_SECURITY_GROUP) {
		bool has_ipv4 = false, has_ipv6 = false;
		if (group->of != router || !group->is_default)
			continue;
		EACH (m, rule, KIND_SECURITY_GROUP_RULE) {
			has_ipv4 = has_ipv4 || (rule->of == group && lets_all_out(rule, IP_V4));
			has_ipv6 = has_ipv6 || (rule->of == group && lets_all_out(rule, IP_V6));
		}
		if (!has_ipv4 || has_ipv6)
			continue;
		struct thing *rule = model_add(m, KIND_SECURITY_GROUP_RULE, group->account, group, STR_NONE);
		rule->egress = true;
		rule->port = -1;
		rule->block = all;
	}
}

bool model_has_own_ipv6(const struct thing *port, const struct thing *subnet)
{
	return subnet->is_neutrons && subnet->block.base.family == IP_V6 &&
	       subnet->network == model_subnet(port)->network &&
	       (!port->of || port->of->kind != KIND_NAT_GATEWAY);
}

struct thing *model_add_router(struct model *m, unsigned account, struct str id)
{
	struct thing *router = model_add(m, KIND_ROUTER, account, NULL, id);
	model_add(m, KIND_ROUTE_TABLE, account, router, STR_NONE)->is_default = true;
	add_default_acl(m, router);
	return router;
}

struct thing *model_add_vpc(struct model *m, unsigned account, struct cidr block, bool with_subnet)
{
	struct thing *vpc = model_add_router(m, account, STR_NONE),
		     *table = model_part(m, KIND_ROUTE_TABLE, vpc);
	vpc->block = block;
	vpc->is_default = vpc->has_names = with_subnet;
	model_add_group(m, account, vpc, STR("default"), STR_NONE);
	if (!with_subnet)
		return vpc;
	struct thing *subnet = model_add_subnet(m, account, vpc, NULL, STR_NONE);
	subnet->block = (struct cidr){block.base, 20};
	subnet->is_default = subnet->is_public = true;
	struct thing *gateway = model_add(m, KIND_GATEWAY, account, NULL, STR_NONE);
	gateway->to = vpc;
	struct thing *route = model_add(m, KIND_ROUTE, account, table, STR_NONE);
	route->block = (struct cidr){ip_from_v4(0), 0};
	route->to = gateway;
	return vpc;
}
