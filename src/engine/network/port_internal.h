/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of ports. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct port_dhcp_words;
struct instance_report;
struct port_ips_wish;

/* An instance's first port, the primary one; NULL: none that is live. */
const struct port *port_first_of_instance(const struct tables *t, uuid instance);
/* How many live ports are wanted in it. */
size_t port_count_of_instance(const struct tables *t, uuid instance);
/* The port, or the only one of the instance: whichever is given. ERR_STATE, ERR_CONFLICT with
 * KIND_INSTANCE. */
RESULT port_find_target(struct op *op, const struct ref *port, const struct ref *instance,
			const struct port **ret_port);
/* ERR_PROTECTED: it is a NAT gateway's or a load balancer's, not the user's to change. */
RESULT port_check_unmanaged(struct op *op, const struct port *port, struct str field);
/* For a port without a MAC, one that no port has. ERR_CAPACITY: there is none left. */
RESULT port_draw_mac(struct op *op, struct port *port);
/* A new port's row in a subnet. */
struct port port_new_in(const struct subnet *subnet, uuid account);
/* Whether it is open, as its network says; and in which groups it is: none, if it is. ERR_COMBINATION: some are named
 * all the same; the group that a port is in without being asked is none of those. by_firewall_alone: as of struct port_wish. */
RESULT port_choose_security(struct op *op, struct refs groups, bool by_firewall_alone, struct port *port);
/* The port loses its elastic address and its own is released; then it is marked deleted. */
RESULT port_delete_with_addresses(struct op *op, const struct port *port);
/* Completes a new port's row, which is not put yet, with id (unless it has one), address and MAC. */
RESULT port_make(struct op *op, const struct subnet *subnet, struct ip wanted, struct str field,
		 struct port *port);
/* Puts a new port, with its secondary addresses: the row says all but id, addresses and MAC, which it
 * gets here. */
RESULT port_write_new(struct op *op, const struct subnet *subnet, const struct port_ips_wish *ips,
		      struct port *port);
/* A port of the subnet has it, be it marked deleted. */
bool port_subnet_has_ip(const struct tables *t, uuid subnet, struct ip ip);
bool port_subnet_has_ip_between(const struct tables *t, uuid subnet, struct ip first, struct ip last);
/* One of a port's addresses as wanted: in which subnet, and which; none: any. */
struct port_fixed {
	const struct subnet *subnet;
	struct ip ip;
};
/* Puts a new port, or one that is there, with these addresses, the first as its primary one; one that is
 * there keeps what it has of them. */
RESULT port_write_fixed(struct op *op, const struct port_fixed *fixed, size_t count, struct str field,
			struct port *port);
RESULT port_change_fixed(struct op *op, const struct port_fixed *fixed, size_t count, struct str field,
			 struct port *port);
/* ERR_DENIED where a network is another's: what could disturb others there is its owner's to choose. */
RESULT port_check_choices(struct op *op, uuid network, bool chooses, struct str field);
bool port_chooses_ips(const struct port_ips_wish *ips);
/* The caller's own, or of a network that it may use. */
RESULT port_find_subnet(struct op *op, const struct ref *ref, const struct subnet **ret_subnet);
/* The first subnet of a network, of a family, with an address left to be given; NULL: it has none.
 * ERR_CAPACITY with KIND_SUBNET. */
RESULT port_choose_subnet(struct op *op, uuid network, enum ip_family family,
			  const struct subnet **ret_subnet);
/* Where guests make their addresses themselves, ports of the network have them without being asked: a port
 * those that it lacks; all that have any address that of one subnet, from which they go with it. Nothing
 * where guests do not. */
RESULT port_add_auto_ips(struct op *op, const struct port *port);
RESULT port_add_auto_ips_in(struct op *op, const struct subnet *subnet);
RESULT port_drop_auto_ips_in(struct op *op, const struct subnet *subnet);
/* Primary or secondary. */
bool port_has_ip(const struct tables *t, const struct port *port, struct ip ip);
/* A prefix counts as one. */
size_t port_count_ips(const struct tables *t, const struct port *port, enum ip_family family);
/* ERR_QUOTA with KIND_SECONDARY_IP: more of one family than a port, or one in an instance of the type, can
 * have; all: what it has. */
RESULT port_check_all_ip_counts(struct op *op, const struct instance_type *type, const struct port *port,
				struct str field);
RESULT port_check_ip_count(struct op *op, const struct instance_type *type, size_t count, struct str field);
/* The same of what a new port is to have. */
RESULT port_check_wished(struct op *op, const struct instance_type *type, const struct port_ips_wish *ips);
/* One more secondary address: that one, or any free one when it is none. ERR_RANGE, ERR_EXISTS with
 * KIND_PORT, ERR_CAPACITY with KIND_SUBNET. */
RESULT port_add_ip(struct op *op, const struct port *port, const struct subnet *subnet, struct ip wanted,
		   struct str field, struct ip *ret_ip);
/* One of them goes, and the public address that stands for it is free. */
RESULT port_remove_ip(struct op *op, uuid port, struct ip ip);
/* Marks its secondary addresses deleted. */
RESULT port_delete_ips(struct op *op, uuid port);
/* Forgets those that are: the network is rid of them. */
RESULT port_forget_ips(struct op *op, uuid port);
/* ERR_IN_USE unless it is in no instance and on its way neither in nor out. */
RESULT port_check_available(struct op *op, const struct port *port, const struct ref *ref);
/* ERR_QUOTA with KIND_PORT: more than the type can have; NULL: than any instance has places for. */
RESULT port_check_count(struct op *op, const struct instance_type *type, size_t count, struct str field);
/* ERR_INVALID: there is no such slot. */
RESULT port_check_device_index(struct op *op, int64_t device_index, struct str field);
/* ERR_COMBINATION: a port's subnet is in another zone than its instance. One of no zone is in all of them. */
RESULT port_check_zone(struct op *op, const struct subnet *subnet, uuid zone, struct str field);
/* Asks the guard whether the operation may change what leads to that port (none: nothing is asked): about the port, and
 * about the instance that it is in. Whatever makes, moves or ends such a link calls it for the port that it led to and for
 * the one that it leads to from then on, because the call may name the link's other end alone. ERR_DENIED. */
RESULT port_permit_end(struct op *op, const char *permission, uuid port);
/* Into a row that is about to be put. */
void port_set_attachment(const struct op *op, struct port *port, const struct instance *instance,
			 int64_t device_index);
/* Out of one: at once where it is not plugged, with a new gen. */
void port_leave_instance(struct port *port);
/* Likewise, with its automatic address; written. */
RESULT port_unplug(struct op *op, struct port *port);
/* The instance's ports are those plugged that the report says; one that is no longer wanted there, nor
 * plugged, is free. */
RESULT port_see_plugged(struct op *op, const struct instance_report *report);
/* What its guest is told by DHCP beside what its subnet says, changed as it is asked for. */
RESULT port_apply_dhcp(struct op *op, const struct port_dhcp_words *words, struct port *port);
