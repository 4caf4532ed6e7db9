/* SPDX-License-Identifier: Apache-2.0
 * Reservations of addresses in subnets. The engine never chooses a reserved address for a port, but assigns
 * it when asked for it. Addresses in use are unaffected. A reservation of IPv6 addresses belongs to the IPv6
 * subnet, even if it was made through the IPv4 subnet beside that. */
#pragma once

#include "engine/operation.h"
#include "model/subnet_reservation.h"

enum { SUBNET_RESERVATIONS_MAX = 50 /* per subnet */, SUBNET_RESERVATION_WORDS_MAX = 255 };

/* Makes a reservation; the block is made canonical. With KIND_SUBNET_RESERVATION: ERR_RANGE, the block is not
 * in the subnet; ERR_CONFLICT, it overlaps another reservation; ERR_QUOTA. */
struct subnet_reservation_wish {
	struct ref subnet;
	struct cidr block;
	enum subnet_reservation_type type;
	struct str description;
	struct tags tags;
	/* outputs: */
	uuid reservation;
};
OPERATION(engine_create_subnet_reservation, subnet_reservation_wish)

struct subnet_reservation_target {
	struct ref reservation;
	/* outputs: the row without tags, and the subnet that the reservation was made through */
	struct subnet_reservation deleted;
	uuid subnet;
};
OPERATION(engine_delete_subnet_reservation, subnet_reservation_target)
