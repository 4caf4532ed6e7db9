/* SPDX-License-Identifier: Apache-2.0
 * Virtual networks. Source: Azure REST API reference, "Virtual Networks", 2022-07-01. A body that lists subnets lists all of them;
 * one that says nothing of subnets leaves them as they are. */
#include "api/azure/network/network.h"

#include <stdlib.h>

#include "base/vec.h"
#include "engine/network/port/port.h"
#include "engine/network/routing/router.h"
#include "engine/network/routing/router_block.h"
#include "engine/network/subnet.h"
#include "engine/resolve.h"
#include "engine/tag.h"
#include "store/peering_side.h"
#include "store/router.h"
#include "store/subnet.h"

/* ---- what is shown ---- */

static struct strs list_blocks(struct api_call *core, const struct row *row)
{
	return az_write_blocks(core, engine_get_blocks(api_tables(core), core->c->arena, router_of(row)));
}

static struct strs list_servers(struct api_call *core, const struct row *row)
{
	struct ips servers = az_servers_of(az_call_of(core), row->id);
	struct str *at = arena_new_array(core->c->arena, struct str, servers.count + 1);
	char text[IP_TEXT_SIZE];
	for (size_t k = 0; at && k < servers.count; k++)
		at[k] = str_copy(core->c->arena, str_from(ip_write(servers.at[k], text)));
	return (struct strs){at, at ? servers.count : 0};
}

struct shown_subnet {
	const struct subnet *row;
	struct str name;
};

static int compare_subnets(const void *a, const void *b)
{
	const struct shown_subnet *x = a, *y = b;
	return x->row->row.created_us != y->row->row.created_us
		       ? (x->row->row.created_us < y->row->row.created_us ? -1 : 1)
		       : str_compare(x->name, y->name);
}

/* Writes the subnets by creation. */
static void write_subnets(struct api_call *core, struct json_writer *w, const char *name,
			  const struct row *row)
{
	struct az_call *e = az_call_of(core);
	VEC(struct shown_subnet) subnets = {0};
	const struct subnet *s = subnet_first_by_router(az_tables(e), row->id);
	for (; s; s = subnet_next_by_router(az_tables(e), s)) {
		struct shown_subnet one = {s, az_name_of(e, AZ_SUBNETS, KIND_SUBNET, s->row.id)};
		if (row_is_live(&s->row) && s->block.base.family == IP_V4)
			(void) VEC_PUSH(e->c->arena, &subnets, one); /* a full arena fails the answer */
	}
	if (subnets.count)
		qsort(subnets.at, subnets.count, sizeof *subnets.at, compare_subnets);
	json_write_open_list(w, name);
	for (size_t k = 0; k < subnets.count; k++) {
		json_write_open(w, NULL);
		members_write(core, w, az_write_time, &az_subnet_members, &subnets.at[k].row->row);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static const struct member properties[] = {
	AZ_PROPERTIES,
	MEMBER_WITH("addressSpace", MEMBER_MADE(TEXTS, texts, "addressPrefixes", list_blocks)),
	MEMBER_WITH("dhcpOptions", MEMBER_MADE(TEXTS, texts, "dnsServers", list_servers)),
	MEMBER_WRITTEN("subnets", write_subnets),
	MEMBER_EACH("virtualNetworkPeerings", az_peerings.members, KIND_PEERING_SIDE,
		    PEERING_SIDE_INDEX_ROUTER),
	MEMBER_FIXED("enableDdosProtection", "false"),
};
static const struct member members[] = {
	AZ_HEAD,
	AZ_ETAG,
	MEMBER_OBJECT("properties", properties),
};
static const struct api_listing networks = {
	.kind = KIND_ROUTER, .item = "value", .matches = az_matches, .members = MEMBERS(members)};

/* ---- request bodies ---- */

struct address_space {
	struct strs prefixes;
};
struct dhcp {
	struct ips servers;
};
struct listed_subnets {
	const struct listed_subnet {
		struct str name;
		struct az_subnet_says properties;
	} * at;
	size_t count;
};
struct network_says {
	struct address_space space;
	struct dhcp dhcp;
	struct listed_subnets subnets;
	bool has_subnets;
};
static const struct param space_rows[] = {
	PARAM(struct address_space, "addressPrefixes", prefixes, .doc = "Address blocks."),
	NOT_BUILT("ipamPoolPrefixAllocations"),
};
static const struct params space_params = PARAMS(struct address_space, space_rows, .object = "AddressSpace");
static const struct param dhcp_rows[] = {
	PARAM(struct dhcp, "dnsServers", servers, .max = SUBNET_DNS_MAX, .doc = "DNS servers."),
};
static const struct params dhcp_params = PARAMS(struct dhcp, dhcp_rows, .object = "DhcpOptions");
static const struct param listed_rows[] = {
	PARAM(struct listed_subnet, "name", name, .flags = REQUIRED, .max = 80, .doc = "Name."),
	PARAM_OBJECT(struct listed_subnet, "properties", properties, az_subnet_params,
		     .doc = "Settings of the subnet."),
	AZ_PART,
};
static const struct params listed_params = PARAMS(struct listed_subnet, listed_rows, .object = "Subnet");
static const struct param network_rows[] = {
	PARAM_OBJECT(struct network_says, "addressSpace", space, space_params, .doc = "Address blocks."),
	PARAM_OBJECT(struct network_says, "dhcpOptions", dhcp, dhcp_params,
		     .doc = "DHCP options of the guests."),
	PARAM_LIST(struct network_says, "subnets", subnets, listed_params, .max = 200,
		   .given = offsetof(struct network_says, has_subnets) + 1,
		   .doc = "Subnets, which replace all present ones."),
	NOT_BUILT("enableDdosProtection|enableVmProtection", .only = "false"),
	NOT_BUILT("ddosProtectionPlan|bgpCommunities|encryption|flowTimeoutInMinutes"),
	AZ_CORE_READS("virtualNetworkPeerings"),
	NOT_BUILT("ipAllocations", .only = "[]"),
	NOT_BUILT("summarizedGatewayPrefixes"),
	NOT_BUILT("privateEndpointVNetPolicies", .only = "Disabled"),
	AZ_READ_ONLY("resourceGuid|provisioningState|flowLogs|defaultPublicNatGateway"),
};
static const struct params network_params =
	PARAMS(struct network_says, network_rows, .object = "VirtualNetworkPropertiesFormat");

struct part {
	struct virtual_subnet_wish wish;
	struct str name; /* "vnet1/default" */
	struct str definition;
};
struct network_args {
	struct network_says properties;
	struct virtual_network_wish wish;
	struct part *parts;
	size_t part_count;
	struct refs gone;
	uuid group;
};
static const struct param put_rows[] = {
	PARAM_OBJECT(struct network_args, "properties", properties, network_params,
		     .doc = "Settings of the virtual network."),
	NOT_BUILT("extendedLocation"),
	AZ_RESOURCE,
};

/* A Neutron router has no blocks of its own; its subnets' blocks are shown. */
static bool is_shown(struct az_call *e, struct cidrs blocks)
{
	const struct router *r = router_find(az_tables(e), e->target);
	if (!r)
		return false;
	struct cidrs shown = engine_get_blocks(az_tables(e), e->c->arena, r);
	bool is = shown.count == blocks.count;
	for (size_t k = 0; k < blocks.count && is; k++)
		is = cidr_equal(shown.at[k], blocks.at[k]);
	return is;
}

static RESULT read_blocks(struct az_call *e, const struct strs *prefixes, struct cidrs *ret_blocks)
{
	static const char field[] = "properties.addressSpace.addressPrefixes";
	struct cidr *at = arena_new_array(e->c->arena, struct cidr, prefixes->count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	if (!prefixes->count && !is_shown(e, (struct cidrs){NULL, 0}))
		return ctx_fail_field(e->c, ERR_MISSING, str_from(field),
				      "Required parameter 'addressSpace' is missing (null).");
	for (size_t k = 0; k < prefixes->count; k++)
		if (!result_is_ok(cidr_parse(prefixes->at[k], &at[k])))
			return az_fail(e, field, "The address prefix %" STR_FMT " is invalid.",
				       STR_ARG(str_slice(prefixes->at[k], 0, 64)));
	*ret_blocks = (struct cidrs){at, prefixes->count};
	return OK;
}

static RESULT read_part(struct az_call *e, struct network_args *a, const struct listed_subnet *listed)
{
	const struct row *row = NULL;
	struct part *part = &a->parts[a->part_count];
	if (!az_is_name(listed->name))
		return az_fail_name(e, "properties.subnets.name");
	part->name = az_part_name(e, e->put.name, listed->name);
	part->wish.name = str_copy(e->c->arena, listed->name);
	part->wish.dns_servers = a->wish.dns_servers;
	part->wish.keeps_servers = a->wish.keeps_servers;
	for (size_t k = 0; k < a->part_count; k++)
		if (str_equal_nocase(a->parts[k].name, part->name))
			return az_fail(e, "properties.subnets.name",
				       "The subnet %" STR_FMT " is listed twice.", STR_ARG(listed->name));
	TRY(az_look_up(e, AZ_SUBNETS, KIND_SUBNET, part->name, &row));
	part->wish.subnet = row ? row->id : UUID_NONE;
	const json_t *list = json_object_get(json_object_get(e->body, "properties"), "subnets");
	TRY(az_keep_subnet(e, part->wish.subnet, json_array_get(list, a->part_count), &part->definition));
	a->part_count++;
	return az_read_subnet(e, &listed->properties, &part->wish);
}

static bool has_same_servers(struct ips x, struct ips y)
{
	bool is = x.count == y.count;
	for (size_t k = 0; k < x.count && is; k++)
		is = ip_equal(x.at[k], y.at[k]);
	return is;
}

/* An IPv6 subnet is shown as a part of its IPv4 subnet. */
static bool is_listed(const struct row *row)
{
	return subnet_of(row)->block.base.family == IP_V4;
}

static RESULT prepare(struct az_call *e, void *args)
{
	struct network_args *a = args;
	const struct network_says *p = &a->properties;
	const json_t *peerings =
		json_object_get(json_object_get(e->body, "properties"), "virtualNetworkPeerings");
	if (uuid_is_none(e->target) && json_array_size(peerings))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("properties.virtualNetworkPeerings"),
			"The parameter 'properties.virtualNetworkPeerings' is not supported: put each "
			"peering by itself.");
	a->group = e->group;
	a->wish.name = e->put.name;
	struct ips shown = az_servers_of(e, e->target);
	a->wish.dns_servers = p->dhcp.servers; /* none: Azure's default DNS */
	a->wish.keeps_servers = has_same_servers(a->wish.dns_servers, shown);
	if (!uuid_is_none(e->target))
		a->wish.router = az_target_ref(e);
	TRY(read_blocks(e, &p->space.prefixes, &a->wish.blocks));
	a->wish.keeps_blocks = is_shown(e, a->wish.blocks);
	a->parts = arena_new_array(e->c->arena, struct part, p->subnets.count + 1);
	if (!a->parts)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < p->subnets.count; k++)
		TRY(read_part(e, a, &p->subnets.at[k]));
	if (!p->has_subnets || uuid_is_none(e->target))
		return OK;
	const struct az_kept kept = {&a->parts->wish.subnet, a->part_count, sizeof *a->parts};
	return az_find_gone(e, KIND_SUBNET, SUBNET_INDEX_ROUTER, &kept, is_listed, &a->gone);
}

static RESULT put(struct op *op, void *args)
{
	struct network_args *a = args;
	for (size_t k = 0; k < a->gone.count; k++)
		TRY(engine_delete_subnet(op, &(struct subnet_target){.subnet = a->gone.at[k]}));
	TRY(engine_put_virtual_network(op, &a->wish));
	for (size_t k = 0; k < a->part_count; k++) {
		struct virtual_subnet_wish *wish = &a->parts[k].wish;
		wish->router = ref_by_id(KIND_ROUTER, a->wish.made);
		TRY(engine_put_virtual_subnet(op, wish));
		TRY(az_name_part(op, a->group, AZ_SUBNETS, a->parts[k].name, KIND_SUBNET, wish->made,
				 a->parts[k].definition));
	}
	return OK;
}

static RESULT prepare_delete(struct az_call *e, void *args)
{
	const struct subnet *s = subnet_first_by_router(az_tables(e), e->target);
	for (; s; s = subnet_next_by_router(az_tables(e), s))
		if (row_is_live(&s->row))
			TRY(az_check_subnet_unused(e, s->row.id));
	((struct virtual_network_target *) args)->router = az_target_ref(e);
	return OK;
}

/* ---- addresses ---- */

struct check_args {
	struct ip ip;
};
static const struct param check_rows[] = {
	PARAM(struct check_args, "ipAddress", ip, .place = IN_QUERY, .flags = REQUIRED,
	      .doc = "IP address to check."),
};

static bool is_free(struct az_call *e, const struct subnet *s, struct ip ip)
{
	struct ip first = ip_add(s->block.base, 4), last = ip_add(cidr_last(s->block), (uint64_t) -1);
	return ip_compare(ip, first) >= 0 && ip_compare(ip, last) <= 0 &&
	       !engine_find_port_by_ip(az_tables(e), s->router, ip);
}

enum { FREE_SHOWN = 5 };

/* Tells if the address is free; suggests free addresses if not. */
static RESULT check_address(struct az_call *e, const void *args, struct json_writer *w)
{
	char text[IP_TEXT_SIZE];
	const struct check_args *a = args;
	const struct tables *t = az_tables(e);
	const struct subnet *s = subnet_first_by_router(t, e->target);
	while (s && !(row_is_live(&s->row) && cidr_contains(s->block, a->ip)))
		s = subnet_next_by_router(t, s);
	bool free = s && is_free(e, s, a->ip);
	json_write_bool(w, "available", free);
	json_write_open_list(w, "availableIPAddresses");
	struct ip ip = s ? ip_add(s->block.base, 4) : (struct ip){0};
	for (int shown = 0; s && !free && shown < FREE_SHOWN && cidr_contains(s->block, ip);
	     ip = ip_add(ip, 1)) {
		if (!is_free(e, s, ip))
			continue;
		json_write_z(w, NULL, ip_write(ip, text));
		shown++;
	}
	json_write_close_list(w);
	json_write_bool(w, "isPlatformReserved", s && !free && !engine_find_port_by_ip(t, s->router, a->ip));
	return OK;
}

#define NETWORKS AZ_NETWORK "/virtualNetworks"
#define NETWORK AZ_GROUP NETWORKS "/{virtualNetworkName}"
#define OF_ONE .type = AZ_NETWORKS, .kind = KIND_ROUTER, .names = "virtualNetworkName"
static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION NETWORKS, .name = "VirtualNetworks_ListAll", .permit = "ec2:DescribeVpcs",
	 .type = AZ_NETWORKS, .listing = &networks, .doc = "Lists the subscription's virtual networks."},
	{HTTP_GET, AZ_GROUP NETWORKS, .name = "VirtualNetworks_List", .permit = "ec2:DescribeVpcs",
	 .type = AZ_NETWORKS, .listing = &networks, .doc = "Lists a resource group's virtual networks."},
	{HTTP_GET, NETWORK, .name = "VirtualNetworks_Get", .permit = "ec2:DescribeVpcs", OF_ONE,
	 .shows = &networks, .doc = "Gets one virtual network."},
	{HTTP_GET, NETWORK "/CheckIPAddressAvailability",
	 .name = "VirtualNetworks_CheckIPAddressAvailability", .permit = "ec2:DescribeVpcs", OF_ONE,
	 .args = PARAMS(struct check_args, check_rows), .answer = check_address,
	 .doc = "Checks whether an address is available for a network interface."},
	{HTTP_PUT, NETWORK, .name = "VirtualNetworks_CreateOrUpdate", .permit = "ec2:CreateVpc",
	 .flags = API_WRITES | AZ_PUT, OF_ONE,
	 .fixed = "properties.virtualNetworkPeerings:virtualNetworkPeerings",
	 .parts = "properties.subnets|properties.virtualNetworkPeerings",
	 .keeps = "properties.dhcpOptions.dnsServers",
	 .args = PARAMS(struct network_args, put_rows, .object = "VirtualNetwork"), .prepare = prepare,
	 .operation = put, .returns = KIND_ROUTER, AZ_SUBJECT(struct network_args, wish.made),
	 .shows = &networks, .doc = "Creates or changes a virtual network."},
	{HTTP_PATCH, NETWORK, .name = "VirtualNetworks_UpdateTags", .permit = "ec2:CreateTags",
	 .flags = API_WRITES | AZ_PATCH, OF_ONE, .args = {0, 0, sizeof(struct tags_wish)},
	 .prepare = az_prepare_tags, .operation = engine_replace_tags_run, .returns = KIND_ROUTER,
	 .shows = &networks, .doc = "Changes a virtual network's tags."},
	{HTTP_DELETE, NETWORK, .name = "VirtualNetworks_Delete", .permit = "ec2:DeleteVpc",
	 .flags = API_WRITES, OF_ONE, .args = {0, 0, sizeof(struct virtual_network_target)},
	 .prepare = prepare_delete, .operation = engine_delete_virtual_network_run,
	 .returns = API_RETURNS_NOTHING_STORED, .outcome = ASYNC_JOB_OUTCOME_GONE,
	 .doc = "Deletes a virtual network whose subnets are empty."},
};
const struct api_actions az_virtual_network_actions = API_ACTIONS(actions);
