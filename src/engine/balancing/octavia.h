/* SPDX-License-Identifier: Apache-2.0
 * Load balancers of Octavia: a row of elastic_load_balancer with one front, whose pools are target groups that belong to
 * the balancer, and whose members are targets without an interface. A pool's row contains its health monitor. A proxy
 * implements all of them, as it does application load balancers; drivers/haproxy/config_octavia.c writes its configuration.
 * Words are Octavia's own: "ROUND_ROBIN". Called by: api/openstack/load_balancer.
 *
 * A change sets the gen of the balancer's proxy as proxy_gen of the rows that it concerns. They are pending until the
 * reconciler reports that gen, and until then every further change fails with ERR_STATE of KIND_PROXY. */
#pragma once

#include "engine/balancing/balancing.h"

struct elastic_load_balancer;
struct l7_rule;
struct listener;
struct listener_rule;
struct target;
struct target_group;

enum { OCTAVIA_NESTED_MAX = 50, OCTAVIA_MEMBERS_MAX = 200, OCTAVIA_TEXT_MAX = 255 };

/* ---- members ---- */

struct octavia_member {
	struct str name;
	bool is_down, is_backup;
	struct ip address, check_ip;
	int64_t number, check_number; /* ports; check_number 0: the member's */
	int64_t weight;
	struct ref subnet;
	struct tags tags;
	struct strs words; /* tags as the face reads them */
};
struct octavia_members {
	struct octavia_member *at;
	size_t count;
};

/* ERR_EXISTS with KIND_TARGET: another member has the address and the port. ERR_INVALID, ERR_UNSUPPORTED: the address
 * cannot be a member's. ERR_QUOTA. */
struct octavia_member_wish {
	struct ref pool;
	struct octavia_member member;
	/* outputs: */
	uuid made;
};
OPERATION(engine_create_octavia_member, octavia_member_wish)

/* Pointers that are NULL leave a value as it is. */
struct octavia_member_change {
	struct ref pool, member;
	const struct str *name;
	enum choice is_down, is_backup;
	const int64_t *weight, *check_number;
	const struct ip *check_ip;
	const struct strs *words;
	struct tags tags; /* of words */
};
OPERATION(engine_change_octavia_member, octavia_member_change)

struct octavia_member_target {
	struct ref pool, member;
};
OPERATION(engine_delete_octavia_member, octavia_member_target)

/* Replaces all members, or with is_additive adds and changes those named. A member is known by address and port. */
struct octavia_batch {
	struct ref pool;
	struct octavia_members members;
	bool is_additive;
};
OPERATION(engine_put_octavia_members, octavia_batch)

/* ---- pools and their health monitors ---- */

struct octavia_monitor {
	struct str name, type; /* type empty: no monitor */
	bool is_down;
	int64_t delay, timeout, max_retries, max_retries_down;
	struct str method, path, codes, version, host;
	struct tags tags;
	struct strs words;
};

struct octavia_persistence {
	struct str type, cookie; /* type empty: none */
};

struct octavia_pool {
	struct str name, description, protocol, algorithm;
	bool is_down, is_tls;
	struct octavia_persistence persistence;
	struct octavia_members members;
	struct octavia_monitor monitor;
	struct tags tags;
	struct strs words;
};
struct octavia_pools {
	struct octavia_pool *at;
	size_t count;
};

/* `balancer` or `listener` is given; a listener gets the pool as its default. ERR_EXISTS with KIND_LISTENER: the
 * listener has one already. ERR_COMBINATION: the protocols do not fit. ERR_QUOTA. */
struct octavia_pool_wish {
	struct ref balancer, listener;
	struct octavia_pool pool;
	/* outputs: */
	uuid made;
};
OPERATION(engine_create_octavia_pool, octavia_pool_wish)

struct octavia_pool_change {
	struct ref pool;
	const struct str *name, *description;
	enum choice is_down, is_tls;
	struct str algorithm; /* empty: unchanged */
	bool sets_persistence;
	struct octavia_persistence persistence;
	const struct strs *words;
	struct tags tags; /* of words */
};
OPERATION(engine_change_octavia_pool, octavia_pool_change)

struct octavia_pool_target {
	struct ref pool;
};
OPERATION(engine_delete_octavia_pool, octavia_pool_target)

/* ERR_EXISTS with KIND_TARGET_GROUP: the pool has a monitor. */
struct octavia_monitor_wish {
	struct ref pool;
	struct octavia_monitor monitor;
	/* outputs: */
	uuid made; /* the pool's id, which is the monitor's, too */
};
OPERATION(engine_create_octavia_monitor, octavia_monitor_wish)

struct octavia_monitor_change {
	struct ref monitor; /* the pool's id */
	const struct str *name, *method, *path, *codes, *version, *host;
	enum choice is_down;
	const int64_t *delay, *timeout, *max_retries, *max_retries_down;
	const struct strs *words;
	struct tags tags; /* of words */
};
OPERATION(engine_change_octavia_monitor, octavia_monitor_change)

struct octavia_monitor_target {
	struct ref monitor;
};
OPERATION(engine_delete_octavia_monitor, octavia_monitor_target)

/* ---- listeners ---- */

/* A certificate that the face has read from Barbican: PEM texts, the key sealed to the id. is_packed: the body is a PKCS #12 file,
 * which the face's work unpacks. */
struct octavia_certificate {
	struct str ref; /* as the user gave it */
	uuid id;
	struct uuids secrets; /* read for it */
	struct str body, chain, key;
	bool is_packed;
	int64_t from_us, until_us;
};
struct octavia_certificates {
	struct octavia_certificate *at;
	size_t count;
};
enum { OCTAVIA_SNI_MAX = LISTENER_CERTIFICATES_MAX - 1 };

struct octavia_l7_policy_wish;
struct octavia_l7_policies {
	struct octavia_l7_policy_wish *at;
	size_t count;
};

struct octavia_listener {
	struct str name, description, protocol;
	bool is_down;
	int64_t port, connection_limit; /* limit -1: none */
	struct ref default_pool;
	bool has_pool;
	struct octavia_pool pool;  /* if has_pool: a new default pool, or the name of one of the balancer's */
	struct strs headers;       /* "X-Forwarded-For=true" */
	struct tags given_headers; /* the same as the face reads them, and the next */
	struct strs allowed;
	struct cidrs sources;
	int64_t client_ms, connect_ms, member_ms, inspect_ms;
	struct str tls_ref; /* default_tls_container_ref, and sni_container_refs */
	struct strs sni_refs;
	struct octavia_certificates certificates; /* of these, the default one first */
	struct octavia_l7_policies policies;
	struct tags tags;
	struct strs words;
};
struct octavia_listeners {
	struct octavia_listener *at;
	size_t count;
};

/* ERR_EXISTS: another listener has the port. ERR_COMBINATION: the pool's protocol does not fit. ERR_IN_USE with
 * KIND_TARGET_GROUP: the pool is another balancer's. ERR_QUOTA. */
struct octavia_listener_wish {
	struct ref balancer;
	struct octavia_listener listener;
	/* outputs: */
	uuid made;
};
OPERATION(engine_create_octavia_listener, octavia_listener_wish)

struct octavia_listener_change {
	struct ref listener;
	const struct str *name, *description;
	enum choice is_down;
	const int64_t *connection_limit, *client_ms, *connect_ms, *member_ms, *inspect_ms;
	bool sets_pool, sets_headers, sets_sources, sets_sni;
	struct str tls_ref; /* empty: unchanged */
	struct strs sni_refs;
	struct octavia_certificates certificates; /* of those that are given, the default one first */
	struct ref default_pool;                  /* kind none, or 0 bits: none */
	struct strs headers;
	struct cidrs sources;
	const struct strs *words;
	struct tags tags; /* of words */
};
OPERATION(engine_change_octavia_listener, octavia_listener_change)

struct octavia_listener_target {
	struct ref listener;
};
OPERATION(engine_delete_octavia_listener, octavia_listener_target)

/* ---- L7 policies and their rules ---- */

enum { OCTAVIA_POSITION_MAX = INT32_MAX, OCTAVIA_L7_RULES_MAX = 50 };

/* key: the name of a header or a cookie. */
struct octavia_l7_rule {
	struct str type, compare, key, value;
	bool is_inverted, is_down;
	struct tags tags;
	struct strs words;
};
struct octavia_l7_rules {
	struct octavia_l7_rule *at;
	size_t count;
};

/* The target of a policy's action; members that are not given are empty. code 0: none. */
struct octavia_l7_action {
	struct str word; /* "REDIRECT_TO_POOL", …; empty in an update that leaves it */
	struct ref pool;
	struct str url, prefix;
	int64_t code;
};

/* position: place among the listener's policies, from 1; one behind the last place means the last. ERR_INVALID: the action
 * lacks its target, or has two. ERR_NOT_FOUND: the pool is another balancer's. ERR_QUOTA. */
struct octavia_l7_policy_wish {
	struct ref listener; /* for a policy that is created by itself */
	bool has_pool;
	struct octavia_pool
		pool; /* for a policy nested in a listener: a new pool, or the name of one of the balancer's pools */
	struct str name, description;
	bool is_down;
	struct octavia_l7_action action;
	int64_t position;
	struct octavia_l7_rules rules;
	struct tags tags;
	struct strs words;
	/* outputs: */
	uuid made;
};
OPERATION(engine_create_l7_policy, octavia_l7_policy_wish)

struct octavia_l7_policy_change {
	struct ref policy;
	const struct str *name, *description;
	enum choice is_down;
	struct octavia_l7_action action;
	int64_t position; /* 0: unchanged */
	const struct strs *words;
	struct tags tags; /* of words */
};
OPERATION(engine_change_l7_policy, octavia_l7_policy_change)

struct octavia_l7_policy_target {
	struct ref policy;
};
OPERATION(engine_delete_l7_policy, octavia_l7_policy_target)

/* ERR_INVALID: the type, the comparison, the key and the value do not go together. ERR_QUOTA. */
struct octavia_l7_rule_wish {
	struct ref policy;
	struct octavia_l7_rule rule;
	/* outputs: */
	uuid made;
};
OPERATION(engine_create_l7_rule, octavia_l7_rule_wish)

/* Empty words and pointers that are NULL leave a value. is_inverted is false if it is not given, as in Octavia. */
struct octavia_l7_rule_change {
	struct ref policy, rule;
	struct str type, compare;
	const struct str *key, *value;
	bool is_inverted;
	enum choice is_down;
	const struct strs *words;
	struct tags tags; /* of words */
};
OPERATION(engine_change_l7_rule, octavia_l7_rule_change)

struct octavia_l7_rule_target {
	struct ref policy, rule;
};
OPERATION(engine_delete_l7_rule, octavia_l7_rule_target)

/* ---- load balancers ---- */

/* `port`, `network` or `subnet` says where the front is. ERR_MISSING: none does. ERR_IN_USE with KIND_PORT: the port
 * has a device. ERR_UNSUPPORTED: it has no IPv4 address. ERR_CAPACITY; ERR_QUOTA. */
struct octavia_balancer_wish {
	struct ref account; /* kind none: the caller's */
	struct str name, description, provider;
	bool is_down;
	struct ref port, network, subnet;
	struct ip address;
	struct octavia_listeners listeners;
	struct octavia_pools pools;
	struct tags tags;
	struct strs words;
	/* outputs: */
	uuid balancer;
};
OPERATION(engine_create_octavia_balancer, octavia_balancer_wish)

struct octavia_balancer_change {
	struct ref balancer;
	const struct str *name, *description;
	enum choice is_down;
	const struct strs *words;
	struct tags tags; /* of words */
};
OPERATION(engine_change_octavia_balancer, octavia_balancer_change)

/* ERR_IN_USE: it has listeners or pools, unless is_cascading. */
struct octavia_balancer_target {
	struct ref balancer;
	bool is_cascading;
};
OPERATION(engine_delete_octavia_balancer, octavia_balancer_target)

/* Starts another process in place of the present one. */
OPERATION(engine_fail_over_octavia_balancer, octavia_balancer_target)

/* ---- statistics ---- */

struct octavia_figures {
	int64_t active_connections, total_connections, bytes_in, bytes_out, request_errors;
};
/* Figures of a listener, since its worker (a process id) started. */
struct octavia_reading {
	uuid listener;
	int64_t worker;
	struct octavia_figures figures;
};
struct octavia_readings {
	uuid proxy;
	const struct octavia_reading *at;
	size_t count;
};
/* Adds what the listeners of a proxy counted since the last report. */
SYSTEM_OPERATION(engine_count_octavia, octavia_readings)
/* True if such a report changes the proxy's row. */
bool octavia_has_news(struct ctx *c, const struct tables *t, const struct octavia_readings *readings);
/* Adds the figures of a listener to a sum. */
void octavia_add_figures(const struct tables *t, const struct listener *l, struct octavia_figures *sum);

/* ---- reading ---- */

/* True for a load balancer of Octavia; false for NULL. */
bool octavia_is_balancer(const struct elastic_load_balancer *b);
/* True for a pool of Octavia; false for NULL. */
bool octavia_is_pool(const struct target_group *group);
/* True for rows of Octavia, which other APIs do not show. */
bool engine_is_of_octavia(const struct tables *t, enum kind kind, const struct row *row);
/* True if the port is a balancer's front, which may have a floating address. */
bool engine_is_octavia_front(const struct tables *t, const struct port *port);
/* The interface of the balancer; NULL: it is gone. */
const struct port *octavia_get_front(const struct tables *t, const struct elastic_load_balancer *b);

/* A listener's connection_limit in the row as Octavia shows it, and the reverse: 0 in the row is -1 in Octavia, and -1 is 0. Both mean
 * that there is no limit. */
int64_t octavia_swap_limit(int64_t limit);

/* "ACTIVE", "PENDING_UPDATE", …; balancers by the state of their proxy, parts also by proxy_gen. */
const char *octavia_get_provisioning(const struct tables *t, const struct elastic_load_balancer *b);
const char *octavia_get_part_provisioning(const struct tables *t, uuid balancer, int64_t proxy_gen,
					  bool is_new);
/* "ONLINE", "NO_MONITOR", … */
const char *octavia_get_balancer_operating(const struct tables *t, const struct elastic_load_balancer *b);
const char *octavia_get_listener_operating(const struct tables *t, const struct listener *l);
const char *octavia_get_pool_operating(const struct tables *t, const struct target_group *group);
const char *octavia_get_member_operating(const struct tables *t, const struct target *target);
const char *octavia_get_monitor_operating(const struct tables *t, const struct target_group *group);
const char *octavia_get_policy_operating(const struct tables *t, const struct listener_rule *policy);
const char *octavia_get_rule_operating(const struct tables *t, const struct l7_rule *rule);

/* Octavia's word of a policy's action. */
const char *octavia_get_action(const struct listener_rule *policy);
/* The pool that a policy leads to; none: it has another action. */
uuid octavia_get_policy_pool(const struct tables *t, uuid policy);
