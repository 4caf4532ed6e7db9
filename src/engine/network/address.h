/* SPDX-License-Identifier: Apache-2.0
 * Public addresses: elastic ones, and what the network did with all of them. */
#pragma once

#include "engine/operation.h"

struct address;

struct address_wish {
	struct ref account;          /* whose it is to be; kind none: the caller's */
	struct ip ip;                /* none: any free one */
	struct ref external_network; /* kind none: any */
	struct str description;
	struct ref
		port; /* to be associated with at once, as engine_associate_address() does; kind none: free */
	struct ip private_ip;
	struct tags tags;
	/* made: */
	uuid address;
	struct ip made_ip;
};
/* ERR_EXISTS: that ip is taken; ERR_RANGE: in no range; ERR_CAPACITY: none left. */
OPERATION(engine_allocate_address, address_wish)

struct address_association {
	struct ref address;     /* by id or, with bits = 0, by public IP */
	struct ref association; /* disassociate only: instead of address; from id_parse_prefixed() */
	struct ref
		instance; /* its only port, or port; disassociate: ERR_STATE unless it is associated there */
	struct ref port;
	struct ip private_ip;            /* none: the port's */
	enum choice allow_reassociation; /* default: yes, as in EC2's VPCs */
	bool keeps_present;              /* ERR_CONFLICT when another one stands for the private address */
	/* made: */
	uuid made; /* the association's id */
};
/* An auto-assigned address of the port is released. ERR_CONFLICT with KIND_ADDRESS: associated
 * elsewhere and not allowed to move. ERR_STATE with KIND_GATEWAY: the VPC has no internet gateway. */
OPERATION(engine_associate_address, address_association)
OPERATION(engine_disassociate_address, address_association)

/* ERR_IN_USE: associated. */
struct address_target {
	struct ref address;
	bool with_association; /* which ends */
};
OPERATION(engine_release_address, address_target)

/* Its words and what it stands for, as one change; errors as of association. */
struct address_change {
	struct ref address;
	const struct str *description; /* NULL: as it is */
	bool sets_port;
	struct ref port; /* kind none: it is to stand for nothing */
	struct ip private_ip;
};
OPERATION(engine_change_address, address_change)

enum { REVERSE_NAME_MAX = 253 };

/* The domain name that it leads back to. Whether the name leads to the address nobody looks. */
struct address_name_wish {
	struct ref address;
	struct str name;       /* a dot at its end does not matter; empty: none */
	struct str name_field; /* for messages about that */
	/* made: */
	uuid made;
	struct str name_before;
};
/* ERR_INVALID with KIND_ADDRESS: it is no domain name. */
OPERATION(engine_name_address, address_name_wish)

/* The live address with that public IP, or NULL. */
const struct address *engine_find_public_ip(const struct tables *t, struct ip ip);

/* The reconciler's. gen: of the row that was brought about. Absent: OK. */
struct address_sight {
	uuid address;
	uint64_t gen;
};
OPERATION(engine_see_address, address_sight)
/* Gone from the network: its IP may be handed out again. ERR_STATE unless deleted. */
OPERATION(engine_forget_address, address_sight)
