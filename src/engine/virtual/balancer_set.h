/* SPDX-License-Identifier: Apache-2.0
 * Sets of load balancers, called load balancers in Azure: rules, each for a port of a frontend address
 * (load_balancer.h); named pools of members; and ports that lead to a single interface (port_forwarding.h).
 * They are created, changed and deleted together. */
#pragma once

#include "engine/operation.h"
#include "model/load_balancer_words.h"
#include "model/port_forwarding_words.h"

enum { BALANCER_RULES_MAX = 250 };

/* A private frontend: an address in a subnet. */
struct balancer_front {
	struct str name;
	struct ref subnet;
	struct ip ip; /* none: any */
};

struct balancer_rule {
	struct str name;
	struct ref address; /* public frontend; or kind none, and */
	struct str front;   /* the private frontend's name */
	enum load_balancer_protocol protocol;
	enum load_balancer_algorithm algorithm;
	int64_t public_port, private_port;
	struct str pool;                    /* lower case; empty: none yet */
	bool is_unasked;                    /* no health probe */
	int64_t ask_interval, ask_failures; /* probe interval in seconds, and failures in a row; 0: the
					     * platform's default */
};

/* An inbound port that leads to the interface that claims it. */
struct balancer_inward {
	struct str name;
	struct ref address;
	enum port_forwarding_protocol protocol;
	int64_t public_port, private_port;
};

/* Creates a set, or changes its rules. Errors of a new interface's address, engine_create_load_balancer() and
 * engine_change_port_forwarding(). */
struct balancer_set_wish {
	struct ref set; /* kind none: creates a set */
	struct str name;
	const struct balancer_front *fronts; /* the full list of private frontends */
	size_t front_count;
	const struct balancer_rule *rules;
	size_t rule_count;
	const struct balancer_inward
		*inwards; /* the full list of inbound ports; one that no interface claims has no effect */
	size_t inward_count;
	struct strs pools; /* the full list of pools, lower case; members of other pools are removed */
	/* result: */
	uuid made;
};
OPERATION(engine_put_balancer_set, balancer_set_wish)

/* Deletes a set with its rules; its addresses become free. */
struct balancer_set_target {
	struct ref set;
};
OPERATION(engine_delete_balancer_set, balancer_set_target)

/* Sets the full list of pools that one address of an interface is in, and of inbound ports that lead to it.
 * ERR_STATE with KIND_LOAD_BALANCER: the pool's frontend cannot reach the interface, or its members are
 * behind another router. */
struct balanced_pool {
	struct ref set;
	struct str pool;
};
struct balanced_inward {
	struct ref set;
	struct balancer_inward rule;
};
struct balanced_wish {
	struct ref port;
	struct ip private_ip;
	const struct balanced_pool *pools;
	size_t pool_count;
	const struct balanced_inward *inwards;
	size_t inward_count;
};
OPERATION(engine_balance_port, balanced_wish)

/* ---- private frontends, for any tables ---- */

struct port;
struct tables;

/* The port of a set's private frontend with that name, or NULL. */
const struct port *engine_find_front(const struct tables *t, uuid set, struct str name);
/* True if the port is a private frontend's, or a front of a network load balancer: it cannot be attached, and only
 * its load balancer may change it. */
bool engine_is_front(const struct tables *t, const struct port *port);
