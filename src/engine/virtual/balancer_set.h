/* SPDX-License-Identifier: Apache-2.0
 * Sets of load balancers, which Azure calls load balancers: rules that each are a port of a public address (load_balancer.h), pools
 * by name whose members they lead to, and ports that lead to one interface (port_forwarding.h). They are made, changed and deleted
 * together. */
#pragma once

#include "engine/operation.h"
#include "model/load_balancer.h"
#include "model/port_forwarding.h"

enum { BALANCER_RULES_MAX = 250 };

/* A private frontend: an address of a subnet. */
struct balancer_front {
	struct str name;
	struct ref subnet;
	struct ip ip; /* none: any */
};

struct balancer_rule {
	struct str name;
	struct ref address; /* or kind none, and */
	struct str front;   /* the private frontend's name */
	enum load_balancer_protocol protocol;
	enum load_balancer_algorithm algorithm;
	int64_t public_port, private_port;
	struct str pool;                    /* in small letters; empty: none yet */
	bool is_unasked;                    /* no member is asked whether it answers */
	int64_t ask_interval, ask_failures; /* in seconds, and in a row; 0: as the platform has it */
};

/* A port that leads to whichever interface says that it is to. */
struct balancer_inward {
	struct str name;
	struct ref address;
	enum port_forwarding_protocol protocol;
	int64_t public_port, private_port;
};

/* Makes a set, or says which rules one has. Errors as of a new interface's address, and as of engine_create_load_balancer() and engine_change_port_forwarding(). */
struct balancer_set_wish {
	struct ref set; /* kind none: a new one */
	struct str name;
	const struct balancer_front *fronts; /* its private ones, all there are */
	size_t front_count;
	const struct balancer_rule *rules;
	size_t rule_count;
	const struct balancer_inward
		*inwards; /* what leads inwards: of those that no interface has, nothing is there */
	size_t inward_count;
	struct strs pools; /* all of its pools, in small letters: members of others are no more */
	/* made: */
	uuid made;
};
OPERATION(engine_put_balancer_set, balancer_set_wish)

/* Deletes a set with its rules; its addresses are free. */
struct balancer_set_target {
	struct ref set;
};
OPERATION(engine_delete_balancer_set, balancer_set_target)

/* In which pools one of an interface's addresses is, and what leads to it; all there are. ERR_STATE with KIND_LOAD_BALANCER:
 * the pool's addresses are not reached from there, or are behind another router. */
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

/* ---- private frontends, on any tables ---- */

struct port;
struct tables;

/* The port of a set's private frontend; NULL: it has none of that name. */
const struct port *engine_find_front(const struct tables *t, uuid set, struct str name);
/* Whether a port is a private frontend's: nothing is plugged there, and it is its set's alone to change. */
bool engine_is_front(const struct tables *t, const struct port *port);
