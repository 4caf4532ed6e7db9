/* SPDX-License-Identifier: Apache-2.0
 * Port forwardings: ports of an elastic address that lead to network interfaces behind one router. Such an
 * address cannot be associated with a port. The reconciler (reconcile/network/router.c) deploys them with the
 * router. */
#pragma once

#include "engine/operation.h"
#include "model/port_forwarding_words.h"

struct port_forwarding;

/* Each forwarded port costs some dozen flows in the hosts' switches. */
enum { FORWARDED_PORTS_MAX = 500 /* per address */ };

/* Port ranges, from 1 to 65535. The private range is a single port, or as long as the public one. */
struct forwarded_ports {
	int64_t public_first, public_last, private_first, private_last;
};

/* Creates a forwarding. With KIND_PORT_FORWARDING: ERR_INVALID, the ranges do not match; ERR_RANGE,
 * private_ip is not an IPv4 address of the interface; ERR_STATE, the interface is not reachable from the
 * address's external network, or is behind another router than the address's other targets; ERR_CONFLICT,
 * public ports are in use; ERR_QUOTA; with is_alone: ERR_EXISTS, another forwarding leads to the private
 * ports; ERR_IN_USE, the interface has a public address of its own. ERR_CONFLICT with KIND_ADDRESS: the
 * address is associated. */
struct port_forwarding_wish {
	struct ref address;
	bool may_be_source_nat; /* also accepts a router's source NAT address */
	struct ref account;     /* must be the address's owner; kind none: not checked */
	enum port_forwarding_protocol protocol;
	struct forwarded_ports ports;
	/* Target: a port, or an instance. An instance stands for its only port, or for its port in `network`
	 * (by default the network that the address was allocated for), or for the port that has
	 * private_ip. */
	struct ref port, instance, network;
	struct ip private_ip; /* none: the port's primary IPv4 address */
	bool is_alone;
	bool is_even; /* ERR_INVALID unless both ranges have the same length */
	/* Opens the firewall of the network for all sources. Errors as for engine_create_firewall_rule(). */
	bool opens_firewall;
	struct str description;
	struct tags tags;
	/* outputs: */
	uuid forwarding;
};
OPERATION(engine_create_port_forwarding, port_forwarding_wish)

/* Changes a forwarding. Errors as for engine_create_port_forwarding(). */
struct port_forwarding_change {
	struct ref address; /* the forwarding's address, for the lookup; kind none: any */
	struct ref forwarding;
	bool sets_protocol;
	enum port_forwarding_protocol protocol;
	struct forwarded_ports ports; /* 0: unchanged */
	struct ref port, instance;    /* neither given: unchanged */
	struct ip private_ip;         /* none: unchanged, or the primary IPv4 address of a new port */
	bool is_alone;
	bool is_even;                  /* ERR_INVALID unless both ranges have the same length */
	const struct str *description; /* NULL: unchanged */
};
OPERATION(engine_change_port_forwarding, port_forwarding_change)

struct port_forwarding_target {
	struct ref address; /* as in struct port_forwarding_change */
	struct ref forwarding;
};
OPERATION(engine_delete_port_forwarding, port_forwarding_target)

/* Finds a forwarding that the caller sees, of the address if one is named. ERR_NOT_FOUND. */
RESULT engine_find_forwarding_of(struct ctx *c, const struct tables *t, const struct ref *ref,
				 const struct ref *address, const struct port_forwarding **ret_forwarding);
/* Router that the address's forwardings and load balancers lead to; none if there are none. */
uuid engine_get_forwarding_router(const struct tables *t, uuid address);
