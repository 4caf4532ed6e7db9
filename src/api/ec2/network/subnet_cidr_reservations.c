/* SPDX-License-Identifier: Apache-2.0
 * CIDR reservations in subnets: CreateSubnetCidrReservation, GetSubnetCidrReservations,
 * DeleteSubnetCidrReservation. */
#include "api/ec2/core/list.h"
#include "api/ec2/core/write.h"
#include "engine/network/ipv6.h"
#include "engine/network/subnet_reservation.h"
#include "model/subnet_reservation.h"
#include "store/subnet.h"

/* ---- get ---- */

struct ec2_get_reservations {
	struct ec2_query query;
	struct ref subnet;
	uuid found;
};
static const struct param get_params[] = {
	PARAM(struct ec2_get_reservations, "SubnetId", subnet, .flags = REQUIRED, .kind = KIND_SUBNET,
	      .doc = "The subnet."),
	QUERY_FILTERS(struct ec2_get_reservations),
	QUERY_PAGES(struct ec2_get_reservations, 5, 1000),
};

static const char *const types[] = {
	[SUBNET_RESERVATION_TYPE_PREFIX] = "prefix",
	[SUBNET_RESERVATION_TYPE_EXPLICIT] = "explicit",
};

static bool fits_type(const struct filter_run *f, const struct row *row)
{
	return filter_z(f, types[subnet_reservation_of(row)->type]);
}

/* EC2 shows an IPv6 block as part of the IPv4 subnet it was added to. */
static uuid find_shown_subnet(const struct tables *t, const struct subnet_reservation *r)
{
	const struct subnet *subnet = subnet_find(t, r->subnet);
	const struct subnet *beside =
		subnet && r->block.base.family == IP_V6 ? engine_find_ipv4_subnet(t, subnet) : NULL;
	return beside ? beside->row.id : r->subnet;
}

static bool fits_subnet(const struct filter_run *f, const struct row *row)
{
	return filter_id(f, KIND_SUBNET, find_shown_subnet(f->t, subnet_reservation_of(row)));
}

static const struct filter reservation_filters[] = {
	{"reservationType", .get = fits_type},
	{"subnet-id", .get = fits_subnet,
	 .access_paths = {{KIND_SUBNET,
			   .joins = {JOIN_ONE(KIND_NETWORK, subnet, network),
				     JOIN_EACH(KIND_SUBNET, SUBNET_INDEX_NETWORK),
				     JOIN_EACH(KIND_SUBNET_RESERVATION, SUBNET_RESERVATION_INDEX_SUBNET)}}}},
};

static RESULT prepare_get(struct ec2_call *e, void *args)
{
	struct ec2_get_reservations *a = args;
	const struct subnet *subnet = NULL;
	TRY(engine_find_subnet(e->c, ec2_tables(e), &a->subnet, &subnet));
	a->found = subnet->row.id;
	return OK;
}

/* True for reservations of the requested subnet, and in the answer of a change. */
static bool is_of_subnet(struct ec2_call *e, const struct row *row)
{
	const struct ec2_get_reservations *a = e->args;
	return e->action->operation ||
	       uuid_equal(find_shown_subnet(ec2_tables(e), subnet_reservation_of(row)), a->found);
}

struct reservation_item {
	const struct subnet_reservation *reservation;
	uuid subnet;
};

static const void *gather_reservation(struct ec2_call *e, const struct row *row)
{
	struct reservation_item *item = arena_new_object(e->c->arena, struct reservation_item);
	if (!item)
		return NULL;
	item->reservation = subnet_reservation_of(row);
	item->subnet = find_shown_subnet(ec2_tables(e), item->reservation);
	return item;
}

static bool is_ipv6(const void *item)
{
	const struct reservation_item *i = item;
	return i->reservation->block.base.family == IP_V6;
}

static void write_reservation(struct ec2_call *e, struct xml *x, const void *item)
{
	const struct reservation_item *i = item;
	const struct subnet_reservation *r = i->reservation;
	ec2_write_id(x, "subnetCidrReservationId", KIND_SUBNET_RESERVATION, r->row.id);
	ec2_write_id(x, "subnetId", KIND_SUBNET, i->subnet);
	ec2_write_cidr(x, "cidr", r->block);
	xml_z(x, "reservationType", types[r->type]);
	xml_text(x, "ownerId", e->owner);
	xml_text_opt(x, "description", r->description);
	ec2_write_tags(x, r->tags);
}

static const struct ec2_listing reservation_listing = {.kind = KIND_SUBNET_RESERVATION,
						       .set = "subnetIpv4CidrReservationSet",
						       .other_set = "subnetIpv6CidrReservationSet",
						       .in_other = is_ipv6,
						       .filters = FILTERS(reservation_filters),
						       .shows = is_of_subnet,
						       .is_hiding = true,
						       .gather = gather_reservation,
						       .write = write_reservation};

/* ---- create, delete ---- */

struct ec2_create_reservation {
	struct subnet_reservation_wish wish;
	struct str type;
	struct ec2_tag_specs tag_specs;
};
#define P(wire, member, ...) PARAM(struct ec2_create_reservation, wire, member, __VA_ARGS__)
static const struct param create_params[] = {
	P("SubnetId", wish.subnet, .flags = REQUIRED, .kind = KIND_SUBNET, .doc = "The subnet."),
	P("Cidr", wish.block, .flags = REQUIRED | ANY_FAMILY, .doc = "CIDR block within the subnet."),
	P("ReservationType", type, .flags = REQUIRED, .words = "prefix|explicit",
	  .doc = "Purpose of the reservation; shown only, both types behave alike."),
	P("Description", wish.description, .max = SUBNET_RESERVATION_WORDS_MAX,
	  .doc = "Description: free text."),
	TAG_SPECIFICATIONS(struct ec2_create_reservation, tag_specs),
};
#undef P

static RESULT prepare_create(struct ec2_call *e, void *args)
{
	struct ec2_create_reservation *a = args;
	(void) e;
	a->wish.type =
		str_is(a->type, "prefix") ? SUBNET_RESERVATION_TYPE_PREFIX : SUBNET_RESERVATION_TYPE_EXPLICIT;
	return OK;
}

static const struct param delete_params[] = {
	PARAM(struct subnet_reservation_target, "SubnetCidrReservationId", reservation, .flags = REQUIRED,
	      .kind = KIND_SUBNET_RESERVATION, .doc = "The reservation."),
};

static RESULT ec2_delete_subnet_cidr_reservation(struct ec2_call *e, const void *args, struct xml *x)
{
	const struct subnet_reservation_target *a = args;
	const struct reservation_item item = {&a->deleted, a->subnet};
	xml_open(x, "deletedSubnetCidrReservation");
	write_reservation(e, x, &item);
	xml_close(x, "deletedSubnetCidrReservation");
	return OK;
}

static const struct ec2_action actions[] = {
	{EC2_ACTION("GetSubnetCidrReservations"), .args = PARAMS(struct ec2_get_reservations, get_params),
	 .prepare = prepare_get, .list = &reservation_listing,
	 .doc = "Lists the CIDR reservations of a subnet."},
	{EC2_ACTION("CreateSubnetCidrReservation"), .flags = API_WRITES,
	 .args = PARAMS(struct ec2_create_reservation, create_params), .prepare = prepare_create,
	 EC2_TAGS(struct ec2_create_reservation, "subnet-cidr-reservation"),
	 .operation = engine_create_subnet_reservation_run,
	 EC2_SHOWS(reservation_listing, struct ec2_create_reservation, wish.reservation,
		   "subnetCidrReservation"),
	 .returns = KIND_SUBNET_RESERVATION,
	 .doc = "Reserves a block of a subnet. Its addresses are not assigned automatically, only on "
		"request."},
	{EC2_ACTION("DeleteSubnetCidrReservation"), .flags = API_WRITES,
	 .args = PARAMS(struct subnet_reservation_target, delete_params),
	 .operation = engine_delete_subnet_reservation_run, .answer = ec2_delete_subnet_cidr_reservation,
	 .doc = "Deletes a CIDR reservation."},
};
const struct api_actions ec2_subnet_reservation_actions = API_ACTIONS(actions);
