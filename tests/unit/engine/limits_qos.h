/* SPDX-License-Identifier: Apache-2.0
 * Private to test_limits.c: QoS policies and address scopes. */
#pragma once

#include "engine/network/address_scope.h"
#include "engine/network/port/qos_policy.h"

static RESULT make_qos_policy(struct cloud *c, int n)
{
	struct qos_policy_wish wish = {.name = numbered(c, "qos", n)};
	MAKE(c, &c->alice, engine_create_qos_policy, wish, policy);
}
DROP(qos_policy, engine_delete_qos_policy, qos_policy_target, .policy = ref_to(c, KIND_QOS_POLICY, made))

static RESULT make_address_scope(struct cloud *c, int n)
{
	struct address_scope_wish wish = {.name = numbered(c, "scope", n)};
	MAKE(c, &c->alice, engine_create_address_scope, wish, scope);
}
DROP(address_scope, engine_delete_address_scope, address_scope_target,
     .scope = ref_to(c, KIND_ADDRESS_SCOPE, made))
