/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: VPC endpoints and the services that they lead to. */
#pragma once

#include "api/ec2/core/action.h"
#include "engine/network/routing/vpc_endpoint.h"

struct endpoint_service;

/* Id of the prefix list that has the API's own address. */
uuid ec2_get_api_prefix_list(const struct tables *t);
/* By enum vpc_endpoint_type; ends with NULL. */
extern const char *const ec2_endpoint_type_words[];
/* The service of that name, if it is offered by endpoints of the type. ERR_NOT_FOUND of ServiceName. */
RESULT ec2_find_endpoint_service(struct ec2_call *e, struct str name, enum vpc_endpoint_type type,
				 enum vpc_endpoint_service *ret_service);
/* The caller's ARNs, by which an endpoint service may allow the caller. */
struct strs ec2_list_principals(struct ec2_call *e);
/* The endpoint's own DNS name. In the arena. */
struct str ec2_write_endpoint_name(struct ec2_call *e, const struct vpc_endpoint *endpoint);
/* ARNs of a service's load balancers, and names of its zones. In the arena. */
struct strs ec2_list_service_balancers(struct ec2_call *e, const struct endpoint_service *service);
struct strs ec2_list_service_zones(struct ec2_call *e, const struct endpoint_service *service);
/* An item of a list of failures. says: a format with the id. */
void ec2_write_unsuccessful(struct ec2_call *e, struct xml *x, const char *code, const char *says,
			    struct str id) __attribute__((format(printf, 4, 0)));
