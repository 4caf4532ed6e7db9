/* SPDX-License-Identifier: Apache-2.0
 * Public addresses: elastic ones, and what the network has done with all of them. */
#pragma once

#include "engine/operation.h"

struct address;

/* The subnet of an external network that one of its public addresses is from; none: of no subnet. */
uuid engine_get_external_subnet(const struct tables *t, uuid external_network, struct ip ip);

struct address_wish {
	struct ref account;  /* the account that shall own it; kind none: the caller's */
	struct ip ip;        /* none: any free one */
	struct str ip_field; /* for messages about that, of a prefix */
	/* The block of addresses to draw it from, which says where it is; kind none: none, and no address of one. */
	struct ref prefix;
	struct ref external_network; /* kind none: any */
	struct ref subnet;           /* in that one of it; kind none: in any */
	/* What it is taken for, one of the two or neither: it comes from where that leads. ERR_STATE with KIND_GATEWAY: it leads
	 * nowhere. */
	struct ref for_network, for_router;
	struct str description;
	bool is_guarded; /* nothing comes in by it unless a port policy lets it */
	/* To associate it with at once, as engine_associate_address() does; kind none: it stays
	 * free. */
	struct ref port;
	struct ip private_ip;
	struct tags tags;
	/* made: */
	uuid address;
	struct ip made_ip;
};
/* Allocates an address. ERR_EXISTS: that IP is taken. ERR_RANGE: it is in no range. ERR_CAPACITY:
 * none is left. With KIND_ADDRESS_PREFIX the same of the block named. */
OPERATION(engine_allocate_address, address_wish)

struct address_association {
	struct ref address; /* by id or, with bits = 0, by public IP */
	/* Disassociate only, instead of address; from id_parse_prefixed(). */
	struct ref association;
	/* The instance's only port, or port; disassociate: ERR_STATE if it is associated
	 * elsewhere. */
	struct ref instance;
	struct ref port;
	struct ip private_ip;            /* none: the port's */
	enum choice allow_reassociation; /* default: yes, as in EC2's VPCs */
	bool keeps_present;              /* ERR_CONFLICT if the private address has another public one */
	bool needs_started;              /* as EC2 has it: not with an instance that is pending or ends */
	/* made: */
	uuid made; /* the association's id */
};
/* Associates an address with a port. An address of the port that was assigned automatically is
 * released. ERR_CONFLICT with KIND_ADDRESS: it is associated elsewhere, and may not move. ERR_IN_USE:
 * ports of it are forwarded. ERR_STATE with KIND_GATEWAY: the VPC has no internet gateway. needs_started:
 * ERR_CONFLICT with KIND_INSTANCE, or ERR_STATE where the interface was named. */
OPERATION(engine_associate_address, address_association)
OPERATION(engine_disassociate_address, address_association)

/* Releases an address. ERR_IN_USE: it is associated, or ports of it are forwarded. */
struct address_target {
	struct ref address;
	bool with_association; /* which ends */
	bool with_forwardings; /* which end, and load balancers */
};
OPERATION(engine_release_address, address_target)

/* Changes an address's description and its port in one change. Errors as for an association. */
struct address_change {
	struct ref address;
	const struct str *description; /* NULL: as it is */
	bool sets_port;
	struct ref port; /* kind none: it is to stand for nothing */
	struct ip private_ip;
};
OPERATION(engine_change_address, address_change)

enum { REVERSE_NAME_MAX = 253 };

/* The domain name that reverse DNS gives for the address. Nobody checks that the name leads to the
 * address. */
struct address_name_wish {
	struct ref address;
	struct str name;       /* a dot at its end is ignored; empty: none */
	struct str name_field; /* for messages about that */
	/* made: */
	uuid made;
	struct str name_before;
};
/* ERR_INVALID with KIND_ADDRESS: it is no domain name. */
OPERATION(engine_name_address, address_name_wish)

/* Says which names an address has; empty: none. The label is below the region's domain of labels (engine_get_label_domain()), and
 * leads to the address from each VPC with a resolver. With KIND_ADDRESS: ERR_INVALID, a name is none; ERR_EXISTS, the label is another
 * address's. */
struct address_label_wish {
	struct ref address;
	struct str label;                      /* any letter case */
	struct str reverse_name;               /* as engine_name_address() has it */
	struct str label_field, reverse_field; /* for messages about them */
};
OPERATION(engine_label_address, address_label_wish)
/* "eu-west-1.cloudapp.internal": below it are the labels of public addresses. */
struct str engine_get_label_domain(const struct tables *t, struct arena *a);
/* Whose label it is, in small letters; NULL: nobody's. */
const struct address *engine_find_label(const struct tables *t, struct str label);

/* The live address that stands for that private address of the port, or NULL. */
const struct address *engine_find_address_for(const struct tables *t, uuid port, struct ip private_ip);
/* The live address with that public IP, or NULL. */
const struct address *engine_find_public_ip(const struct tables *t, struct ip ip);

/* For the reconciler. gen is that of the row that was carried out. Absent: OK. */
struct address_report {
	uuid address;
	uint64_t gen;
};
OPERATION(engine_see_address, address_report)
/* For the reconciler: the address is gone from the network, and its IP may be handed out again.
 * ERR_STATE: it is not deleted. */
OPERATION(engine_forget_address, address_report)
