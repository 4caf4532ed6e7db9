/* SPDX-License-Identifier: Apache-2.0
 * Route tables of transit gateways: Create…, Describe…, DeleteTransitGatewayRouteTable, their associations and
 * propagations. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "api/ec2/network/transit.h"
#include "engine/transit/transit.h"
#include "model/transit_attachment.h"
#include "store/transit_gateway.h"

/* ---- items ---- */

static const struct transit_gateway *gateway_of_table(struct api_call *e, const struct transit_route_table *r)
{
	static const struct transit_gateway none;
	const struct transit_gateway *g = transit_gateway_find(api_tables(e), r->gateway);
	return g ? g : &none;
}

ATTRIBUTE_GETTER(transit_route_table, r, bool, is_association_default,
		 uuid_equal(gateway_of_table(e, r)->association_table, r->row.id))
ATTRIBUTE_GETTER(transit_route_table, r, bool, is_propagation_default,
		 uuid_equal(gateway_of_table(e, r)->propagation_table, r->row.id))

#define ID                                                                                                   \
	ATTRIBUTE_OWN_ID(transit_route_table, "transitGatewayRouteTableId", KIND_TRANSIT_ROUTE_TABLE,        \
			 .filter = "transit-gateway-route-table-id")
static const struct attribute table_rows[] = {
	ID,
	ATTRIBUTE_REF(transit_route_table, "transitGatewayId", gateway, KIND_TRANSIT_GATEWAY,
		      .filter = "transit-gateway-id", .index = TRANSIT_ROUTE_TABLE_INDEX_GATEWAY),
	ATTRIBUTE_CONST("state", "available", .flags = ATTRIBUTE_IN_ANSWER, .filter = "state"),
	ATTRIBUTE_MADE(BOOL, truth, "defaultAssociationRouteTable", is_association_default,
		       .filter = "default-association-route-table"),
	ATTRIBUTE_MADE(BOOL, truth, "defaultPropagationRouteTable", is_propagation_default,
		       .filter = "default-propagation-route-table"),
	ATTRIBUTE_AS(TIME, transit_route_table, "creationTime", row.created_us),
	ATTRIBUTE(transit_route_table, "tagSet", tags),
};
static const struct attributes table_members = ATTRIBUTES(table_rows);
static const struct attribute propagation_rows[] = {ID, ATTRIBUTE_CONST("state", "enabled")};
static const struct attributes propagation_members = ATTRIBUTES(propagation_rows);

/* ---- describe ---- */

struct ec2_describe_transit_tables {
	struct ec2_query query;
};
static const struct param describe_params[] = {
	QUERY_IDS(struct ec2_describe_transit_tables, "TransitGatewayRouteTableIds", KIND_TRANSIT_ROUTE_TABLE,
		  "Tables by id."),
	QUERY_FILTERS(struct ec2_describe_transit_tables),
	QUERY_PAGES(struct ec2_describe_transit_tables, 5, 1000),
};

static const struct ec2_listing table_listing = {.kind = KIND_TRANSIT_ROUTE_TABLE,
						 .set = "transitGatewayRouteTables",
						 .filters = FILTERS_OF(table_members),
						 .attributes = &table_members};

/* ---- propagations of an attachment ---- */

struct ec2_get_attachment_propagations {
	struct ec2_query query;
	struct ref attachment;
	const struct transit_attachment *found;
};
static const struct param get_params[] = {
	PARAM(struct ec2_get_attachment_propagations, "TransitGatewayAttachmentId", attachment,
	      .flags = REQUIRED, .kind = KIND_TRANSIT_ATTACHMENT, .doc = "The attachment."),
	QUERY_FILTERS(struct ec2_get_attachment_propagations),
	QUERY_PAGES(struct ec2_get_attachment_propagations, 5, 1000),
};

static RESULT prepare_get(struct ec2_call *e, void *args)
{
	struct ec2_get_attachment_propagations *a = args;
	return engine_find_own_transit_attachment(e->c, ec2_tables(e), &a->attachment, &a->found);
}

static bool is_propagated_to(struct ec2_call *e, const struct row *row)
{
	const struct ec2_get_attachment_propagations *a = e->args;
	return uuids_have(&a->found->propagates_to, row->id);
}

static const struct ec2_listing propagation_listing = {.kind = KIND_TRANSIT_ROUTE_TABLE,
						       .set = "transitGatewayAttachmentPropagations",
						       .filters = FILTERS_OF(propagation_members),
						       .shows = is_propagated_to,
						       .is_hiding = true,
						       .attributes = &propagation_members};

/* ---- create, delete ---- */

struct ec2_create_transit_table {
	struct transit_route_table_wish wish;
	struct ec2_tag_specs tag_specs;
};
static const struct param create_params[] = {
	PARAM(struct ec2_create_transit_table, "TransitGatewayId", wish.gateway, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_GATEWAY, .doc = "The transit gateway."),
	PARAM_LIST(struct ec2_create_transit_table, "TagSpecifications", tag_specs, ec2_tag_spec_params,
		   .max = 20, .doc = "Tags of the new resource, by resource type."),
};

static const struct param delete_params[] = {
	PARAM(struct transit_route_table_target, "TransitGatewayRouteTableId", route_table, .flags = REQUIRED,
	      .kind = KIND_TRANSIT_ROUTE_TABLE, .doc = "The transit gateway route table."),
};

static RESULT ec2_delete_transit_table(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct transit_route_table_target *a = args;
	xml_open(x, "transitGatewayRouteTable");
	ec2_write_members(e, x, &table_members, &a->deleted.row);
	xml_close(x, "transitGatewayRouteTable");
	return OK;
}

/* ---- associations and propagations ---- */

#define P(wire, member, ...) PARAM(struct transit_use, wire, member, __VA_ARGS__)
#define TABLE                                                                                                \
	P("TransitGatewayRouteTableId", route_table, .flags = REQUIRED, .kind = KIND_TRANSIT_ROUTE_TABLE,    \
	  .doc = "The transit gateway route table.")
#define ATTACHMENT                                                                                           \
	P("TransitGatewayAttachmentId", attachment, .flags = REQUIRED, .kind = KIND_TRANSIT_ATTACHMENT,      \
	  .doc = "The attachment.")
static const struct param associate_params[] = {TABLE, ATTACHMENT};
static const struct param propagate_params[] = {TABLE, ATTACHMENT,
						NOT_BUILT("TransitGatewayRouteTableAnnouncementId")};
#undef P

static RESULT write_use(struct ec2_call *e, const void *args, struct xml *x, const char *name)
{
	const struct transit_use *a = args;
	xml_open(x, name);
	ec2_write_id(x, "transitGatewayRouteTableId", KIND_TRANSIT_ROUTE_TABLE, a->made_table);
	ec2_write_id(x, "transitGatewayAttachmentId", KIND_TRANSIT_ATTACHMENT, a->made);
	ec2_write_transit_resource(x, a->router);
	xml_z(x, "state", ec2_state_in_answer(e, NULL));
	xml_close(x, name);
	return OK;
}

static RESULT ec2_write_association(struct ec2_call *e, const void *args, struct xml *x)
{
	return write_use(e, args, x, "association");
}

static RESULT ec2_write_propagation(struct ec2_call *e, const void *args, struct xml *x)
{
	return write_use(e, args, x, "propagation");
}

#define USE(word, params, run, write, state, words)                                                          \
	{                                                                                                    \
		EC2_ACTION(word), .flags = API_WRITES, .args = PARAMS(struct transit_use, params),           \
				  .operation = run, .answer = (write), .state_in_answer = (state),           \
				  .doc = (words)                                                             \
	}
static const struct ec2_action actions[] = {
	{EC2_ACTION("DescribeTransitGatewayRouteTables"),
	 .args = PARAMS(struct ec2_describe_transit_tables, describe_params), .list = &table_listing,
	 .doc = "Lists the route tables of the account's transit gateways."},
	{EC2_ACTION("GetTransitGatewayAttachmentPropagations"),
	 .args = PARAMS(struct ec2_get_attachment_propagations, get_params), .prepare = prepare_get,
	 .list = &propagation_listing, .doc = "Lists the route tables that an attachment propagates to."},
	{EC2_ACTION("CreateTransitGatewayRouteTable"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_transit_table, create_params),
	 EC2_TAGS(struct ec2_create_transit_table, "transit-gateway-route-table"),
	 .operation = engine_create_transit_route_table_run, .returns = KIND_TRANSIT_ROUTE_TABLE,
	 EC2_SHOWS(table_listing, struct ec2_create_transit_table, wish.route_table,
		   "transitGatewayRouteTable"),
	 .state_in_answer = "pending", .doc = "Creates an empty route table of a transit gateway."},
	{EC2_ACTION("DeleteTransitGatewayRouteTable"), .flags = API_WRITES,
	 .args = PARAMS(struct transit_route_table_target, delete_params),
	 .operation = engine_delete_transit_route_table_run, .answer = ec2_delete_transit_table,
	 .state_in_answer = "deleting", .doc = "Deletes a transit gateway route table without associations."},
	USE("AssociateTransitGatewayRouteTable", associate_params, engine_associate_transit_route_table_run,
	    ec2_write_association, "associating",
	    "Associates an attachment with a route table, which then routes its traffic."),
	USE("DisassociateTransitGatewayRouteTable", associate_params,
	    engine_disassociate_transit_route_table_run, ec2_write_association, "disassociating",
	    "Disassociates an attachment. Its traffic is then dropped."),
	USE("EnableTransitGatewayRouteTablePropagation", propagate_params,
	    engine_enable_transit_propagation_run, ec2_write_propagation, "enabled",
	    "Propagates the blocks of an attachment's VPC to a route table."),
	USE("DisableTransitGatewayRouteTablePropagation", propagate_params,
	    engine_disable_transit_propagation_run, ec2_write_propagation, "disabled",
	    "Stops the propagation of an attachment to a route table."),
};
const struct api_actions ec2_transit_table_actions = API_ACTIONS(actions);
