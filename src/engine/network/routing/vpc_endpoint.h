/* SPDX-License-Identifier: Apache-2.0
 * VPC endpoints: ways from a VPC to the region's API, or to an endpoint service, that need no internet gateway.
 *
 * An interface endpoint has a port in each of its subnets, at whose address the API answers. A gateway endpoint
 * adds a route to the API's own address to route tables of its VPC; such routes have no rows. Both lead to the
 * whole API: an endpoint's service only decides its names. The metadata service (api/metadata) plugs the ports into
 * the namespace of the VPC and listens there. The ports of an endpoint that leads to an endpoint service are implemented
 * by the VPC's router instead (endpoint_service.h). */
#pragma once

#include "engine/operation.h"
#include "model/vpc_endpoint.h"

struct port;

enum { ENDPOINT_FRONTS_MAX = 10 };

/* ERR_COMBINATION with KIND_VPC_ENDPOINT: two subnets of one zone. ERR_EXISTS with KIND_ROUTE: a route table has a
 * gateway endpoint. ERR_EXISTS with KIND_VPC_ENDPOINT: another endpoint of the VPC has the private name. ERR_STATE
 * with KIND_ROUTER: private names need both DNS settings of the VPC. ERR_NOT_FOUND of ServiceName: no such service is offered.
 * ERR_INVALID with KIND_ENDPOINT_SERVICE: the service is not in the zone of a subnet, or has neither policies nor private names. */
struct vpc_endpoint_wish {
	struct ref router;
	enum vpc_endpoint_type type;
	enum vpc_endpoint_service service;
	struct str offered;          /* name of an endpoint service; empty: `service` */
	struct strs principals;      /* the caller's ARNs, which an endpoint service may allow */
	struct refs tables;          /* for gateway endpoints */
	struct refs subnets, groups; /* for interface endpoints; no group: the VPC's default group */
	bool private_names;
	struct str policy; /* checked by the caller; empty: everything is allowed */
	struct tags tags;
	struct str client_token, digest; /* digest covers the other parameters; empty token: none */
	/* outputs: */
	uuid endpoint;
};
OPERATION(engine_create_vpc_endpoint, vpc_endpoint_wish)

/* Changes an endpoint. ERR_COMBINATION with KIND_NONE: a parameter is for the other type. */
struct vpc_endpoint_change {
	struct ref endpoint;
	struct refs tables_added, tables_removed, subnets_added, subnets_removed, groups_added,
		groups_removed;
	enum choice private_names;
	bool sets_policy; /* to `policy`, checked by the caller; empty: everything is allowed */
	struct str policy;
	/* outputs: */
	uuid made;
};
OPERATION(engine_change_vpc_endpoint, vpc_endpoint_change)

/* Deletes an endpoint with its ports. */
struct vpc_endpoint_target {
	struct ref endpoint;
};
OPERATION(engine_delete_vpc_endpoint, vpc_endpoint_target)

/* Deletes endpoints; an absent one is noted, and the others are deleted. */
struct vpc_endpoint_deletion {
	struct ref endpoint;
	bool is_absent; /* output */
};
struct vpc_endpoint_deletions {
	struct vpc_endpoint_deletion *at;
	size_t count;
};
OPERATION(engine_delete_vpc_endpoints, vpc_endpoint_deletions)

/* Takes a route table that is being deleted from the gateway endpoints of its VPC. Inside an operation. */
RESULT vpc_endpoint_leave_table(struct op *op, uuid router, uuid table);
/* True if the port is an interface of an endpoint. Where the endpoint leads to the region's API, this machine has the port. */
bool engine_is_endpoint_port(const struct tables *t, const struct port *port);
/* True if the port is an interface of an endpoint that leads to an endpoint service: its VPC's router implements it. */
bool engine_is_offered_port(const struct tables *t, const struct port *port);
/* The endpoint through which a guest of the router reaches the API at `at`: the interface with that address, or else the
 * gateway endpoint in the route table of the guest's subnet. NULL: it has lost the interface or route. */
const struct vpc_endpoint *engine_find_endpoint_of_guest(const struct tables *t, uuid router, struct ip at,
							 struct ip guest);
/* The gateway endpoint that has a route in the table, or NULL. */
const struct vpc_endpoint *engine_find_gateway_endpoint(const struct tables *t, uuid router, uuid table);
/* True if the network has all interfaces of the endpoint. */
bool engine_is_endpoint_ready(const struct tables *t, const struct vpc_endpoint *endpoint);
/* The endpoint's state in EC2's words. */
const char *engine_get_endpoint_state(const struct tables *t, const struct vpc_endpoint *endpoint);

/* The IPv4 address in the API's URL, to which gateway endpoints lead; none: the URL has a name, and there are no
 * gateway endpoints. */
struct ip engine_read_api_ip(struct str url);
/* "com.amazonaws.us-east-1.ec2", and the host name at which AWS's clients look for the service:
 * "ec2.us-east-1.amazonaws.com". In the arena. */
struct str engine_write_service_name(const struct tables *t, struct arena *a,
				     enum vpc_endpoint_service service);
struct str engine_write_service_host(const struct tables *t, struct arena *a,
				     enum vpc_endpoint_service service);
/* Domain of the own names of endpoints of a service, "ec2.us-east-1.vpce.amazonaws.com". In the arena. */
struct str engine_write_endpoint_domain(const struct tables *t, struct arena *a,
					enum vpc_endpoint_service service);
/* The name and the domain of the service that the endpoint leads to, whichever kind it is. In the arena. */
struct str engine_write_service_of(const struct tables *t, struct arena *a, const struct vpc_endpoint *e);
struct str engine_write_domain_of(const struct tables *t, struct arena *a, const struct vpc_endpoint *e);
/* The endpoint of the router that answers to the host name, or NULL. */
const struct vpc_endpoint *engine_find_endpoint_by_host(const struct tables *t, struct arena *a, uuid router,
							struct str name);
