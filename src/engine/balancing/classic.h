/* SPDX-License-Identifier: Apache-2.0
 * Classic Load Balancers: a row of elastic_load_balancer whose listeners name a port of the instances, and one target
 * group, which consists of the instances and their health check. A proxy implements them, as it does application load
 * balancers; drivers/haproxy/config_classic.c writes its configuration. Called by: api/elb/classic. */
#pragma once

#include "engine/balancing/balancing.h"

enum { CLASSIC_POLICIES_MAX = 90, CLASSIC_LISTENER_POLICIES_MAX = 20 };

/* ---- listeners ---- */

struct classic_listener {
	enum balancing_protocol protocol, instance_protocol; /* not UDP */
	int64_t port, instance_port;
	struct ref certificate; /* of HTTPS and SSL; kind none: none */
};
/* A listener that is there already with the same settings stays. ERR_EXISTS: with others. ERR_COMBINATION with
 * KIND_LISTENER: the protocols are of different layers. ERR_QUOTA. */
struct classic_listeners {
	struct ref balancer;
	const struct classic_listener *at;
	size_t count;
};
OPERATION(engine_create_classic_listeners, classic_listeners)

/* Ports without a listener are ignored. */
struct classic_ports {
	struct ref balancer;
	const int64_t *at;
	size_t count;
};
OPERATION(engine_delete_classic_listeners, classic_ports)

/* ERR_NOT_FOUND with KIND_LISTENER. ERR_STATE: the listener is not of HTTPS or SSL. */
struct classic_certificate {
	struct ref balancer;
	int64_t port;
	struct ref certificate;
};
OPERATION(engine_set_classic_certificate, classic_certificate)

/* ---- instances ---- */

/* ERR_INVALID: the timeout is not shorter than the interval. */
struct classic_check {
	struct ref balancer;
	enum balancing_protocol protocol;
	int64_t port, interval_s, timeout_s, healthy_threshold, unhealthy_threshold;
	struct str path; /* of HTTP and HTTPS */
};
OPERATION(engine_configure_classic_check, classic_check)

/* ERR_INVALID with KIND_TARGET: there is no such instance in the VPC. What is registered already stays so, and what is
 * not is ignored. */
struct classic_instances {
	struct ref balancer;
	struct balancing_targets targets;
};
OPERATION(engine_register_classic_instances, classic_instances)
OPERATION(engine_deregister_classic_instances, classic_instances)

/* The target group of a Classic Load Balancer. */
const struct target_group *engine_get_classic_group(const struct tables *t, uuid balancer);

/* ---- policies ---- */

enum classic_policy_type {
	CLASSIC_APP_COOKIE,
	CLASSIC_LB_COOKIE,
	CLASSIC_PROXY_PROTOCOL,
	CLASSIC_SSL,
	CLASSIC_POLICY_TYPES
};
/* A policy, as its row has it. */
struct classic_policy {
	struct str name;
	enum classic_policy_type type;
	struct str value; /* value of the type's only attribute; empty: none */
};
/* "AppCookieStickinessPolicyType" and the name of its attribute. */
extern const struct classic_type {
	const char *word, *attribute;
} classic_types[CLASSIC_POLICY_TYPES];

/* The policy of that name, or the k-th one. False: there is none. */
bool engine_find_classic_policy(const struct elastic_load_balancer *balancer, struct str name,
				struct classic_policy *ret_policy);
bool engine_get_classic_policy(const struct elastic_load_balancer *balancer, size_t k,
			       struct classic_policy *ret_policy);

/* True if a policy that is enabled for the instance port asks for the PROXY protocol. */
bool engine_has_proxy_protocol(const struct elastic_load_balancer *balancer, int64_t instance_port);

/* ERR_EXISTS with KIND_POLICY: the name is in use; ERR_QUOTA with KIND_POLICY. */
struct classic_policy_wish {
	struct ref balancer;
	struct classic_policy policy;
	const char *permission;
};
OPERATION(engine_create_classic_policy, classic_policy_wish)

/* A policy that does not exist is ignored. ERR_IN_USE with KIND_POLICY: it is enabled. */
struct classic_policy_target {
	struct ref balancer;
	struct str name;
};
OPERATION(engine_delete_classic_policy, classic_policy_target)

/* Replaces the policies that are enabled for the listener of a port, or for an instance port. ERR_NOT_FOUND with
 * KIND_POLICY, KIND_LISTENER. ERR_COMBINATION with KIND_POLICY: it has no effect there. */
struct classic_enabled {
	struct ref balancer;
	int64_t port;
	struct strs names;
};
OPERATION(engine_set_classic_listener_policies, classic_enabled)
OPERATION(engine_set_classic_backend_policies, classic_enabled)
