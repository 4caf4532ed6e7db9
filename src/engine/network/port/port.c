/* SPDX-License-Identifier: Apache-2.0
 * Ports: creation, change and deletion, and their addresses. port_attach.c attaches them to instances. The
 * reconciler (reconcile/network/port.c) deploys them in the network, with their groups, on the host that plugs
 * them. */
#include "engine/network/port/port.h"

#include <string.h>

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/port/qos_policy_internal.h"
#include "engine/network/port/trunk_internal.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/gateway_internal.h"
#include "engine/network/routing/router_interface.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/quota_internal.h"
#include "engine/tag_internal.h"
#include "engine/virtual/balancer_set.h"
#include "model/account.h"
#include "model/instance.h"
#include "model/mac.h"
#include "store/address.h"
#include "store/gateway.h"
#include "store/network.h"
#include "store/port.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"

/* 02:… marks a locally administered unicast address; the random rest makes collisions rare. */
RESULT port_draw_mac(struct op *op, struct port *port)
{
	int64_t most = engine_get_limit(op->head, LIMIT_MACS);
	char network[UUID_TEXT_SIZE];
	if (!mac_is_none(port->mac))
		return OK;
	if (most >= 0 && engine_count_limited(op->head, LIMIT_MACS, UUID_NONE) >= most)
		return ctx_fail_kind(op->ctx, ERR_CAPACITY, KIND_PORT,
				     "Unable to generate unique mac on network %s.",
				     uuid_write(port->network, network));
	do {
		random_bytes(port->mac.b, sizeof port->mac.b);
		port->mac.b[0] = 0x02;
	} while (port_first_by_mac(op->head, port->mac));
	return OK;
}

/* ---- finding ports ---- */

bool port_is_held(const struct tables *t, uuid id)
{
	const struct port *port = port_find(t, id);
	return port && (row_is_live(&port->row) || !uuid_is_none(port->seen_instance));
}

const struct port *port_first_of_instance(const struct tables *t, uuid instance)
{
	const struct port *port = port_first_by_instance(t, instance);
	while (port && !row_is_live(&port->row))
		port = port_next_by_instance(t, port);
	return port;
}

size_t port_count_of_instance(const struct tables *t, uuid instance)
{
	size_t count = 0;
	for (const struct port *p = port_first_by_instance(t, instance); p; p = port_next_by_instance(t, p))
		count += row_is_live(&p->row);
	return count;
}

RESULT port_find_target(struct op *op, const struct ref *port, const struct ref *instance,
			const struct port **ret_port)
{
	if (ref_is_given(port))
		return engine_find_own_port(op->ctx, op->head, port, ret_port);
	const struct instance *row = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, instance, &row));
	*ret_port = row_is_live(&row->row) ? port_first_of_instance(op->head, row->row.id) : NULL;
	if (!*ret_port)
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, instance->field,
				   "The instance '%" STR_FMT "' %s.", STR_ARG(instance->text),
				   row_is_live(&row->row) ? "has no network interface"
							  : "is ending or has ended");
	if (port_count_of_instance(op->head, row->row.id) > 1)
		return ENGINE_FAIL(op, ERR_CONFLICT, KIND_INSTANCE, instance->field,
				   "There are multiple interfaces attached to instance '%" STR_FMT
				   "'. Please specify an interface ID for the operation instead.",
				   STR_ARG(instance->text));
	return OK;
}

RESULT port_check_unmanaged(struct op *op, const struct port *port, struct str field)
{
	if (uuid_is_none(port->nat_gateway) && uuid_is_none(port->interface_of) &&
	    !engine_is_front(op->head, port) && !engine_is_endpoint_port(op->head, port) &&
	    !engine_is_service_leg(op->head, port))
		return OK;
	const struct ref about = {.text = engine_write_id(op, KIND_PORT, port->row.id), .field = field};
	return ENGINE_FAIL_ABOUT(op, ERR_PROTECTED, KIND_PORT, &about,
				 "You do not have permission to access the specified resource.");
}

/* ---- creation ---- */

struct port port_new_in(const struct subnet *subnet, uuid account)
{
	return (struct port){.row.gen = 1,
			     .account = account,
			     .network = subnet->network,
			     .subnet = subnet->row.id,
			     .router = subnet->router,
			     .source_dest_check = true};
}

/* "default" is no choice: clients send it without being asked, and Nova ignores it as well. */
static bool names_groups(struct refs groups)
{
	bool names = false;
	for (size_t k = 0; k < groups.count; k++)
		names = names || !str_is(groups.at[k].text, "default");
	return names;
}

static RESULT choose_open_group(struct op *op, struct port *port)
{
	uuid *group = arena_new_array(op->ctx->arena, uuid, 1);
	if (!group)
		return ctx_no_memory(op->ctx);
	port->groups = (struct uuids){group, 1};
	return security_group_find_open(op, port->account, group);
}

/* True if something other than security groups filters the port's traffic: the network's firewall, port
 * policies of a virtual network, or the ACL of a tier in a VPC with source NAT. EC2's subnets with automatic
 * public addresses do not count: there, groups guard the instances. */
static bool is_behind_firewall(const struct tables *t, const struct port *port)
{
	const struct network *network = network_find(t, port->network);
	const struct router *router = router_find(t, port->router);
	const struct gateway *gateway =
		router && router->blocks.count ? gateway_of_router(t, router->row.id) : NULL;
	const struct subnet *subnet = subnet_find(t, port->subnet);
	return (network && network->has_firewall) || (router && router->has_system_routes) ||
	       (gateway && gateway->translates && subnet && !subnet->public_on_launch);
}

RESULT port_choose_security(struct op *op, struct refs groups, bool by_firewall_alone, struct port *port)
{
	const struct network *network = network_find(op->head, port->network);
	port->is_open = network && network->is_open;
	if (!port->is_open && by_firewall_alone && !groups.count && is_behind_firewall(op->head, port))
		return choose_open_group(op, port);
	if (!port->is_open)
		return security_group_resolve_all(op, port->account,
						  engine_router_of(op, port->router, port->account), groups,
						  &port->groups);
	if (!names_groups(groups))
		return OK;
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_SECURITY_GROUP, groups.at[0].field,
			   "Network requires port_security_enabled and subnet associated in order to apply "
			   "security groups.");
}

RESULT port_check_choices(struct op *op, uuid network, bool chooses, struct str field)
{
	const struct network *row = network_find(op->head, network);
	if (!chooses || !row || engine_is_own(op->ctx, KIND_NETWORK, &row->row))
		return OK;
	return ENGINE_FAIL(
		op, ERR_DENIED, KIND_PORT, field,
		"In a network of another's, addresses and port security are its owner's to choose.");
}

bool port_chooses_ips(const struct port_ips_wish *ips)
{
	return !ip_is_none(ips->primary) || ips->secondaries.count > 0 || ips->ipv6s.count > 0 ||
	       ips->prefixes.named.count > 0 || ips->ipv6_prefixes.named.count > 0;
}

RESULT port_find_subnet(struct op *op, const struct ref *ref, const struct subnet **ret_subnet)
{
	const struct row *row = NULL;
	TRY(engine_find_usable(op->ctx, op->head, KIND_SUBNET, ref, &row));
	*ret_subnet = subnet_of(row);
	return OK;
}

static RESULT create_port(struct op *op, struct port_wish *wish, const struct account *account)
{
	const struct subnet *subnet = NULL;
	TRY(port_find_subnet(op, &wish->subnet, &subnet));
	TRY(external_network_check_none(op, subnet->network, wish->subnet.field));
	TRY(port_check_choices(op, subnet->network, port_chooses_ips(&wish->ips), wish->ips.field));
	struct port port = port_new_in(subnet, account->row.id);
	port.name = wish->name;
	port.description = wish->description;
	port.requester = wish->requester;
	TRY(tag_normalize(op, wish->tags, &port.tags));
	TRY(port_choose_security(op, wish->groups, wish->by_firewall_alone, &port));
	TRY(quota_check(op, account->row.id, QUOTA_PORTS, 1));
	TRY(engine_permit(op, "port.create", KIND_SUBNET, &subnet->row));
	TRY(port_write_new(op, subnet, &wish->ips, &port));
	TRY(client_token_write(op, account->row.id, wish->client_token, wish->digest, port.row.id));
	wish->port = port.row.id;
	char text[IP_TEXT_SIZE];
	return engine_log_event(op, KIND_PORT, &port.row, "created", "Network interface with %s.",
				ip_write(port.ip, text));
}

/* ---- creation on a network ---- */

static RESULT find_in_network(struct op *op, const struct network *network, const struct ref *ref,
			      const struct subnet **ret_subnet)
{
	TRY(port_find_subnet(op, ref, ret_subnet));
	if (uuid_equal((*ret_subnet)->network, network->row.id))
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, ref->field,
			   "The subnet %" STR_FMT " is not on the port's network.", STR_ARG(ref->text));
}

/* Finds the network's live subnet whose block contains the address. */
static RESULT find_by_ip(struct op *op, const struct network *network, struct ip ip, struct str field,
			 const struct subnet **ret_subnet)
{
	const struct subnet *subnet = subnet_first_by_network(op->head, network->row.id);
	while (subnet && !(row_is_live(&subnet->row) && cidr_contains(subnet->block, ip)))
		subnet = subnet_next_by_network(op->head, subnet);
	*ret_subnet = subnet;
	char text[IP_TEXT_SIZE];
	return subnet ? OK
		      : ENGINE_FAIL(op, ERR_RANGE, KIND_PORT, field,
				    "IP address %s is not a valid IP for any of the subnets on the network.",
				    ip_write(ip, text));
}

/* Chooses one subnet of each family that the network has. */
static RESULT choose_fixed(struct op *op, uuid network, struct port_fixed fixed[static 2], size_t *ret_count)
{
	static const enum ip_family families[] = {IP_V4, IP_V6};
	*ret_count = 0;
	for (size_t k = 0; k < 2; k++) {
		TRY(port_choose_subnet(op, network, families[k], &fixed[*ret_count].subnet));
		*ret_count += fixed[*ret_count].subnet != NULL;
	}
	return OK;
}

static bool has_subnet(const struct port_fixed *fixed, size_t count, const struct subnet *subnet)
{
	for (size_t k = 0; k < count; k++)
		if (fixed[k].subnet == subnet)
			return true;
	return false;
}

/* Adds an address in each SLAAC subnet, unless the port is to have no address at all; then moves the first
 * IPv4 address to the front, where the primary one is. */
static void complete_fixed(const struct tables *t, const struct network *network, bool is_none,
			   struct port_fixed *fixed, size_t *count)
{
	for (const struct subnet *s = subnet_first_by_network(t, network->row.id); s && !is_none;
	     s = subnet_next_by_network(t, s))
		if (row_is_live(&s->row) && ipv6_subnet_is_auto(s) && !has_subnet(fixed, *count, s))
			fixed[(*count)++] = (struct port_fixed){.subnet = s};
	for (size_t k = 1; k < *count && fixed[0].subnet->block.base.family == IP_V6; k++)
		if (fixed[k].subnet->block.base.family == IP_V4) {
			const struct port_fixed first = fixed[k];
			memmove(fixed + 1, fixed, k * sizeof *fixed);
			fixed[0] = first;
		}
}

static size_t count_subnets(const struct tables *t, uuid network)
{
	size_t count = 0;
	for (const struct subnet *s = subnet_first_by_network(t, network); s;
	     s = subnet_next_by_network(t, s))
		count++;
	return count;
}

static RESULT resolve_fixed(struct op *op, const struct network *network,
			    const struct port_fixed_wishes *wishes, struct port_fixed **ret_fixed,
			    size_t *ret_count)
{
	struct port_fixed *fixed =
		arena_new_array(op->ctx->arena, struct port_fixed,
				wishes->count + count_subnets(op->head, network->row.id) + 2);
	if (!fixed)
		return ctx_no_memory(op->ctx);
	*ret_fixed = fixed;
	*ret_count = wishes->count;
	if (!wishes->is_given)
		TRY(choose_fixed(op, network->row.id, fixed, ret_count));
	for (size_t k = 0; k < wishes->count; k++) {
		const struct port_fixed_wish *w = &wishes->at[k];
		fixed[k].ip = w->ip;
		if (ref_is_given(&w->subnet))
			TRY(find_in_network(op, network, &w->subnet, &fixed[k].subnet));
		else
			TRY(find_by_ip(op, network, w->ip, wishes->field, &fixed[k].subnet));
	}
	complete_fixed(op->head, network, wishes->is_given && wishes->count == 0, fixed, ret_count);
	return OK;
}

/* Sets SLAAC addresses, which follow from the MAC. */
static void set_auto_ips(struct port_fixed *fixed, size_t count, struct mac mac)
{
	for (size_t k = 0; k < count; k++)
		if (ipv6_subnet_is_auto(fixed[k].subnet) && ip_is_none(fixed[k].ip))
			fixed[k].ip = model_make_eui64(fixed[k].subnet->block, mac);
}

/* Encodes address pairs as rows have them: "MAC BLOCK", with the port's own MAC if none is given. */
static RESULT write_pairs(struct op *op, const struct port_pairs *pairs, struct mac own,
			  struct strs *ret_pairs)
{
	struct str *at = arena_new_array(op->ctx->arena, struct str, pairs->count + 1);
	char mac[MAC_TEXT_SIZE], block[CIDR_TEXT_SIZE], ip[IP_TEXT_SIZE];
	if (!at)
		return ctx_no_memory(op->ctx);
	if (pairs->count > PORT_PAIRS_MAX)
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_PORT,
				     "A port has up to %d allowed address pairs.", PORT_PAIRS_MAX);
	for (size_t k = 0; k < pairs->count; k++) {
		const struct port_pair *p = &pairs->at[k];
		struct cidr c = cidr_canonical(p->block);
		bool is_one = c.bits == (c.base.family == IP_V6 ? 128 : 32);
		const char *peer = is_one ? ip_write(c.base, ip) : cidr_write(c, block);
		at[k] = str_print(op->ctx->arena, "%s %s", mac_write(mac_is_none(p->mac) ? own : p->mac, mac),
				  peer);
		if (!at[k].p)
			return ctx_no_memory(op->ctx);
		for (size_t j = 0; j < k; j++)
			if (str_equal(at[j], at[k]))
				return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_PORT,
						     "Request contains duplicate address pair: %" STR_FMT,
						     STR_ARG(at[k]));
	}
	*ret_pairs = (struct strs){at, pairs->count};
	return OK;
}

/* A port without port security has neither groups nor address pairs. The call has to remove them before it
 * may switch port security off. */
static RESULT check_open(struct op *op, const struct port *port, bool asks_for_groups)
{
	if (!port->is_open)
		return OK;
	if (port->allowed_pairs.count)
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_PORT, STR("allowed_address_pairs"),
			"Port Security must be enabled in order to have allowed address pairs on a "
			"port.");
	if (asks_for_groups)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_PORT, STR("security_groups"),
				   "Port security must be enabled and port must have an IP address in order "
				   "to use security groups.");
	if (port->groups.count)
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_PORT, STR("port_security_enabled"),
				   "Port has security group associated. Cannot disable port security or IP "
				   "address until security group is removed.");
	return OK;
}

static RESULT check_mac(struct op *op, struct mac mac)
{
	char text[MAC_TEXT_SIZE];
	if ((mac.b[0] & 1) != 0)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_PORT, "The MAC address %s is a group's.",
				     mac_write(mac, text));
	for (const struct port *p = port_first_by_mac(op->head, mac); p; p = port_next_by_mac(op->head, p))
		if (port_is_held(op->head, p->row.id))
			return ctx_fail_kind(op->ctx, ERR_CONFLICT, KIND_PORT,
					     "The MAC address %s is in use.", mac_write(mac, text));
	return OK;
}

static bool chooses_ip(const struct port_fixed_wishes *fixed)
{
	for (size_t k = 0; k < fixed->count; k++)
		if (!ip_is_none(fixed->at[k].ip))
			return true;
	return false;
}

/* Neutron's policies reserve the binding for administrators. */
static RESULT check_binding(struct op *op, bool is_said, const char *rule)
{
	return !is_said || identity_is_admin(op->ctx->who)
		       ? OK
		       : ctx_fail_kind(op->ctx, ERR_DENIED, KIND_PORT, "rule:%s is disallowed by policy",
				       rule);
}

RESULT engine_add_port(struct op *op, struct network_port_wish *wish)
{
	uuid account = UUID_NONE;
	const struct row *found = NULL;
	struct port_fixed *fixed = NULL;
	size_t count = 0;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	TRY(external_network_check_own(op, &wish->network, "port"));
	TRY(engine_find_usable(op->ctx, op->head, KIND_NETWORK, &wish->network, &found));
	const struct network *network = network_of(found);
	TRY(port_check_choices(op, network->row.id,
			       chooses_ip(&wish->fixed) || !mac_is_none(wish->mac) ||
				       wish->is_open == CHOICE_YES || wish->pairs.count > 0,
			       wish->network.field));
	TRY(check_binding(op, !str_is_empty(wish->binding_host), "create_port:binding:host_id"));
	TRY(resolve_fixed(op, network, &wish->fixed, &fixed, &count));
	if (!mac_is_none(wish->mac))
		TRY(check_mac(op, wish->mac));
	struct port port = {.row.gen = 1,
			    .account = account,
			    .name = wish->name,
			    .description = wish->description,
			    .network = network->row.id,
			    .mac = wish->mac,
			    .source_dest_check = true,
			    .is_open = choice_or(wish->is_open, network->is_open),
			    .is_down = wish->is_down,
			    .device_id = wish->device_id,
			    .device_owner = wish->device_owner,
			    .binding_host = wish->binding_host,
			    .dns_name = wish->dns_name};
	TRY(port_draw_mac(op, &port));
	TRY(qos_policy_choose(op, &wish->qos, KIND_PORT, UUID_NONE, &port.qos_policy));
	set_auto_ips(fixed, count, port.mac);
	TRY(tag_normalize(op, wish->tags, &port.tags));
	TRY(write_pairs(op, &wish->pairs, port.mac, &port.allowed_pairs));
	TRY(port_apply_dhcp(op, &wish->dhcp, &port));
	TRY(check_open(op, &port, wish->groups.count > 0));
	if (!port.is_open && (wish->groups.count > 0 || !wish->has_no_groups))
		TRY(security_group_resolve_all(
			op, port.account,
			count ? engine_router_of(op, fixed[0].subnet->router, port.account) : NULL,
			wish->groups, &port.groups));
	TRY(quota_check(op, account, QUOTA_PORTS, 1));
	TRY(engine_permit(op, "port.create", KIND_NETWORK, &network->row));
	TRY(port_write_fixed(op, fixed, count, wish->fixed.field, &port));
	wish->port = port.row.id;
	return engine_log_event(op, KIND_PORT, &port.row, "created", "Network interface with %zu addresses.",
				count);
}

RESULT engine_create_port(struct op *op, struct port_wish *wish)
{
	const struct account *account = NULL;
	TRY(engine_find_acting_account(op, &account));
	TRY(client_token_find_made(op, account->row.id, wish->client_token, wish->digest, KIND_PORT,
				   &wish->port));
	return uuid_is_none(wish->port) ? create_port(op, wish, account) : OK;
}

/* ---- permissions for links to ports ---- */

/* Asks only about the caller's own rows: policies of another account do not bind this caller. */
static RESULT permit_own(struct op *op, const char *permission, enum kind kind, const struct row *row)
{
	return row && engine_is_own(op->ctx, kind, row) ? engine_permit(op, permission, kind, row) : OK;
}

RESULT port_permit_end(struct op *op, const char *permission, uuid port)
{
	const struct port *p = uuid_is_none(port) ? NULL : port_find(op->head, port);
	if (!p)
		return OK;
	TRY(permit_own(op, permission, KIND_PORT, &p->row));
	return uuid_is_none(p->instance) ? OK
					 : permit_own(op, permission, KIND_INSTANCE,
						      tables_find(op->head, KIND_INSTANCE, p->instance));
}

/* ---- deletion ---- */

RESULT port_delete_with_addresses(struct op *op, const struct port *port)
{
	TRY(trunk_leave_port(op, port->row.id));
	TRY(address_leave_port(op, port->row.id));
	TRY(port_delete_ips(op, port->row.id));
	TRY(port_delete(op, port->row.id));
	char text[IP_TEXT_SIZE];
	return engine_log_event(op, KIND_PORT, &port->row, "deleted", "Network interface with %s.",
				ip_write(port->ip, text));
}

RESULT port_delete_all_but(struct op *op, const struct uuids *before, const struct uuids *stay)
{
	for (size_t k = 0; k < before->count; k++) {
		const struct port *port = port_find(op->head, before->at[k]);
		if (port && row_is_live(&port->row) && !uuids_have(stay, before->at[k]))
			TRY(port_delete_with_addresses(op, port));
	}
	return OK;
}

bool engine_is_guest_port(const struct ctx *c, const struct tables *t, const struct port *port)
{
	const struct network *network = network_find(t, port->network);
	uuid account = engine_get_account(c);
	return network && !uuid_is_none(account) && uuid_equal(network->account, account) &&
	       !uuid_equal(port->account, account);
}

/* A live port of another account in a network of the caller, if the wish allows that. */
static const struct port *find_guest(struct op *op, const struct port_target *wish)
{
	const struct port *port = wish->by_network && wish->port.bits == 8 * sizeof(uuid)
					  ? port_find(op->head, wish->port.prefix)
					  : NULL;
	return port && row_is_live(&port->row) && engine_is_guest_port(op->ctx, op->head, port) ? port : NULL;
}

/* Subnet whose gateway port has the id, or NULL. Gateway ports have no rows: their ids are derived from the
 * subnet. */
static const struct subnet *find_gateways_subnet(struct op *op, const struct ref *port)
{
	bool is_admin = identity_is_admin(op->ctx->who);
	const struct subnet *s = port->bits < 128 || port_find(op->head, port->prefix) ? NULL
				 : is_admin ? subnet_first(op->head)
					    : subnet_first_by_account(op->head, op->ctx->who->account);
	while (s && !(row_is_live(&s->row) && !uuid_is_none(s->router) &&
		      uuid_equal(engine_get_gateway_port(op->head, s), port->prefix)))
		s = is_admin ? subnet_next(op->head, s) : subnet_next_by_account(op->head, s);
	return s;
}

/* Device owner of a router's outer port or of a floating IP's port that has the id, or NULL. Those have no rows
 * either, and only administrators see them. */
static const char *find_outer_owner(struct op *op, uuid port)
{
	if (!identity_is_admin(op->ctx->who) || port_find(op->head, port))
		return NULL;
	for (const struct gateway *g = gateway_first(op->head); g; g = gateway_next(op->head, g))
		if (row_is_live(&g->row) && !uuid_is_none(g->router) &&
		    uuid_equal(engine_get_outer_port(g), port))
			return "network:router_gateway";
	for (const struct address *a = address_first(op->head); a; a = address_next(op->head, a))
		if (row_is_live(&a->row) && a->is_elastic && uuid_equal(engine_get_floating_port(a), port))
			return "network:floatingip";
	return NULL;
}

/* Refuses the deletion of ports that belong to routers and floating IPs, in Neutron's words. */
static RESULT check_has_row(struct op *op, const struct port_target *wish)
{
	const struct subnet *subnet = find_gateways_subnet(op, &wish->port);
	bool is_whole = wish->port.bits == 8 * sizeof(uuid);
	const char *owner = subnet     ? "network:router_interface"
			    : is_whole ? find_outer_owner(op, wish->port.prefix)
				       : NULL;
	if (subnet)
		TRY(engine_permit(op, "port.delete", KIND_SUBNET, &subnet->row));
	if (!owner)
		return OK;
	return ENGINE_FAIL_ABOUT(op, ERR_PROTECTED, KIND_PORT, &wish->port,
				 "Port %" STR_FMT
				 " cannot be deleted directly via the port API: has device owner %s.",
				 STR_ARG(wish->port.text), owner);
}

RESULT engine_delete_port(struct op *op, struct port_target *wish)
{
	const struct port *port = find_guest(op, wish);
	if (wish->by_network)
		TRY(check_has_row(op, wish));
	if (port) {
		TRY(engine_check_found(op->ctx, op->head, KIND_PORT, &port->row));
		TRY(engine_permit_new(op, "port.delete", KIND_PORT, &port->row));
	} else {
		TRY(engine_find_own_port(op->ctx, op->head, &wish->port, &port));
		TRY(engine_permit(op, "port.delete", KIND_PORT, &port->row));
	}
	if (!wish->unplugs)
		TRY(port_check_available(op, port, &wish->port));
	TRY(port_check_unmanaged(op, port, wish->port.field));
	TRY(trunk_check_no_subport(op, port));
	TRY(trunk_check_no_parent(op, port));
	struct port next = *port;
	if (!uuid_is_none(port->instance)) {
		TRY(port_permit_end(op, "port.detach", port->row.id));
		TRY(port_unplug(op, &next));
	}
	return port_delete_with_addresses(op, &next);
}

/* ---- changes ---- */

/* delete_on_termination belongs to the attachment, which the call has to name. */
static RESULT check_attachment(struct op *op, const struct port_settings *wish, const struct port *port)
{
	const struct ref *ref = &wish->attachment;
	if (wish->delete_on_termination == CHOICE_DEFAULT)
		return OK;
	if (!uuid_is_none(port->instance) && id_has_prefix(port->attachment, ref->prefix, ref->bits))
		return OK;
	return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_NONE, ref->field,
			   "The attachment '%" STR_FMT "' does not exist", STR_ARG(ref->text));
}

/* Applies port security, groups and address pairs. */
static RESULT apply_security(struct op *op, const struct port_settings *wish, struct port *next)
{
	choice_apply(wish->is_open, &next->is_open);
	if (wish->has_no_groups)
		next->groups = (struct uuids){0};
	if (wish->groups.count > 0)
		TRY(security_group_resolve_all(op, next->account,
					       engine_router_of(op, next->router, next->account),
					       wish->groups, &next->groups));
	if (wish->pairs)
		TRY(write_pairs(op, wish->pairs, next->mac, &next->allowed_pairs));
	return check_open(op, next, wish->groups.count > 0);
}

static void apply_texts(const struct port_settings *wish, struct port *next)
{
	choice_apply(wish->is_down, &next->is_down);
	if (wish->set_description)
		next->description = wish->description;
	if (wish->name)
		next->name = *wish->name;
	if (wish->device_id)
		next->device_id = *wish->device_id;
	if (wish->device_owner)
		next->device_owner = *wish->device_owner;
	if (wish->binding_host)
		next->binding_host = *wish->binding_host;
	if (wish->dns_name)
		next->dns_name = *wish->dns_name;
}

static RESULT change_fixed(struct op *op, const struct port_settings *wish, struct port *next)
{
	const struct network *network = network_find(op->head, next->network);
	struct port_fixed *fixed = NULL;
	size_t count = 0;
	if (!network)
		return engine_fail_gone(op->ctx, KIND_NETWORK, next->network);
	TRY(resolve_fixed(op, network, &wish->fixed, &fixed, &count));
	set_auto_ips(fixed, count, next->mac);
	return port_change_fixed(op, fixed, count, wish->fixed.field, next);
}

static bool changes_security(const struct port_settings *wish)
{
	return wish->groups.count || wish->has_no_groups || wish->pairs ||
	       wish->source_dest_check != CHOICE_DEFAULT || wish->is_open != CHOICE_DEFAULT;
}

static bool changes_nothing(const struct port_settings *wish)
{
	return !changes_security(wish) && !wish->qos.is_given && wish->is_down == CHOICE_DEFAULT &&
	       !wish->name && !wish->device_id && !wish->device_owner && !wish->dns_name &&
	       !wish->binding_host && !wish->set_description && !wish->dhcp.count &&
	       wish->delete_on_termination == CHOICE_DEFAULT;
}

/* True if the settings leave a router's port as it is. They may repeat its subnet and address. */
static bool keeps_address(const struct port_settings *wish, uuid subnet, struct ip ip)
{
	const struct port_fixed_wish *at = wish->fixed.at;
	return changes_nothing(wish) &&
	       (!wish->fixed.is_given ||
		(wish->fixed.count == 1 && (ip_is_none(at->ip) || ip_equal(at->ip, ip)) &&
		 (at->subnet.kind == KIND_NONE ||
		  id_has_prefix(subnet, at->subnet.prefix, at->subnet.bits))));
}

static RESULT update_gateway_port(struct op *op, const struct port_settings *wish,
				  const struct subnet *subnet)
{
	TRY(engine_permit(op, "port.update", KIND_SUBNET, &subnet->row));
	return keeps_address(wish, subnet->row.id, subnet->gateway_ip)
		       ? OK
		       : ENGINE_FAIL(op, ERR_PROTECTED, KIND_PORT, wish->port.field,
				     "The port is a router's address in its subnet, and not changed.");
}

static bool has_auto_ip(const struct tables *t, const struct port *port)
{
	const struct subnet *first = subnet_find(t, port->subnet);
	bool is_auto = first && ipv6_subnet_is_auto(first);
	const struct secondary_ip *s = engine_first_secondary_ip(t, port->row.id);
	for (; s && !is_auto; s = engine_next_secondary_ip(t, s)) {
		const struct subnet *in = subnet_find(t, s->subnet);
		is_auto = in && ipv6_subnet_is_auto(in);
	}
	return is_auto;
}

/* Changes the MAC address. As in Neutron, an administrator may, and only while no instance has the port.
 * Source: neutron.plugins.ml2.plugin, _check_mac_update_allowed(). */
static RESULT apply_mac(struct op *op, const struct port_settings *wish, struct port *next)
{
	char was[MAC_TEXT_SIZE], is[MAC_TEXT_SIZE], id[UUID_TEXT_SIZE];
	if (mac_is_none(wish->mac))
		return OK;
	TRY(check_binding(op, true, "update_port:mac_address"));
	if (!memcmp(next->mac.b, wish->mac.b, sizeof next->mac.b))
		return OK;
	if (!uuid_is_none(next->instance) || !uuid_is_none(next->seen_instance))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_PORT, STR("mac_address"),
				   "Unable to complete operation on port %s, port is already bound, port "
				   "type: ovs, old_mac %s, new_mac %s.",
				   uuid_write(next->row.id, id), mac_write(next->mac, was),
				   mac_write(wish->mac, is));
	if (has_auto_ip(op->head, next))
		return ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_PORT, STR("mac_address"),
				   "The MAC address of port %s is not changed: an IPv6 address of the port "
				   "follows from it.",
				   uuid_write(next->row.id, id));
	TRY(check_mac(op, wish->mac));
	next->mac = wish->mac;
	return OK;
}

RESULT engine_update_port(struct op *op, struct port_settings *wish)
{
	const struct port *port = NULL;
	const struct subnet *subnet = find_gateways_subnet(op, &wish->port);
	if (subnet)
		return update_gateway_port(op, wish, subnet);
	TRY(port_find_target(op, &wish->port, &wish->instance, &port));
	if (!uuid_is_none(port->interface_of) && keeps_address(wish, port->subnet, port->ip))
		return engine_permit(op, "port.update", KIND_PORT, &port->row);
	TRY(port_check_unmanaged(op, port, wish->port.field));
	struct port next = *port;
	TRY(port_check_choices(op, port->network,
			       chooses_ip(&wish->fixed) || wish->is_open == CHOICE_YES ||
				       wish->source_dest_check == CHOICE_NO ||
				       (wish->pairs && wish->pairs->count > 0),
			       wish->port.field));
	TRY(apply_security(op, wish, &next));
	TRY(port_apply_dhcp(op, &wish->dhcp, &next));
	TRY(check_attachment(op, wish, port));
	TRY(check_binding(op, wish->binding_host, "update_port:binding:host_id"));
	TRY(apply_mac(op, wish, &next));
	TRY(qos_policy_choose(op, &wish->qos, KIND_PORT, port->row.id, &next.qos_policy));
	TRY(engine_permit(op, "port.update", KIND_PORT, &port->row));
	choice_apply(wish->source_dest_check, &next.source_dest_check);
	choice_apply(wish->delete_on_termination, &next.delete_on_termination);
	apply_texts(wish, &next);
	next.row.gen++;
	TRY(port_put(op, &next));
	if (wish->fixed.is_given)
		TRY(change_fixed(op, wish, &next));
	return engine_log_event(op, KIND_PORT, &next.row, "changed", "It is in %zu security groups.",
				next.groups.count);
}

/* ---- reports of the reconciler ---- */

RESULT engine_see_port(struct op *op, struct port_report *report)
{
	const struct port *port = port_find(op->head, report->port);
	if (!port)
		return OK;
	/* Deployed as wanted now, so the network no longer has the addresses that were removed. */
	if (report->gen == port->row.gen)
		TRY(port_forget_ips(op, report->port));
	struct port next = *port;
	if ((int64_t) report->gen > next.seen_gen)
		next.seen_gen = (int64_t) report->gen;
	next.seen_up = report->up;
	return row_equal(&model_kinds[KIND_PORT], &port->row, &next.row) ? OK : port_put(op, &next);
}

RESULT engine_forget_port(struct op *op, struct port_report *report)
{
	const struct port *port = port_find(op->head, report->port);
	if (!port)
		return OK;
	if (row_is_live(&port->row) || !uuid_is_none(port->seen_instance))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_PORT,
				     "The network interface is not deleted, or still plugged.");
	return port_forget(op, report->port);
}
