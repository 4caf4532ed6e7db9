/* SPDX-License-Identifier: Apache-2.0
 * Networks. The reconciler (reconcile/network/network.c) creates the switch with the first port, and removes it once
 * the row is marked deleted. */
#include "engine/network/network.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/capacity_internal.h"
#include "engine/condition_internal.h"
#include "engine/internal.h"
#include "engine/network/external_network.h"
#include "engine/network/external_network_internal.h"
#include "engine/network/filter/firewall_internal.h"
#include "engine/network/network_grant_internal.h"
#include "engine/network/network_internal.h"
#include "engine/network/network_offering_internal.h"
#include "engine/network/port/qos_policy_internal.h"
#include "engine/network/subnet_internal.h"
#include "engine/quota_internal.h"
#include "engine/region/offered_internal.h"
#include "engine/tag_internal.h"
#include "store/external_network.h"
#include "store/network.h"
#include "store/network_grant.h"
#include "store/network_offering.h"
#include "store/port.h"
#include "store/secondary_ip.h"
#include "store/subnet.h"

static RESULT check_mtu(struct op *op, int64_t mtu, bool is_external)
{
	int max = is_external ? EXTERNAL_MTU : NETWORK_MTU_MAX;
	if (mtu >= NETWORK_MTU_MIN && mtu <= max)
		return OK;
	return ctx_fail_kind(op->ctx, ERR_RANGE, KIND_NETWORK, "The MTU %" PRId64 " is not one of %d to %d.",
			     mtu, NETWORK_MTU_MIN, max);
}

RESULT network_check_mtu(struct op *op, uuid network, int64_t mtu, struct cidr block)
{
	int least = block.base.family == IP_V6 ? NETWORK_MTU_MIN_IPV6 : NETWORK_MTU_MIN_IPV4;
	char id[UUID_TEXT_SIZE];
	if (mtu >= least)
		return OK;
	return ENGINE_FAIL(op, ERR_STATE, KIND_NETWORK, STR("mtu"),
			   "MTU of %s is not valid, subnet requires a minimum of %d", uuid_write(network, id),
			   least);
}

static RESULT check_mtu_of_subnets(struct op *op, uuid network, int64_t mtu)
{
	for (const struct subnet *s = subnet_first_by_network(op->head, network); s;
	     s = subnet_next_by_network(op->head, s))
		if (row_is_live(&s->row))
			TRY(network_check_mtu(op, network, mtu, s->block));
	return OK;
}

RESULT network_touch(struct op *op, uuid id)
{
	const struct network *network = network_find(op->head, id);
	if (!network || !row_is_live(&network->row))
		return OK;
	struct network next = *network;
	next.row.gen++;
	return network_put(op, &next);
}

RESULT network_write(struct op *op, struct network *network)
{
	TRY(capacity_check_keys(op, KIND_NETWORK));
	network->row.id = engine_new_id(op, KIND_NETWORK);
	network->row.gen = 1;
	if (network->mtu == 0)
		network->mtu = NETWORK_MTU_MAX;
	return network_put(op, network);
}

/* Grants the network to all accounts, or revokes that grant. */
static RESULT set_shared(struct op *op, const struct network *network, enum choice choice)
{
	const struct network_grant *grant =
		network_grant_find_by_network(op->head, network->row.id, false, UUID_NONE);
	static const struct network_grantee everybody;
	uuid made;
	if (choice == CHOICE_YES && !grant)
		return network_grant_write(op, network, &everybody, STR("shared"), &made);
	if (choice == CHOICE_NO && grant)
		return network_grant_remove(op, network, grant, STR("shared"));
	return OK;
}

static RESULT set_default(struct op *op, uuid network, bool is_default)
{
	struct external_default_wish wish = {.external_network = ref_by_id(KIND_EXTERNAL_NETWORK, network),
					     .is_default = is_default};
	return engine_set_default_external(op, &wish);
}

/* As in Neutron, every account may use a network that becomes external without an RBAC policy. */
static RESULT open_to_all(struct op *op, const struct network *network,
			  const struct network_provider *provider)
{
	TRY(external_network_open(op, network, provider));
	return network_grant_open_to_all(op, network);
}

RESULT engine_create_network(struct op *op, struct network_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	struct network network = {.account = account,
				  .name = wish->name,
				  .description = wish->description,
				  .is_down = wish->is_down,
				  .is_open = wish->is_open,
				  .mtu = wish->mtu};
	TRY(external_network_check_provider(op, wish));
	if (wish->qos.is_given)
		TRY(qos_policy_choose(op, &wish->qos, KIND_NETWORK, UUID_NONE, &network.qos_policy));
	else
		TRY(qos_policy_choose_default(op, account, &network.qos_policy));
	if (wish->is_external && network.mtu == 0)
		network.mtu = EXTERNAL_MTU;
	if (network.mtu)
		TRY(check_mtu(op, network.mtu, wish->is_external));
	TRY(tag_normalize(op, wish->tags, &network.tags));
	TRY(quota_check(op, account, QUOTA_NETWORKS, 1));
	TRY(engine_permit(op, "network.create", KIND_NETWORK, NULL));
	TRY(network_write(op, &network));
	if (wish->is_shared)
		TRY(set_shared(op, &network, CHOICE_YES));
	if (wish->is_external)
		TRY(open_to_all(op, &network, &wish->provider));
	if (wish->is_external && wish->is_default)
		TRY(set_default(op, network.row.id, true));
	wish->network = network.row.id;
	return engine_log_event(op, KIND_NETWORK, &network.row, "created", "Network.");
}

static RESULT set_offering(struct op *op, const struct network_settings *wish, struct network *next)
{
	const struct network_offering *offering = NULL;
	if (ref_is_given(&wish->offering))
		TRY(network_offering_find_enabled(op, &wish->offering, false, &offering));
	const struct subnet *s = offering ? subnet_first_by_network(op->head, next->row.id) : NULL;
	for (; s; s = subnet_next_by_network(op->head, s))
		if (row_is_live(&s->row) && !uuid_is_none(s->zone))
			TRY(offered_check_zone(op, KIND_NETWORK_OFFERING, offering->name, &offering->zones,
					       s->zone, wish->offering.field));
	next->offering = offering ? offering->row.id : UUID_NONE;
	return OK;
}

/* Applies is_external and is_default, then copies the network's name and subnets to the external network. */
static RESULT set_external(struct op *op, const struct network *network, const struct network_settings *wish)
{
	static const struct network_provider tunnels;
	bool is_external = external_network_find(op->head, network->row.id) != NULL;
	if (wish->is_external == CHOICE_YES && !is_external)
		TRY(open_to_all(op, network, &tunnels));
	if (wish->is_external == CHOICE_NO && is_external)
		TRY(external_network_close(op, network));
	if (wish->is_default != CHOICE_DEFAULT && external_network_find(op->head, network->row.id))
		TRY(set_default(op, network->row.id, wish->is_default == CHOICE_YES));
	return external_network_follow(op, network->row.id);
}

RESULT engine_update_network(struct op *op, struct network_settings *wish)
{
	const struct network *network = NULL;
	TRY(engine_find_own_network(op->ctx, op->head, &wish->network, &network));
	struct network next = *network;
	bool is_external = external_network_find(op->head, network->row.id) != NULL;
	if (wish->mtu)
		TRY(check_mtu(op, wish->mtu, is_external));
	if (wish->mtu)
		TRY(check_mtu_of_subnets(op, network->row.id, wish->mtu));
	TRY(qos_policy_choose(op, &wish->qos, KIND_NETWORK, network->row.id, &next.qos_policy));
	TRY(engine_permit(op, "network.update", KIND_NETWORK, &network->row));
	if (wish->name)
		next.name = *wish->name;
	if (wish->description)
		next.description = *wish->description;
	if (wish->mtu)
		next.mtu = wish->mtu;
	if (wish->set_offering)
		TRY(set_offering(op, wish, &next));
	choice_apply(wish->is_down, &next.is_down);
	choice_apply(wish->is_open, &next.is_open);
	next.row.gen++;
	TRY(network_put(op, &next));
	TRY(set_shared(op, &next, wish->is_shared));
	TRY(set_external(op, &next, wish));
	return engine_log_event(op, KIND_NETWORK, &next.row, "changed",
				next.is_down ? "It is down, its MTU is %" PRId64 "."
					     : "It is up, its MTU is %" PRId64 ".",
				next.mtu);
}

static const struct port *first_live_port(const struct tables *t, uuid network)
{
	return port_find_by_network(t, network);
}

static RESULT delete_subnets(struct op *op, const struct network *network, struct str field)
{
	const struct subnet *subnet = subnet_first_by_network(op->head, network->row.id), *next = NULL;
	for (; subnet; subnet = next) {
		next = subnet_next_by_network(op->head, subnet);
		if (!row_is_live(&subnet->row))
			continue;
		TRY(subnet_check_unused(op, subnet, field));
		TRY(subnet_delete(op, subnet->row.id));
	}
	return OK;
}

RESULT network_delete_with_rules(struct op *op, uuid network)
{
	TRY(firewall_leave_network(op, network));
	return network_delete(op, network);
}

RESULT engine_delete_network(struct op *op, struct network_target *wish)
{
	const struct network *network = NULL;
	TRY(engine_permit_network(op, &wish->network, "network.delete", &network));
	const struct port *port = first_live_port(op->head, network->row.id);
	if (port)
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_NETWORK, &wish->network,
					 "The network '%" STR_FMT
					 "' has dependencies and cannot be deleted: %" STR_FMT " is in it.",
					 STR_ARG(wish->network.text),
					 STR_ARG(engine_write_id(op, KIND_PORT, port->row.id)));
	if (external_network_find(op->head, network->row.id))
		TRY(external_network_leave(op, network, &wish->network));
	TRY(delete_subnets(op, network, wish->network.field));
	TRY(network_delete_with_rules(op, network->row.id));
	return engine_log_event(op, KIND_NETWORK, &network->row, "deleted", "Network with its subnets.");
}

/* ---- metadata without a router ---- */

bool engine_serves_metadata_in(const struct tables *t, uuid network)
{
	bool serves = false;
	for (const struct subnet *s = subnet_first_by_network(t, network); s && !serves;
	     s = subnet_next_by_network(t, s))
		serves = row_is_live(&s->row) && uuid_is_none(s->router) && !s->no_dhcp &&
			 s->block.base.family == IP_V4;
	return serves && !external_network_find(t, network);
}

const struct port *engine_find_port_on_link(const struct tables *t, uuid network, struct ip ip)
{
	const struct port *found = NULL;
	for (const struct subnet *s = subnet_first_by_network(t, network); s && !found;
	     s = subnet_next_by_network(t, s)) {
		if (!row_is_live(&s->row) || !uuid_is_none(s->router))
			continue;
		const struct secondary_ip *more = secondary_ip_find_by_subnet(t, s->row.id, ip);
		found = more ? port_find(t, more->port) : port_find_by_subnet(t, s->row.id, ip);
	}
	return found;
}
