/* SPDX-License-Identifier: Apache-2.0
 * Port forwardings: ports of an elastic address, which then stands for no port by itself, lead to network
 * interfaces behind one router. What happens next: reconcile/router.c makes them with the router. */
#pragma once

#include "engine/operation.h"
#include "model/port_forwarding.h"

/* Each forwarded port costs the hosts' switches some dozen flows. */
enum { FORWARDED_PORTS_MAX = 500 /* of an address */ };

/* Each from 1 to 65535. One private port for all public ones, or as many. */
struct forwarded_ports {
	int64_t public_first, public_last, private_first, private_last;
};

/* Forwards ports. With KIND_PORT_FORWARDING: ERR_INVALID, the ports do not fit each other; ERR_RANGE, the
 * private address is none of the interface's, or of IPv4; ERR_STATE, the interface is not reached from where the
 * address is, or not by the router of its other forwardings; ERR_CONFLICT, public ports are forwarded already;
 * ERR_QUOTA; and where it is to be alone: ERR_EXISTS, another forwarding leads to its private ports; ERR_IN_USE,
 * the interface has a public address of its own. ERR_CONFLICT with KIND_ADDRESS: the address is associated. */
struct port_forwarding_wish {
	struct ref address;
	bool may_be_source_nat; /* the address under which a router's subnets reach out is fine, too */
	struct ref account;     /* the address's, or kind none */
	enum port_forwarding_protocol protocol;
	struct forwarded_ports ports;
	/* A port; or an instance: its only one, or the one in the network, which is the one that the address was taken
	 * for where none is named, or with the private address. */
	struct ref port, instance, network;
	struct ip private_ip; /* none: the port's first of IPv4 */
	bool is_alone;
	bool is_even; /* else ERR_INVALID: there are as many private ports as public ones */
	/* Everybody may use it, where the network has a firewall. Errors as of engine_create_firewall_rule(). */
	bool opens_firewall;
	struct str description;
	struct tags tags;
	/* made: */
	uuid forwarding;
};
OPERATION(engine_create_port_forwarding, port_forwarding_wish)

/* Changes one. Errors as above. */
struct port_forwarding_change {
	struct ref address; /* whose it is, else it is not found; kind none: any */
	struct ref forwarding;
	bool sets_protocol;
	enum port_forwarding_protocol protocol;
	struct forwarded_ports ports; /* 0: as it is */
	struct ref port, instance;    /* neither: as it is */
	struct ip private_ip;         /* none: as it is, or of another port its first of IPv4 */
	bool is_alone;
	bool is_even;                  /* else ERR_INVALID: there are as many private ports as public ones */
	const struct str *description; /* NULL: as it is */
};
OPERATION(engine_change_port_forwarding, port_forwarding_change)

struct port_forwarding_target {
	struct ref address; /* as above */
	struct ref forwarding;
};
OPERATION(engine_delete_port_forwarding, port_forwarding_target)

/* Finds one that the caller sees; of that address, if one is named. ERR_NOT_FOUND. */
RESULT engine_find_forwarding_of(struct ctx *c, const struct tables *t, const struct ref *ref,
				 const struct ref *address, const struct port_forwarding **ret_forwarding);
/* The router behind which ports of the address lead, also by load balancers; none: they lead nowhere. */
uuid engine_get_forwarding_router(const struct tables *t, uuid address);
