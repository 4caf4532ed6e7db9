/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: ports, for other files of the engine. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct port_dhcp_words;
struct instance_report;
struct port_ips_wish;

/* An instance's primary port; NULL if it has no live port. */
const struct port *port_first_of_instance(const struct tables *t, uuid instance);
/* Number of live ports that are wanted in the instance. */
size_t port_count_of_instance(const struct tables *t, uuid instance);
/* The port if it is given, otherwise the instance's only port. ERR_STATE, ERR_CONFLICT with KIND_INSTANCE. */
RESULT port_find_target(struct op *op, const struct ref *port, const struct ref *instance,
			const struct port **ret_port);
/* ERR_PROTECTED: the port belongs to a NAT gateway, load balancer or router, and users may not change it. */
RESULT port_check_unmanaged(struct op *op, const struct port *port, struct str field);
/* Draws an unused MAC address for a port that has none. ERR_CAPACITY: the limit of MAC addresses is
 * reached. */
RESULT port_draw_mac(struct op *op, struct port *port);
/* Row of a new port in a subnet, with defaults. */
struct port port_new_in(const struct subnet *subnet, uuid account);
/* Chooses port security and security groups of a new port. Port security is off if the network says so, and
 * then there are no groups. ERR_COMBINATION: groups other than "default" are named nevertheless.
 * by_firewall_alone: see struct port_wish. */
RESULT port_choose_security(struct op *op, struct refs groups, bool by_firewall_alone, struct port *port);
/* Marks the port deleted; disassociates its elastic addresses and ends its auto-assigned one. */
RESULT port_delete_with_addresses(struct op *op, const struct port *port);
/* Deletes the ports of `before` that are not in `stay`, as port_delete_with_addresses() does. Ignores deleted ports. */
RESULT port_delete_all_but(struct op *op, const struct uuids *before, const struct uuids *stay);
/* True if the port, deleted or not, may still send from its MAC and addresses: it is live, or its host has it
 * plugged. A deleted port that is not plugged keeps its logical switch port for some milliseconds only. */
bool port_is_held(const struct tables *t, uuid port);
/* Fills in id (unless set), address and MAC of a new port's row; does not put it. */
RESULT port_make(struct op *op, const struct subnet *subnet, struct ip wanted, struct str field,
		 struct port *port);
/* Puts a new port with its secondary addresses; fills in id, addresses and MAC of the row. */
RESULT port_write_new(struct op *op, const struct subnet *subnet, const struct port_ips_wish *ips,
		      struct port *port);
/* True if a port of the subnet, even one marked deleted, has the address, or one between the two. */
bool port_subnet_has_ip(const struct tables *t, uuid subnet, struct ip ip);
bool port_subnet_has_ip_between(const struct tables *t, uuid subnet, struct ip first, struct ip last);
/* Requested address of a port, with its subnet. ip none: any address of the subnet. */
struct port_fixed {
	const struct subnet *subnet;
	struct ip ip;
};
/* Put a new or an existing port with these addresses; the first one becomes primary. An existing port keeps
 * those that it has already. */
RESULT port_write_fixed(struct op *op, const struct port_fixed *fixed, size_t count, struct str field,
			struct port *port);
RESULT port_change_fixed(struct op *op, const struct port_fixed *fixed, size_t count, struct str field,
			 struct port *port);
/* ERR_DENIED if `chooses` is set and the network is another account's: only the owner may choose what could
 * disturb others there. */
RESULT port_check_choices(struct op *op, uuid network, bool chooses, struct str field);
bool port_chooses_ips(const struct port_ips_wish *ips);
/* Finds a subnet that is the caller's own, or of a network granted to it. */
RESULT port_find_subnet(struct op *op, const struct ref *ref, const struct subnet **ret_subnet);
/* First subnet of the network in the family that has an address left; NULL if the network has no subnet of
 * the family. ERR_CAPACITY with KIND_SUBNET. */
RESULT port_choose_subnet(struct op *op, uuid network, enum ip_family family,
			  const struct subnet **ret_subnet);
/* SLAAC addresses, which ports have without asking. The functions add to a port those that it lacks, add them
 * to all ports of the network for a new subnet, and drop them with a subnet. No-ops for subnets without
 * SLAAC. */
RESULT port_add_auto_ips(struct op *op, const struct port *port);
RESULT port_add_auto_ips_in(struct op *op, const struct subnet *subnet);
RESULT port_drop_auto_ips_in(struct op *op, const struct subnet *subnet);
/* True for primary and secondary addresses of the port. */
bool port_has_ip(const struct tables *t, const struct port *port, struct ip ip);
/* Number of the port's addresses in the family; a prefix counts as one. */
size_t port_count_ips(const struct tables *t, const struct port *port, enum ip_family family);
/* Check that a port may have this many addresses of a family: ERR_QUOTA with KIND_SECONDARY_IP if that is
 * more than any port, or a port of the instance type, may have. port_check_all_ip_counts() checks the
 * addresses it has. */
RESULT port_check_all_ip_counts(struct op *op, const struct instance_type *type, const struct port *port,
				struct str field);
RESULT port_check_ip_count(struct op *op, const struct instance_type *type, size_t count, struct str field);
/* Checks the counts of a new port likewise. */
RESULT port_check_wished(struct op *op, const struct instance_type *type, const struct port_ips_wish *ips);
/* Adds a secondary address. wanted none: any free one. ERR_RANGE, ERR_EXISTS with KIND_PORT, ERR_CAPACITY
 * with KIND_SUBNET. */
RESULT port_add_ip(struct op *op, const struct port *port, const struct subnet *subnet, struct ip wanted,
		   struct str field, struct ip *ret_ip);
/* Removes a secondary address, and disassociates its public address. */
RESULT port_remove_ip(struct op *op, uuid port, struct ip ip);
/* Marks the port's secondary addresses deleted. */
RESULT port_delete_ips(struct op *op, uuid port);
/* Forgets the secondary addresses that are marked deleted, once the network no longer has them. */
RESULT port_forget_ips(struct op *op, uuid port);
/* ERR_IN_USE: the port is in an instance, or being plugged or unplugged. */
RESULT port_check_available(struct op *op, const struct port *port, const struct ref *ref);
/* ERR_QUOTA with KIND_PORT: more ports than the instance type allows, or, if type is NULL, than any instance
 * has slots. */
RESULT port_check_count(struct op *op, const struct instance_type *type, size_t count, struct str field);
/* ERR_INVALID: the index is not between 0 and PORT_DEVICE_INDEX_MAX. */
RESULT port_check_device_index(struct op *op, int64_t device_index, struct str field);
/* ERR_COMBINATION: the port's subnet is in another zone than its instance. A subnet without a zone is in all
 * of them. */
RESULT port_check_zone(struct op *op, const struct subnet *subnet, uuid zone, struct str field);
/* Asks the guard whether the operation may change a link to that port (none: OK): about the port, and about
 * its instance. Every operation that makes, moves or ends such a link calls this for the former and for the
 * new port, because the call may name only the link's other end. ERR_DENIED. */
RESULT port_permit_end(struct op *op, const char *permission, uuid port);
/* Fills in the attachment of a row that is about to be put. */
void port_set_attachment(const struct op *op, struct port *port, const struct instance *instance,
			 int64_t device_index);
/* Detaches the port from its instance and increments gen. Takes effect immediately if the port is not plugged
 * in. */
void port_leave_instance(struct port *port);
/* Detaches the port likewise, ends its auto-assigned public address, and puts the row. */
RESULT port_unplug(struct op *op, struct port *port);
/* Takes over which ports the host reports as plugged into the instance. A port that is neither wanted nor
 * plugged becomes free. */
RESULT port_see_plugged(struct op *op, const struct instance_report *report);
/* Applies changes to the port's own DHCP options. */
RESULT port_apply_dhcp(struct op *op, const struct port_dhcp_words *words, struct port *port);
