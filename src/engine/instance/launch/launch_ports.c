/* SPDX-License-Identifier: Apache-2.0
 * Ports of a launch: checked together, then created or attached for each instance. */
#include <inttypes.h>

#include "engine/instance/instance.h"
#include "engine/instance/launch/launch_ports_internal.h"
#include "engine/internal.h"
#include "engine/network/address/address_internal.h"
#include "engine/network/auto_topology.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/filter/security_group_internal.h"
#include "engine/network/ipv6_internal.h"
#include "engine/network/port/port.h"
#include "engine/network/port/port_internal.h"
#include "engine/network/subnet.h"
#include "model/instance.h"
#include "store/account.h"
#include "store/network.h"
#include "store/port.h"
#include "store/subnet.h"

/* ---- order and consistency ---- */

/* True if the wish has settings for a new port. */
static bool says_how(const struct launch_port *p)
{
	return ref_is_given(&p->subnet) || ref_is_given(&p->network) || p->groups.count || p->ips.more ||
	       p->ips.ipv6_more || p->ips.prefixes.more || p->ips.ipv6_prefixes.more ||
	       !str_is_empty(p->description) || p->delete_on_termination == CHOICE_YES;
}

static RESULT check_said(struct op *op, const struct instance_launch *wish, const struct launch_port *p)
{
	bool is_there = ref_is_given(&p->port);
	bool names_ips = port_chooses_ips(&p->ips);
	if (wish->max_count > 1 && (is_there || names_ips))
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_PORT, p->field,
			"A private address or a network interface that is there can be named for one "
			"instance only.");
	if (is_there && (names_ips || says_how(p)))
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_PORT, p->field,
				   "Of a network interface that is there, '%" STR_FMT
				   "', neither subnet, groups, addresses, description nor its deletion on "
				   "termination can be said.",
				   STR_ARG(p->port.text));
	if (p->public_ip != CHOICE_DEFAULT && (is_there || wish->port_count > 1))
		return ENGINE_FAIL(
			op, ERR_COMBINATION, KIND_PORT, p->field,
			"The associatePublicIPAddress parameter cannot be specified when launching "
			"with multiple network interfaces or one that is there.");
	return OK;
}

/* Inserts in order of device index; refuses duplicates. */
static RESULT add(struct op *op, const struct launch_port *p, struct launch_ports *ports)
{
	size_t at = ports->count;
	while (at > 0 && ports->at[at - 1].wish->device_index > p->device_index)
		at--;
	if (at > 0 && ports->at[at - 1].wish->device_index == p->device_index)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, p->field,
				   "Each network interface requires a unique device index.");
	memmove(&ports->at[at + 1], &ports->at[at], (ports->count - at) * sizeof ports->at[0]);
	ports->at[at] = (struct launch_slot){.wish = p};
	ports->count++;
	return OK;
}

/* Creates Neutron's auto-allocated network for an account that has none. */
static RESULT allocate_network(struct op *op, struct str field, const struct network **ret_network)
{
	uuid account = engine_get_account(op->ctx);
	struct auto_topology wish = {0};
	TRY(engine_permit_beside(op, "topology.allocate"));
	struct result result = engine_get_auto_topology(op, &wish);
	*ret_network = network_find(op->head, wish.network);
	if (result.code != ERR_STATE)
		return result;
	ctx_clear_problem(op->ctx);
	return ENGINE_FAIL(op, ERR_INVALID, KIND_NONE, field,
			   "Unable to automatically allocate a network for project %" STR_FMT,
			   STR_ARG(str_encode_hex(op->ctx->arena, account.b, sizeof account.b)));
}

/* Adds the account's only network to the wish if the account has no default subnets. *ret_port is NULL if
 * there is no network. */
static RESULT choose_network(struct op *op, const struct launch_port *said, bool needs_one,
			     const struct launch_port **ret_port)
{
	uuid account = engine_get_account(op->ctx);
	const struct account *owner = account_find(op->head, account);
	const struct network *only = NULL;
	*ret_port = said;
	if (owner && !uuid_is_none(owner->default_router))
		return OK;
	for (const struct network *n = network_first_by_account(op->head, account); n;
	     n = network_next_by_account(op->head, n)) {
		if (!row_is_live(&n->row) || external_network_find(op->head, n->row.id))
			continue;
		if (only)
			return ENGINE_FAIL(op, ERR_STATE, KIND_NONE, said->field,
					   "Multiple possible networks found, use a Network ID to be more "
					   "specific.");
		only = n;
	}
	*ret_port = NULL;
	if (!only && needs_one)
		TRY(allocate_network(op, said->field, &only));
	if (!only)
		return OK;
	struct launch_port *port = arena_new_object(op->ctx->arena, struct launch_port);
	if (!port)
		return ctx_no_memory(op->ctx);
	*port = *said;
	port->network = (struct ref){.kind = KIND_NETWORK,
				     .prefix = only->row.id,
				     .bits = 128,
				     .text = uuid_to_str(op->ctx->arena, only->row.id),
				     .field = said->field};
	*ret_port = port;
	return OK;
}

RESULT launch_ports_begin(struct op *op, const struct instance_launch *wish,
			  const struct instance_type *limits, struct launch_ports *ret_ports)
{
	static const struct launch_port plain;
	size_t count = wish->port_count ? wish->port_count : 1;
	const struct launch_port *ports = wish->port_count ? wish->ports : &plain;
	ret_ports->count = 0;
	if (wish->any_network)
		TRY(choose_network(op, &ports[0], wish->needs_network, &ports));
	if (wish->no_ports || !ports)
		return OK;
	TRY(port_check_count(op, limits, count, ports[count - 1].field));
	for (size_t k = 0; k < count; k++) {
		TRY(check_said(op, wish, &ports[k]));
		TRY(port_check_device_index(op, ports[k].device_index, ports[k].field));
		TRY(port_check_wished(op, limits, &ports[k].ips));
		TRY(add(op, &ports[k], ret_ports));
	}
	if (ret_ports->at[0].wish->device_index == 0)
		return OK;
	return ENGINE_FAIL(op, ERR_INVALID, KIND_PORT, ports[0].field,
			   "One of the network interfaces must have the device index 0.");
}

/* ---- resolution ---- */

/* Preference of a subnet: IPv4, then DHCPv6, then SLAAC; among equals, one with addresses left. 0: not
 * usable, or the wanted address is outside. */
static int rate(const struct subnet *s, struct ip wanted)
{
	if (!row_is_live(&s->row) || (!ip_is_none(wanted) && !cidr_contains(s->block, wanted)))
		return 0;
	if (ipv6_subnet_is_auto(s))
		return 1;
	return (s->block.base.family == IP_V4 ? 4 : 2) + (engine_count_free_addresses(s) > 0);
}

RESULT launch_ports_find_in_network(struct op *op, const struct launch_network *in,
				    const struct network **ret_network, const struct subnet **ret_subnet)
{
	const struct ref *ref = &in->network;
	const struct row *network = NULL;
	struct ip wanted = in->wanted;
	char text[IP_TEXT_SIZE];
	TRY(engine_find_usable(op->ctx, op->head, KIND_NETWORK, ref, &network));
	*ret_network = network_of(network);
	*ret_subnet = NULL;
	int best = 0;
	for (const struct subnet *s = subnet_first_by_network(op->head, network->id); s;
	     s = subnet_next_by_network(op->head, s)) {
		int rating = rate(s, wanted);
		if (rating <= best)
			continue;
		best = rating;
		*ret_subnet = s;
	}
	if (*ret_subnet)
		return OK;
	if (!ip_is_none(wanted))
		return ENGINE_FAIL(op, ERR_RANGE, KIND_PORT, ref->field,
				   "IP address %s is not a valid IP for any of the subnets on the network.",
				   ip_write(wanted, text));
	return in->may_lack_ip ? OK
			       : ENGINE_FAIL(op, ERR_MISSING, KIND_NETWORK, ref->field,
					     "The network '%" STR_FMT "' has no subnet.", STR_ARG(ref->text));
}

static RESULT find_network(struct op *op, struct launch_slot *slot)
{
	const struct launch_port *p = slot->wish;
	const struct launch_network in = {p->network, p->ips.primary, p->may_lack_ip};
	const struct network *network = NULL;
	TRY(launch_ports_find_in_network(op, &in, &network, &slot->subnet));
	if (!slot->subnet)
		slot->network = network;
	return OK;
}

RESULT launch_ports_find(struct op *op, const struct instance_type *limits, struct launch_slot *slot)
{
	const struct launch_port *p = slot->wish;
	if (!ref_is_given(&p->port)) {
		TRY(ref_is_given(&p->network) ? find_network(op, slot)
					      : port_find_subnet(op, &p->subnet, &slot->subnet));
		uuid network = slot->subnet ? slot->subnet->network : slot->network->row.id;
		TRY(external_network_check_none(op, network, p->field));
		if (!slot->subnet)
			return engine_permit(op, "network.use", KIND_NETWORK, &slot->network->row);
		TRY(port_check_choices(op, slot->subnet->network, port_chooses_ips(&p->ips), p->field));
		return engine_permit(op, "subnet.use", KIND_SUBNET, &slot->subnet->row);
	}
	TRY(engine_find_own_port(op->ctx, op->head, &p->port, &slot->port));
	TRY(engine_permit(op, "port.attach", KIND_PORT, &slot->port->row));
	TRY(external_network_check_none(op, slot->port->network, p->port.field));
	TRY(port_check_available(op, slot->port, &p->port));
	TRY(port_check_all_ip_counts(op, limits, slot->port, p->field));
	slot->subnet = subnet_find(op->head, slot->port->subnet);
	return slot->subnet ? OK : engine_fail_not_found(op->ctx, KIND_PORT, &p->port);
}

static struct port new_port(const struct launch_slot *slot, uuid account)
{
	return slot->subnet ? port_new_in(slot->subnet, account)
			    : (struct port){.row.gen = 1,
					    .account = account,
					    .network = slot->network->row.id,
					    .source_dest_check = true};
}

static RESULT resolve(struct op *op, const struct instance_type *limits, uuid zone,
		      const struct launch_slot *primary, struct launch_slot *slot)
{
	const struct launch_port *p = slot->wish;
	if (!slot->subnet && !ref_is_given(&p->port) && !ref_is_given(&p->subnet) &&
	    !ref_is_given(&p->network))
		slot->subnet = primary->subnet;
	if (!slot->subnet && !slot->network)
		TRY(launch_ports_find(op, limits, slot));
	if (slot->subnet)
		TRY(port_check_zone(op, slot->subnet, primary->subnet ? primary->subnet->zone : zone,
				    p->field));
	if (slot->port)
		return OK;
	struct port port = new_port(slot, engine_get_account(op->ctx));
	TRY(port_choose_security(op, p->groups, p->by_firewall_alone, &port));
	slot->groups = port.groups;
	slot->is_open = port.is_open;
	return OK;
}

static RESULT check_once(struct op *op, const struct launch_ports *ports, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (ports->at[n].port && ports->at[k].port == ports->at[n].port)
			return ENGINE_FAIL(op, ERR_IN_USE, KIND_PORT, ports->at[n].wish->port.field,
					   "Network interface '%" STR_FMT "' is named twice.",
					   STR_ARG(ports->at[n].wish->port.text));
	return OK;
}

RESULT launch_ports_resolve(struct op *op, const struct instance_type *limits, uuid zone,
			    struct launch_ports *ports)
{
	struct launch_slot *primary = &ports->at[0];
	ports->new_count = 0;
	for (size_t k = 0; k < ports->count; k++) {
		TRY(resolve(op, limits, zone, primary, &ports->at[k]));
		TRY(check_once(op, ports, k));
		ports->new_count += !ports->at[k].port;
	}
	if (ports->count == 0 || !primary->subnet)
		return OK;
	if (primary->wish->public_ip == CHOICE_YES && primary->subnet->block.base.family == IP_V6)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_SUBNET, primary->wish->field,
				   "The subnet '%" STR_FMT
				   "' has no IPv4 CIDR block: no public address stands for one of IPv6.",
				   STR_ARG(engine_write_id(op, KIND_SUBNET, primary->subnet->row.id)));
	primary->wants_public_ip = ports->count == 1 && ports->new_count == 1 &&
				   choice_or(primary->wish->public_ip, primary->subnet->public_on_launch);
	return OK;
}

bool launch_ports_lack_ipv4(const struct launch_ports *ports)
{
	bool lack = ports->count > 0;
	for (size_t k = 0; k < ports->count; k++)
		lack = lack && (!ports->at[k].subnet || ports->at[k].subnet->block.base.family == IP_V6);
	return lack;
}

/* ---- rows ---- */

static RESULT take(struct op *op, const struct launch_slot *slot, const struct instance *instance)
{
	struct port port = *slot->port;
	port_set_attachment(op, &port, instance, slot->wish->device_index);
	port.device_tag = slot->wish->tag;
	port.row.gen++;
	return port_put(op, &port);
}

static RESULT make(struct op *op, const struct launch_slot *slot, const struct instance *instance,
		   struct tags tags)
{
	const struct launch_port *p = slot->wish;
	struct port port = new_port(slot, instance->account);
	port.description = p->description;
	port.groups = slot->groups;
	port.is_open = slot->is_open;
	port.tags = tags;
	port.wants_public_ip = slot->wants_public_ip;
	port_set_attachment(op, &port, instance, p->device_index);
	port.device_tag = p->tag;
	port.delete_on_termination = choice_or(p->delete_on_termination, true);
	if (!slot->subnet)
		return port_write_fixed(op, NULL, 0, p->field, &port);
	struct port_ips_wish ips = p->ips;
	ips.of_network = ref_is_given(&p->network) && ip_is_none(ips.primary);
	TRY(port_write_new(op, slot->subnet, &ips, &port));
	bool is_to_run = instance->wanted_power == INSTANCE_WANTED_POWER_ON;
	return is_to_run ? address_give_auto(op, &port) : OK;
}

RESULT launch_ports_write(struct op *op, const struct launch_ports *ports, const struct instance *instance,
			  struct tags tags)
{
	for (size_t k = 0; k < ports->count; k++) {
		const struct launch_slot *slot = &ports->at[k];
		TRY(slot->port ? take(op, slot, instance) : make(op, slot, instance, tags));
	}
	return OK;
}
