/* SPDX-License-Identifier: Apache-2.0
 * A part of test_limits.c, in its middle: peerings, transit gateways and endpoints of VPCs. */
#pragma once

#include "engine/network/address/address.h"
#include "engine/network/flow_log.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/gateway.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "engine/vpn/vpn.h"
#include "engine/vpn/vpnaas.h"
#include "store/address.h"
#include "store/vpn_connection.h"
#include "store/vpn_service.h"

static void set_limit(struct cloud *c, enum limit_id limit, int64_t most);

/* Asks VPCs that do not exist: each peering fails at once, and its row is kept for a while. */
static RESULT make_peering(struct cloud *c, int n)
{
	struct peering_wish wish = {.router = ref_to(c, KIND_ROUTER, owner),
				    .peer_router = ref_to(c, KIND_ROUTER, uuid_random())};
	(void) n;
	MAKE(c, &c->alice, engine_create_peering, wish, peering);
}
static RESULT forget_made_peering(struct op *op, void *arg)
{
	(void) arg;
	return peering_forget(op, made);
}
static void drop_peering(struct cloud *c)
{
	cloud_expect(c, cloud_run(c, NULL, forget_made_peering, NULL), ERR_NONE, KIND_NONE);
}

static RESULT make_transit_gateway(struct cloud *c, int n)
{
	struct transit_gateway_wish wish = {.asn = TRANSIT_ASN_DEFAULT};
	(void) n;
	MAKE(c, &c->alice, engine_create_transit_gateway, wish, gateway);
}
DROP(transit_gateway, engine_delete_transit_gateway, transit_gateway_target,
     .gateway = ref_to(c, KIND_TRANSIT_GATEWAY, made))

/* helpers[1] is its default route table. */
static uuid new_transit_gateway(struct cloud *c)
{
	struct transit_gateway_wish wish = {.asn = TRANSIT_ASN_DEFAULT};
	set_limit(c, LIMIT_TRANSIT_GATEWAYS, 50);
	cloud_ok(c, &c->alice, engine_create_transit_gateway, &wish);
	helpers[1] = transit_gateway_find(cloud_tables(c), wish.gateway)->association_table;
	return wish.gateway;
}
static void is_a_transit_gateway(struct cloud *c)
{
	owner = new_transit_gateway(c);
}
static RESULT attach(struct cloud *c, uuid gateway, uuid router, uuid subnet)
{
	const struct ref ref = ref_to(c, KIND_SUBNET, subnet);
	struct transit_attachment_wish wish = {.gateway = ref_to(c, KIND_TRANSIT_GATEWAY, gateway),
					       .router = ref_to(c, KIND_ROUTER, router),
					       .subnets = refs_of(c, &ref, 1)};
	MAKE(c, &c->alice, engine_create_transit_attachment, wish, attachment);
}
static RESULT make_transit_attachment(struct cloud *c, int n)
{
	struct router_wish vpc = {.block = cidr_of("10.77.0.0/16")};
	(void) n;
	cloud_ok(c, &c->alice, engine_create_router, &vpc);
	struct subnet_wish subnet = {.router = ref_to(c, KIND_ROUTER, vpc.router),
				     .block = cidr_of("10.77.0.0/24")};
	cloud_ok(c, &c->alice, engine_create_subnet, &subnet);
	return attach(c, owner, vpc.router, subnet.subnet);
}
DROP(transit_attachment, engine_delete_transit_attachment, transit_attachment_target,
     .attachment = ref_to(c, KIND_TRANSIT_ATTACHMENT, made))

/* helpers[0] is a subnet of the router. */
static void is_a_router_to_attach(struct cloud *c)
{
	owner = c->alice_router;
	helpers[0] = subnet_first_by_router(cloud_tables(c), owner)->row.id;
}
static RESULT make_router_attachment(struct cloud *c, int n)
{
	(void) n;
	return attach(c, new_transit_gateway(c), owner, helpers[0]);
}

static RESULT make_transit_table(struct cloud *c, int n)
{
	struct transit_route_table_wish wish = {.gateway = ref_to(c, KIND_TRANSIT_GATEWAY, owner)};
	(void) n;
	MAKE(c, &c->alice, engine_create_transit_route_table, wish, route_table);
}
DROP(transit_table, engine_delete_transit_route_table, transit_route_table_target,
     .route_table = ref_to(c, KIND_TRANSIT_ROUTE_TABLE, made))

static void is_a_transit_table(struct cloud *c)
{
	new_transit_gateway(c);
	owner = helpers[1];
}
static uint32_t last_transit_block = 0x0c000000;
static struct transit_route_wish a_transit_route(struct cloud *c)
{
	return (struct transit_route_wish){.route_table = ref_to(c, KIND_TRANSIT_ROUTE_TABLE, owner),
					   .destination = {ip_from_v4(last_transit_block), 24},
					   .is_blackhole = true};
}
static RESULT make_transit_route(struct cloud *c, int n)
{
	(void) n;
	last_transit_block += 256;
	struct transit_route_wish wish = a_transit_route(c);
	struct result result = cloud_run(c, &c->alice, engine_create_transit_route_run, &wish);
	last_transit_block -= result_is_ok(result) ? 0 : 256;
	return result;
}
static void drop_transit_route(struct cloud *c)
{
	struct transit_route_wish wish = a_transit_route(c);
	cloud_ok(c, &c->alice, engine_delete_transit_route, &wish);
}

static RESULT make_vpc_endpoint(struct cloud *c, int n)
{
	(void) n;
	struct vpc_endpoint_wish wish = {.router = ref_to(c, KIND_ROUTER, owner),
					 .type = VPC_ENDPOINT_TYPE_GATEWAY,
					 .service = VPC_ENDPOINT_SERVICE_EC2};
	MAKE(c, &c->alice, engine_create_vpc_endpoint, wish, endpoint);
}
DROP(vpc_endpoint, engine_delete_vpc_endpoint, vpc_endpoint_target,
     .endpoint = ref_to(c, KIND_VPC_ENDPOINT, made))

static void is_alices_router_with_balancer(struct cloud *c)
{
	cloud_expect(c, make_network_balancer(c, 0), ERR_NONE, KIND_NONE);
	helpers[0] = made;
	owner = c->alice_router;
}
static RESULT make_endpoint_service(struct cloud *c, int n)
{
	(void) n;
	const struct ref ref = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, helpers[0]);
	struct endpoint_service_wish wish = {.balancers = refs_of(c, &ref, 1)};
	MAKE(c, &c->alice, engine_create_endpoint_service, wish, service);
}
DROP(endpoint_service, engine_delete_endpoint_service, endpoint_service_target,
     .service = ref_to(c, KIND_ENDPOINT_SERVICE, made))

static void is_an_endpoint_service(struct cloud *c)
{
	is_alices_router_with_balancer(c);
	set_limit(c, LIMIT_ENDPOINT_SERVICES, 50);
	cloud_expect(c, make_endpoint_service(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
}
static RESULT make_offered_endpoint(struct cloud *c, int n)
{
	(void) n;
	struct vpc_endpoint_wish wish = {.router = ref_to(c, KIND_ROUTER, c->alice_router),
					 .type = VPC_ENDPOINT_TYPE_INTERFACE,
					 .offered =
						 engine_write_offered_name(cloud_tables(c), c->arena, owner)};
	set_limit(c, LIMIT_VPC_ENDPOINTS, 50);
	MAKE(c, &c->alice, engine_create_vpc_endpoint, wish, endpoint);
}

/* A resource has two at most: subnets take turns. */
static RESULT make_flow_log(struct cloud *c, int n)
{
	const struct subnet *subnet = subnet_first_by_account(cloud_tables(c), c->alice.account);
	for (int k = 0; subnet && k < n / 2; k++)
		subnet = subnet_next_by_account(cloud_tables(c), subnet)
				 ? subnet_next_by_account(cloud_tables(c), subnet)
				 : subnet;
	struct ref ref = ref_to(c, KIND_SUBNET, subnet->row.id);
	struct flow_log_wish wish = {.resources = {&ref, 1},
				     .traffic = (enum flow_log_traffic)(n % 3),
				     .destination = STR("arn:aws:s3:::flow-logs"),
				     .format = STR("${version}"),
				     .interval_s = 60};
	struct result result = cloud_run(c, &c->alice, engine_create_flow_logs_run, &wish);
	if (result_is_ok(result))
		made = wish.made.at[0];
	return result;
}
static void drop_flow_log(struct cloud *c)
{
	struct ref ref = ref_to(c, KIND_FLOW_LOG, made);
	struct flow_log_deletions wish = {.logs = {&ref, 1}};
	cloud_ok(c, &c->alice, engine_delete_flow_logs, &wish);
}

static RESULT make_vpn_gateway(struct cloud *c, int n)
{
	struct vpn_gateway_wish wish = {0};
	(void) n;
	MAKE(c, &c->alice, engine_create_vpn_gateway, wish, gateway);
}
DROP(vpn_gateway, engine_delete_vpn_gateway, vpn_gateway_target, .gateway = ref_to(c, KIND_VPN_GATEWAY, made))

static RESULT make_customer_gateway(struct cloud *c, int n)
{
	struct customer_gateway_wish wish = {.ip = ip_from_v4(0xc0000202), .asn = 65000 + n};
	MAKE(c, &c->alice, engine_create_customer_gateway, wish, gateway);
}
DROP(customer_gateway, engine_delete_customer_gateway, customer_gateway_target,
     .gateway = ref_to(c, KIND_CUSTOMER_GATEWAY, made))

/* The region has ten public addresses, and each connection takes two: deletes the connections of earlier limits, and forgets
 * released addresses as the reconciler does. */
/* Ends the services, and their VPC, whose addresses other limits need. */
static struct gateway_attachment way_out;
static void end_vpn_services(struct cloud *c)
{
	const struct vpn_service *s = NULL;
	while ((s = vpn_service_first(cloud_tables(c)))) {
		struct vpn_service_target target = {ref_to(c, KIND_VPN_SERVICE, s->row.id)};
		cloud_ok(c, &c->alice, engine_delete_vpn_service, &target);
	}
	struct router_target vpc = {.router = way_out.router};
	if (ref_is_given(&way_out.gateway)) {
		cloud_ok(c, &c->alice, engine_detach_gateway, &way_out);
		cloud_ok(c, &c->alice, engine_delete_router, &vpc);
	}
	way_out = (struct gateway_attachment){0};
}
static void end_vpn_connections(struct cloud *c)
{
	end_vpn_services(c);
	for (const struct vpn_connection *n = vpn_connection_first(cloud_tables(c)), *next = NULL; n;
	     n = next) {
		uuid id = n->row.id;
		struct vpn_connection_target target = {ref_to(c, KIND_VPN_CONNECTION, id)};
		if (row_is_live(&n->row))
			cloud_ok(c, &c->alice, engine_delete_vpn_connection, &target);
		next = vpn_connection_next(cloud_tables(c), vpn_connection_find(cloud_tables(c), id));
	}
	const struct address *a = address_first(cloud_tables(c));
	while (a) {
		struct address_report report = {.address = a->row.id};
		if (row_is_live(&a->row)) {
			a = address_next(cloud_tables(c), a);
			continue;
		}
		cloud_ok(c, NULL, engine_forget_address, &report);
		a = address_first(cloud_tables(c));
	}
}

/* helpers[0] is a customer gateway. */
static void is_a_vpn_gateway(struct cloud *c)
{
	end_vpn_connections(c);
	cloud_expect(c, make_customer_gateway(c, 0), ERR_NONE, KIND_NONE);
	helpers[0] = made;
	set_limit(c, LIMIT_VPN_GATEWAYS, 50);
	cloud_expect(c, make_vpn_gateway(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
	helpers[1] = made;
}
static void is_alices_with_vpn_gateway(struct cloud *c)
{
	is_a_vpn_gateway(c);
	is_alices(c);
}
static RESULT make_vpn_connection(struct cloud *c, int n)
{
	struct vpn_connection_wish wish = {.customer_gateway = ref_to(c, KIND_CUSTOMER_GATEWAY, helpers[0]),
					   .vpn_gateway = ref_to(c, KIND_VPN_GATEWAY, helpers[1])};
	(void) n;
	for (size_t k = 0; k < VPN_TUNNELS; k++)
		wish.tunnels[k].row.id = id_new(KIND_VPN_TUNNEL);
	MAKE(c, &c->alice, engine_create_vpn_connection, wish, connection);
}
DROP(vpn_connection, engine_delete_vpn_connection, vpn_connection_target,
     .connection = ref_to(c, KIND_VPN_CONNECTION, made))

static RESULT make_ike_policy(struct cloud *c, int n)
{
	struct vpn_policy_wish wish = {0};
	(void) n;
	MAKE(c, &c->alice, engine_create_ike_policy, wish, made);
}
DROP(ike_policy, engine_delete_ike_policy, vpn_policy_target, .policy = ref_to(c, KIND_IKE_POLICY, made))
static RESULT make_ipsec_policy(struct cloud *c, int n)
{
	struct vpn_policy_wish wish = {0};
	(void) n;
	MAKE(c, &c->alice, engine_create_ipsec_policy, wish, made);
}
DROP(ipsec_policy, engine_delete_ipsec_policy, vpn_policy_target,
     .policy = ref_to(c, KIND_IPSEC_POLICY, made))
static RESULT make_vpn_group(struct cloud *c, int n)
{
	static const struct str block = {"10.99.0.0/24", sizeof "10.99.0.0/24" - 1};
	struct vpn_endpoint_group_wish wish = {.type = VPN_ENDPOINT_GROUP_TYPE_CIDR,
					       .endpoints = {&block, 1}};
	(void) n;
	MAKE(c, &c->alice, engine_create_vpn_endpoint_group, wish, group);
}
DROP(vpn_group, engine_delete_vpn_endpoint_group, vpn_endpoint_group_target,
     .group = ref_to(c, KIND_VPN_ENDPOINT_GROUP, made))

/* helpers[0] is a VPC that leads outside. */
static void is_alices_with_a_way_out(struct cloud *c)
{
	struct router_wish vpc = {.block = cidr_of("10.78.0.0/16")};
	struct gateway_wish gateway = {0};
	end_vpn_connections(c); /* frees public addresses */
	cloud_ok(c, &c->alice, engine_create_router, &vpc);
	cloud_ok(c, &c->alice, engine_create_gateway, &gateway);
	way_out = (struct gateway_attachment){.gateway = ref_to(c, KIND_GATEWAY, gateway.gateway),
					      .router = ref_to(c, KIND_ROUTER, vpc.router)};
	cloud_ok(c, &c->alice, engine_attach_gateway, &way_out);
	helpers[0] = vpc.router;
	is_alices(c);
}
static RESULT make_vpn_service(struct cloud *c, int n)
{
	struct vpn_service_wish wish = {.router = ref_to(c, KIND_ROUTER, helpers[0])};
	(void) n;
	MAKE(c, &c->alice, engine_create_vpn_service, wish, service);
}
DROP(vpn_service, engine_delete_vpn_service, vpn_service_target, .service = ref_to(c, KIND_VPN_SERVICE, made))

/* A connection has two tunnels. */
static void check_vpn_tunnels(void **state)
{
	struct cloud *c = *state;
	is_a_vpn_gateway(c);
	set_limit(c, LIMIT_VPN_TUNNELS, VPN_TUNNELS + 1);
	cloud_expect(c, make_vpn_connection(c, 0), ERR_NONE, KIND_NONE);
	cloud_expect(c, make_vpn_connection(c, 1), ERR_QUOTA, KIND_VPN_TUNNEL);
	set_limit(c, LIMIT_VPN_TUNNELS, -1);
	cloud_expect(c, make_vpn_connection(c, 2), ERR_NONE, KIND_NONE);
}

static void is_a_vpn_connection(struct cloud *c)
{
	is_a_vpn_gateway(c);
	cloud_expect(c, make_vpn_connection(c, 0), ERR_NONE, KIND_NONE);
	owner = made;
}
static struct vpn_route_wish a_vpn_route(struct cloud *c, int n)
{
	return (struct vpn_route_wish){.connection = ref_to(c, KIND_VPN_CONNECTION, owner),
				       .destination = {ip_from_v4(0x0a630000 + ((uint32_t) n << 8)), 24}};
}
static int last_vpn_route;
static RESULT make_vpn_route(struct cloud *c, int n)
{
	struct vpn_route_wish wish = a_vpn_route(c, n);
	struct result result = cloud_run(c, &c->alice, engine_create_vpn_route_run, &wish);
	last_vpn_route = result_is_ok(result) ? n : last_vpn_route;
	return result;
}
static void drop_vpn_route(struct cloud *c)
{
	struct vpn_route_wish wish = a_vpn_route(c, last_vpn_route);
	cloud_ok(c, &c->alice, engine_delete_vpn_route, &wish);
}

#define BETWEEN_VPCS                                                                                         \
	[LIMIT_FLOW_LOGS] = {is_alices, make_flow_log, drop_flow_log},                                       \
	[LIMIT_ENDPOINT_SERVICES] = {is_alices_router_with_balancer, make_endpoint_service,                  \
				     drop_endpoint_service},                                                 \
	[LIMIT_ENDPOINT_CONNECTIONS] = {is_an_endpoint_service, make_offered_endpoint, drop_vpc_endpoint},   \
	[LIMIT_VPC_ENDPOINTS] = {is_alices_router, make_vpc_endpoint, drop_vpc_endpoint},                    \
	[LIMIT_CUSTOMER_GATEWAYS] = {is_alices, make_customer_gateway, drop_customer_gateway},               \
	[LIMIT_VPN_GATEWAYS] = {is_alices, make_vpn_gateway, drop_vpn_gateway},                              \
	[LIMIT_VPN_CONNECTIONS] = {is_alices_with_vpn_gateway, make_vpn_connection, drop_vpn_connection},    \
	[LIMIT_GATEWAY_CONNECTIONS] = {is_a_vpn_gateway, make_vpn_connection, drop_vpn_connection},          \
	[LIMIT_VPN_SERVICES] = {is_alices_with_a_way_out, make_vpn_service, drop_vpn_service},               \
	[LIMIT_IKE_POLICIES] = {is_alices, make_ike_policy, drop_ike_policy},                                \
	[LIMIT_IPSEC_POLICIES] = {is_alices, make_ipsec_policy, drop_ipsec_policy},                          \
	[LIMIT_VPN_ENDPOINT_GROUPS] = {is_alices, make_vpn_group, drop_vpn_group},                           \
	[LIMIT_VPN_ROUTES] = {is_a_vpn_connection, make_vpn_route, drop_vpn_route},                          \
	[LIMIT_PEERINGS] = {is_alices_router, make_peering, drop_peering},                                   \
	[LIMIT_TRANSIT_GATEWAYS] = {is_alices, make_transit_gateway, drop_transit_gateway},                  \
	[LIMIT_TRANSIT_ATTACHMENTS] = {is_a_transit_gateway, make_transit_attachment,                        \
				       drop_transit_attachment},                                             \
	[LIMIT_ROUTER_ATTACHMENTS] = {is_a_router_to_attach, make_router_attachment,                         \
				      drop_transit_attachment},                                              \
	[LIMIT_TRANSIT_ROUTE_TABLES] = {is_a_transit_gateway, make_transit_table, drop_transit_table},       \
	[LIMIT_TRANSIT_ROUTES] = {is_a_transit_table, make_transit_route, drop_transit_route},
