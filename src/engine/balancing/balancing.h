/* SPDX-License-Identifier: Apache-2.0
 * Network load balancers of ELBv2. A balancer has a front, which is an interface, in each of its subnets; an
 * internet-facing one also has a public address for each front. A listener is a port of all fronts, and leads to
 * the targets of a target group. For each front of each listener there is a row of load_balancer, which the
 * router of the VPC implements (reconcile/router.c). */
#pragma once

#include "engine/operation.h"

struct load_balancer;
struct network_load_balancer;
struct tables;
struct target;
struct target_group;

enum { BALANCER_FRONTS_MAX = 10, BALANCING_NAME_MAX = 32 };

/* ---- load balancers ---- */

struct balancer_subnet {
	struct ref subnet;
	struct ref address;   /* elastic address of the front; kind none: one is assigned if it needs one */
	struct ip private_ip; /* address of the front; none: any free one */
};
struct balancer_subnets {
	struct balancer_subnet *at;
	size_t count;
};

/* A balancer of that name with the same scheme and subnets is returned as it is. ERR_EXISTS: the name is another
 * balancer's. ERR_COMBINATION: subnets of several VPCs, or several of a zone. ERR_STATE with KIND_GATEWAY: the VPC
 * has no way to the internet. ERR_IN_USE with KIND_ADDRESS. ERR_CAPACITY with KIND_ADDRESS or KIND_SUBNET.
 * ERR_QUOTA. */
struct network_load_balancer_wish {
	struct str name;
	bool is_internal;
	struct balancer_subnets subnets;
	struct tags tags;
	/* outputs: */
	uuid balancer;
};
OPERATION(engine_create_network_load_balancer, network_load_balancer_wish)

struct network_load_balancer_change {
	struct ref balancer;
	enum choice is_protected, crosses_zones;
};
OPERATION(engine_set_network_load_balancer, network_load_balancer_change)

/* Replaces the subnets. Fronts of subnets that stay keep their addresses. */
struct network_load_balancer_subnets {
	struct ref balancer;
	struct balancer_subnets subnets;
};
OPERATION(engine_set_network_load_balancer_subnets, network_load_balancer_subnets)

/* Deletes the balancer with its listeners. ERR_PROTECTED: deletion protection, unless is_forced. */
struct network_load_balancer_target {
	struct ref balancer; /* kind none: nothing to delete */
	bool is_forced;
};
OPERATION(engine_delete_network_load_balancer, network_load_balancer_target)

/* ---- listeners ---- */

enum balancing_protocol { BALANCING_TCP, BALANCING_UDP };

/* ERR_EXISTS: another listener has the port. ERR_COMBINATION with KIND_LISTENER: the target group has another
 * protocol; with KIND_TARGET_GROUP: it is of another VPC. ERR_IN_USE: it is another load balancer's. ERR_QUOTA. */
struct listener_wish {
	struct ref balancer, target_group;
	enum balancing_protocol protocol;
	int64_t port;
	struct tags tags;
	/* outputs: */
	uuid listener;
};
OPERATION(engine_create_listener, listener_wish)

struct listener_change {
	struct ref listener;
	struct ref target_group; /* kind none: unchanged */
	int64_t port;            /* 0: unchanged */
	bool sets_protocol;
	enum balancing_protocol protocol;
};
OPERATION(engine_change_listener, listener_change)

struct listener_target {
	struct ref listener;
};
OPERATION(engine_delete_listener, listener_target)

/* ---- target groups ---- */

/* A target group of that name with the same settings is returned as it is. ERR_EXISTS; ERR_QUOTA. */
struct target_group_wish {
	struct str name;
	struct ref router;
	enum balancing_protocol protocol;
	bool is_by_ip; /* targets are named by address, not by instance */
	int64_t port;
	int64_t interval_s, timeout_s, healthy_threshold, unhealthy_threshold;
	struct tags tags;
	/* outputs: */
	uuid target_group;
};
OPERATION(engine_create_target_group, target_group_wish)

/* Values of 0 are unchanged. ERR_COMBINATION: the timeout is not shorter than the interval. */
struct target_group_change {
	struct ref target_group;
	int64_t interval_s, timeout_s, healthy_threshold, unhealthy_threshold;
	bool sets_delay;
	int64_t delay_s;
};
OPERATION(engine_change_target_group, target_group_change)
/* The same with the permission for attributes. */
OPERATION(engine_set_target_group, target_group_change)

/* ERR_IN_USE: a listener leads to the target group, unless is_forced. */
struct target_group_target {
	struct ref target_group;
	bool is_forced;
};
OPERATION(engine_delete_target_group, target_group_target)

/* ---- targets ---- */

struct balancing_target {
	struct ref instance; /* kind none: named by ip */
	struct ip ip;
	struct str text, field; /* as the caller wrote it */
};
struct balancing_targets {
	struct balancing_target *at;
	size_t count;
};
/* Registers or deregisters. ERR_INVALID with KIND_TARGET: there is no such target in the VPC, or the instance is not
 * running; ERR_QUOTA. What is registered already stays so, and what is not registered is ignored. */
struct targets_wish {
	struct ref target_group;
	struct balancing_targets targets;
};
OPERATION(engine_register_targets, targets_wish)
OPERATION(engine_deregister_targets, targets_wish)

enum target_state {
	TARGET_INITIAL,
	TARGET_HEALTHY,
	TARGET_UNHEALTHY,
	TARGET_UNUSED,
	TARGET_DRAINING,
	TARGET_UNAVAILABLE
};
struct target_condition {
	enum target_state state;
	const char *reason, *description; /* NULL: none */
};
/* Health as ELBv2 shows it. target NULL: it is not registered. */
struct target_condition engine_get_target_condition(const struct tables *t, const struct target_group *group,
						    const struct target *target);

/* ---- tags ---- */

/* Sets tags, or deletes keys, of several rows. */
struct balancing_tags {
	struct refs resources;
	struct tags tags;
	struct strs keys;
};
OPERATION(engine_tag_balancing, balancing_tags)
OPERATION(engine_untag_balancing, balancing_tags)

/* ---- names ---- */

/* For example "arn:aws:elasticloadbalancing:us-east-1:111122223333:targetgroup/web/73e2d6bc24d8a067". */
struct str engine_write_balancing_arn(const struct tables *t, struct arena *a, struct str region,
				      struct str account_number, enum kind kind, const struct row *row);
/* The row of that kind in the account of c's caller with exactly that ARN, or NULL. */
const struct row *engine_find_balancing_arn(const struct tables *t, const struct ctx *c, struct str region,
					    enum kind kind, struct str arn);
/* "web-0123456789abcdef.elb.us-east-1.internal", and the part behind the first dot. */
struct str engine_write_balancer_dns_name(const struct tables *t, struct arena *a,
					  const struct network_load_balancer *balancer);
struct str engine_get_balancer_domain(const struct tables *t, struct arena *a);
/* The load balancer with that first label, in lower case, or NULL. */
const struct network_load_balancer *engine_find_balancer_label(const struct tables *t, struct str label);
/* True for load balancers, listeners, target groups and targets. */
bool engine_is_balancing_kind(enum kind kind);

/* ---- for the reconciler ---- */

/* True if a listener leads to the group and its targets are checked. */
bool engine_is_checked_group(const struct tables *t, const struct target_group *group);

struct target_probe {
	uuid target;
	bool is_healthy;
};
struct target_probes {
	const struct target_probe *at;
	size_t count;
};
SYSTEM_OPERATION(engine_see_targets, target_probes)

struct target_end {
	uuid target;
};
/* Forgets a target that has drained. */
SYSTEM_OPERATION(engine_end_target, target_end)
