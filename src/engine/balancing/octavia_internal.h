/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/balancing/: what the operations on Octavia's load balancers share. */
#pragma once

#include "engine/balancing/balancing_internal.h"
#include "engine/balancing/octavia.h"
#include "model/listener.h"

/* Fails as a provider of Octavia does that lacks an option. */
#define OCTAVIA_UNSUPPORTED(op, field, ...) ENGINE_FAIL(op, ERR_UNSUPPORTED, KIND_PROXY, field, __VA_ARGS__)
#define OCTAVIA_INVALID(op, field, ...) ENGINE_FAIL(op, ERR_INVALID, KIND_PROXY, field, __VA_ARGS__)

/* ERR_STATE with KIND_PROXY: a change is pending. */
RESULT octavia_check_ready(struct op *op, const struct elastic_load_balancer *b);
/* Counts up the proxy's gen, and returns it for proxy_gen of the changed rows. A balancer that lost its proxy gets another. */
RESULT octavia_touch(struct op *op, uuid balancer, int64_t *ret_gen);

/* Finds the row by engine_permit_…(). ERR_NOT_FOUND: the balancer is another API's. */
RESULT octavia_permit_balancer(struct op *op, const struct ref *ref, const char *permission,
			       const struct elastic_load_balancer **ret_balancer);
/* The same for a pool, whose balancer must be ready: errors of octavia_check_ready(). */
RESULT octavia_permit_pool(struct op *op, const struct ref *ref, const char *permission,
			   const struct target_group **ret_group);

/* Family of the VIP's address; IPv4 if it has none any more. */
enum ip_family octavia_get_family(const struct tables *t, uuid balancer);

/* Put new listeners, pools and members. The balancer's row exists already. gen: the proxy's, which gets their proxy_gen. */
RESULT octavia_put_listener(struct op *op, const struct elastic_load_balancer *b,
			    const struct octavia_listener *wish, int64_t gen, uuid *ret_listener);
RESULT octavia_put_pool(struct op *op, const struct elastic_load_balancer *b, const struct octavia_pool *wish,
			int64_t gen, uuid *ret_pool);
/* A pool of a request: a new one, or one of the balancer's by its name alone. */
RESULT octavia_choose_pool(struct op *op, const struct elastic_load_balancer *b,
			   const struct octavia_pool *wish, int64_t gen, uuid *ret_pool);
/* Puts a new L7 policy of a listener, without its permission. */
RESULT octavia_put_policy(struct op *op, uuid listener, struct octavia_l7_policy_wish *wish, int64_t gen);
RESULT octavia_put_member(struct op *op, const struct target_group *group, const struct octavia_member *wish,
			  int64_t gen, uuid *ret_member);
/* True if proxies read the listener's requests. */
static inline bool octavia_is_http(enum listener_protocol protocol)
{
	return protocol == LISTENER_PROTOCOL_HTTP || protocol == LISTENER_PROTOCOL_SSL;
}
/* ERR_COMBINATION: a listener of that protocol does not lead to such a pool. */
RESULT octavia_check_protocols(struct op *op, enum listener_protocol listener,
			       const struct target_group *group);
/* The policy of a rule or of an update, whose balancer must be ready: errors of octavia_check_ready(). */
RESULT octavia_permit_policy(struct op *op, const struct ref *ref, const char *permission,
			     const struct listener_rule **ret_policy);
/* Puts a new rule of a policy. */
RESULT octavia_put_l7_rule(struct op *op, const struct listener_rule *policy,
			   const struct octavia_l7_rule *wish, int64_t gen, uuid *ret_rule);
/* Ends the balancer with its parts (elastic_load_balancer.c); no permission is checked. */
RESULT elastic_load_balancer_end(struct op *op, const struct elastic_load_balancer *balancer);
