/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's network and VPC offerings. Called by: api/cloudstack. */
#include "engine/network/network_offering.h"

#include "engine/network/network_offering_internal.h"
#include "engine/region/offered_internal.h"
#include "store/network.h"
#include "store/network_offering.h"
#include "store/router.h"

static RESULT check_guest_type(struct op *op, const struct network_offering_wish *wish, bool is_reached)
{
	bool needs_router = is_reached || wish->source_nat || wish->network_acl || wish->firewall;
	if (wish->guest_type == NETWORK_OFFERING_GUEST_TYPE_ISOLATED || !(needs_router || wish->for_vpc))
		return OK;
	return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NETWORK_OFFERING, STR("supportedservices"),
			   "Networks of the types Shared and L2 have no router: they have no SourceNat, "
			   "StaticNat, PortForwarding, Lb, Firewall or NetworkACL, and are no tiers.");
}

/* Services that let traffic in need a router with source NAT. Tiers use their VPC's router. */
static RESULT check_services(struct op *op, const struct network_offering_wish *wish)
{
	struct str field = STR("supportedservices");
	bool is_reached = wish->static_nat || wish->port_forwarding || wish->load_balancing;
	TRY(check_guest_type(op, wish, is_reached));
	if (is_reached && !wish->source_nat)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NETWORK_OFFERING, field,
				   "StaticNat, PortForwarding and Lb need SourceNat.");
	if (wish->for_vpc && !wish->source_nat)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NETWORK_OFFERING, field,
				   "A network offering for VPCs needs SourceNat.");
	if (wish->network_acl && !wish->for_vpc && !wish->of_vpc)
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_NETWORK_OFFERING, field,
				   "NetworkACL is of network offerings for VPCs alone.");
	return OK;
}

RESULT engine_create_network_offering(struct op *op, struct network_offering_wish *wish)
{
	TRY(engine_permit(op, "network_offering.create", KIND_NETWORK_OFFERING, NULL));
	TRY(engine_check_name(op, KIND_NETWORK_OFFERING, wish->name));
	TRY(check_services(op, wish));
	struct network_offering made = {.row = {.id = engine_new_id(op, KIND_NETWORK_OFFERING), .gen = 1},
					.name = wish->name,
					.description = wish->description,
					.guest_type = wish->guest_type,
					.for_vpc = wish->for_vpc,
					.of_vpc = wish->of_vpc,
					.dns = wish->dns,
					.user_data = wish->user_data,
					.source_nat = wish->source_nat,
					.static_nat = wish->static_nat,
					.port_forwarding = wish->port_forwarding,
					.load_balancing = wish->load_balancing,
					.security_groups = wish->security_groups,
					.network_acl = wish->network_acl,
					.firewall = wish->firewall,
					.vpn = wish->vpn,
					.physical_tags = wish->physical_tags,
					.egress_open = wish->egress_open,
					.conserves = wish->conserves,
					.persistent = wish->persistent,
					.enabled = wish->enabled};
	TRY(offered_apply(op, &wish->offered, &made.zones, &made.domains));
	TRY(network_offering_put(op, &made));
	wish->offering = made.row.id;
	return engine_log_event(op, KIND_NETWORK_OFFERING, &made.row,
				made.of_vpc ? "created for VPCs" : "created",
				made.of_vpc ? "VPC offering %" STR_FMT "." : "Network offering %" STR_FMT ".",
				STR_ARG(made.name));
}

RESULT engine_update_network_offering(struct op *op, struct network_offering_settings *wish)
{
	const struct network_offering *offering = NULL;
	TRY(engine_find_network_offering(op->ctx, op->head, &wish->offering, &offering));
	TRY(engine_permit(op, "network_offering.update", KIND_NETWORK_OFFERING, &offering->row));
	struct network_offering next = *offering;
	if (wish->name && !str_equal(*wish->name, offering->name)) {
		TRY(engine_check_name(op, KIND_NETWORK_OFFERING, *wish->name));
		next.name = *wish->name;
	}
	if (wish->description)
		next.description = *wish->description;
	choice_apply(wish->enabled, &next.enabled);
	TRY(offered_apply(op, &wish->offered, &next.zones, &next.domains));
	next.row.gen++;
	TRY(network_offering_put(op, &next));
	return engine_log_event(op, KIND_NETWORK_OFFERING, &next.row,
				next.of_vpc ? "changed for VPCs" : "changed",
				next.enabled ? "It is enabled." : "It is disabled.");
}

static size_t count_networks(const struct tables *t, uuid offering)
{
	size_t count = 0;
	for (const struct network *n = network_first_by_offering(t, offering); n;
	     n = network_next_by_offering(t, n))
		count += row_is_live(&n->row);
	return count;
}

static size_t count_vpcs(const struct tables *t, uuid offering)
{
	size_t count = 0;
	for (const struct router *r = router_first_by_offering(t, offering); r;
	     r = router_next_by_offering(t, r))
		count += row_is_live(&r->row);
	return count;
}

RESULT engine_delete_network_offering(struct op *op, struct network_offering_target *wish)
{
	const struct network_offering *offering = NULL;
	TRY(engine_find_network_offering(op->ctx, op->head, &wish->offering, &offering));
	TRY(engine_permit(op, "network_offering.delete", KIND_NETWORK_OFFERING, &offering->row));
	size_t count = count_networks(op->head, offering->row.id),
	       vpcs = count_vpcs(op->head, offering->row.id);
	if (vpcs)
		return ENGINE_FAIL_ABOUT(
			op, ERR_IN_USE, KIND_NETWORK_OFFERING, &wish->offering,
			"Can't delete vpc offering %" STR_FMT
			" as its used by %zu vpcs. To make the network offering unavailable, "
			"disable it",
			STR_ARG(offering->name), vpcs);
	if (count)
		return ENGINE_FAIL_ABOUT(op, ERR_IN_USE, KIND_NETWORK_OFFERING, &wish->offering,
					 "Can't delete network offering %" STR_FMT
					 " as its used by %zu networks. To make the network offering "
					 "unavailable, disable it",
					 STR_ARG(offering->name), count);
	TRY(engine_log_event(
		op, KIND_NETWORK_OFFERING, &offering->row, offering->of_vpc ? "deleted for VPCs" : "deleted",
		offering->of_vpc ? "VPC offering %" STR_FMT "." : "Network offering %" STR_FMT ".",
		STR_ARG(offering->name)));
	return network_offering_forget(op, offering->row.id);
}

/* ---- use by networks ---- */

RESULT network_offering_find_enabled(struct op *op, const struct ref *ref, bool of_vpc,
				     const struct network_offering **ret_offering)
{
	const struct network_offering *offering = NULL;
	TRY(engine_find_network_offering(op->ctx, op->head, ref, &offering));
	if (offering->of_vpc != of_vpc || !engine_is_offered(op->ctx, &offering->domains))
		return engine_fail_not_found(op->ctx, KIND_NETWORK_OFFERING, ref);
	if (!offering->enabled && of_vpc)
		return ENGINE_FAIL_ABOUT(op, ERR_STATE, KIND_NETWORK_OFFERING, ref,
					 "Unable to find vpc offering in Enabled state by specified id");
	if (!offering->enabled)
		return ENGINE_FAIL_ABOUT(
			op, ERR_STATE, KIND_NETWORK_OFFERING, ref,
			"Can't use specified network offering id as its stat is not Enabled");
	*ret_offering = offering;
	return OK;
}

RESULT network_check_service(struct op *op, uuid network, enum network_service service, struct str field)
{
	static const char *const words[] = {[NETWORK_STATIC_NAT] = "static NAT",
					    [NETWORK_PORT_FORWARDING] = "port forwarding",
					    [NETWORK_LOAD_BALANCING] = "load balancing"};
	const struct network *n = network_find(op->head, network);
	const struct network_offering *o = n ? network_offering_find(op->head, n->offering) : NULL;
	bool is_there = !o || (service == NETWORK_STATIC_NAT        ? o->static_nat
			       : service == NETWORK_PORT_FORWARDING ? o->port_forwarding
								    : o->load_balancing);
	return is_there ? OK
			: ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_NETWORK_OFFERING, field,
				      "The network's offering '%" STR_FMT "' has no %s.", STR_ARG(o->name),
				      words[service]);
}
