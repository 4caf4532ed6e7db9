/* SPDX-License-Identifier: Apache-2.0
 * Reservations of addresses in subnets, which are rows only. A port gets a reserved address if the
 * address is asked for by name, and none if one is chosen for it. Addresses in use stay so. A reservation of
 * IPv6 addresses is a row of the IPv6 subnet, also where it was made for the IPv4 subnet beside that. */
#pragma once

#include "engine/operation.h"
#include "model/subnet_reservation.h"

enum { SUBNET_RESERVATIONS_MAX = 50 /* of a subnet */, SUBNET_RESERVATION_WORDS_MAX = 255 };

/* Makes a reservation; the block is made canonical. With KIND_SUBNET_RESERVATION: ERR_RANGE, it is
 * not in the subnet; ERR_CONFLICT, it overlaps another reservation; ERR_QUOTA. */
struct subnet_reservation_wish {
	struct ref subnet;
	struct cidr block;
	enum subnet_reservation_type type;
	struct str description;
	struct tags tags;
	/* made: */
	uuid reservation;
};
OPERATION(engine_create_subnet_reservation, subnet_reservation_wish)

struct subnet_reservation_target {
	struct ref reservation;
	/* made: without tags; and the subnet that its maker named */
	struct subnet_reservation deleted;
	uuid subnet;
};
OPERATION(engine_delete_subnet_reservation, subnet_reservation_target)
