/* SPDX-License-Identifier: Apache-2.0
 * Private to api/elb/classic/: Classic Load Balancers, version 2012-06-01. Actions and calls are those of
 * api/elb/internal.h; a load balancer is named by its name. Source: Elastic Load Balancing API Reference, version
 * 2012-06-01. */
#pragma once

#include "api/elb/internal.h"
#include "engine/balancing/classic.h"

#define CLASSIC_VERSION "2012-06-01"
#define CLASSIC_NAMESPACE STR("http://elasticloadbalancing.amazonaws.com/doc/" CLASSIC_VERSION "/")

extern const struct api_actions classic_balancer_actions, classic_place_actions, classic_listener_actions,
	classic_policy_actions, classic_instance_actions, classic_attribute_actions, classic_tag_actions;
extern const struct api_groups elb_classic_action_groups;
extern const struct api_errors classic_errors;
extern const struct api_error classic_no_type, classic_no_policy;

/* ---- names.c ---- */

#define CLASSIC_NAME(T, member)                                                                              \
	PARAM(T, "LoadBalancerName", member, .flags = REQUIRED, .min = 1, .max = 255,                        \
	      .doc = "Load balancer by name.")

/* ERR_NOT_FOUND with KIND_ELASTIC_LOAD_BALANCER: the caller's account has no Classic Load Balancer of that name. */
RESULT classic_find(struct elb_call *e, struct str name, struct ref *ret_ref);
/* The row as an answer shows it; NULL only if it is gone. */
const struct elastic_load_balancer *classic_row(struct elb_call *e, const struct ref *ref);
/* "HTTPS" in any case. ERR_INVALID: another word. */
RESULT classic_read_protocol(struct elb_call *e, struct str word, const char *field,
			     enum balancing_protocol *ret_protocol);
/* A list of elements that are texts. */
void classic_write_ids(struct elb_call *e, struct xml *x, const char *list, enum kind kind,
		       const struct uuids *ids);

/* ---- listeners.c ---- */

struct classic_listener_arg {
	struct str protocol, instance_protocol, certificate;
	int64_t port, instance_port;
};
struct classic_listener_args {
	struct classic_listener_arg *at;
	size_t count;
};
extern const struct params classic_listener_params;
#define CLASSIC_LISTENERS(T, member)                                                                         \
	PARAM_LIST(T, "Listeners.member", member, classic_listener_params, .flags = REQUIRED, .max = 100,    \
		   .doc = "Listeners: protocol and port of the load balancer, and of the instances.")
/* ERR_INVALID: a port is there twice, or a word is none. ERR_NOT_FOUND with KIND_SERVER_CERTIFICATE. */
RESULT classic_read_listeners(struct elb_call *e, const struct classic_listener_args *args,
			      struct classic_listener **ret_listeners);
/* The list ListenerDescriptions. */
void classic_write_listeners(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b);

/* ---- places.c ---- */

/* The default subnets of zones. ERR_INVALID: there is none. */
RESULT classic_find_zones(struct elb_call *e, const struct strs *zones, struct refs *ret_subnets);
/* The lists AvailabilityZones and Subnets; each may be left out. */
void classic_write_places(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b,
			  bool has_zones, bool has_subnets);
/* The list SecurityGroups. */
void classic_write_groups(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b);

/* ---- policies.c ---- */

/* The lists Policies and BackendServerDescriptions. */
void classic_write_policies(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b);

/* ---- instances.c ---- */

/* The list Instances, without those that drain. */
void classic_write_instances(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b);
/* The element HealthCheck. */
void classic_write_check(struct elb_call *e, struct xml *x, const struct elastic_load_balancer *b);
