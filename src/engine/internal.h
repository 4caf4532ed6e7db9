/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share. All of it runs inside an operation. */
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "base/vec.h"
#include "engine/network/subnet_reservation.h"
#include "engine/operation.h"
#include "engine/resolve.h"
#include "engine/storage/sharing.h"
#include "engine/storage/volume.h"

/* As ctx_fail_kind(), with the caller's parameter at fault. */
#define ENGINE_FAIL(op, err, kind, field, ...)                                                               \
	engine_fail_with((op)->ctx, (field), ctx_fail_kind((op)->ctx, (err), (int) (kind), __VA_ARGS__))
struct result engine_fail_with(struct ctx *c, struct str field, struct result failed);
/* The same, about what the caller named. */
#define ENGINE_FAIL_ABOUT(op, err, kind, ref, ...)                                                           \
	engine_fail_about((op)->ctx, (ref), ctx_fail_kind((op)->ctx, (err), (int) (kind), __VA_ARGS__))
struct result engine_fail_about(struct ctx *c, const struct ref *ref, struct result failed);

/* ---- operation.c ---- */

/* An id that no row of the kind begins like. */
uuid engine_new_id(const struct op *op, enum kind kind);
bool engine_id_is_taken(const struct op *op, enum kind kind, uuid id); /* one does */
/* Its id as the caller knows it. In the arena. */
struct str engine_write_id(const struct op *op, enum kind kind, uuid id);
/* The router, if it is the account's: then its groups are good for the account's ports behind it. NULL: it is
 * not, or there is none. */
const struct router *engine_router_of(const struct op *op, uuid id, uuid account);
/* One line of history of a row. */
RESULT engine_tell(struct op *op, enum kind kind, const struct row *row, const char *what, const char *format,
		   ...) __attribute__((format(printf, 5, 6)));
/* The next value of a counter kept as a setting, from 1. */
RESULT engine_draw_number(struct op *op, struct str setting, int64_t *ret_number);
/* CHOICE_DEFAULT leaves it. */
static inline void choice_apply(enum choice choice, bool *value)
{
	if (choice != CHOICE_DEFAULT)
		*value = choice == CHOICE_YES;
}
static inline bool choice_or(enum choice choice, bool otherwise)
{
	choice_apply(choice, &otherwise);
	return otherwise;
}
static inline bool ref_is_given(const struct ref *ref)
{
	return ref->kind != KIND_NONE;
}

/* 1 to 255 characters; ERR_INVALID with the kind. */
RESULT name_check(struct op *op, enum kind kind, struct str name);
/* Forgets every row of a kind that an index of one field leads to. */
#define FORGET_EACH(op, type, index, key)                                                                    \
	do {                                                                                                 \
		for (const struct type *each_ = type##_first_by_##index((op)->head, key); each_;             \
		     each_ = type##_next_by_##index((op)->head, each_))                                      \
			TRY(type##_forget(op, each_->row.id));                                               \
	} while (0)

/* ---- user.c ---- */

/* With all that is its own: keys, credentials, roles, memberships. */
RESULT user_forget_whole(struct op *op, uuid user);

/* ---- user_group.c ---- */

/* With memberships, roles, policies. */
RESULT user_group_forget_whole(struct op *op, uuid user_group);

/* ---- account_user.c ---- */

/* ERR_IN_USE: policies are attached to the holder, or it has its own. */
RESULT holder_check_bare(struct op *op, enum kind kind, const struct row *row);
/* What bounds a user, or a role of IAM's, that was just made; policy of kind none: nothing. */
RESULT boundary_put(struct op *op, enum kind kind, uuid holder, const struct ref *policy);

/* ---- policy.c ---- */

/* What is attached to a user, a group or a role of IAM's that goes, and its inline policies. */
RESULT policies_forget_holder(struct op *op, enum kind kind, const struct row *row);
/* All of an account's. */
RESULT policies_forget_account(struct op *op, uuid account);

/* ---- quota.c ---- */

enum quota {
#define QUOTA(ID, ...) QUOTA_##ID,
#include "engine/limits.def"
	QUOTA_COUNT
};
/* What limits.def says of those that an account's row keeps. ERR_QUOTA with the kind and both figures. */
RESULT quota_check(struct op *op, uuid account, enum quota quota, int64_t more);
/* How many things of this size the account may still have; INT64_MAX: no limit. */
int64_t quota_left(const struct tables *t, uuid account, enum quota quota, int64_t each);
/* The limits that a new account gets: the region's settings, else ours. */
void quota_set_defaults(const struct tables *t, struct account *account);
/* The setting that says what new accounts get of it. */
struct str quota_setting(enum quota quota);
/* Where the account's row keeps that limit. */
int64_t *quota_limit(struct account *account, enum quota quota);

/* ---- peering.c ---- */

/* An accepted one, in either direction, or NULL. */
const struct peering *peering_find_between(const struct tables *t, uuid router, uuid peer);
/* It has an accepted one, or another account asked for one. */
bool peering_holds_router(const struct tables *t, uuid router);
/* It goes, and requests of its own with it. */
RESULT peering_leave_router(struct op *op, uuid router);
/* Why the router may not get that block, in words that follow its own; NULL: it may. */
const char *peering_refuses_block(const struct tables *t, const struct router *router, struct cidr block);
/* It got it: requests of those whose blocks it overlaps have failed. */
RESULT peering_fail_overlapping(struct op *op, const struct router *router, struct cidr block);

/* ---- tag.c ---- */

/* Sorted by key and checked, as a row has them. */
RESULT tags_normalize(struct op *op, struct tags wish, struct tags *ret_tags);
/* With those of the system's own, whose keys begin with "aws:" and which no user sets or deletes. */
RESULT tags_add_reserved(struct op *op, struct tags added, struct tags *tags);

/* ---- extra.c ---- */

enum { EXTRA_COUNT_MAX = 64, EXTRA_SIZE_MAX = 16384 };
/* These, too; in the place of those of the same name. ERR_INVALID with the kind: too many, or too large. */
RESULT extra_add(struct op *op, enum kind kind, struct tags more, struct tags *extra);

/* ---- ip_pool.c ---- */

/* Where addresses in use are indexed, by owner and ip: rows marked deleted count, too. */
struct ip_pool {
	enum kind kind;
	unsigned index;
	struct row *probe;   /* a row of the kind with the owner set */
	struct ip *probe_ip; /* its ip */
	size_t ip_offset;
	const struct ip_pool *other; /* what is in use there is not free here either; NULL: none */
};
/* Whether a row has that ip. */
bool ip_pool_has(const struct tables *t, const struct ip_pool *pool, struct ip ip);
/* A free one of [first, last]: the first one at or after a random place, around the end. */
bool ip_pool_pick(const struct tables *t, const struct ip_pool *pool, struct ip first, struct ip last,
		  struct ip *ret_ip);

/* ---- subnet.c, router.c, gateway.c, route_table.c: without looking up what was named ---- */

struct router_plan {
	uuid account;
	struct str name, description;
	struct cidr block; /* none: it has no blocks of its own, and no default group */
	struct tags tags;
	bool is_default, is_down;
	bool wants_ipv6; /* a block of the region's pool, too */
	struct str ipv6_field;
};
/* With its main route table, default network ACL and default group; the row as it was put. */
RESULT router_write(struct op *op, const struct router_plan *plan, struct router *ret_router);

/* Not "this network", loopback, link-local, multicast or beyond. */
bool router_is_usable_block(struct cidr block);
/* A VPC may have it: IPv4, of such a range, /16 to /28. ERR_RANGE. */
RESULT router_check_block(struct op *op, struct cidr block);

/* Its id, gen and MTU are set here. */
RESULT network_write(struct op *op, struct network *network);
/* With what was granted of it. */
RESULT network_delete_with_grants(struct op *op, uuid network);

/* ---- network_grant.c ---- */

/* To everybody without a target; permitted and checked as engine_grant_network() and engine_revoke_network()
 * say. */
RESULT network_grant_write(struct op *op, const struct network *network, uuid target, struct str field,
			   uuid *ret_grant);
RESULT network_grant_remove(struct op *op, const struct network *network, const struct network_grant *grant,
			    struct str field);

enum { DEFAULT_SUBNET_BITS = 20 /* of the default subnet of a zone */ };
struct subnet_plan {
	uuid account, router, zone, acl;
	struct cidr block; /* of either family */
	struct str name;
	struct cidr ipv6_block; /* of a subnet beside it; none: no such */
	struct str ipv6_field;  /* for messages about that */
	bool is_default, public_on_launch;
	struct tags tags;
};
/* With its network. ERR_CONFLICT, ERR_RANGE as engine/operation.h says. */
RESULT subnet_write(struct op *op, const struct subnet_plan *plan, uuid *ret_subnet);
/* For its router's port: locally administered, in a range that ports do not have. */
struct mac subnet_draw_gateway_mac(void);
/* The n-th range that ports draw from; false: there is none. */
bool subnet_get_pool(const struct subnet *subnet, size_t n, struct ip *ret_first, struct ip *ret_last);
/* Whether a port may ask for that address of its block. */
bool subnet_may_hold(const struct subnet *subnet, struct ip ip);
uint64_t subnet_count_addresses(const struct subnet *subnet);
/* It lies in its router's own blocks: made there, and part of it. */
bool subnet_is_of_blocks(const struct tables *t, const struct subnet *subnet);
/* ERR_IN_USE with KIND_SUBNET. */
RESULT subnet_check_unused(struct op *op, const struct subnet *subnet, struct str field);
/* Any live subnet of the router, or NULL. */
const struct subnet *subnet_first_live(const struct tables *t, uuid router);

/* router: attached at once; none: free. */
RESULT gateway_write(struct op *op, uuid account, struct tags tags, uuid router, uuid *ret_gateway);
/* The live gateway attached to a router, or NULL. */
const struct gateway *gateway_of_router(const struct tables *t, uuid router);
/* Leads the gateway, which is attached, to an external network, if one has an address left for it; only: to
 * no other one. */
void gateway_lead_out(const struct op *op, struct gateway *gateway, uuid only);
/* One that was set as a whole has its router's default route of IPv6, once its external network has that. */
RESULT gateway_lead_ipv6_out(struct op *op, const struct gateway *gateway);
/* The router has none any more. ERR_IN_USE with KIND_GATEWAY. */
RESULT gateway_clear(struct op *op, const struct router *router);

/* Tables are forgotten at once: no driver holds one by itself. */
RESULT route_table_write(struct op *op, uuid account, uuid router, bool is_main, struct tags tags,
			 uuid *ret_table);
RESULT route_table_forget_with_routes(struct op *op, uuid table);

/* ---- ipv6.c ---- */

struct network_subnet_wish;
struct router_block_wish;
/* Unicast: of the internet, of documentation, or a site's own. */
bool ipv6_is_usable_block(struct cidr block);
/* ERR_CONFLICT with KIND_SUBNET: modes that do not go together, or with its family or without DHCP;
 * ERR_RANGE: its block is no /64, of which alone addresses are made. */
RESULT ipv6_check_modes(struct op *op, const struct network_subnet_wish *wish);
/* Its guests are told how to get IPv6 addresses; ports have those that follow from their MACs. */
bool subnet_has_ipv6_modes(const struct subnet *subnet);
bool subnet_is_auto(const struct subnet *subnet);
/* A /56 of the first external network that has one left. ERR_CAPACITY with KIND_ADDRESS: none has;
 * ERR_UNSUPPORTED with KIND_EXTERNAL_NETWORK: none has a pool. */
RESULT ipv6_pick_block(struct op *op, struct str field, struct cidr *ret_block);
/* The same for a router that is there; a field for each kind of failure. ERR_QUOTA with KIND_ROUTER: it has
 * as many as it may; ERR_RANGE: it has no blocks of its own. */
RESULT ipv6_add_block(struct op *op, const struct router *router, const struct router_block_wish *wish,
		      struct cidr *ret_block, uuid *ret_association);
/* What EC2 adds to a VPC's default group and list with its first IPv6 block, where they let IPv4 through. */
RESULT ipv6_let_through(struct op *op, const struct router *router);
/* ERR_RANGE, ERR_CONFLICT with KIND_SUBNET: not a /64 of the router's blocks, or not apart from its subnets.
 */
RESULT ipv6_check_block(struct op *op, const struct router *router, struct cidr block, struct str field);
/* A network's subnets of IPv6 that have a router have its default network ACL or one of their own where no
 * one of IPv4 is beside them, and else neither that nor a route table: what is beside them says it. Called
 * when that has changed. */
RESULT ipv6_settle_lists(struct op *op, uuid network);
/* Beside a subnet without one. Errors as engine_add_ipv6_subnet(). */
RESULT ipv6_write_subnet(struct op *op, const struct subnet *beside, struct cidr block, struct str field,
			 uuid *ret_subnet);
/* The block is that of a router or of a subnet from one of the region's pools, if any. */
bool ipv6_find_holder(const struct tables *t, struct cidr block, struct cidr *ret_held);

/* ---- subnet_reservation.c ---- */
/* Marked deleted; its reservations go at once. */
RESULT subnet_delete_with_reservations(struct op *op, uuid subnet);
/* What reservations leave of a range of the subnet, in the order of addresses. */
struct ip_spans {
	struct {
		struct ip first, last;
	} at[SUBNET_RESERVATIONS_MAX + 1];
	size_t count;
};
void subnet_find_spans(const struct tables *t, const struct subnet *subnet, struct ip first, struct ip last,
		       struct ip_spans *ret_spans);

/* ---- address_group.c ---- */
/* The account's own, for a rule of its groups. ERR_NOT_FOUND. */
RESULT address_group_resolve(struct op *op, uuid account, const struct ref *ref,
			     const struct address_group **ret_group);

/* ---- subnet_pool.c ---- */

bool subnet_pool_is_used(const struct tables *t, uuid pool); /* a subnet is from it */
bool subnet_pool_is_regions(const struct subnet_pool *pool); /* administrators' for others */

struct subnet_pool_request {
	struct ref pool;
	bool wants_default;
	bool is_ipv6;
	int64_t bits; /* 0: as the pool says */
};
/* block: the one wanted, or none, and then the one found. ERR_CAPACITY: there is no room for it; ERR_RANGE:
 * the pool has no such subnets; ERR_INVALID: no default pool, or one of the other family; each with
 * KIND_SUBNET_POOL. */
RESULT subnet_pool_allocate(struct op *op, const struct subnet_pool_request *request, uuid *ret_pool,
			    struct cidr *block);

/* ---- network_acl.c ---- */

struct network_acl_plan {
	uuid account, router;
	bool is_default; /* lets everything pass; else nothing */
	struct tags tags;
};
RESULT network_acl_write(struct op *op, const struct network_acl_plan *plan, uuid *ret_acl);
/* To everything of IPv6, as to IPv4, where its first entries are those that it was made with. */
RESULT network_acl_let_ipv6_through(struct op *op, uuid acl);
/* At once, as route tables. */
RESULT network_acl_forget_with_entries(struct op *op, uuid acl);

/* ---- router.c ---- */

/* The default VPC with all that belongs to it. */
RESULT default_router_write(struct op *op, const struct account *account, uuid *ret_router);

/* ---- router_interface.c ---- */

/* The first live port that is an interface of it, or NULL. */
const struct port *router_first_interface(const struct tables *t, uuid router);

/* ---- security_group.c ---- */

struct group_plan {
	uuid account, router;
	struct str name, description;
	bool is_default;
	bool has_ipv6; /* its VPC has */
	struct tags tags;
};
/* All of IPv6 may go out, where all of IPv4 may. */
RESULT group_let_ipv6_out(struct op *op, uuid group);
/* With the rules that a new group has. */
RESULT group_write(struct op *op, const struct group_plan *plan, uuid *ret_group);
/* Rules are forgotten at once, the group is marked deleted. */
RESULT group_delete_with_rules(struct op *op, uuid group);
/* The named groups of the account: a router's of it (NULL: of none) or the account's alone, each once; where
 * none are named, the router's default group, or else the account's. */
RESULT groups_resolve(struct op *op, uuid account, const struct router *router, struct refs refs,
		      struct uuids *ret_groups);
/* The account's own default group, made at the first touch. */
RESULT group_default_of_account(struct op *op, uuid account, uuid *ret_group);

/* ---- port.c ---- */

/* An instance's first port, the primary one; NULL: none that is live. */
const struct port *port_first_of_instance(const struct tables *t, uuid instance);
/* How many live ports are wanted in it. */
size_t port_count_of_instance(const struct tables *t, uuid instance);
/* The port, or the only one of the instance: whichever is given. ERR_STATE, ERR_CONFLICT with
 * KIND_INSTANCE. */
RESULT port_find_target(struct op *op, const struct ref *port, const struct ref *instance,
			const struct port **ret_port);

/* ERR_PROTECTED: it is a NAT gateway's, not the user's to change. */
RESULT port_check_unmanaged(struct op *op, const struct port *port, struct str field);
/* A MAC that no port has. */
struct mac port_draw_mac(const struct tables *t);
/* A new port's row in a subnet. */
struct port port_new_in(const struct subnet *subnet, uuid account);
/* The port loses its elastic address and its own is released; then it is marked deleted. */
RESULT port_delete_with_addresses(struct op *op, const struct port *port);

/* ---- port_ips.c ---- */

struct port_ips_wish;
/* Completes a new port's row, which is not put yet, with id (unless it has one), address and MAC. */
RESULT port_make(struct op *op, const struct subnet *subnet, struct ip wanted, struct str field,
		 struct port *port);
/* Puts a new port, with its secondary addresses: the row says all but id, addresses and MAC, which it
 * gets here. */
RESULT port_write_new(struct op *op, const struct subnet *subnet, const struct port_ips_wish *ips,
		      struct port *port);
/* A port of the subnet has it, be it marked deleted. */
bool subnet_has_ip(const struct tables *t, uuid subnet, struct ip ip);
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
size_t port_count_ips(const struct tables *t, const struct port *port, enum ip_family family);
/* ERR_QUOTA with KIND_SECONDARY_IP: more of one family than a port, or one in an instance of the type, can
 * have; all: what it has. */
RESULT port_check_all_ip_counts(struct op *op, const struct instance_type *type, const struct port *port,
				struct str field);
RESULT port_check_ip_count(struct op *op, const struct instance_type *type, size_t count, struct str field);
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

/* ---- port_attach.c ---- */

/* ERR_IN_USE unless it is in no instance and on its way neither in nor out. */
RESULT port_check_available(struct op *op, const struct port *port, const struct ref *ref);
/* ERR_QUOTA with KIND_PORT: more than the type can have. */
RESULT port_check_count(struct op *op, const struct instance_type *type, size_t count, struct str field);
/* ERR_INVALID: there is no such slot. */
RESULT port_check_device_index(struct op *op, int64_t device_index, struct str field);
/* ERR_COMBINATION: a port's subnet is in another zone than its instance. One of no zone is in all of them. */
RESULT port_check_zone(struct op *op, const struct subnet *subnet, uuid zone, struct str field);
/* Into a row that is about to be put. */
void port_set_attachment(const struct op *op, struct port *port, const struct instance *instance,
			 int64_t device_index);
/* Out of one: at once where it is not plugged, with a new gen. */
void port_leave_instance(struct port *port);
/* Likewise, with its automatic address; written. */
RESULT port_unplug(struct op *op, struct port *port);
struct instance_sight;
/* The instance's ports are those plugged that the sight says; one that is no longer wanted there, nor
 * plugged, is free. */
RESULT port_see_plugged(struct op *op, const struct instance_sight *sight);

/* ---- launch_ports.c ---- */

enum { LAUNCH_PORTS_MAX = 16 };

struct launch_port;
struct instance_launch;
struct launch_slot {
	const struct launch_port *wish;
	const struct port *port; /* one that is there; NULL: a new one */
	const struct subnet *subnet;
	struct uuids groups; /* of a new one */
	bool wants_public_ip;
};
struct launch_ports { /* by device index: the primary one first */
	struct launch_slot at[LAUNCH_PORTS_MAX];
	size_t count, new_count;
};
/* What is asked for makes sense by itself. The slots have nothing looked up yet. */
RESULT launch_ports_begin(struct op *op, const struct instance_launch *wish, const struct instance_type *type,
			  struct launch_ports *ret_ports);
/* Looks up the port or the subnet that a slot's wish names. */
RESULT launch_ports_find(struct op *op, const struct instance_type *type, struct launch_slot *slot);
/* A subnet of the network that is named, for a first address: one of IPv4 if there is one. wanted: that which
 * has it, ERR_RANGE with KIND_PORT: none has. */
RESULT launch_ports_find_in_network(struct op *op, const struct ref *ref, struct ip wanted,
				    const struct subnet **ret_subnet);
/* All of them, once the primary one has its subnet. */
RESULT launch_ports_resolve(struct op *op, const struct instance_type *type, struct launch_ports *ports);
/* None of those there are has an address of IPv4. After they were resolved. */
bool launch_ports_lack_ipv4(const struct launch_ports *ports);
/* For one instance, whose row is there. */
RESULT launch_ports_write(struct op *op, const struct launch_ports *ports, const struct instance *instance,
			  struct tags tags);

/* ---- address.c ---- */

/* Gives the port an auto-assigned address, where it wants one, has none, and its router leads to an
 * external network with one left. */
RESULT address_give_auto(struct op *op, const struct port *port);
/* Releases the port's auto-assigned address, if any. */
RESULT address_take_auto(struct op *op, uuid port);
/* A public address for a gateway, which is led out: that one, or any when it is none. ERR_CAPACITY,
 * ERR_RANGE, ERR_EXISTS with KIND_ADDRESS. */
RESULT address_write_for_gateway(struct op *op, const struct gateway *gateway, struct ip ip,
				 uuid *ret_address);
/* Puts an address of an adopted port back as it was, unless its row is here, its IP somebody else's,
 * or its network gone. */
RESULT address_put_back(struct op *op, const struct address *address, bool *ret_is_back);
/* Whether the router's internet gateway leads to where the address comes from. */
bool address_is_reachable(const struct tables *t, const struct address *address, uuid router);
/* Lets an elastic address stand for the port, which has no other one. */
RESULT address_write_association(struct op *op, const struct address *address, const struct port *port,
				 struct ip private_ip);
/* Frees all the port's addresses: elastic ones stay allocated. */
RESULT address_leave_port(struct op *op, uuid port);
/* Only the one that stands for that private address. */
RESULT address_leave_ip(struct op *op, uuid port, struct ip private_ip);
/* The one that stands for it goes with a private address from port to port. */
RESULT address_move_ip(struct op *op, uuid from, uuid to, struct ip private_ip);

/* ---- nat_gateway_addresses.c ---- */

/* ERR_QUOTA with KIND_SECONDARY_IP: more than it may have, the first included. */
RESULT nat_gateway_check_count(struct op *op, size_t count, struct str field);
/* An elastic one that the caller may associate. */
RESULT nat_gateway_find_address(struct op *op, const struct ref *ref, const struct address **ret_address);
/* Lets it stand for another private address of the gateway's interface: that one, or any when it is none. */
RESULT nat_gateway_add_address(struct op *op, const struct port *port, const struct address *address,
			       struct ip wanted, struct str field);

/* ---- volume.c, volume_attach.c, volume_reservation.c ---- */

/* account, zone, host, attachment and tags are set; the rest is as planned, the id is drawn. */
struct disk_plan;
RESULT volume_write(struct op *op, struct volume *volume, const struct disk_plan *disk);
/* Whether the caller may make one as planned; like: its account and tags. */
RESULT volume_permit_new(struct op *op, const char *permission, const struct volume *like, uuid zone,
			 const struct disk_plan *disk);
/* ERR_CAPACITY when the host has not as many bytes left. host NULL: OK. */
RESULT volume_check_room(struct op *op, const struct host *host, int64_t more, struct str field);
/* Marks it deleted and ends its usage. */
RESULT volume_delete_metered(struct op *op, const struct volume *volume);
/* seen_instance of the volumes that a sight of an instance names, or names no more. */
RESULT volume_see_plugged(struct op *op, const struct instance_sight *sight);
/* Nobody has been promised it. ERR_STATE: it is on offer, held, or being reverted. */
RESULT volume_check_unheld(struct op *op, const struct volume *volume, const struct ref *ref);
struct volume_attaching;
/* The wish may attach it: it is not held, or it was promised to that instance. ERR_STATE. */
RESULT volume_check_promise(struct op *op, const struct volume_attaching *wish, const struct volume *volume,
			    const struct instance *instance);
/* ERR_STATE: an administrator said that it is not to be used. */
RESULT snapshot_check_unheld(struct op *op, const struct snapshot *snapshot, const struct ref *ref);
/* The instance that it is for, or is still plugged into. */
uuid volume_holder(const struct volume *volume);
/* It is to be on that host; what a move to another one has brought there is to go. */
void volume_send_to(struct volume *volume, uuid host);
/* It is free: nothing of its attachment is left. */
void volume_leave_instance(struct volume *volume);
/* The next slot of an instance that is free, and how its disk is called there. ERR_QUOTA. */
RESULT volume_choose_place(struct op *op, const struct instance *instance, const struct ref *ref,
			   int64_t *ret_slot, struct str *ret_device);
struct str volume_meter(const struct op *op, const struct volume *volume);

/* ---- snapshot.c ---- */

/* Of the volume; words, tags and needs_off are set, the rest is made. ERR_STATE, ERR_QUOTA. */
RESULT snapshot_write_of(struct op *op, const struct volume *volume, struct snapshot *snapshot);
/* Of the same file, or of one that is to be encrypted; account, words and tags are set. ERR_STATE: the source
 * is not completed. */
RESULT snapshot_write_copy(struct op *op, const struct snapshot *source, const struct disk_crypt *crypt,
			   struct snapshot *snapshot);

/* How much its file takes from now on. */
RESULT snapshot_meter(struct op *op, const struct snapshot *snapshot, int64_t level);
/* Marks it deleted and ends its usage. */
RESULT snapshot_delete_metered(struct op *op, const struct snapshot *snapshot);

/* ---- image_form.c ---- */

/* Sorted by key, as a row has them. ERR_QUOTA, ERR_INVALID. */
RESULT image_take_properties(struct op *op, struct tags wish, struct tags *ret_properties);

/* ---- image.c ---- */

/* With its devices; account, words and tags are set, the id is drawn. ERR_EXISTS: the name is taken. */
struct disk_plans;
RESULT image_write(struct op *op, struct image *image, const struct disk_plans *disks);
/* As engine_capture_image(), of an instance in whichever state: no snapshot is cut while it is on
 * (needs_off), and nothing is held off for that. */
struct image_capture;
RESULT image_capture_instance(struct op *op, const struct instance *instance, bool needs_off,
			      struct image_capture *wish);
/* Marks it deleted, with what was made for it alone. */
RESULT image_write_end(struct op *op, const struct image *image);
/* ERR_PROTECTED: others are to have it, and one of its disks is encrypted. */
RESULT image_check_shares(struct op *op, const struct image *image);
/* Sorted by key, as a row has them. ERR_INVALID: a name; ERR_QUOTA. */
RESULT image_take_properties(struct op *op, struct tags wish, struct tags *ret_properties);
/* Its disks, of an image that has none yet. */
RESULT image_write_disks(struct op *op, uuid image, const struct disk_plans *disks);
/* Of a file that is kept already: account, words and the file are set. */
RESULT snapshot_write_kept(struct op *op, struct snapshot *snapshot);

/* ---- sharing.c ---- */

/* Whether everybody has it, and a new list in the arena. ERR_NOT_FOUND with KIND_ACCOUNT; ERR_QUOTA: they are
 * too many. */
RESULT sharing_change(struct op *op, enum kind kind, const struct sharing *wish, bool *is_public,
		      struct uuids *accounts);

/* ---- volume_type.c ---- */

/* Those that are always there. */
RESULT volume_types_add_standard(struct op *op, uuid region);

/* ---- disk.c ---- */

/* A disk with everything looked up. Texts are borrowed. */
struct disk_plan {
	struct str device;
	const struct snapshot *snapshot; /* NULL: blank */
	const struct volume *volume;     /* a snapshot of it is to be made; NULL: of none */
	const struct volume *existing;   /* it is this one; NULL: it is to be made */
	const struct image *image;       /* what lies on it came from there; NULL: from none */
	const struct disk_crypt *key;    /* by which one was named; NULL: none was */
	bool is_bootable;                /* that can be started from */
	bool is_encrypted;               /* once finished */
	enum choice encryption;          /* as it was said; default: it was not */
	int64_t size;                    /* bytes; 0: the snapshot's */
	int64_t least;                   /* no less than that; 0: than what lies on it */
	struct str type;
	int64_t iops, throughput; /* 0: the type's */
	bool delete_on_termination, is_left_out;
	struct str field;
};

enum { DISK_PLANS_MAX = 2 * INSTANCE_VOLUMES_MAX }; /* before some are left out */
struct disk_plans {
	struct disk_plan at[DISK_PLANS_MAX];
	size_t count; /* the first is the root disk */
};

/* The disks that an image has. ERR_STATE: none. */
RESULT disks_of_image(struct op *op, const struct image *image, struct disk_plans *ret_plans);
/* Each wish goes over the disk of its device name, or adds one. */
RESULT disks_apply_wishes(struct op *op, const struct disk_wish *wishes, size_t count,
			  struct disk_plans *plans);
/* Volumes of that type are encrypted. */
bool disk_type_encrypts(const struct op *op, struct str type);
/* Whoever asks for them has new disks encrypted. */
bool disk_is_encrypted_by_default(const struct op *op);
/* ERR_COMBINATION: a key is named for a plain disk. crypt may be NULL. */
RESULT disk_check_key(struct op *op, const struct disk_crypt *crypt, bool is_encrypted);
/* Sizes are set and checked, and what is left out is gone. */
RESULT disks_finish(struct op *op, struct disk_plans *plans);
RESULT disk_finish(struct op *op, struct disk_plan *plan);
/* The snapshot named, and all that is said. */
RESULT disk_apply_wish(struct op *op, const struct disk_wish *wish, struct disk_plan *plan);
/* ERR_STATE when its snapshot is not completed. */
RESULT disk_check_source(struct op *op, const struct disk_plan *plan);
/* It is to be a copy of a volume: of a snapshot that goes once it is made. */
RESULT disk_begin_copy(struct op *op, struct disk_plan *plan);
/* A name as EC2 takes it: "/dev/sdf", "xvdh". */
RESULT disk_check_device(struct op *op, struct str device, struct str field);
/* Size, iops and throughput against what the type allows. */
RESULT disk_check_type(struct op *op, const struct disk_plan *plan);

/* ---- condition.c ---- */

/* As engine_set_condition() and engine_clear_condition(), from within an operation. */
RESULT condition_set(struct op *op, enum kind kind, uuid subject, const char *name, struct str message,
		     const char *advice);
RESULT condition_clear(struct op *op, uuid subject, struct str name);
RESULT condition_clear_all(struct op *op, uuid subject);

/* ---- client_token.c ---- */

/* The token's row if it is known and fresh, else NULL; ERR_CONFLICT when it was sent with other
 * parameters. */
RESULT client_token_find_fresh(struct op *op, uuid account, struct str token, struct str digest,
			       const struct client_token **ret_token);
/* What it made, of that kind; none when it is not known. ERR_NOT_FOUND when that is gone. */
RESULT client_token_find_made(struct op *op, uuid account, struct str token, struct str digest,
			      enum kind kind, uuid *ret_made);
RESULT client_token_write(struct op *op, uuid account, struct str token, struct str digest, uuid made);

/* ---- instance_launch.c ---- */

/* As named, available, and the caller's to launch. */
RESULT instance_find_launched_image(struct op *op, const struct ref *ref, const struct image **ret_image);
/* The type has what the image needs: its architecture, its memory. */
RESULT instance_check_needs(struct op *op, const struct image *image, const struct instance_type *type,
			    struct str field);
struct disk_plan;
/* The type may say more than the image, not less. */
RESULT instance_size_root(struct op *op, const struct instance_type *type, struct str field,
			  struct disk_plan *root);
/* What its image says, into a row that is about to be put. */
void instance_copy_hardware(const struct image *image, struct instance *instance);

/* ---- instance_place.c ---- */

/* On a host, or with a condition that says that none has room. */
RESULT instance_place_or_tell(struct op *op, uuid instance);
/* Whether a host has room for it that is open: of one whose own is not, another. */
RESULT instance_find_elsewhere(struct op *op, const struct instance *instance, bool *ret_fits);

/* ---- dedicated_host.c ---- */

/* It takes instances of that type. ERR_COMBINATION with KIND_DEDICATED_HOST. */
RESULT dedicated_host_check_type(struct op *op, const struct dedicated_host *dedicated,
				 const struct instance_type *type, struct str field);

/* ---- server_group.c ---- */

/* The group has that part; 0: none is said; group NULL: none has any. ERR_INVALID. */
RESULT server_group_check_partition(struct op *op, const struct server_group *group, int64_t partition,
				    struct str field);
/* As many more may join it. ERR_QUOTA. */
RESULT server_group_check_members(struct op *op, const struct server_group *group, int64_t more,
				  struct str field);

/* ---- aggregate.c ---- */

/* It is one of its hosts. */
bool aggregate_has_host(const struct aggregate *aggregate, uuid host);
/* The host is in none of them any more. */
RESULT aggregates_leave_host(struct op *op, uuid host);

/* ---- instance_type.c ---- */

/* What is said of a type or an aggregate, without the key removed (it may have none such) and with these.
 * ERR_INVALID: a key or a value; ERR_QUOTA: too many; with the kind. */
RESULT specs_change(struct op *op, enum kind kind, struct tags set, struct str removed, struct tags *specs);

/* Forgets it once it is deleted and no instance has it any more. */
RESULT instance_type_forget_unused(struct op *op, uuid type);

/* ---- instance_settings.c ---- */

/* ERR_INVALID: a name or a description of more than 255 bytes. */
RESULT instance_check_words(struct op *op, struct str name, struct str description);
/* As named, and offered. */
RESULT instance_find_offered_type(struct op *op, const struct ref *ref,
				  const struct instance_type **ret_type);
/* Into a row that is about to be put. It stays where its disks are: ERR_CAPACITY when there is no room for
 * what it gets more; ERR_QUOTA likewise. */
RESULT instance_change_type(struct op *op, const struct instance_type *type, struct str field,
			    struct instance *next);
/* ERR_INVALID: too much user data, or a metadata hop limit out of 1 to 64; 0 is none said. */
RESULT instance_check_sizes(struct op *op, struct str user_data, int64_t hop_limit);

/* ---- profile_association.c ---- */

/* A profile of the account that the caller names, and whose role, if it has one, it may pass on to the
 * instance; NULL: to one that is about to be made. */
RESULT profile_find_passed(struct op *op, const struct account *account, const struct ref *ref,
			   const struct instance *instance, const struct instance_profile **ret_profile);
/* Of an instance that has none. */
RESULT profile_write_association(struct op *op, const struct instance *instance,
				 const struct instance_profile *profile, uuid *ret_association);
/* The instance has none any more, if it had one. */
RESULT profile_leave_instance(struct op *op, uuid instance);

/* ---- instance_resize.c ---- */

/* ERR_STATE unless it runs from its root disk or is stopped, and nothing else is asked of it. */
RESULT instance_check_settled(struct op *op, const struct instance *instance, const struct ref *ref,
			      const char *done);
/* A new gen, in a row that is about to be put; what runs boots cold for it. */
void instance_begin_task(const struct op *op, enum instance_task task, bool asks_guest,
			 struct instance *next);
/* Its live root disk, or NULL. */
const struct volume *instance_find_root(const struct tables *t, uuid instance);

/* ---- instance_rebuild.c ---- */

/* A new disk of it, as planned, in that slot. */
RESULT instance_write_disk(struct op *op, const struct instance *instance, const struct disk_plan *disk,
			   int64_t slot, struct str field, uuid *ret_volume);
/* As if it were detached; and its end comes with that, unless it is to outlive its instance. */
RESULT instance_leave_disk(struct op *op, const struct volume *disk);

/* ---- instance_shelve.c ---- */

/* One that is shelved is wanted on a host again, and on. */
RESULT instance_write_unshelve(struct op *op, const struct instance *instance);
/* The image goes that was made when one was shelved; none: there is none. */
RESULT instance_end_shelf_image(struct op *op, uuid image);

/* ---- instance_power.c ---- */

/* Into a row that is about to be put, with the gen that it has: wanted on from now on; its ports get the
 * addresses that go with its run. */
RESULT instance_turn_on(struct op *op, struct instance *next);

/* ERR_PROTECTED: it is locked, and it is no administrator who asks. */
RESULT instance_check_unlocked(struct op *op, const struct instance *instance, struct str field);

/* ---- instance_event.c ---- */

/* Into a row that is about to be put, wanted on from now on: from a host with a maintenance ahead it goes to
 * another one, or has an event there. ERR_CAPACITY with KIND_HOST: that has begun, and no other one has room.
 */
RESULT instance_avoid_maintenance(struct op *op, struct instance *next);
/* Of one that has come to its host: an event, if it is to run there and that has a maintenance ahead. */
RESULT instance_join_maintenance(struct op *op, const struct instance *instance);

/* ---- instance_see.c ---- */

/* "instance:t3.micro": the meter that runs while it is on. */
struct str instance_meter(const struct op *op, const struct instance *instance);
/* From now on it holds what its type says (level 1), running or not, or no longer (0): what Nova counts as
 * usage. The meter is "server:<vCPUs>:<MiB>:<GiB of its root disk>:<type>" (engine/instance/instance.h reads
 * it). */
RESULT instance_meter_held(struct op *op, const struct instance *instance, int64_t level);
/* It is gone from its host: its ports, volumes and addresses go or are freed. */
RESULT instance_release_parts(struct op *op, const struct instance *instance);
/* Marks it deleted, with the reason; ends it at once where it was never placed. */
RESULT instance_write_terminate(struct op *op, const struct instance *instance, const char *reason_code,
				const char *reason_text);
/* Its ports' auto-assigned addresses go back: it is off, as wanted. */
RESULT instance_release_addresses(struct op *op, uuid instance);
