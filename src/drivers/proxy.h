/* SPDX-License-Identifier: Apache-2.0
 * The proxy driver's contract: processes that implement load balancers. drivers/haproxy runs HAProxy on this
 * machine, each proxy in a network namespace of its own; drivers/sim stores its configuration in memory.
 *
 * Rules for every call:
 *
 * 1. Threads. Calls about one proxy come one after another; calls about different proxies may be concurrent.
 * 2. Time. A call blocks for as long as the process takes to start or to read its configuration, at most some seconds.
 * 3. Apply. apply() gets the complete wish, compares it with what runs, and changes what differs. Established requests
 *    are not lost. It keeps no memory of earlier calls: a proxy outlives dari, and is found by its files.
 * 4. Repetition. Every call may be repeated, also after a failure and after a crash of dari.
 * 5. Absence. remove() of a proxy that doesn't exist is OK. see() and count() of one fail with ERR_GONE.
 * 6. Memory. All pointers are borrowed until the call returns. Results are in the context's arena. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"

struct elastic_load_balancer;
struct l7_rule;
struct listener;
struct listener_rule;
struct target;
struct target_group;

/* A driver's state; each driver defines its own. */
struct proxies;

/* A network interface of the proxy, in one of its balancer's subnets. */
struct proxy_link {
	uuid port; /* the switch port's name */
	struct mac mac;
	/* ip none: the link has IPv6 alone. ip6 none: the link has IPv4 alone. */
	struct ip ip, gateway;
	struct cidr subnet;
	uuid zone; /* the subnet's; none: all zones */
	struct ip ip6, gateway6;
	struct cidr subnet6;
	const struct cidr *routes6; /* blocks behind gateway6, to which answers may go */
	size_t route6_count;
};

/* A certificate and its key for servers of TLS. */
struct proxy_certificate {
	uuid id;
	struct str pem; /* the certificate, its chain, its private key */
};

struct proxy_forward {
	const struct target_group *group;
	int64_t weight;
};
struct proxy_rule {
	const struct listener_rule *rule;
	const struct proxy_forward *forwards; /* if the rule forwards */
	size_t forward_count;
	const struct l7_rule *const *l7_rules; /* enabled rules, if the rule is an L7 policy of Octavia */
	size_t l7_rule_count;
};
struct proxy_listener {
	const struct listener *listener;
	const struct proxy_rule *rules; /* by priority, the default rule last */
	size_t rule_count;
	/* Classic Load Balancers have policies instead of rules: */
	bool is_sticky;          /* by a cookie of the balancer's, or by app_cookie */
	int64_t sticky_s;        /* 0: for as long as the browser keeps it */
	struct str app_cookie;   /* cookie of the application that decides; empty: none */
	bool has_proxy_protocol; /* servers get the client's address in a header of the PROXY protocol */
};

struct proxy_server {
	uuid target;
	struct ip ip;
	int64_t port; /* 0: the listener's instance port */
	uuid zone;    /* none: all zones */
	bool is_new;  /* gets no requests until proxies_admit(), or its checks say that it is healthy */
	const struct target *member; /* of Octavia: its weight and the like; NULL: another balancer's */
};
struct proxy_group {
	const struct target_group *group;
	const struct proxy_server *servers; /* those that get new requests */
	size_t server_count;
};

/* A complete proxy. */
struct proxy_wish {
	uuid id;
	const struct elastic_load_balancer *balancer;
	const struct proxy_link *links;
	size_t link_count;
	const struct proxy_listener *listeners;
	size_t listener_count;
	const struct proxy_group *
		groups; /* each once, with all that rules or listeners forward to; a Classic Load Balancer's one */
	size_t group_count;
	const struct proxy_certificate *certificates; /* each once */
	size_t certificate_count;
};

enum proxy_health { PROXY_UNCHECKED, PROXY_UP, PROXY_DOWN };
enum proxy_fault { PROXY_FAULT_NONE, PROXY_FAULT_MISMATCH, PROXY_FAULT_TIMEOUT, PROXY_FAULT_FAILED };
struct proxy_server_state {
	uuid target;
	enum proxy_health health;
	enum proxy_fault fault; /* why the last check failed */
	int64_t code;           /* status of the last check; 0: none */
	bool is_rising;         /* down, but its last check has succeeded */
};

/* Figures of a listener of Octavia since its worker started. A reload starts another worker, whose figures begin at 0. */
struct proxy_listener_state {
	uuid listener;
	int64_t worker; /* the worker's process id */
	int64_t active, total, bytes_in, bytes_out, errors;
};

/* Starts the proxy, or brings it to the wish. ERR_AGAIN: the network isn't ready. ERR_INVALID, with words: the process
 * refuses its configuration, and goes on with the former one. */
typedef RESULT proxies_apply(struct proxies *p, struct ctx *c, const struct proxy_wish *wish);

/* Ends the proxy, and removes its files and its namespace. */
typedef RESULT proxies_remove(struct proxies *p, struct ctx *c, uuid proxy);

/* Reads the health of the targets. ERR_GONE: the process does not run. */
typedef RESULT proxies_see(struct proxies *p, struct ctx *c, uuid proxy,
			   struct proxy_server_state **ret_states, size_t *ret_count);

/* Has a new server take requests: one check has succeeded. ERR_GONE: the process does not run. */
typedef RESULT proxies_admit(struct proxies *p, struct ctx *c, uuid proxy, uuid group, uuid target);

/* Reads the figures of the listeners of a load balancer of Octavia. ERR_GONE: the process does not run. */
typedef RESULT proxies_count(struct proxies *p, struct ctx *c, uuid proxy,
			     struct proxy_listener_state **ret_states, size_t *ret_count);

/* First word of a report about a request; "access_line.c" knows the others. */
#define ACCESS_MARK "dari1"

/* Opens the socket at which a proxy with access logs reports its requests, one a datagram; the caller closes it. Reports that are sent
 * meanwhile, or faster than they are read, are lost. ERR_GONE: the proxy has no directory yet. */
typedef RESULT proxies_open_log(struct proxies *p, struct ctx *c, uuid proxy, int *ret_fd);

/* Reads how many reports the proxy has lost since its worker started. ERR_GONE: the process does not run. */
struct proxy_log_state {
	int64_t worker; /* the worker's process id */
	int64_t lost;
	bool has_socket; /* false: somebody removed it, and it has to be opened again */
};
typedef RESULT proxies_see_log(struct proxies *p, struct ctx *c, uuid proxy,
			       struct proxy_log_state *ret_state);

/* Frees the driver. Proxies go on. */
typedef void proxies_close(struct proxies *p);

struct proxy_driver {
	proxies_apply *apply;
	proxies_remove *remove;
	proxies_see *see;
	proxies_admit *admit;
	proxies_count *count;
	proxies_open_log *open_log;
	proxies_see_log *see_log;
	proxies_close *close;
};

/* A driver: its functions, and their first argument. driver NULL: this region runs no proxies. */
struct proxy_handle {
	const struct proxy_driver *driver;
	struct proxies *self;
};

struct haproxy_config {
	struct str directory; /* files of proxies; made with mode 0700 */
	struct str ovsdb;     /* the local Open vSwitch: "unix:/run/openvswitch/db.sock" */
	uuid region;          /* half of the mark */
	struct str units; /* directory of links for the units dari-balancer@ID.service, in which systemd runs
			       * the processes; empty: they are children of this process */
};
/* Opens the HAProxy driver. Connects on demand. */
RESULT haproxy_open(struct ctx *c, const struct haproxy_config *config, struct proxy_handle *ret_proxies);

/* Opens the simulation. */
RESULT proxy_sim_open(struct ctx *c, struct proxy_handle *ret_proxies);
