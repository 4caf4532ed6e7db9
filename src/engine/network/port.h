/* SPDX-License-Identifier: Apache-2.0
 * Ports: network interfaces. Instances' primary ports are made and deleted with them. */
#pragma once

#include "engine/operation.h"

struct port;
struct secondary_ip;

/* Its first address of the family; none: it has none. On any tables. */
struct ip engine_get_port_ip(const struct tables *t, const struct port *port, enum ip_family family);

enum {
	PORT_IPS_MAX = 50, /* private addresses of a port, the primary one included */
	PORT_PAIRS_MAX = 20,
	PORT_DEVICE_INDEX_MAX = 7 /* each is a place in the guest, as many as the largest type takes */
};

/* The private addresses of a new port. */
struct port_ips_wish {
	struct ip primary;      /* none: any */
	struct ips secondaries; /* these, and */
	int64_t more;           /* as many that are free */
	struct str field;       /* for messages */
	/* In the IPv6 subnet beside: ERR_INVALID with KIND_SUBNET when there is none. */
	struct ips ipv6s;
	int64_t ipv6_more;
	bool ipv6_is_said; /* else one, where the subnet gives one to new ports */
	bool of_network;   /* instead: one of any of the network's, as of IPv4 */
	struct str ipv6_field;
};

/* ERR_CAPACITY with KIND_SUBNET: no address left; ERR_QUOTA with KIND_SECONDARY_IP: too many; ERR_EXISTS with
 * KIND_PORT: that ip is taken; ERR_RANGE with KIND_PORT: outside of the subnet or reserved. */
struct port_wish {
	struct ref subnet;
	struct port_ips_wish ips;
	struct refs groups; /* by id or name; none: the VPC's default */
	struct str name, description;
	struct tags tags;
	struct str client_token; /* empty: none */
	struct str digest;       /* of the other parameters */
	/* made: */
	uuid port;
};
OPERATION(engine_create_port, port_wish)

/* One address of a port: in a subnet, or in whichever of the network's has it. */
struct port_fixed_wish {
	struct ref subnet; /* kind none: by the address */
	struct ip ip;      /* none: any */
};
struct port_fixed_wishes {
	bool is_given; /* else one of any subnet */
	const struct port_fixed_wish *at;
	size_t count; /* 0: no address */
	struct str field;
};

/* What a port may speak for besides its own addresses. */
struct port_pair {
	struct cidr block;
	struct mac mac; /* none: the port's */
};
struct port_pairs {
	const struct port_pair *at;
	size_t count;
};

/* On a network, in any of its subnets or in none. Errors as above; ERR_CONFLICT with KIND_PORT: the MAC is in
 * use; ERR_COMBINATION with KIND_PORT: open, and in groups. */
struct network_port_wish {
	struct ref account; /* whose it is to be; kind none: the caller's */
	struct ref network;
	struct port_fixed_wishes fixed;
	struct mac mac; /* none: drawn */
	struct refs groups;
	bool has_no_groups, is_open, is_down;
	struct port_pairs pairs;
	struct str name, description, device_id, device_owner, dns_name;
	struct tags tags;
	/* made: */
	uuid port;
};
OPERATION(engine_add_port, network_port_wish)

/* ERR_IN_USE: wanted in an instance, or not yet out of one, unless it unplugs. */
struct port_target {
	struct ref port;
	bool unplugs; /* an instance's is taken out of it */
};
OPERATION(engine_delete_port, port_target)

/* Of a port, or of an instance's only one: ERR_CONFLICT with KIND_INSTANCE when it has more. */
struct port_settings {
	struct ref port, instance; /* one of them */
	struct refs groups;        /* none: as they are */
	bool has_no_groups;        /* not so: it is to be in none */
	enum choice source_dest_check, is_open, is_down;
	const struct port_pairs *pairs; /* NULL: as they are; as the next */
	const struct str *name, *device_id, *device_owner, *dns_name;
	struct port_fixed_wishes fixed; /* not given: as they are */
	bool set_description;
	struct str description;
	struct ref attachment;             /* with delete_on_termination; from id_parse_prefixed() */
	enum choice delete_on_termination; /* ERR_NOT_FOUND: that is not its attachment */
};
OPERATION(engine_update_port, port_settings)

/* ERR_IN_USE with KIND_PORT: it is in an instance; ERR_COMBINATION: in another zone; ERR_INVALID: the
 * device index is taken, maybe by one that is not out yet, or too high; ERR_QUOTA with KIND_PORT: as many as
 * the instance's type can have. */
struct port_attaching {
	struct ref port, instance;
	int64_t device_index;
	/* made: */
	uuid attachment;
};
OPERATION(engine_attach_port, port_attaching)

/* ERR_PROTECTED: the primary one. It is out when its host says so; force: nothing gets through any
 * more from now on, whether or not the guest lets go of it. */
struct port_detaching {
	struct ref attachment; /* from id_parse_prefixed() */
	bool force;
};
OPERATION(engine_detach_port, port_detaching)

/* ERR_EXISTS, ERR_RANGE, ERR_CAPACITY, ERR_QUOTA as for a new port; ERR_INVALID: another port's, and not
 * to be taken. */
struct port_assignment {
	struct ref port;
	struct ips ips;
	int64_t more;
	bool is_ipv6; /* in the IPv6 subnet beside: ERR_INVALID with KIND_SUBNET when there is none */
	bool take;    /* a secondary one of another port of the account in the subnet */
	struct str field;
	/* made: */
	uuid assigned_to;
	struct ips made;
};
OPERATION(engine_assign_ips, port_assignment)

/* What stood for one is free. ERR_INVALID: not a secondary address of the port; ERR_PROTECTED with
 * KIND_SECONDARY_IP: its guest makes it itself, by what the subnet says. */
struct port_unassignment {
	struct ref port;
	struct ips ips;
	bool is_ipv6; /* for the permission, and for messages */
	struct str field;
	/* made: */
	uuid unassigned_from;
};
OPERATION(engine_unassign_ips, port_unassignment)

/* Reading, on any tables: a port's secondary addresses, in their order; the port that has an address in
 * a router, be it marked deleted. */
const struct secondary_ip *engine_first_secondary_ip(const struct tables *t, uuid port);
const struct secondary_ip *engine_next_secondary_ip(const struct tables *t, const struct secondary_ip *s);
const struct port *engine_find_port_by_ip(const struct tables *t, uuid router, struct ip ip);

/* The router of the subnet that one of a port's addresses is in; none: it has none. */
uuid engine_get_router_of_ip(const struct tables *t, const struct port *port, struct ip ip);

/* The reconciler's. Absent: OK. */
struct port_sight {
	uuid port;
	uint64_t gen; /* of the row that was brought about */
	bool up;
};
OPERATION(engine_see_port, port_sight)
/* Gone from the network: its IP may be handed out again. ERR_STATE unless deleted
 * and unplugged. */
OPERATION(engine_forget_port, port_sight)
