/* SPDX-License-Identifier: Apache-2.0
 * Infrastructure for administrators: external networks as physical networks, and their address ranges.
 */
#include "api/cloudstack/network/network.h"
#include "model/address_range.h"
#include "model/external_network.h"

/* ---- physical networks ---- */

struct list_physical {
	struct cs_list_args list;
	struct ref zone;
};
static const struct param physical_params[] = {
	CS_LIST_PARAMS(struct list_physical, KIND_EXTERNAL_NETWORK),
	CS_NAME_PARAM(struct list_physical),
	PARAM(struct list_physical, "zoneid", zone, .kind = KIND_ZONE,
	      .doc = "Ignored: the resources are in every zone."),
};
static const struct member physical_members[] = {
	MEMBER(struct external_network, "id", row.id),
	MEMBER(struct external_network, "name", name),
	MEMBER_WRITTEN("zoneid", cs_write_any_zone, .also = "zonename"),
	MEMBER_FIXED("state", "\"Enabled\""),
	MEMBER_FIXED("broadcastdomainrange", "\"ZONE\""),
	MEMBER_FIXED("isolationmethods", "\"GENEVE\""),
};
static const struct api_listing physical_networks =
	CS_LISTING(KIND_EXTERNAL_NETWORK, "physicalnetwork", physical_members,
		   .name = offsetof(struct external_network, name), .is_by_name = true);

/* ---- ranges of addresses ---- */

struct list_ranges {
	struct cs_list_args list;
	struct ref zone, network, physical;
};
#define P(wire, member, ...) PARAM(struct list_ranges, wire, member, __VA_ARGS__)
static const struct param range_params[] = {
	CS_LIST_PARAMS(struct list_ranges, KIND_ADDRESS_RANGE),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Ignored: the resources are in every zone."),
	P("networkid", network, .kind = KIND_EXTERNAL_NETWORK, .fits = FITS(address_range, external_network),
	  .doc = "Public network of the range or address."),
	P("physicalnetworkid", physical, .kind = KIND_EXTERNAL_NETWORK,
	  .fits = FITS(address_range, external_network), .doc = "Physical network of the range or address."),
	NOT_BUILT("account|domainid|podid|projectid|vlan"),
	NOT_BUILT("forvirtualnetwork", .only = "true"),
};
#undef P
#define EXTERNAL .path = {JOIN_ONE(KIND_EXTERNAL_NETWORK, address_range, external_network)}
static const struct member range_members[] = {
	MEMBER(struct address_range, "id", row.id),
	MEMBER_FIXED("forvirtualnetwork", "true"),
	MEMBER_WRITTEN("zoneid", cs_write_any_zone),
	MEMBER_FIXED("vlan", "\"vlan://untagged\""),
	MEMBER(struct external_network, "gateway", next_hop, EXTERNAL),
	MEMBER(struct address_range, "startip", first),
	MEMBER(struct address_range, "endip", last),
	MEMBER(struct address_range, "networkid", external_network),
	MEMBER(struct address_range, "physicalnetworkid", external_network),
};
static const struct api_listing ranges = CS_LISTING(KIND_ADDRESS_RANGE, "vlaniprange", range_members);

static const struct cs_action actions[] = {
	{CS_ACTION("listPhysicalNetworks", "ec2:DescribeNetworks"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_physical, physical_params), .listing = &physical_networks,
	 .doc = "Lists physical networks, which are the external networks."},
	{CS_ACTION("listVlanIpRanges", "ec2:DescribeNetworks"), .flags = CS_ADMIN,
	 .args = PARAMS(struct list_ranges, range_params), .listing = &ranges,
	 .doc = "Lists the ranges of public addresses."},
};
const struct api_actions cs_infrastructure_actions = API_ACTIONS(actions);
