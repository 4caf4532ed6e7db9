/* SPDX-License-Identifier: Apache-2.0
 * Virtual routers, for administrators: the routers of guest networks and VPCs that have a port in use. OVN routes on
 * every host, so a router has no machine: it shows no host, no link-local address and no version, and no command
 * starts, stops or restarts it. Source: DomainRouterResponse of 4.18.
 */
#include "api/cloudstack/network/network.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/gateway.h"
#include "store/network.h"
#include "store/router.h"
#include "store/subnet.h"

struct list_routers {
	struct cs_list_args list;
	struct ref zone, network, vpc, project, host;
	struct str state, version;
	enum choice for_vpc;
};
#define P(wire, member, ...) PARAM(struct list_routers, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_routers, KIND_ROUTER),
	CS_NAME_PARAM(struct list_routers),
	CS_OWNER_PARAMS(struct list_routers),
	CS_PROJECT_PARAM(struct list_routers, project),
	P("networkid", network, .kind = KIND_NETWORK, .doc = "Network."),
	P("vpcid", vpc, .kind = KIND_ROUTER, .doc = "VPC."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Ignored: routers are in every zone."),
	P("state", state, .doc = "State. All routers are Running."),
	P("version", version, .doc = "Version. Routers have none."),
	P("forvpc", for_vpc, .doc = "Whether the router belongs to a VPC."),
	NOT_BUILT("arch|clusterid|hostid|podid"),
	NOT_BUILT("fetchhealthcheckresults|healthchecksfailed", .only = "false"),
};
#undef P

/* The live subnet of a network of the router that has ports; network none: of any. NULL: there is none. */
static const struct subnet *find_used(const struct tables *t, uuid router, uuid network)
{
	const struct subnet *s = subnet_first_by_router(t, router);
	for (; s; s = subnet_next_by_router(t, s)) {
		const struct network *n = network_find(t, s->network);
		if (row_is_live(&s->row) && n && network_usage(n)->ports &&
		    (uuid_is_none(network) || uuid_equal(network, s->network)))
			return s;
	}
	return NULL;
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_routers *a = args;
	bool is_of_vpc = cs_find_vpc(e, row->id);
	uuid network = ref_is_given(&a->network) ? a->network.prefix : UUID_NONE;
	return find_used(api_tables(e), row->id, network) &&
	       (!ref_is_given(&a->vpc) || uuid_equal(a->vpc.prefix, row->id)) &&
	       (a->for_vpc == CHOICE_DEFAULT || (a->for_vpc == CHOICE_YES) == is_of_vpc) &&
	       (!a->state.n || str_equal_nocase(a->state, STR("Running"))) && !a->version.n;
}

/* CloudStack names routers by the number of their machine. */
static struct str get_name(struct api_call *e, const struct row *row)
{
	struct str id = str_slice(uuid_to_str(e->c->arena, row->id), 0, 8);
	return str_print(e->c->arena, "r-%" STR_FMT, STR_ARG(id));
}

static void write_public(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	char text[IP_TEXT_SIZE];
	const struct gateway *g = gateway_find_by_router(api_tables(e), row->id);
	const struct address *a = g ? address_find(api_tables(e), g->address) : NULL;
	const struct external_network *outside =
		g ? external_network_find(api_tables(e), g->external_network) : NULL;
	if (a)
		json_write_z(w, name, ip_write(a->ip, text));
	if (a && outside)
		json_write_z(w, "gateway", ip_write(outside->next_hop, text));
}

/* Writes the guest network; a VPC's router has several, which "nic" lists. */
static void write_guest(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	char text[IP_TEXT_SIZE];
	const struct router *vpc = cs_find_vpc(e, row->id);
	const struct subnet *s = find_used(api_tables(e), row->id, UUID_NONE);
	const struct network *network = s ? network_find(api_tables(e), s->network) : NULL;
	cs_write_vpc(e, w, vpc);
	if (!network || vpc)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, s->network));
	json_write_text(w, "guestnetworkname", cs_get_network_name(e, &network->row));
	json_write_z(w, "guestipaddress", ip_write(s->gateway_ip, text));
}

static void write_nics(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	char text[IP_TEXT_SIZE];
	const struct subnet *s = subnet_first_by_router(api_tables(e), row->id);
	json_write_open_list(w, name);
	for (; s; s = subnet_next_by_router(api_tables(e), s)) {
		const struct network *network = network_find(api_tables(e), s->network);
		if (!row_is_live(&s->row) || !network || !network_usage(network)->ports ||
		    s->gateway_ip.family != IP_V4)
			continue;
		json_write_open(w, NULL);
		json_write_text(w, "networkid", uuid_to_str(e->c->arena, s->network));
		json_write_text(w, "networkname", cs_get_network_name(e, &network->row));
		json_write_z(w, "ipaddress", ip_write(s->gateway_ip, text));
		json_write_z(w, "traffictype", "Guest");
		json_write_close(w);
	}
	json_write_close_list(w);
}

static const struct member members[] = {
	MEMBER(struct router, "id", row.id),
	MEMBER_TEXT("name", get_name),
	MEMBER_FIXED("state", "\"Running\""),
	MEMBER_FIXED("role", "\"VIRTUAL_ROUTER\""),
	CS_OWNER_MEMBERS(router),
	MEMBER_WRITTEN("zoneid", cs_write_any_zone, .also = "zonename"),
	MEMBER_AS(struct router, TIME, "created", row.created_us),
	MEMBER_WRITTEN("publicip", write_public, .also = "gateway"),
	MEMBER_WRITTEN("guestnetworkid", write_guest,
		       .also = "guestnetworkname|guestipaddress|vpcid|vpcname"),
	MEMBER_WRITTEN("nic", write_nics),
	MEMBER_FIXED("redundantstate", "\"UNKNOWN\""),
	MEMBER_FIXED("isredundantrouter|requiresupgrade", "false"),
};
static const struct api_listing routers =
	CS_LISTING(KIND_ROUTER, "router", members, .get_name = get_name, .matches = matches);

static const struct cs_action actions[] = {
	{CS_ACTION("listRouters", "ec2:DescribeVpcs"), .flags = CS_ADMIN | CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_routers, params), .listing = &routers,
	 .doc = "Lists the routers of guest networks and VPCs. OVN routes on the hosts."},
};
const struct api_actions cs_router_actions = API_ACTIONS(actions);
