/* SPDX-License-Identifier: Apache-2.0
 * Endpoint services: each account's share of the connections. */
#include "cloud.h"
#include "engine/balancing/balancing.h"
#include "engine/limits.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "store/subnet.h"

enum { CONNECTIONS = 15, SHARE = 2 };

static uuid make_service(struct cloud *c)
{
	const struct subnet *here = subnet_first_by_router(cloud_tables(c), c->alice_router);
	struct balancer_subnet subnet = {.subnet = ref_by_id(KIND_SUBNET, here->row.id)};
	struct elastic_load_balancer_wish balancer = {
		.name = STR("inner"), .is_internal = true, .subnets = {&subnet, 1}};
	cloud_ok(c, &c->alice, engine_create_elastic_load_balancer, &balancer);
	const struct ref ref = ref_by_id(KIND_ELASTIC_LOAD_BALANCER, balancer.balancer);
	struct endpoint_service_wish service = {.balancers = refs_of(c, &ref, 1)};
	cloud_ok(c, &c->alice, engine_create_endpoint_service, &service);
	struct str everybody = STR("*");
	struct endpoint_service_grants grants = {.service = ref_by_id(KIND_ENDPOINT_SERVICE, service.service),
						 .added = {&everybody, 1}};
	cloud_ok(c, &c->alice, engine_grant_endpoint_service, &grants);
	return service.service;
}

static RESULT connect(struct cloud *c, const struct identity *who, uuid router, uuid service)
{
	struct vpc_endpoint_wish wish = {
		.router = ref_by_id(KIND_ROUTER, router),
		.type = VPC_ENDPOINT_TYPE_INTERFACE,
		.offered = engine_write_offered_name(cloud_tables(c), c->arena, service)};
	return cloud_run(c, who, engine_create_vpc_endpoint_run, &wish);
}

/* A tenth of the connections, rounded up. The service's own account has all that the service has. */
static void check_share(void **state)
{
	struct cloud *c = *state;
	uuid service = make_service(c);
	struct limit_wish limit = {.name = STR("endpoint_connections"), .most = STR("15")};
	cloud_ok(c, &c->operator, engine_set_limit, &limit);
	for (int k = 0; k < SHARE; k++)
		cloud_expect(c, connect(c, &c->bob, c->bob_router, service), ERR_NONE, KIND_NONE);
	cloud_expect(c, connect(c, &c->bob, c->bob_router, service), ERR_QUOTA, KIND_VPC_ENDPOINT);
	for (int k = SHARE; k < CONNECTIONS; k++)
		cloud_expect(c, connect(c, &c->alice, c->alice_router, service), ERR_NONE, KIND_NONE);
	cloud_expect(c, connect(c, &c->alice, c->alice_router, service), ERR_QUOTA, KIND_VPC_ENDPOINT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(check_share, cloud_setup, cloud_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
