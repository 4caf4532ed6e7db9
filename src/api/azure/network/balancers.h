/* SPDX-License-Identifier: Apache-2.0
 * Private to api/azure/network/: parts of load balancers that interfaces name by their ids. */
#pragma once

#include "api/azure/network/network.h"
#include "engine/virtual/balancer_set.h"

/* "…/loadBalancers/lb1/backendAddressPools/pool1". Errors as of az_find_id(). */
RESULT az_find_pool(struct az_call *e, const char *field, struct str id, struct balanced_pool *ret_pool);
/* "…/loadBalancers/lb1/inboundNatRules/rule1", with what that says. */
RESULT az_find_inward(struct az_call *e, const char *field, struct str id,
		      struct balanced_inward *ret_inward);
