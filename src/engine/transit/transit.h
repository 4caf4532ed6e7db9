/* SPDX-License-Identifier: Apache-2.0
 * Transit gateways: hubs that route between the VPCs attached to them. A gateway, its attachments and the VPCs
 * belong to one account. An attachment is associated with at most one of the gateway's route tables, which
 * routes what arrives from the VPC; it propagates the VPC's blocks to any of them. The reconciler deploys the
 * gateway's router, and the VPC's router again, when an attachment changes.
 *
 * As in EC2, deleted gateways and attachments stay visible for a while (TRANSIT_VISIBLE_US). */
#pragma once

#include "engine/operation.h"
#include "model/transit_route_table.h"

struct transit_attachment;
struct transit_gateway;
struct transit_route;

#define TRANSIT_VISIBLE_US HOUR
/* Private AS numbers of 16 and of 32 bits. Source: RFC 6996, and EC2's API reference. */
#define TRANSIT_ASN_DEFAULT INT64_C(64512)
#define TRANSIT_ASN_LAST_16 INT64_C(65534)
#define TRANSIT_ASN_FIRST_32 INT64_C(4200000000)
#define TRANSIT_ASN_LAST_32 INT64_C(4294967294)

/* ---- gateways ---- */

/* Makes a gateway. Unless its default association and propagation are both off, it gets a route table for
 * them. ERR_QUOTA with KIND_TRANSIT_GATEWAY. ERR_INVALID: asn is not a private AS number. */
struct transit_gateway_wish {
	struct str description;
	int64_t asn;
	struct str asn_field;               /* parameter that asn came from */
	enum choice associates, propagates; /* CHOICE_DEFAULT: yes */
	enum choice dns_support, vpn_ecmp;  /* likewise */
	enum choice auto_accept;            /* CHOICE_DEFAULT: no */
	struct tags tags;
	/* outputs: */
	uuid gateway;
};
OPERATION(engine_create_transit_gateway, transit_gateway_wish)

/* Changes a gateway. A default route table must be one of its own (ERR_NOT_FOUND), and named if the default
 * is turned on and there is none (ERR_MISSING). ERR_COMBINATION: a table is named, and its default is off. */
struct transit_gateway_settings {
	struct ref gateway;
	const struct str *description; /* NULL: no change */
	int64_t asn;                   /* 0: no change; refused while it has attachments (ERR_STATE) */
	struct str asn_field;
	enum choice associates, propagates, dns_support, vpn_ecmp, auto_accept;
	struct ref association_table, propagation_table;
	/* outputs: */
	uuid made;
};
OPERATION(engine_update_transit_gateway, transit_gateway_settings)

/* Deletes a gateway with its route tables. ERR_STATE: it has attachments. OK if it is deleted. */
struct transit_gateway_target {
	struct ref gateway;
	/* outputs: */
	uuid made;
};
OPERATION(engine_delete_transit_gateway, transit_gateway_target)

/* ---- attachments ---- */

/* Attaches a VPC by one subnet of each zone. With KIND_TRANSIT_ATTACHMENT: ERR_EXISTS, the VPC is attached to the
 * gateway; ERR_COMBINATION, two subnets are in one zone; ERR_QUOTA. ERR_STATE with KIND_TRANSIT_GATEWAY: the
 * gateway is being deleted. ERR_NOT_FOUND with KIND_SUBNET: a subnet is not the VPC's. */
struct transit_attachment_wish {
	struct ref gateway, router;
	struct refs subnets;
	enum choice dns_support;  /* CHOICE_DEFAULT: yes */
	enum choice ipv6_support; /* CHOICE_DEFAULT: no */
	struct tags tags;
	/* outputs: */
	uuid attachment;
};
OPERATION(engine_create_transit_attachment, transit_attachment_wish)

/* Changes an attachment. One subnet must remain (ERR_MISSING). */
struct transit_attachment_settings {
	struct ref attachment;
	struct refs added, removed;
	enum choice dns_support, ipv6_support;
	/* outputs: */
	uuid made;
};
OPERATION(engine_update_transit_attachment, transit_attachment_settings)

/* Deletes an attachment with its association and propagations; static routes to it become black holes. */
struct transit_attachment_target {
	struct ref attachment;
	/* outputs: */
	uuid made;
};
OPERATION(engine_delete_transit_attachment, transit_attachment_target)
/* Accepts or rejects an attachment. ERR_STATE: none waits, for the VPC's owner is the gateway's. */
OPERATION(engine_answer_transit_attachment, transit_attachment_target)

/* Attachment of the router to the gateway that is not deleted, or NULL. */
const struct transit_attachment *engine_find_transit_attachment_of(const struct tables *t, uuid router,
								   uuid gateway);
/* True if packets to the block pass by the attachment: it is not deleted, and has ipv6_support if they are IPv6's.
 * NULL: false. */
bool engine_carries_transit(const struct transit_attachment *a, struct cidr to);
/* True if guests of `asker` resolve public host names of `owner` to private addresses, because both are attached
 * to a gateway, and all three have dns_support. */
bool engine_resolves_over_transit(const struct tables *t, uuid asker, uuid owner);

/* ---- route tables ---- */

struct transit_route_table_wish {
	struct ref gateway;
	struct tags tags;
	/* outputs: */
	uuid route_table;
};
OPERATION(engine_create_transit_route_table, transit_route_table_wish)

/* Deletes a table with its routes and propagations. ERR_STATE with KIND_TRANSIT_ROUTE_TABLE: an attachment is
 * associated with it, or it is a default table. */
struct transit_route_table_target {
	struct ref route_table;
	/* outputs: the row without tags */
	struct transit_route_table deleted;
};
OPERATION(engine_delete_transit_route_table, transit_route_table_target)

/* Associates an attachment with a table, or ends that; enables or disables propagation. Both belong to one gateway
 * (ERR_INVALID with KIND_TRANSIT_ROUTE_TABLE). ERR_CONFLICT with KIND_TRANSIT_ATTACHMENT: the attachment has a table.
 * ERR_EXISTS with KIND_TRANSIT_ROUTE_TABLE: it propagates there. ERR_NOT_FOUND with
 * KIND_TRANSIT_ATTACHMENT and the field "Association" or "Propagation": it is not associated with that table, or does
 * not propagate there. */
struct transit_use {
	struct ref route_table, attachment;
	/* outputs: */
	uuid made, made_table; /* attachment and table */
	uuid router;
};
OPERATION(engine_associate_transit_route_table, transit_use)
OPERATION(engine_disassociate_transit_route_table, transit_use)
OPERATION(engine_enable_transit_propagation, transit_use)
OPERATION(engine_disable_transit_propagation, transit_use)

/* ---- routes ---- */

/* Adds, replaces or deletes a static route. ERR_EXISTS with KIND_TRANSIT_ROUTE: there is one to the destination.
 * ERR_NOT_FOUND with KIND_TRANSIT_ROUTE: there is none. ERR_COMBINATION: both a black hole and an attachment.
 * ERR_MISSING: neither. */
struct transit_route_wish {
	struct ref route_table, attachment;
	struct cidr destination;
	bool is_blackhole;
	/* outputs: the route as the answer shows it */
	uuid made_attachment, made_router;
	bool made_is_blackhole;
};
OPERATION(engine_create_transit_route, transit_route_wish)
OPERATION(engine_replace_transit_route, transit_route_wish)
OPERATION(engine_delete_transit_route, transit_route_wish)

/* An effective route of a table. */
struct transit_way {
	struct cidr to;
	const struct transit_attachment *attachment; /* NULL: it has gone, or the route has none */
	const struct transit_route *route;           /* NULL: a propagated one */
	bool is_blackhole;                           /* also without ipv6_support of the attachment */
};
struct transit_ways {
	const struct transit_way *at;
	size_t count;
};
/* Lists the effective routes of a table by destination: a static route before propagated ones to the same
 * destination, and of these the one of the oldest attachment. false: out of memory. */
bool engine_list_transit_ways(struct arena *a, const struct tables *t, uuid table,
			      struct transit_ways *ret_ways);
/* The most specific of them that contains the address; NULL: none. */
const struct transit_way *engine_find_transit_way(const struct transit_ways *ways, struct ip ip);

/* ---- reports of the reconciler ---- */

/* The gens of the rows that were deployed. OK if the row is gone. */
struct transit_report {
	uuid id;
	uint64_t gen;
	bool is_of_router; /* an attachment's end at the VPC's router, not at the gateway's */
};
SYSTEM_OPERATION(engine_see_transit_gateway, transit_report)
SYSTEM_OPERATION(engine_see_transit_attachment, transit_report)
/* The network no longer has the deleted gateway. */
SYSTEM_OPERATION(engine_end_transit_gateway, transit_report)
/* Forget a row. ERR_STATE: it ended less than TRANSIT_VISIBLE_US ago. */
SYSTEM_OPERATION(engine_forget_transit_gateway, transit_report)
SYSTEM_OPERATION(engine_forget_transit_attachment, transit_report)
