/* SPDX-License-Identifier: Apache-2.0
 * Answers lists of resources that EC2 has and this cloud never has: peerings of transit gateways, Client VPN and others. Tools call these actions before they delete a VPC or an account's resources, and continue if a list is empty. Ids in
 * the request are not found. No action here changes anything. */
#include "api/ec2/core/empty_list.h"

#include "engine/resolve.h"

#define NO_CARRIER "carrier gateways are not implemented"
#define NO_TRANSIT                                                                                           \
	"peering of transit gateways is not implemented; one transit gateway can connect all VPCs of the "   \
	"region"
#define NO_CLIENT_VPN "Client VPN is not implemented; VPN connections link whole sites"
#define NO_MIRRORS "packet mirroring is not implemented"
#define NO_RESERVED "prepayment is not implemented; quotas limit what an account may use"

#define IDS(wire) PARAM(struct ec2_empty_list, wire, names, .doc = "Resources by id.")
#define PAGES(least, most) QUERY_PAGES(struct ec2_empty_list, least, most)

static const struct param carrier_gateways_params[] = {
	IDS("CarrierGatewayId"),
	QUERY_FILTERS(struct ec2_empty_list),
	PAGES(5, 1000),
};
static const struct filter carrier_gateways_filters[] = {
	FITS_NOTHING("carrier-gateway-id"),
	FITS_NOTHING("state"),
	FITS_NOTHING("owner-id"),
	FITS_NOTHING("vpc-id"),
	OF_NO_TAGS,
};

static const struct param transit_gateway_peering_attachments_params[] = {
	IDS("TransitGatewayAttachmentIds"),
	QUERY_FILTERS(struct ec2_empty_list),
	PAGES(5, 1000),
};
static const struct filter transit_gateway_peering_attachments_filters[] = {
	FITS_NOTHING("transit-gateway-attachment-id"),
	FITS_NOTHING("local-owner-id"),
	FITS_NOTHING("remote-owner-id"),
	FITS_NOTHING("state"),
	FITS_NOTHING("transit-gateway-id"),
	OF_NO_TAGS,
};

static const struct param client_vpn_endpoints_params[] = {
	IDS("ClientVpnEndpointId"),
	QUERY_FILTERS(struct ec2_empty_list),
	PAGES(5, 1000),
};
static const struct filter client_vpn_endpoints_filters[] = {
	FITS_NOTHING("endpoint-id"),
	FITS_NOTHING("transport-protocol"),
	FITS_NOTHING("tag:"),
};

static const struct param traffic_mirror_sessions_params[] = {
	IDS("TrafficMirrorSessionId"),
	QUERY_FILTERS(struct ec2_empty_list),
	PAGES(5, 1000),
};
static const struct filter traffic_mirror_sessions_filters[] = {
	FITS_NOTHING("description"),
	FITS_NOTHING("network-interface-id"),
	FITS_NOTHING("owner-id"),
	FITS_NOTHING("packet-length"),
	FITS_NOTHING("session-number"),
	FITS_NOTHING("traffic-mirror-filter-id"),
	FITS_NOTHING("traffic-mirror-session-id"),
	FITS_NOTHING("traffic-mirror-target-id"),
	FITS_NOTHING("virtual-network-id"),
	FITS_NOTHING("tag:"),
};

static const struct param traffic_mirror_targets_params[] = {
	IDS("TrafficMirrorTargetId"),
	QUERY_FILTERS(struct ec2_empty_list),
	PAGES(5, 1000),
};
static const struct filter traffic_mirror_targets_filters[] = {
	FITS_NOTHING("description"),
	FITS_NOTHING("network-interface-id"),
	FITS_NOTHING("network-load-balancer-arn"),
	FITS_NOTHING("owner-id"),
	FITS_NOTHING("traffic-mirror-target-id"),
	FITS_NOTHING("tag:"),
};

static const struct param traffic_mirror_filters_params[] = {
	IDS("TrafficMirrorFilterId"),
	QUERY_FILTERS(struct ec2_empty_list),
	PAGES(5, 1000),
};
static const struct filter traffic_mirror_filters_filters[] = {
	FITS_NOTHING("description"),
	FITS_NOTHING("traffic-mirror-filter-id"),
	FITS_NOTHING("tag:"),
};

static const struct param reserved_instances_params[] = {
	IDS("ReservedInstancesId"),
	QUERY_FILTERS(struct ec2_empty_list),
	PARAM(struct ec2_empty_list, "OfferingClass", words[0], .words = "standard|convertible",
	      .doc = "Class of the offering."),
	PARAM(struct ec2_empty_list, "OfferingType", words[1],
	      .words = "Heavy Utilization|Medium Utilization|Light Utilization|No Upfront|Partial "
		       "Upfront|All Upfront",
	      .doc = "Payment option of the reservation."),
};
static const struct filter reserved_instances_filters[] = {
	FITS_NOTHING("availability-zone"),
	FITS_NOTHING("availability-zone-id"),
	FITS_NOTHING("duration"),
	FITS_NOTHING("end"),
	FITS_NOTHING("fixed-price"),
	FITS_NOTHING("instance-type"),
	FITS_NOTHING("scope"),
	FITS_NOTHING("product-description"),
	FITS_NOTHING("reserved-instances-id"),
	FITS_NOTHING("start"),
	FITS_NOTHING("state"),
	FITS_NOTHING("usage-price"),
	OF_NO_TAGS,
};

#define OF_OFFERING(wire, member, ...) PARAM(struct ec2_empty_list, wire, member, __VA_ARGS__)
#define OF_ZONE                                                                                              \
	OF_OFFERING("AvailabilityZone", zone, .flags = BY_NAME, .kind = KIND_ZONE,                           \
		    .doc = "Availability Zone by name."),                                                    \
		OF_OFFERING("AvailabilityZoneId", zone_id, .flags = BY_NAME, .kind = KIND_ZONE,              \
			    .doc = "Availability Zone by id, instead of its name.")
static const struct param reserved_instances_offerings_params[] = {
	IDS("ReservedInstancesOfferingId"),
	QUERY_FILTERS(struct ec2_empty_list),
	PAGES(5, 1000),
	OF_ZONE,
	OF_OFFERING("InstanceType", type, .flags = BY_NAME, .kind = KIND_INSTANCE_TYPE,
		    .doc = "Instance type."),
	OF_OFFERING("InstanceTenancy", words[0], .words = "default|dedicated|host",
		    .doc = "Tenancy of the instances."),
	OF_OFFERING("OfferingClass", words[1], .words = "standard|convertible",
		    .doc = "Class of the offering."),
	OF_OFFERING("OfferingType", words[2],
		    .words = "Heavy Utilization|Medium Utilization|Light Utilization|No Upfront|Partial "
			     "Upfront|All Upfront",
		    .doc = "Payment option of the offering."),
	OF_OFFERING("ProductDescription", words[3], .doc = "Operating system of the instances."),
	OF_OFFERING("IncludeMarketplace", marketplace, .doc = "Includes offerings of other accounts."),
	OF_OFFERING("MinDuration", numbers[0], .min = 0, .max = INT64_MAX,
		    .doc = "Minimum duration in seconds."),
	OF_OFFERING("MaxDuration", numbers[1], .min = 0, .max = INT64_MAX,
		    .doc = "Maximum duration in seconds."),
	OF_OFFERING("MaxInstanceCount", numbers[2], .min = 0, .max = INT32_MAX,
		    .doc = "Maximum number of instances."),
};
static const struct filter reserved_instances_offerings_filters[] = {
	FITS_NOTHING("availability-zone"),
	FITS_NOTHING("availability-zone-id"),
	FITS_NOTHING("duration"),
	FITS_NOTHING("fixed-price"),
	FITS_NOTHING("instance-type"),
	FITS_NOTHING("marketplace"),
	FITS_NOTHING("product-description"),
	FITS_NOTHING("reserved-instances-offering-id"),
	FITS_NOTHING("scope"),
	FITS_NOTHING("usage-price"),
};

/* ---- answers ---- */

static const struct empty_kind {
	const char *action;
	const char *set;    /* name of the empty element */
	const char *noun;   /* name in messages */
	const char *prefix; /* prefix of ids; NULL: no ids */
	struct api_error absent, malformed;
} kinds[] = {
#define KIND(action, set, noun, prefix, absent, malformed)                                                   \
	{                                                                                                    \
		action, set, noun, prefix, {ERR_NOT_FOUND, 0, 400, absent},                                  \
		{                                                                                            \
			ERR_MALFORMED, 0, 400, malformed                                                     \
		}                                                                                            \
	}
	/* Error codes known only from moto, an imitation of EC2. */
	KIND("DescribeCarrierGateways", "carrierGatewaySet", "carrierGateway", "cagw-",
	     "InvalidCarrierGatewayID.NotFound", "InvalidCarrierGatewayID.Malformed"),
	KIND("DescribeTransitGatewayPeeringAttachments", "transitGatewayPeeringAttachments",
	     "transitGatewayAttachment", "tgw-attach-", "InvalidTransitGatewayAttachmentID.NotFound",
	     "InvalidTransitGatewayAttachmentID.Malformed"),
	KIND("DescribeClientVpnEndpoints", "clientVpnEndpoint", "clientVpnEndpoint", "cvpn-endpoint-",
	     "InvalidClientVpnEndpointId.NotFound", "InvalidClientVpnEndpointId.Malformed"),
	KIND("DescribeTrafficMirrorSessions", "trafficMirrorSessionSet", "trafficMirrorSession", "tms-",
	     "InvalidTrafficMirrorSessionId.NotFound", "InvalidTrafficMirrorSessionId.Malformed"),
	KIND("DescribeTrafficMirrorTargets", "trafficMirrorTargetSet", "trafficMirrorTarget", "tmt-",
	     "InvalidTrafficMirrorTargetId.NotFound", "InvalidTrafficMirrorTargetId.Malformed"),
	KIND("DescribeTrafficMirrorFilters", "trafficMirrorFilterSet", "trafficMirrorFilter", "tmf-",
	     "InvalidTrafficMirrorFilterId.NotFound", "InvalidTrafficMirrorFilterId.Malformed"),
	KIND("DescribeReservedInstances", "reservedInstancesSet", "reservedInstances", NULL,
	     "InvalidReservedInstancesId", "InvalidReservedInstancesId"),
	KIND("DescribeReservedInstancesOfferings", "reservedInstancesOfferingsSet",
	     "reservedInstancesOffering", NULL, "InvalidReservedInstancesOfferingId",
	     "InvalidReservedInstancesOfferingId"),
#undef KIND
};

static const struct empty_kind *find_kind(const char *action)
{
	const struct empty_kind *kind = kinds;
	while (strcmp(kind->action, action) != 0)
		kind++;
	return kind;
}

static bool is_id(const struct empty_kind *kind, struct str id)
{
	struct str prefix = str_from(kind->prefix ? kind->prefix : ""), digits = STR("0123456789abcdef-");
	bool fits = str_starts_with(id, prefix) && id.n > prefix.n;
	for (size_t k = prefix.n; k < id.n && fits; k++)
		fits = str_find_char(digits, id.p[k], 0) < digits.n;
	return fits || !kind->prefix;
}

static RESULT refuse_id(struct ec2_call *e, const struct empty_kind *kind, struct str id)
{
	if (is_id(kind, id)) {
		e->error = &kind->absent;
		return ctx_fail(e->c, ERR_NOT_FOUND, "The %s ID '%" STR_FMT "' does not exist", kind->noun,
				STR_ARG(id));
	}
	e->error = &kind->malformed;
	return ctx_fail(e->c, ERR_MALFORMED, "Invalid id: \"%" STR_FMT "\" (expecting \"%s...\")",
			STR_ARG(id), kind->prefix);
}

static RESULT check_ref(struct ec2_call *e, enum kind kind, const struct ref *ref)
{
	const struct row *row = NULL;
	return ref->kind == KIND_NONE ? OK : engine_find(e->c, ec2_tables(e), kind, ref, &row);
}

/* Checks that zones and instance types in the request exist in the region. */
static RESULT check_refs(struct ec2_call *e, const struct ec2_empty_list *a)
{
	TRY(check_ref(e, KIND_ZONE, &a->zone));
	TRY(check_ref(e, KIND_ZONE, &a->zone_id));
	TRY(check_ref(e, KIND_INSTANCE_TYPE, &a->type));
	for (size_t k = 0; k < a->types.count; k++)
		TRY(check_ref(e, KIND_INSTANCE_TYPE, &a->types.at[k]));
	return OK;
}

static RESULT ec2_describe_nothing(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct ec2_empty_list *a = args;
	const struct empty_kind *kind = find_kind(e->action->name);
	TRY(ec2_check_empty_list(e, &a->query, a->names.count));
	TRY(check_refs(e, a));
	if (a->names.count)
		return refuse_id(e, kind, a->names.at[0]);
	xml_empty(x, kind->set);
	return OK;
}

#define LIST(word, table)                                                                                    \
	EC2_ACTION(word), .args = PARAMS(struct ec2_empty_list, table##_params),                             \
			  .answer = ec2_describe_nothing
#define FILTERED(table) .filters = FILTERS(table##_filters)
static const struct ec2_action actions[] = {
	{LIST("DescribeCarrierGateways", carrier_gateways), FILTERED(carrier_gateways), .never = NO_CARRIER,
	 .doc = "Lists carrier gateways."},
	{LIST("DescribeTransitGatewayPeeringAttachments", transit_gateway_peering_attachments),
	 FILTERED(transit_gateway_peering_attachments), .never = NO_TRANSIT,
	 .doc = "Lists peering attachments of transit gateways."},
	{LIST("DescribeClientVpnEndpoints", client_vpn_endpoints), FILTERED(client_vpn_endpoints),
	 .never = NO_CLIENT_VPN, .doc = "Lists Client VPN endpoints."},
	{LIST("DescribeTrafficMirrorSessions", traffic_mirror_sessions), FILTERED(traffic_mirror_sessions),
	 .never = NO_MIRRORS, .doc = "Lists traffic mirror sessions."},
	{LIST("DescribeTrafficMirrorTargets", traffic_mirror_targets), FILTERED(traffic_mirror_targets),
	 .never = NO_MIRRORS, .doc = "Lists traffic mirror targets."},
	{LIST("DescribeTrafficMirrorFilters", traffic_mirror_filters), FILTERED(traffic_mirror_filters),
	 .never = NO_MIRRORS, .doc = "Lists traffic mirror filters."},
	{LIST("DescribeReservedInstances", reserved_instances), FILTERED(reserved_instances),
	 .never = NO_RESERVED, .doc = "Lists Reserved Instances."},
	{LIST("DescribeReservedInstancesOfferings", reserved_instances_offerings),
	 FILTERED(reserved_instances_offerings), .never = NO_RESERVED,
	 .doc = "Lists offerings of Reserved Instances."},
};
const struct api_actions ec2_empty_list_actions = API_ACTIONS(actions);
