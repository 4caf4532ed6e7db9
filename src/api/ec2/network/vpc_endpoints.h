/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: VPC endpoints and the services that they lead to. */
#pragma once

#include "api/ec2/core/action.h"
#include "engine/network/routing/vpc_endpoint.h"

/* Id of the prefix list that has the API's own address. */
uuid ec2_get_api_prefix_list(const struct tables *t);
/* By enum vpc_endpoint_type; ends with NULL. */
extern const char *const ec2_endpoint_type_words[];
/* The service of that name, if it is offered by endpoints of the type. ERR_NOT_FOUND of ServiceName. */
RESULT ec2_find_endpoint_service(struct ec2_call *e, struct str name, enum vpc_endpoint_type type,
				 enum vpc_endpoint_service *ret_service);
