/* SPDX-License-Identifier: Apache-2.0
 * Ports: network interfaces. An instance's primary port is created and deleted with the instance. */
#pragma once

#include "engine/network/port/qos_choice.h"
#include "engine/operation.h"

struct port;
struct port_prefix;
struct secondary_ip;

/* Instance that the port is in, on its way into, or not yet unplugged from; none: the port is free.
 * Unplugging takes as long as the guest needs. */
uuid engine_port_holder(const struct port *port);

/* Primary address of the port in the family; none if it has no such address. On any tables. */
struct ip engine_get_port_ip(const struct tables *t, const struct port *port, enum ip_family family);

enum {
	PORT_IPS_MAX = 50, /* per port, the primary address included */
	PORT_PAIRS_MAX = 20,
	PORT_PREFIX_BITS = 28, /* prefix length of delegated prefixes */
	PORT_PREFIX_IPV6_BITS = 80,
	PORT_DEVICE_INDEX_MAX = 7, /* device indexes are slots of the guest; the largest instance type has
				    * eight */
	PORTS_OF_INSTANCE_MAX = PORT_DEVICE_INDEX_MAX + 1
};

/* Prefixes to delegate: the named ones, and `more` free ones. Free ones come from the subnet's prefix
 * reservations if it has any. With KIND_PORT_PREFIX: ERR_INVALID, ERR_RANGE, ERR_EXISTS as for addresses;
 * ERR_CAPACITY: no prefix is left. */
struct port_prefixes_wish {
	struct cidrs named;
	int64_t more;
	struct str field; /* for messages */
};

/* Private addresses of a new port. */
struct port_ips_wish {
	struct ip primary;      /* none: any free address */
	struct ips secondaries; /* these secondary addresses, and */
	int64_t more;           /* this many free ones */
	struct str field;       /* for messages */
	/* Addresses in the IPv6 subnet beside the subnet. ERR_INVALID with KIND_SUBNET: there is no such
	 * subnet. */
	struct ips ipv6s;
	int64_t ipv6_more;
	bool ipv6_is_said; /* false: one address, if the subnet assigns one to new ports */
	bool of_network;   /* instead: IPv6 addresses of any subnet of the network */
	struct str ipv6_field;
	struct port_prefixes_wish prefixes, ipv6_prefixes; /* ipv6_prefixes are from that IPv6 subnet */
};

/* Creates a port in a subnet. ERR_CAPACITY with KIND_SUBNET: no address is left. ERR_QUOTA with
 * KIND_SECONDARY_IP: too many addresses. With KIND_PORT: ERR_EXISTS, an address is in use; ERR_RANGE, an
 * address is outside the subnet, or reserved. */
struct port_wish {
	struct ref subnet;
	struct port_ips_wish ips;
	struct refs groups; /* by id or name; none: the VPC's default group */
	/* Without groups: puts the port into the account's group that allows everything, if a firewall of its
	 * network, or the ACL of its tier in a VPC with source NAT, filters its traffic already. */
	bool by_firewall_alone;
	struct str name, description, requester;
	struct tags tags;
	struct str client_token; /* empty: none */
	struct str digest;       /* covers the other parameters */
	/* outputs: */
	uuid port;
};
OPERATION(engine_create_port, port_wish)

/* Request for an address of a port, in a given subnet or in the network's subnet that contains it. */
struct port_fixed_wish {
	struct ref subnet; /* kind none: found by the address */
	struct ip ip;      /* none: any free one */
};
struct port_fixed_wishes {
	bool is_given; /* false: one address of each family that the network has subnets for */
	const struct port_fixed_wish *at;
	size_t count; /* 0: no address */
	struct str field;
};

/* An allowed address pair: an address from which a port may send besides its own. */
struct port_pair {
	struct cidr block;
	struct mac mac; /* none: the port's own */
};
struct port_pairs {
	const struct port_pair *at;
	size_t count;
};

/* A DHCP option of one port, in addition to those of its subnet. Options that are not named stay. */
struct port_dhcp_word {
	int64_t version; /* of IP: 4 or 6 */
	struct str name; /* from model/dhcp_word.h; ERR_UNSUPPORTED with KIND_PORT otherwise */
	struct str value;
	bool ends; /* removes the option */
};
struct port_dhcp_words {
	const struct port_dhcp_word *at;
	size_t count;
};

/* Creates a port on a network, in any of its subnets or in none. Errors as for engine_create_port(). With
 * KIND_PORT: ERR_CONFLICT, the MAC address is in use (a deleted port's is, while its host has it plugged);
 * ERR_COMBINATION, groups are named though port security is off. */
struct network_port_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct ref network;
	struct port_fixed_wishes fixed;
	struct mac mac; /* none: a random one */
	struct refs groups;
	bool has_no_groups, is_down;
	enum choice is_open; /* port security off; default: as the network says */
	struct port_pairs pairs;
	struct port_dhcp_words dhcp;
	struct str name, description, device_id, device_owner, dns_name;
	struct str binding_host; /* for administrators; empty: none */
	struct qos_choice qos;
	struct tags tags;
	/* outputs: */
	uuid port;
};
OPERATION(engine_add_port, network_port_wish)

/* True for a port of another account in a network that the caller owns: the network_owner of Neutron's
 * policies. */
bool engine_is_guest_port(const struct ctx *c, const struct tables *t, const struct port *port);

/* Deletes a port. ERR_IN_USE: the port is in an instance, or not yet unplugged from one, and `unplugs` is not
 * set. */
struct port_target {
	struct ref port;
	bool unplugs;    /* removes the port from its instance first */
	bool by_network; /* also for the owner of the port's network */
};
OPERATION(engine_delete_port, port_target)

/* Changes a port, or an instance's only port. A router's port in a subnet accepts only settings that leave it
 * as it is. ERR_DENIED with KIND_PORT: the setting is for administrators. ERR_CONFLICT with KIND_INSTANCE:
 * the instance has several ports. */
struct port_settings {
	struct ref port, instance; /* exactly one of them is given */
	struct refs groups;        /* none: unchanged */
	bool has_no_groups;        /* true: removes all groups */
	enum choice source_dest_check, is_open, is_down;
	const struct port_pairs *pairs; /* NULL: unchanged, like name to binding_host */
	struct port_dhcp_words dhcp;
	const struct str *name, *device_id, *device_owner, *dns_name;
	const struct str *binding_host; /* for administrators */
	struct mac mac;                 /* likewise; none: unchanged. ERR_IN_USE: an instance has the port */
	struct port_fixed_wishes fixed; /* not given: unchanged */
	struct qos_choice qos;
	bool set_description;
	struct str description;
	struct ref attachment;             /* required by delete_on_termination; from id_parse_prefixed() */
	enum choice delete_on_termination; /* ERR_NOT_FOUND: the port has another attachment */
};
OPERATION(engine_update_port, port_settings)

/* Attaches a port to an instance. ERR_IN_USE with KIND_PORT: the port is in an instance. ERR_COMBINATION:
 * different zones. ERR_INVALID: the device index is too high or in use, possibly by a port that is still
 * being unplugged. ERR_QUOTA with KIND_PORT: the instance type's limit is reached or, with beyond_type,
 * PORTS_OF_INSTANCE_MAX. */
struct port_attaching {
	struct ref port, instance;
	int64_t device_index;
	struct str tag; /* device tag, which the guest reads from its metadata */
	bool beyond_type;
	bool may_lack_ip; /* ERR_COMBINATION otherwise, if the port has no address */
	/* outputs: */
	uuid attachment;
};
OPERATION(engine_attach_port, port_attaching)

/* Detaches a port. The detachment is complete once the host reports it. force: cuts the port off at once,
 * whether or not the guest releases the device. ERR_PROTECTED: the port is the primary one. */
struct port_detaching {
	struct ref attachment; /* from id_parse_prefixed() */
	bool force;
};
OPERATION(engine_detach_port, port_detaching)

/* Adds addresses to a port. ERR_EXISTS, ERR_RANGE, ERR_CAPACITY and ERR_QUOTA as for a new port. ERR_INVALID:
 * an address is another port's, and `take` is not set. */
struct port_assignment {
	struct ref port;
	struct ips ips;
	int64_t more;
	/* In the IPv6 subnet beside the subnet; ERR_INVALID with KIND_SUBNET: there is no such subnet. */
	bool is_ipv6;
	bool take;        /* may take a secondary address from another port of the account in the subnet */
	bool are_new;     /* ERR_INVALID also if the port itself has an address already */
	bool of_instance; /* the call is about the port's instance: ERR_PROTECTED with KIND_INSTANCE if that
			   * is locked */
	struct str field;
	struct port_prefixes_wish prefixes; /* in the family that is_ipv6 selects */
	/* outputs: */
	uuid assigned_to;
	struct ips made;
	struct cidrs made_prefixes;
};
OPERATION(engine_assign_ips, port_assignment)

/* Removes addresses from a port, and disassociates their public addresses. ERR_INVALID: not an address of the
 * port, or its primary one. ERR_PROTECTED with KIND_SECONDARY_IP: the guest assigns the address itself
 * (SLAAC). */
struct port_unassignment {
	struct ref port;
	struct ips ips;
	struct cidrs prefixes; /* ERR_INVALID with KIND_PORT_PREFIX: not a prefix of the port */
	bool is_ipv6;          /* decides the permission, and the words of messages */
	bool may_be_first;     /* the primary address may go, too: the next one becomes primary */
	bool of_instance;      /* as in struct port_assignment */
	struct str field, prefix_field;
	/* outputs: */
	uuid unassigned_from;
};
OPERATION(engine_unassign_ips, port_unassignment)

/* Iterate over a port's delegated prefixes and over its secondary addresses, in order of addresses; and find
 * the port of a router that has an address, by itself or in a prefix, even one marked deleted. On any
 * tables. */
const struct port_prefix *engine_first_prefix(const struct tables *t, uuid port);
const struct port_prefix *engine_next_prefix(const struct tables *t, const struct port_prefix *p);
const struct secondary_ip *engine_first_secondary_ip(const struct tables *t, uuid port);
const struct secondary_ip *engine_next_secondary_ip(const struct tables *t, const struct secondary_ip *s);
const struct port *engine_find_port_by_ip(const struct tables *t, uuid router, struct ip ip);

/* Subnet and router of one of the port's addresses; none if the port does not have the address. */
uuid engine_get_subnet_of_ip(const struct tables *t, const struct port *port, struct ip ip);
uuid engine_get_router_of_ip(const struct tables *t, const struct port *port, struct ip ip);

/* True if DHCP gives the port neither gateway nor resolver: like CloudStack's virtual router, only an
 * instance's primary port gets them. On any tables. */
bool engine_leads_nowhere(const struct tables *t, const struct port *port);

/* Report of the reconciler about one step. OK if the port is gone. */
struct port_report {
	uuid port;
	uint64_t gen; /* gen of the row that was deployed */
	bool up;
};
SYSTEM_OPERATION(engine_see_port, port_report)
/* Report of the reconciler: the network no longer has the port, so that its addresses may be assigned again.
 * ERR_STATE: the port is not marked deleted, or still plugged. */
SYSTEM_OPERATION(engine_forget_port, port_report)
