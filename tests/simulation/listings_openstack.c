/* SPDX-License-Identifier: Apache-2.0
 * Compares the accounts' view through OpenStack with the model. */
#include <stdio.h>

#include "simulation.h"

static bool has_item(struct str set, const char *path, const struct thing *t)
{
	struct str item;
	while (answer_next_item(&set, &item))
		if (model_is_id(path ? answer_at(item, path) : item, t))
			return true;
	return false;
}

static size_t count_items(struct str set)
{
	struct str item;
	size_t count = 0;
	while (answer_next_item(&set, &item))
		count++;
	return count;
}

static bool is_block(struct str text, struct cidr block)
{
	char shown[CIDR_TEXT_SIZE];
	return str_is(text, cidr_write(block, shown));
}

static bool is_number(struct str text, int64_t number)
{
	int64_t shown = -1;
	return result_is_ok(str_parse_int(text, &shown)) && shown == number;
}

/* ---- networks ---- */

static const char *differ_network(const struct look *l, struct thing *t, struct str item)
{
	struct str subnets = answer_at(item, "subnets");
	size_t known = 0;
	EACH (&l->s->model, subnet, KIND_SUBNET)
		if (subnet->network == t) {
			known++;
			if (!has_item(subnets, NULL, subnet))
				return "a subnet of it";
		}
	return count_items(subnets) == known ? NULL : "the number of its subnets";
}

static bool is_external(const struct look *l, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "router:external"), "true");
}

static const char *differ_subnet(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	if (t->network->id[0] && !model_is_id(answer_at(item, "network_id"), t->network))
		return "its network";
	return is_block(answer_at(item, "cidr"), t->block) ? NULL : "its block";
}

/* A subnet's gateway address on a router is shown as a port. */
static const char *differ_interface(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	if (!t->of)
		return "that a router is in it";
	return model_is_id(answer_at(item, "device_id"), t->of) ? NULL : "its router";
}

static bool is_on_router(const struct model *m, const struct thing *t)
{
	(void) m;
	return t->of != NULL;
}

static bool is_interface(const struct look *l, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "device_owner"), "network:router_interface");
}

static const char *differ_router(const struct look *l, struct thing *t, struct str item)
{
	bool shows = answer_at(item, "external_gateway_info/network_id").n > 0;
	return shows == (model_gateway(&l->s->model, t) != NULL) ? NULL : "its gateway";
}

/* True if an assigned or automatic IPv6 address is missing. */
static bool lacks_ipv6(const struct look *l, const struct thing *port, struct str fixed_ips)
{
	EACH (&l->s->model, subnet, KIND_SUBNET) {
		bool has = subnet->is_neutrons ? model_has_own_ipv6(port, subnet) : port->six_in == subnet;
		if (subnet->block.base.family == IP_V6 && has_item(fixed_ips, "subnet_id", subnet) != has)
			return true;
	}
	return false;
}

static const char *differ_port(const struct look *l, struct thing *t, struct str item)
{
	struct thing *group = t->of ? t->of->group : t->group, *holder = t->of ? t->of : t->to;
	struct str device = answer_at(item, "device_id");
	if (!model_is_id(answer_at(item, "fixed_ips/item/subnet_id"), model_subnet(t)))
		return "its subnet";
	if (!t->id[0] && !model_is_id(device, holder))
		return "its holder";
	if (t->life == ENDING)
		return NULL;
	if (lacks_ipv6(l, t, answer_at(item, "fixed_ips")))
		return "its IPv6 address";
	if (group && group->id[0] && !has_item(answer_at(item, "security_groups"), NULL, group))
		return "its group";
	if (model_may_have_ended(t) || (holder && model_may_have_ended(holder)) || t->left)
		return NULL;
	return !l->is_settled || model_is_id(device, holder) ? NULL : "its holder";
}

static const char *differ_floating(const struct look *l, struct thing *t, struct str item)
{
	struct str port = answer_at(item, "port_id");
	(void) l;
	return model_is_id(port, t->to) ? NULL : "its port";
}

static const char *differ_rule(const struct look *l, struct thing *t, struct str item)
{
	bool is_ipv6 = t->to ? t->is_ipv6 : t->block.base.family == IP_V6;
	(void) l;
	if (!model_is_id(answer_at(item, "security_group_id"), t->of))
		return "its group";
	if (!str_is(answer_at(item, "direction"), t->egress ? "egress" : "ingress"))
		return "its direction";
	if (!str_is(answer_at(item, "ethertype"), is_ipv6 ? "IPv6" : "IPv4"))
		return "its family";
	if (t->port < 0 ? answer_at(item, "port_range_min").n
			: !is_number(answer_at(item, "port_range_min"), t->port))
		return "its port";
	if (!model_is_id(answer_at(item, "remote_group_id"), t->to))
		return "the group it refers to";
	/* A rule for everybody need not name a prefix: it shows what was given. */
	struct str prefix = answer_at(item, "remote_ip_prefix");
	bool says_none = str_is_empty(prefix) && t->block.bits == 0;
	return t->to || says_none || is_block(prefix, t->block) ? NULL : "its block";
}

/* ---- servers ---- */

static bool is_one_of(struct str text, const char *const *words)
{
	for (; *words; words++)
		if (str_is(text, *words))
			return true;
	return false;
}

/* Expected status. A resized server that awaits confirmation is shown so whether it is on or off. */
static const char *status_of(const struct thing *t)
{
	if (t->wanted_on)
		return t->is_paused    ? "PAUSED"
		       : t->is_rescued ? "RESCUE"
		       : t->is_resized ? "VERIFY_RESIZE"
				       : "ACTIVE";
	return t->is_shelved   ? "SHELVED_OFFLOADED"
	       : t->is_saved   ? "SUSPENDED"
	       : t->is_resized ? "VERIFY_RESIZE"
			       : "SHUTOFF";
}

/* Learns whether the memory image exists. A guest that ended, or was stopped at once, may have lost it. One
 * that was stopped before it had resumed may still have it. */
static void learn(const struct look *l, struct thing *t, struct str status)
{
	if (!l->is_settled)
		return;
	if (t->is_saved && (t->may_vary || l->s->hosts_shaken) && !str_is(status, "SUSPENDED"))
		t->is_saved = false;
	if (t->was_saved && !t->wanted_on && str_is(status, "SUSPENDED"))
		t->is_saved = true;
	if (t->was_paused && !str_is(status, "PAUSED"))
		t->is_paused = false;
	t->may_vary = t->was_saved = t->was_paused = false;
	t->is_at_rest = true;
}

static const char *differ_server(const struct look *l, struct thing *t, struct str item)
{
	static const char *const moved[] = {
		"ACTIVE", "BUILD",         "REBOOT",        "HARD_REBOOT", "SHUTOFF",
		"ERROR",  "PAUSED",        "SUSPENDED",     "RESCUE",      "REBUILD",
		"RESIZE", "REVERT_RESIZE", "VERIFY_RESIZE", "SHELVED",     "SHELVED_OFFLOADED",
		NULL};
	static const char *const on[] = {"ACTIVE",  "BUILD", "REBOOT", "HARD_REBOOT",
					 "SHUTOFF", "ERROR", NULL};
	static const char *const off[] = {"SHUTOFF", "ACTIVE", NULL};
	struct str status = answer_at(item, "status"), task = answer_at(item, "OS-EXT-STS:task_state");
	if (t->life == ENDING)
		return str_is(task, "deleting") ? NULL : "its task, for it is ending";
	if (model_may_be_off(t))
		return NULL; /* according to EC2's listing */
	learn(l, t, status);
	if (l->is_settled ? !str_is(status, status_of(t)) || task.n
			  : !is_one_of(status, t->is_moved    ? moved
					       : t->wanted_on ? on
							      : off))
		return "its status";
	if (str_is(status, "ERROR") && !t->may_lack_host)
		return "its status, for it had a host";
	return NULL;
}

/* ---- volumes ---- */

/* Cinder shows a deleted volume until it is gone. EC2 and CloudStack hide it at once, so the model has
 * already removed it. */
static bool is_being_deleted(const struct look *l, struct str item)
{
	return !l->is_settled && str_is(answer_at(item, "status"), "deleting");
}

static const char *differ_volume(const struct look *l, struct thing *t, struct str item)
{
	static const char *const moving[] = {"in-use",    "creating",  "attaching", "detaching",
					     "available", "extending", "error",     NULL};
	struct str status = answer_at(item, "status"), attached = answer_at(item, "attachments");
	const struct thing *holder = t->of ? t->of : t->to;
	if (t->life == ENDING)
		return NULL;
	if (t->gibibytes && !is_number(answer_at(item, "size"), t->gibibytes))
		return "its size";
	bool may_wait = holder && !holder->wanted_on; /* until it is started */
	if (l->is_settled && !str_is(status, holder ? "in-use" : "available") &&
	    !(may_wait && str_is(status, "attaching")))
		return "its status";
	if (!l->is_settled && !is_one_of(status, moving))
		return "its status";
	if (l->is_settled && !model_is_id(answer_at(attached, "item/server_id"), holder))
		return "its server";
	return NULL;
}

static const char *differ_snapshot(const struct look *l, struct thing *t, struct str item)
{
	struct str status = answer_at(item, "status");
	if (t->to && t->to->id[0] && !model_is_id(answer_at(item, "volume_id"), t->to))
		return "its volume";
	if (t->is_complete || l->is_settled)
		return str_is(status, "available") ? NULL : "its status";
	return str_is(status, "creating") || str_is(status, "available") ? NULL : "its status";
}

/* Cinder hides snapshots that belong to an image. */
static bool is_own_snapshot(const struct model *m, const struct thing *t)
{
	(void) m;
	return !t->is_bound;
}

/* ---- images ---- */

static bool is_of_account(const struct look *l, struct str project)
{
	uuid id = UUID_NONE;
	return result_is_ok(uuid_parse(project, &id)) &&
	       uuid_equal(id, l->s->region.users[l->account].who.account);
}

/* Images of the operator, or shared by another account and accepted by this one. */
static bool is_lent(const struct look *l, struct str item)
{
	if (is_of_account(l, answer_at(item, "owner")))
		return false;
	if (str_is(answer_at(item, "visibility"), "public"))
		return str_equal(answer_at(item, "id"),
				 uuid_to_str(l->s->region.cloud->arena, l->s->region.cloud->image));
	EACH (&l->s->model, t, KIND_IMAGE)
		if (t->accepted >> l->account & 1 && model_is_id(answer_at(item, "id"), t))
			return true;
	return false;
}

static unsigned labels_of(struct str set)
{
	unsigned labels = 0;
	for (struct str item; answer_next_item(&set, &item);)
		labels |= 1u << (item.p[1] - '0');
	return labels;
}

/* Each project that accepted the image must see it in its list. */
static const char *differ_lending(const struct look *l, const struct thing *t)
{
	for (unsigned account = 0; account < ACCOUNTS; account++) {
		if (!(t->accepted >> account & 1))
			continue;
		char form[120];
		snprintf(form, sizeof form, "GET /image/v2/images?id=%s",
			 uuid_to_str(l->s->region.cloud->arena, region_find(&l->s->region, KIND_IMAGE, t->id))
				 .p);
		struct str body = request_get_answer(l->s, account, form);
		if (!answer_at(body, "images/item/id").n)
			return "who sees it";
	}
	return NULL;
}

static const char *differ_image(const struct look *l, struct thing *t, struct str item)
{
	struct str status = answer_at(item, "status");
	if (!str_is(answer_at(item, "name"), t->name))
		return "its name";
	const char *word = t->is_disabled ? "deactivated" : "active";
	if (t->is_empty ? !str_is(status, "queued")
			: !str_is(status, word) && (l->is_settled || t->is_complete))
		return "its status";
	if (!str_is(answer_at(item, "visibility"), t->is_private ? "private" : "shared"))
		return "its visibility";
	if (labels_of(answer_at(item, "tags")) != t->labels)
		return "its tags";
	return l->is_settled ? differ_lending(l, t) : NULL;
}

static const char *differ_name(const struct look *l, struct thing *t, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "name"), t->name) ? NULL : "its name";
}

static bool is_rule_of_open_group(const struct look *l, struct str item)
{
	return model_is_strange_group(&l->s->model, answer_at(item, "security_group_id"));
}

static const struct listing rows[] = {
	{KIND_NETWORK, "GET /network/v2.0/networks", "networks", "id", NULL, "404 NetworkNotFound",
	 differ_network, .passes = is_external},
	{KIND_SUBNET, "GET /network/v2.0/subnets", "subnets", "id", NULL, "404 SubnetNotFound",
	 differ_subnet},
	{KIND_ROUTER, "GET /network/v2.0/routers", "routers", "id", NULL, "404 RouterNotFound",
	 differ_router},
	{KIND_SUBNET, "GET /network/v2.0/ports?device_owner=network:router_interface", "ports",
	 "fixed_ips/item/subnet_id", NULL, NULL, differ_interface, is_on_router},
	{KIND_PORT, "GET /network/v2.0/ports", "ports", "id", NULL, "404 PortNotFound", differ_port,
	 .passes = is_interface},
	{KIND_ADDRESS, "GET /network/v2.0/floatingips", "floatingips", "id", NULL, "404 FloatingIPNotFound",
	 differ_floating},
	{KIND_SECURITY_GROUP_RULE, "GET /network/v2.0/security-group-rules", "security_group_rules", "id",
	 NULL, "404 SecurityGroupRuleNotFound", differ_rule, .passes = is_rule_of_open_group},
	{KIND_INSTANCE, "GET /compute/v2.1/servers/detail", "servers", "id", NULL, NULL, differ_server},
	{KIND_IMAGE, "GET /image/v2/images?limit=1000", "images", "id", NULL, NULL, differ_image,
	 .passes = is_lent},
	{KIND_SERVER_GROUP, "GET /compute/v2.1/os-server-groups", "server_groups", "id", NULL, NULL,
	 differ_name},
	{KIND_ADDRESS_GROUP, "GET /network/v2.0/address-groups", "address_groups", "id", NULL,
	 "404 AddressGroupNotFound", differ_name},
	{KIND_SUBNET_POOL, "GET /network/v2.0/subnetpools", "subnetpools", "id", NULL,
	 "404 SubnetPoolNotFound", differ_name},
	{KIND_QOS_POLICY, "GET /network/v2.0/qos/policies", "policies", "id", NULL, "404 QosPolicyNotFound",
	 differ_name},
	{KIND_ADDRESS_SCOPE, "GET /network/v2.0/address-scopes", "address_scopes", "id", NULL,
	 "404 AddressScopeNotFound", differ_name},
	{KIND_VOLUME, "GET /volume/v3/volumes/detail", "volumes", "id", NULL, NULL, differ_volume,
	 .passes = is_being_deleted},
	{KIND_SNAPSHOT, "GET /volume/v3/snapshots/detail", "snapshots", "id", NULL, NULL, differ_snapshot,
	 is_own_snapshot, .passes = is_being_deleted},
};
const struct listings openstack_listings = {rows, sizeof rows / sizeof *rows};
