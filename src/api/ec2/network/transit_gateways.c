/* SPDX-License-Identifier: Apache-2.0
 * Transit gateways: DescribeTransitGateways, CreateTransitGateway, ModifyTransitGateway, DeleteTransitGateway. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/transit.h"
#include "engine/transit/transit.h"
#include "model/states.h"
#include "model/transit_gateway.h"

/* ---- items ---- */

static const char *write_state(const struct transit_gateway *g)
{
	return model_transit_gateway_states[model_derive_transit_gateway_state(g)].ec2;
}

const char *ec2_enable(bool is_on)
{
	return is_on ? "enable" : "disable";
}

static void write_options(struct xml *x, const struct transit_gateway *g)
{
	xml_open(x, "options");
	xml_int(x, "amazonSideAsn", g->asn);
	xml_z(x, "autoAcceptSharedAttachments", ec2_enable(g->auto_accept));
	xml_z(x, "defaultRouteTableAssociation", ec2_enable(g->associates));
	ec2_write_id(x, "associationDefaultRouteTableId", KIND_TRANSIT_ROUTE_TABLE, g->association_table);
	xml_z(x, "defaultRouteTablePropagation", ec2_enable(g->propagates));
	ec2_write_id(x, "propagationDefaultRouteTableId", KIND_TRANSIT_ROUTE_TABLE, g->propagation_table);
	xml_z(x, "vpnEcmpSupport", ec2_enable(g->vpn_ecmp));
	xml_z(x, "dnsSupport", ec2_enable(g->dns_support));
	xml_z(x, "securityGroupReferencingSupport", ec2_enable(false));
	xml_z(x, "multicastSupport", ec2_enable(false));
	xml_close(x, "options");
}

static void write_gateway(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct transit_gateway *g = item;
	ec2_write_id(x, "transitGatewayId", KIND_TRANSIT_GATEWAY, g->row.id);
	ec2_write_arn(e, x, "transitGatewayArn", "transit-gateway", KIND_TRANSIT_GATEWAY, g->row.id);
	xml_z(x, "state", ec2_state_in_answer(e, write_state(g)));
	xml_text(x, "ownerId", e->owner);
	xml_text_opt(x, "description", g->description);
	xml_time_ms(x, "creationTime", g->row.created_us);
	write_options(x, g);
	ec2_write_tags(x, g->tags);
}

/* ---- describe ---- */

struct ec2_describe_transit {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_transit, "TransitGatewayIds", KIND_TRANSIT_GATEWAY, "Gateways by id."),
	QUERY_FILTERS(struct ec2_describe_transit),
	QUERY_PAGES(struct ec2_describe_transit, 5, 1000),
};

static bool fits_state(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, write_state(transit_gateway_of(row)));
}

/* Options that are on or off, by the filter's name. */
static bool fits_option(const struct filter_run *f, const struct row *row)
{
	static const struct {
		const char *name;
		size_t offset;
	} options[] = {
		{"options.auto-accept-shared-attachments", offsetof(struct transit_gateway, auto_accept)},
		{"options.default-route-table-association", offsetof(struct transit_gateway, associates)},
		{"options.default-route-table-propagation", offsetof(struct transit_gateway, propagates)},
		{"options.dns-support", offsetof(struct transit_gateway, dns_support)},
		{"options.vpn-ecmp-support", offsetof(struct transit_gateway, vpn_ecmp)},
	};
	for (size_t k = 0; k < sizeof options / sizeof *options; k++)
		if (strcmp(options[k].name, f->filter->name) == 0)
			return filter_z(f,
					ec2_enable(*(const bool *) ((const char *) row + options[k].offset)));
	return false;
}

static const struct filter gateway_filters[] = {
	{"transit-gateway-id", .is_id = true},
	{"options.amazon-side-asn", .field = "asn"},
	{"options.association-default-route-table-id", .field = "association_table",
	 .access_paths = {{KIND_TRANSIT_ROUTE_TABLE,
			   .joins = {JOIN_ONE(KIND_TRANSIT_GATEWAY, transit_route_table, gateway)}}}},
	{"options.propagation-default-route-table-id", .field = "propagation_table",
	 .access_paths = {{KIND_TRANSIT_ROUTE_TABLE,
			   .joins = {JOIN_ONE(KIND_TRANSIT_GATEWAY, transit_route_table, gateway)}}}},
	{"options.auto-accept-shared-attachments", .get = fits_option},
	{"options.default-route-table-association", .get = fits_option},
	{"options.default-route-table-propagation", .get = fits_option},
	{"options.dns-support", .get = fits_option},
	{"options.vpn-ecmp-support", .get = fits_option},
	{"owner-id", .get = filter_owner},
	{"state", .get = fits_state},
};

static const struct ec2_listing gateway_listing = {.kind = KIND_TRANSIT_GATEWAY,
						   .set = "transitGatewaySet",
						   .filters = FILTERS(gateway_filters),
						   .write = write_gateway};

/* ---- create ---- */

struct ec2_create_transit {
	struct transit_gateway_wish wish;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_transit, wire, member, __VA_ARGS__)
#define SWITCH .yes = "enable", .no = "disable"
static const struct param create_params[] = {
	P("Description", wish.description, .max = 255, .doc = "Free text."),
	P("Options.AmazonSideAsn", wish.asn, .min = 1, .max = TRANSIT_ASN_LAST_32, .absent = "64512",
	  .doc = "A private AS number; shown, and nothing else."),
	P("Options.AutoAcceptSharedAttachments", wish.auto_accept, SWITCH,
	  .doc = "Shown, and nothing else: gateways are not shared."),
	P("Options.DefaultRouteTableAssociation", wish.associates, SWITCH,
	  .doc = "Attachments are associated with a route table by themselves."),
	P("Options.DefaultRouteTablePropagation", wish.propagates, SWITCH,
	  .doc = "Attachments propagate to a route table by themselves."),
	P("Options.VpnEcmpSupport", wish.vpn_ecmp, SWITCH,
	  .doc = "Shown, and nothing else: there are no VPNs."),
	P("Options.DnsSupport", wish.dns_support, SWITCH,
	  .doc = "Public names resolve to private addresses in other attached VPCs."),
	NOT_BUILT(
		"Options.MulticastSupport|Options.SecurityGroupReferencingSupport|Options.EncryptionSupport",
		.only = "disable"),
	NOT_BUILT("Options.TransitGatewayCidrBlocks"),
	TAG_SPECIFICATIONS(struct ec2_create_transit, tag_specs),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_transit *a = args;
	a->wish.asn_field = STR("Options.AmazonSideAsn");
	return ec2_take_tags(e, &a->tag_specs, "transit-gateway", "transit-gateway", &a->wish.tags);
}

static RESULT ec2_create_transit_gateway(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_create_transit *a = args;
	return ec2_write_returned(e, &gateway_listing, a->wish.gateway, "transitGateway", x);
}

/* ---- modify ---- */

#define P(wire, member, ...) PARAM(struct transit_gateway_settings, wire, member, __VA_ARGS__)
static const struct param modify_params[] = {
	P("TransitGatewayId", gateway, .flags = REQUIRED, .kind = KIND_TRANSIT_GATEWAY,
	  .doc = "The gateway."),
	P("Description", description, .max = 255, .doc = "Free text."),
	P("Options.AmazonSideAsn", asn, .min = 1, .max = TRANSIT_ASN_LAST_32,
	  .doc = "A private AS number, of a gateway without attachments."),
	P("Options.AutoAcceptSharedAttachments", auto_accept, SWITCH, .doc = "Shown, and nothing else."),
	P("Options.DefaultRouteTableAssociation", associates, SWITCH,
	  .doc = "Of attachments made from now on."),
	P("Options.AssociationDefaultRouteTableId", association_table, .kind = KIND_TRANSIT_ROUTE_TABLE,
	  .doc = "The table that they are associated with."),
	P("Options.DefaultRouteTablePropagation", propagates, SWITCH,
	  .doc = "Of attachments made from now on."),
	P("Options.PropagationDefaultRouteTableId", propagation_table, .kind = KIND_TRANSIT_ROUTE_TABLE,
	  .doc = "The table that they propagate to."),
	P("Options.VpnEcmpSupport", vpn_ecmp, SWITCH, .doc = "Shown, and nothing else."),
	P("Options.DnsSupport", dns_support, SWITCH,
	  .doc = "Public names resolve to private addresses in other attached VPCs."),
	NOT_BUILT("Options.SecurityGroupReferencingSupport|Options.EncryptionSupport", .only = "disable"),
	NOT_BUILT("Options.AddTransitGatewayCidrBlocks|Options.RemoveTransitGatewayCidrBlocks"),
};
#undef P

static RESULT prepare_modify(struct ec2_call *e, void *args)
{
	(void) e;
	((struct transit_gateway_settings *) args)->asn_field = STR("Options.AmazonSideAsn");
	return OK;
}

static RESULT ec2_modify_transit_gateway(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct transit_gateway_settings *a = args;
	return ec2_write_returned(e, &gateway_listing, a->made, "transitGateway", x);
}

/* ---- delete ---- */

static const struct param delete_params[] = {
	PARAM(struct transit_gateway_target, "TransitGatewayId", gateway, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_GATEWAY, .doc = "The gateway."),
};

static RESULT ec2_delete_transit_gateway(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct transit_gateway_target *a = args;
	return ec2_write_returned(e, &gateway_listing, a->made, "transitGateway", x);
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeTransitGateways"), .args = PARAMS(struct ec2_describe_transit, describe_params),
	 .list = &gateway_listing, .doc = "Transit gateways of the account; deleted ones, for an hour."},
	{EC2_ACTION("CreateTransitGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_transit, create_params), .prepare = prepare_create,
	 .operation = engine_create_transit_gateway_run, .returns = KIND_TRANSIT_GATEWAY,
	 .answer = ec2_create_transit_gateway, .doc = "Makes a hub that routes between VPCs."},
	{EC2_ACTION("ModifyTransitGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_gateway_settings, modify_params), .prepare = prepare_modify,
	 .operation = engine_update_transit_gateway_run, .returns = KIND_TRANSIT_GATEWAY,
	 .answer = ec2_modify_transit_gateway, .state_in_answer = "modifying", .doc = "Changes it."},
	{EC2_ACTION("DeleteTransitGateway"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_gateway_target, delete_params),
	 .operation = engine_delete_transit_gateway_run, .returns = KIND_TRANSIT_GATEWAY,
	 .answer = ec2_delete_transit_gateway, .doc = "Deletes one without attachments."},
};
const struct api_actions ec2_transit_gateway_actions = API_ACTIONS(actions);
