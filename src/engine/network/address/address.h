/* SPDX-License-Identifier: Apache-2.0
 * Public addresses: elastic ones, which accounts allocate, and the reconciler's reports about all of them. */
#pragma once

#include "engine/operation.h"

struct address;

/* Subnet of the external network that contains the public address; none if no subnet does. */
uuid engine_get_external_subnet(const struct tables *t, uuid external_network, struct ip ip);

struct address_wish {
	struct ref account;  /* owner; kind none: the caller's account */
	struct ip ip;        /* none: any free address */
	struct str ip_field; /* parameter that ip came from, for messages about an address prefix */
	/* Address prefix to draw from, which also decides the external network. Kind none: draws from no
	 * prefix, and never an address inside one. */
	struct ref prefix;
	struct ref external_network; /* kind none: any */
	struct ref subnet;           /* restricts the choice to this subnet of external_network; kind none:
				      * any subnet */
	/* Network or router that the address is meant for, at most one of them: the address comes from the
	 * external network of its gateway. ERR_STATE with KIND_GATEWAY: there is no such gateway, or it has
	 * no external network. */
	struct ref for_network, for_router;
	struct str description;
	bool is_guarded; /* inbound traffic needs a port policy that allows it */
	/* Associates the new address with this port, as engine_associate_address() does; kind none: leaves it
	 * unassociated. */
	struct ref port;
	struct ip private_ip;
	struct tags tags;
	/* outputs: */
	uuid address;
	struct ip made_ip;
};
/* Allocates an address. ERR_EXISTS: the requested IP is in use. ERR_RANGE: the requested IP is in no range.
 * ERR_CAPACITY: no address is left. The kind is KIND_ADDRESS, or KIND_ADDRESS_PREFIX if a prefix is named. */
OPERATION(engine_allocate_address, address_wish)

struct address_association {
	struct ref address; /* by id or, with bits = 0, by public IP */
	/* Disassociation only: names the association instead of the address; from id_parse_prefixed(). */
	struct ref association;
	/* Target: port, or the only port of instance. On disassociation, instance is a condition: ERR_STATE
	 * if the address is associated with another one. */
	struct ref instance;
	struct ref port;
	struct ip private_ip;            /* none: the port's primary address */
	enum choice allow_reassociation; /* default: yes, as in EC2's VPCs */
	bool keeps_present;              /* ERR_CONFLICT if the private address already has another public
					  * address */
	bool needs_started;              /* refuses a pending or terminating instance, as EC2 does */
	/* outputs: */
	uuid made; /* association id */
};
/* Associates an address with a port, and releases an auto-assigned address of that port. ERR_CONFLICT with
 * KIND_ADDRESS: reassociation is needed but not allowed. ERR_IN_USE: ports of the address are forwarded.
 * ERR_STATE with KIND_GATEWAY: the VPC has no internet gateway. With needs_started: ERR_CONFLICT with
 * KIND_INSTANCE, or ERR_STATE if the call named the interface. */
OPERATION(engine_associate_address, address_association)
OPERATION(engine_disassociate_address, address_association)

/* Releases an address. ERR_IN_USE: it is associated, or port forwardings use it. */
struct address_target {
	struct ref address;
	bool with_association; /* ends its association, too */
	bool with_forwardings; /* ends its port forwardings and load balancers, too */
};
OPERATION(engine_release_address, address_target)

/* Changes an address's description and association together. Errors as for engine_associate_address(). */
struct address_change {
	struct ref address;
	const struct str *description; /* NULL: unchanged */
	bool sets_port;
	struct ref port; /* kind none: disassociate */
	struct ip private_ip;
};
OPERATION(engine_change_address, address_change)

enum { REVERSE_NAME_MAX = 253 };

/* Sets the PTR name that reverse DNS returns for the address. Nothing checks that the name resolves to the
 * address. */
struct address_name_wish {
	struct ref address;
	struct str name;       /* a trailing dot is ignored; empty: removes the name */
	struct str name_field; /* parameter that name came from */
	/* outputs: */
	uuid made;
	struct str name_before;
};
/* ERR_INVALID with KIND_ADDRESS: not a domain name. */
OPERATION(engine_name_address, address_name_wish)

/* Sets both DNS names of an address; an empty one is removed. The label lives below
 * engine_get_label_domain(), and the resolver of every VPC answers it with the address. With KIND_ADDRESS:
 * ERR_INVALID, a name is malformed; ERR_EXISTS, another address has the label. */
struct address_label_wish {
	struct ref address;
	struct str label;                      /* in any letter case; stored in lower case */
	struct str reverse_name;               /* see engine_name_address() */
	struct str label_field, reverse_field; /* parameters that they came from */
};
OPERATION(engine_label_address, address_label_wish)
/* True for a name of at least two labels without a trailing dot. */
bool engine_is_domain_name(struct str name);
/* Domain that contains the labels, such as "eu-west-1.cloudapp.internal". */
struct str engine_get_label_domain(const struct tables *t, struct arena *a);
/* Live address with the label (lower case), or NULL. */
const struct address *engine_find_label(const struct tables *t, struct str label);

/* Live public address associated with that private address of the port, or NULL. */
const struct address *engine_find_address_for(const struct tables *t, uuid port, struct ip private_ip);
/* The live address with that public IP, or NULL. */
const struct address *engine_find_public_ip(const struct tables *t, struct ip ip);

/* Report of the reconciler: the address's row is deployed at generation gen. OK if the address is gone. */
struct address_report {
	uuid address;
	uint64_t gen;
};
SYSTEM_OPERATION(engine_see_address, address_report)
/* Report of the reconciler: the network no longer has the address, so that its IP may be allocated again.
 * ERR_STATE: the address is not marked deleted. */
SYSTEM_OPERATION(engine_forget_address, address_report)
