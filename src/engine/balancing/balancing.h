/* SPDX-License-Identifier: Apache-2.0
 * Load balancers of ELBv2; those of classic.h share their rows. A balancer has a front, which is an interface, in each of its subnets; an internet-facing one
 * also has a public address for each front. A listener is a port of all fronts.
 *
 * A network load balancer's listener leads to the targets of a target group: for each front of each listener there is a
 * row of load_balancer, which the router of the VPC implements (reconcile/network/router.c). An application load balancer's
 * listeners have rules (listener_rule.h), and a row of proxy stands for the process that serves all of them
 * (reconcile/balancing/proxy.c). Each change of anything that the process depends on counts up that row's gen. */
#pragma once

#include "engine/balancing/listener_rule.h"

struct classic_listener;
struct server_certificate;
struct load_balancer;
struct port;
struct proxy;
struct target;
struct target_group;

enum { BALANCER_FRONTS_MAX = 10, BALANCING_NAME_MAX = 32 };

/* ---- load balancers ---- */

struct balancer_subnet {
	struct ref subnet;
	struct ref address;   /* elastic address of the front; kind none: one is assigned if it needs one */
	struct ip private_ip; /* address of the front; none: any free one */
	struct ip ipv6; /* IPv6 address of the front, if the load balancer is dualstack; none: any free one */
};
struct balancer_subnets {
	struct balancer_subnet *at;
	size_t count;
};

/* A balancer of that name with the same scheme and subnets is returned as it is. ERR_EXISTS: the name is another
 * balancer's. ERR_COMBINATION: subnets of several VPCs, or several of a zone. ERR_STATE with KIND_GATEWAY: the VPC
 * has no way to the internet. ERR_INVALID with KIND_SUBNET: a dualstack load balancer, and a subnet without an IPv6 block.
 * ERR_IN_USE with KIND_ADDRESS. ERR_CAPACITY with KIND_ADDRESS or KIND_SUBNET.
 * ERR_QUOTA. Without security groups a network load balancer has none, and others have the VPC's default group. */
struct elastic_load_balancer_wish {
	struct str name;
	bool is_application, is_internal, is_dualstack;
	/* Instead: a Classic Load Balancer, whose name must be free, with these listeners */
	bool is_classic;
	const struct classic_listener *listeners;
	size_t listener_count;
	struct refs groups;
	struct balancer_subnets subnets;
	struct tags tags;
	/* outputs: */
	uuid balancer;
};
OPERATION(engine_create_elastic_load_balancer, elastic_load_balancer_wish)

/* A change of access logs or connection logs. */
struct balancer_log_change {
	enum choice is_on;
	bool sets_bucket, sets_prefix;
	struct str bucket, prefix;
};

struct elastic_load_balancer_change {
	struct ref balancer;
	enum choice is_protected, crosses_zones;
	int64_t idle_s; /* 0: unchanged; not a network load balancer's */
	/* Classic Load Balancers alone: */
	enum choice drains;
	int64_t drain_s; /* 0: unchanged */
	/* application load balancers alone: */
	int64_t keep_alive_s; /* 0: unchanged */
	enum choice forwards_port, keeps_host, drops_headers, names_cipher, has_http2;
	bool sets_forwarded_for;
	enum balancer_forwarded_for { FORWARDED_APPEND, FORWARDED_PRESERVE, FORWARDED_REMOVE } forwarded_for;
	struct balancer_log_change requests;    /* access logs */
	struct balancer_log_change connections; /* application load balancers alone */
	struct str region_bucket;               /* the only bucket that logs may be written to */
	int64_t log_interval_s;                 /* 0: unchanged */
};
OPERATION(engine_set_elastic_load_balancer, elastic_load_balancer_change)

/* For the reconciler: the outcome of a file of access logs. */
struct access_log_report {
	uuid balancer;
	int64_t delivered_us; /* of access logs; 0: no file was written */
	int64_t connections_delivered_us;
	int64_t lines, connection_lines, dropped;
	int64_t worker, lost; /* the proxy's lost reports that `dropped` includes; worker 0: unchanged */
	bool is_failure;      /* `problem` is about a file, not about requests that are missing in one */
	struct str problem;   /* empty: none */
};
SYSTEM_OPERATION(engine_see_access_log, access_log_report)

/* Replaces the subnets. Fronts of subnets that stay keep their addresses. */
struct elastic_load_balancer_subnets {
	struct ref balancer;
	struct balancer_subnets subnets;
	enum choice is_dualstack;
};
OPERATION(engine_set_elastic_load_balancer_subnets, elastic_load_balancer_subnets)

/* Gives each front an IPv6 address, or takes it away. ERR_INVALID with KIND_SUBNET: a subnet has no IPv6 block.
 * ERR_UNSUPPORTED: a listener of UDP. */
struct elastic_load_balancer_ip_type {
	struct ref balancer;
	bool is_dualstack;
};
OPERATION(engine_set_elastic_load_balancer_ip_type, elastic_load_balancer_ip_type)

/* Adds subnets to a Classic Load Balancer, or removes them. Errors as above. */
struct balancer_subnets_change {
	struct ref balancer;
	struct refs subnets;
	bool is_by_zone; /* the call named zones: the subnets are their default ones */
};
OPERATION(engine_attach_balancer_subnets, balancer_subnets_change)
OPERATION(engine_detach_balancer_subnets, balancer_subnets_change)

/* Replaces the security groups of an application or Classic Load Balancer's fronts. ERR_COMBINATION: a network load balancer has
 * none. */
struct elastic_load_balancer_groups {
	struct ref balancer;
	struct refs groups;
	bool is_classic; /* the call is of the Classic Load Balancers' API */
};
OPERATION(engine_set_elastic_load_balancer_groups, elastic_load_balancer_groups)

/* Deletes the balancer with its listeners. ERR_PROTECTED: deletion protection, unless is_forced. */
struct elastic_load_balancer_target {
	struct ref balancer; /* kind none: nothing to delete */
	bool is_forced;
};
OPERATION(engine_delete_elastic_load_balancer, elastic_load_balancer_target)

/* ---- listeners ---- */

enum balancing_protocol {
	BALANCING_TCP,
	BALANCING_UDP,
	BALANCING_HTTP,
	BALANCING_HTTPS,
	BALANCING_SSL,
	BALANCING_TCP_UDP,
	BALANCING_TLS
};
enum { LISTENER_CERTIFICATES_MAX = 26 }; /* the default one, and 25 more as in ELBv2 */

/* ERR_EXISTS: another listener has the port. ERR_COMBINATION with KIND_LISTENER: the target group has another
 * protocol; with KIND_TARGET_GROUP: it is of another VPC. ERR_IN_USE: it is another load balancer's. ERR_QUOTA. */
struct listener_wish {
	struct ref balancer;
	enum balancing_protocol protocol;
	int64_t port;
	struct rule_action action; /* a network load balancer's: to one target group */
	struct refs certificates;  /* of HTTPS: one */
	struct str tls_policy;     /* of HTTPS and TLS */
	struct str alpn;           /* ALPN policy of TLS; empty: None */
	struct tags tags;
	/* outputs: */
	uuid listener;
};
OPERATION(engine_create_listener, listener_wish)

struct listener_change {
	struct ref listener;
	bool sets_action, sets_protocol;
	struct rule_action action;
	int64_t port; /* 0: unchanged */
	enum balancing_protocol protocol;
	struct refs certificates; /* none: unchanged */
	struct str tls_policy;    /* empty: unchanged */
	bool sets_alpn;
	struct str alpn;
};
OPERATION(engine_change_listener, listener_change)

struct listener_target {
	struct ref listener;
};
OPERATION(engine_delete_listener, listener_target)

/* Adds certificates to an HTTPS listener, beside the default one, or removes them. ERR_STATE with KIND_LISTENER: it is of
 * another protocol. ERR_QUOTA with KIND_SERVER_CERTIFICATE. ERR_COMBINATION: the default one is not removed. */
struct listener_certificates {
	struct ref listener;
	struct refs certificates;
};
OPERATION(engine_add_listener_certificates, listener_certificates)
OPERATION(engine_remove_listener_certificates, listener_certificates)

/* Replaces the attributes that have another value than their standard, each "KEY=VALUE". */
struct listener_attributes {
	struct ref listener;
	struct strs attributes;
};
OPERATION(engine_set_listener_attributes, listener_attributes)
/* A listener that presents the certificate, or NULL. */
const struct listener *engine_find_listener_of_certificate(const struct tables *t, uuid account,
							   uuid certificate);
/* In a change of the certificate: lets the proxies of its listeners take it up. */
RESULT engine_settle_certificate(struct op *op, uuid account, uuid certificate);

/* ---- target groups ---- */

/* A target group of that name with the same settings is returned as it is. ERR_EXISTS; ERR_QUOTA. */
struct target_group_wish {
	struct str name;
	struct ref router;
	enum balancing_protocol protocol;
	bool is_by_ip; /* targets are named by address, not by instance */
	bool is_ipv6;  /* targets have IPv6 addresses */
	int64_t port;
	int64_t interval_s, timeout_s, healthy_threshold, unhealthy_threshold;
	enum balancing_protocol check_protocol; /* TCP, HTTP or HTTPS */
	int64_t check_port;                     /* 0: the target's */
	struct str check_path, matcher;         /* of HTTP and HTTPS */
	struct tags tags;
	/* outputs: */
	uuid target_group;
};
OPERATION(engine_create_target_group, target_group_wish)

/* Values of 0 are unchanged. ERR_COMBINATION: the timeout is not shorter than the interval. */
struct target_group_change {
	struct ref target_group;
	int64_t interval_s, timeout_s, healthy_threshold, unhealthy_threshold;
	bool sets_check_protocol, sets_check_port;
	enum balancing_protocol check_protocol;
	int64_t check_port;
	struct str check_path, matcher; /* empty: unchanged */
	/* attributes: */
	bool sets_delay, sets_slow_start, sets_algorithm;
	int64_t delay_s, slow_start_s, sticky_s; /* sticky_s 0: unchanged */
	enum choice is_sticky, sends_proxy_v2;
	bool sets_cookie_kind, is_by_app_cookie; /* of HTTP and HTTPS: whose cookie makes a client stay */
	struct str cookie;                       /* name of the application's cookie; empty: unchanged */
	enum target_algorithm { TARGETS_ROUND_ROBIN, TARGETS_LEAST_OUTSTANDING, TARGETS_RANDOM } algorithm;
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
	int64_t number;         /* port; 0: the group's */
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
	bool has_code; /* the status of the target's row follows the description in brackets */
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
/* ARN of a certificate of ACM or IAM that listeners present. */
struct str engine_write_certificate_arn(struct arena *a, struct str region, struct str account_number,
					const struct server_certificate *certificate);
/* The row of that kind in the account of c's caller with exactly that ARN, or NULL. */
const struct row *engine_find_balancing_arn(const struct tables *t, const struct ctx *c, struct str region,
					    enum kind kind, struct str arn);
/* Id of the DNS zone that contains the load balancer's name: a digest of the zone's domain. Load balancers of one zone share the
 * id, as in Route 53. */
struct str engine_write_balancer_zone_id(const struct tables *t, struct arena *a,
					 const struct elastic_load_balancer *b);
/* "web-0123456789abcdef.elb.us-east-1.internal", and the part behind the first dot. */
struct str engine_write_balancer_dns_name(const struct tables *t, struct arena *a,
					  const struct elastic_load_balancer *balancer);
struct str engine_get_balancer_domain(const struct tables *t, struct arena *a);
/* "elb.us-east-1.cloud.example.com" of network load balancers, "us-east-1.elb.cloud.example.com" of others, where the setting
 * balancers.domain is cloud.example.com; empty without it. */
struct str engine_get_chosen_balancer_domain(const struct tables *t, struct arena *a, bool is_network);
/* The load balancer with that first label, in lower case, or NULL. */
const struct elastic_load_balancer *engine_find_balancer_label(const struct tables *t, struct str label);
/* True for load balancers, listeners, rules, target groups and targets. */
bool engine_is_balancing_kind(enum kind kind);

/* ---- for the reconciler ---- */

/* True if a listener leads to the group and its targets are checked. */
bool engine_is_checked_group(const struct tables *t, const struct target_group *group);

enum target_fault { TARGET_FAULT_NONE, TARGET_FAULT_MISMATCH, TARGET_FAULT_TIMEOUT, TARGET_FAULT_FAILED };
struct target_probe {
	uuid target;
	bool is_healthy;
	enum target_fault fault;
	int64_t code; /* status that the check was answered with; 0: none */
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

/* The proxy of a load balancer; NULL: the balancer has none. */
const struct proxy *engine_get_proxy(const struct tables *t, uuid balancer);
/* True if OVN cannot serve or check the targets, so that a network load balancer that leads to them has a proxy. */
bool engine_needs_proxy(const struct target_group *g);
/* True if the port is the front of a load balancer with a proxy, which is plugged there. */
bool engine_is_proxied(const struct tables *t, const struct port *port);
/* True if the port is the front of another load balancer, whose address its router implements. */
bool engine_is_router_front(const struct tables *t, const struct port *port);
/* The process was brought to that gen. */
struct proxy_report {
	uuid proxy;
	uint64_t gen;
};
SYSTEM_OPERATION(engine_see_proxy, proxy_report)
