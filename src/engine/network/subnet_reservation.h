/* SPDX-License-Identifier: Apache-2.0
 * Reservations of addresses in subnets: rows only. A port gets a reserved address when it is asked for by
 * itself, and none when one is chosen for it. What is in use stays so. */
#pragma once

#include "engine/operation.h"
#include "model/subnet_reservation.h"

enum { SUBNET_RESERVATIONS_MAX = 50 /* of a subnet */, SUBNET_RESERVATION_WORDS_MAX = 255 };

/* The block is made canonical. ERR_RANGE: it is not in the subnet; ERR_CONFLICT: another reservation has a
 * part of it; ERR_QUOTA; all with KIND_SUBNET_RESERVATION. */
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
	/* made: without tags */
	struct subnet_reservation deleted;
};
OPERATION(engine_delete_subnet_reservation, subnet_reservation_target)
