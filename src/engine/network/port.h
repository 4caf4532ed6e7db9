/* SPDX-License-Identifier: Apache-2.0
 * Ports: network interfaces. An instance's primary port is made and deleted with the instance. */
#pragma once

#include "engine/operation.h"

struct port;
struct port_prefix;
struct secondary_ip;

/* The instance that it is in, on its way to, or not yet out of: its guest lets go of it in its own time. None: it
 * is free. */
uuid engine_port_holder(const struct port *port);

/* The port's first address of the family; none: it has none. On any tables. */
struct ip engine_get_port_ip(const struct tables *t, const struct port *port, enum ip_family family);

enum {
	PORT_IPS_MAX = 50, /* private addresses of a port, the primary one included */
	PORT_PAIRS_MAX = 20,
	PORT_PREFIX_BITS = 28, /* of a prefix of IPv4, and of one of IPv6 */
	PORT_PREFIX_IPV6_BITS = 80,
	PORT_DEVICE_INDEX_MAX = 7, /* each index is a place in the guest; the largest type has as many */
	PORTS_OF_INSTANCE_MAX = PORT_DEVICE_INDEX_MAX + 1
};

/* Prefixes to delegate: these, and so many free ones, which come out of the subnet's reservations
 * for prefixes if it has any. With KIND_PORT_PREFIX: ERR_INVALID, ERR_RANGE, ERR_EXISTS as for
 * addresses; ERR_CAPACITY: none is left. */
struct port_prefixes_wish {
	struct cidrs named;
	int64_t more;
	struct str field; /* for messages */
};

/* The private addresses of a new port. */
struct port_ips_wish {
	struct ip primary;      /* none: any */
	struct ips secondaries; /* these addresses, and */
	int64_t more;           /* so many free ones */
	struct str field;       /* for messages */
	/* Addresses in the IPv6 subnet that belongs to the subnet. ERR_INVALID with KIND_SUBNET:
	 * there is none. */
	struct ips ipv6s;
	int64_t ipv6_more;
	bool ipv6_is_said; /* false: one address, if the subnet gives one to new ports */
	bool of_network;   /* instead: addresses of any of the network's subnets, as for IPv4 */
	struct str ipv6_field;
	struct port_prefixes_wish prefixes, ipv6_prefixes; /* the latter in that IPv6 subnet, too */
};

/* Makes a port in a subnet. ERR_CAPACITY with KIND_SUBNET: no address is left. ERR_QUOTA with
 * KIND_SECONDARY_IP: too many addresses. ERR_EXISTS with KIND_PORT: an address is taken. ERR_RANGE
 * with KIND_PORT: it is outside of the subnet, or reserved. */
struct port_wish {
	struct ref subnet;
	struct port_ips_wish ips;
	struct refs groups; /* by id or name; none: the VPC's default */
	/* No groups: where a firewall of its network stands before it, or the ACL of its tier in a VPC that reaches out under
	 * its gateway's address, it is in the account's group that lets everything through. */
	bool by_firewall_alone;
	struct str name, description, requester;
	struct tags tags;
	struct str client_token; /* empty: none */
	struct str digest;       /* of the other parameters */
	/* made: */
	uuid port;
};
OPERATION(engine_create_port, port_wish)

/* One address of a port: in a given subnet, or in whichever of the network's subnets has it. */
struct port_fixed_wish {
	struct ref subnet; /* kind none: found by the address */
	struct ip ip;      /* none: any */
};
struct port_fixed_wishes {
	bool is_given; /* false: one address of any subnet */
	const struct port_fixed_wish *at;
	size_t count; /* 0: no address */
	struct str field;
};

/* An address that a port may send from besides its own. */
struct port_pair {
	struct cidr block;
	struct mac mac; /* none: the port's */
};
struct port_pairs {
	const struct port_pair *at;
	size_t count;
};

/* What a port's guest is told by DHCP beside what its subnet says. Those that are not named stay. */
struct port_dhcp_word {
	int64_t version; /* 4 or 6 */
	struct str name; /* of model/dhcp_word.h: ERR_UNSUPPORTED with KIND_PORT */
	struct str value;
	bool ends; /* it is told no longer */
};
struct port_dhcp_words {
	const struct port_dhcp_word *at;
	size_t count;
};

/* Makes a port on a network, in any of its subnets or in none. Errors as above. ERR_CONFLICT with
 * KIND_PORT: the MAC address is in use. ERR_COMBINATION with KIND_PORT: the port is open, and has
 * groups. */
struct network_port_wish {
	struct ref account; /* the account that shall own it; kind none: the caller's */
	struct ref network;
	struct port_fixed_wishes fixed;
	struct mac mac; /* none: a random one */
	struct refs groups;
	bool has_no_groups, is_down;
	enum choice is_open; /* as its network says, if it does not */
	struct port_pairs pairs;
	struct port_dhcp_words dhcp;
	struct str name, description, device_id, device_owner, dns_name;
	struct str binding_host; /* an administrator's to say; empty: none */
	struct tags tags;
	/* made: */
	uuid port;
};
OPERATION(engine_add_port, network_port_wish)

/* True for a port of another account in a network that the caller owns: network_owner in Neutron's policies. */
bool engine_is_guest_port(const struct ctx *c, const struct tables *t, const struct port *port);

/* Deletes a port. ERR_IN_USE: it is wanted in an instance, or not yet unplugged from one, and
 * `unplugs` is not set. */
struct port_target {
	struct ref port;
	bool unplugs;    /* takes the port out of its instance first */
	bool by_network; /* the owner of its network may delete it, too */
};
OPERATION(engine_delete_port, port_target)

/* Changes a port, or an instance's only port. Of a router's address in a subnet nothing is changed but what
 * leaves it as it is. ERR_DENIED with KIND_PORT: it is an administrator's to change. ERR_CONFLICT with KIND_INSTANCE: the instance has
 * several. */
struct port_settings {
	struct ref port, instance; /* one of them */
	struct refs groups;        /* none: as they are */
	bool has_no_groups;        /* true: it shall have no groups */
	enum choice source_dest_check, is_open, is_down;
	const struct port_pairs *pairs; /* NULL: as they are; as the next */
	struct port_dhcp_words dhcp;
	const struct str *name, *device_id, *device_owner, *dns_name;
	const struct str *binding_host; /* an administrator's to say */
	struct port_fixed_wishes fixed; /* not given: as they are */
	bool set_description;
	struct str description;
	struct ref attachment;             /* with delete_on_termination; from id_parse_prefixed() */
	enum choice delete_on_termination; /* ERR_NOT_FOUND: that is not its attachment */
};
OPERATION(engine_update_port, port_settings)

/* Attaches a port to an instance. ERR_IN_USE with KIND_PORT: it is in an instance. ERR_COMBINATION:
 * they are in different zones. ERR_INVALID: the device index is taken, perhaps by a port that is
 * not unplugged yet, or too high. ERR_QUOTA with KIND_PORT: the instance's type can have no
 * more; beyond_type: it has no place for more, whatever its type has in EC2. */
struct port_attaching {
	struct ref port, instance;
	int64_t device_index;
	struct str tag; /* what its guest is told of it */
	bool beyond_type;
	/* made: */
	uuid attachment;
};
OPERATION(engine_attach_port, port_attaching)

/* Detaches a port. It is out when its host says so. force: from now on no packet passes, whether or
 * not the guest releases the device. ERR_PROTECTED: it is the primary port. */
struct port_detaching {
	struct ref attachment; /* from id_parse_prefixed() */
	bool force;
};
OPERATION(engine_detach_port, port_detaching)

/* Adds addresses to a port. ERR_EXISTS, ERR_RANGE, ERR_CAPACITY and ERR_QUOTA as for a new port.
 * ERR_INVALID: an address is another port's, and `take` is not set. */
struct port_assignment {
	struct ref port;
	struct ips ips;
	int64_t more;
	/* In the IPv6 subnet that belongs to the subnet; ERR_INVALID with KIND_SUBNET: there is
	 * none. */
	bool is_ipv6;
	bool take;    /* may take a secondary address from another port of the account in the subnet */
	bool are_new; /* ERR_INVALID as well: an address is the port's own already */
	bool of_instance; /* its instance is what is changed: ERR_PROTECTED with KIND_INSTANCE where that is locked */
	struct str field;
	struct port_prefixes_wish prefixes; /* of that family */
	/* made: */
	uuid assigned_to;
	struct ips made;
	struct cidrs made_prefixes;
};
OPERATION(engine_assign_ips, port_assignment)

/* Removes addresses from a port. A public address that belonged to one becomes free. ERR_INVALID:
 * it is no address of the port, or its first one. ERR_PROTECTED with KIND_SECONDARY_IP: the guest makes
 * it itself, as the subnet says. */
struct port_unassignment {
	struct ref port;
	struct ips ips;
	struct cidrs prefixes; /* ERR_INVALID with KIND_PORT_PREFIX: not one of the port's */
	bool is_ipv6;          /* for the permission, and for messages */
	bool may_be_first;     /* the port's first address goes, too: the next one takes its place */
	bool of_instance;      /* as above */
	struct str field, prefix_field;
	/* made: */
	uuid unassigned_from;
};
OPERATION(engine_unassign_ips, port_unassignment)

/* For reading, on any tables: a port's secondary addresses, and its prefixes, in their order; and
 * the port that has an address in a router, by itself or in a prefix, even if the port is marked
 * deleted. */
const struct port_prefix *engine_first_prefix(const struct tables *t, uuid port);
const struct port_prefix *engine_next_prefix(const struct tables *t, const struct port_prefix *p);
const struct secondary_ip *engine_first_secondary_ip(const struct tables *t, uuid port);
const struct secondary_ip *engine_next_secondary_ip(const struct tables *t, const struct secondary_ip *s);
const struct port *engine_find_port_by_ip(const struct tables *t, uuid router, struct ip ip);

/* The subnet that one of a port's addresses is in, and its router; none: there is none. */
uuid engine_get_subnet_of_ip(const struct tables *t, const struct port *port, struct ip ip);
uuid engine_get_router_of_ip(const struct tables *t, const struct port *port, struct ip ip);

/* Whether its guest is told of neither a gateway nor who knows names: CloudStack's machines find the
 * way out by their first port alone, as its virtual router has it. On any tables. */
bool engine_leads_nowhere(const struct tables *t, const struct port *port);

/* For the reconciler: what a step found. Absent: OK. */
struct port_report {
	uuid port;
	uint64_t gen; /* of the row that was brought about */
	bool up;
};
OPERATION(engine_see_port, port_report)
/* For the reconciler: the port is gone from the network, and its addresses may be handed out again.
 * ERR_STATE: it is not deleted, or not unplugged. */
OPERATION(engine_forget_port, port_report)
