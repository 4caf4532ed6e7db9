/* SPDX-License-Identifier: Apache-2.0
 * Endpoint services (PrivateLink): network load balancers of a VPC, offered to interface endpoints of other VPCs and accounts.
 *
 * A service has an interface, its leg, in each subnet of its load balancers. An endpoint's interface connects to the leg of
 * its zone: the reconciler gives both ends of a connection a small router, so that the VPCs need no routes to each other and
 * may have the same blocks (drivers/ovn/nb_endpoint.c). Targets see connections from the leg's address. */
#pragma once

#include "engine/operation.h"
#include "model/endpoint_service.h"

struct elastic_load_balancer;
struct port;
struct vpc_endpoint;

enum {
	SERVICE_BALANCERS_MAX = 10,
	SERVICE_LEGS_MAX = 10,        /* as many as a service has zones; the schema says so too */
	SERVICE_PRINCIPALS_MAX = 100, /* the schema says so too */
};

/* Creates a service. ERR_INVALID with KIND_ENDPOINT_SERVICE: a load balancer is no network load balancer, or is in another VPC or
 * in a zone of another one. */
struct endpoint_service_wish {
	struct refs balancers;
	bool needs_acceptance;
	struct tags tags;
	struct str client_token, digest; /* digest covers the other parameters; empty token: none */
	/* outputs: */
	uuid service;
};
OPERATION(engine_create_endpoint_service, endpoint_service_wish)

/* Changes a service. Fails as engine_create_endpoint_service() does. */
struct endpoint_service_change {
	struct ref service;
	struct refs balancers_added, balancers_removed;
	enum choice needs_acceptance;
};
OPERATION(engine_change_endpoint_service, endpoint_service_change)

/* Changes who may create endpoints. Principals are checked by the caller; endpoints stay. */
struct endpoint_service_grants {
	struct ref service;
	struct strs added, removed;
	/* outputs: */
	uuid changed;
};
OPERATION(engine_grant_endpoint_service, endpoint_service_grants)

/* Deletes a service. ERR_IN_USE: an endpoint is connected, or waits for an answer. */
struct endpoint_service_target {
	struct ref service;
	bool is_forced; /* rejects its endpoints first */
};
OPERATION(engine_delete_endpoint_service, endpoint_service_target)

/* Deletes services; one that is absent or in use is noted, and the others are deleted. */
struct endpoint_service_deletion {
	struct ref service;
	enum err failure; /* output: ERR_NONE, ERR_NOT_FOUND or ERR_IN_USE */
};
struct endpoint_service_deletions {
	struct endpoint_service_deletion *at;
	size_t count;
};
OPERATION(engine_delete_endpoint_services, endpoint_service_deletions)

/* Accepts or rejects endpoints of a service. An absent one is noted, and the others are answered. An accepted endpoint may be
 * rejected later, and a rejected one accepted. */
struct connection_answer {
	struct ref endpoint;
	bool is_absent; /* output */
};
struct connection_answers {
	struct ref service;
	bool accepts;
	struct connection_answer *at;
	size_t count;
};
OPERATION(engine_answer_endpoint_connections, connection_answers)

/* ---- inside operations ---- */

/* Gives the services of the load balancer interfaces where it has fronts, after these have changed. */
RESULT endpoint_service_settle_balancer(struct op *op, const struct elastic_load_balancer *balancer);
/* ERR_IN_USE with KIND_ELASTIC_LOAD_BALANCER: a service offers it. */
RESULT endpoint_service_check_balancer(struct op *op, const struct elastic_load_balancer *balancer,
				       const struct ref *ref);
/* Connects a new endpoint to the service: sets the endpoint's fields that depend on it, and logs an event for the provider. ERR_QUOTA with
 * KIND_VPC_ENDPOINT: the service has no connection left, or the account has its share of them. */
RESULT endpoint_service_connect(struct op *op, const struct endpoint_service *service,
				struct vpc_endpoint *endpoint);

/* ---- reading ---- */

/* "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0", and the domain of its endpoints' own names,
 * "vpce-svc-0123456789abcdef0.us-east-1.vpce.amazonaws.com". In the arena. */
struct str engine_write_offered_name(const struct tables *t, struct arena *a, uuid service);
struct str engine_write_offered_domain(const struct tables *t, struct arena *a, uuid service);
/* True if a service of that name would be an account's, not the region's. */
bool engine_is_offered_name(struct str name);
/* True if the account, or a caller with one of those ARNs, may create endpoints of the service. */
bool engine_may_connect(const struct tables *t, const struct endpoint_service *service, uuid account,
			struct strs principals);
/* The service of that name; NULL if there is none, or it is not offered to the account and to none of the principals. */
const struct endpoint_service *engine_find_offered(const struct tables *t, struct arena *a, struct str name,
						   uuid account, struct strs principals);
/* True if the port is an interface of a service: its VPC's router implements it. */
bool engine_is_service_leg(const struct tables *t, const struct port *port);
/* The service's interface in the zone, or NULL. */
const struct port *engine_find_service_leg(const struct tables *t, const struct endpoint_service *service,
					   uuid zone);
