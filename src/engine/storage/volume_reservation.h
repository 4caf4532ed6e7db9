/* SPDX-License-Identifier: Apache-2.0
 * Reservations of volumes: a volume is kept for who is about to attach or detach it, reserved for an instance, or
 * marked by an administrator. While it is reserved, nobody else attaches, modifies or deletes it. Only Cinder's
 * users ask for reservations; everybody keeps to them. */
#pragma once

#include "engine/storage/volume.h"
#include "model/volume.h"

struct volume_reserving {
	struct ref volume;
	struct ref instance; /* engine_reserve_volume(): whom it is for; kind none: for none by name */
	uuid attachment;     /* engine_end_volume_attachment(): Cinder's id of the one; none: the only one */
};
/* A free volume, or a shared one, is kept for who is about to attach it, or is so no longer. ERR_STATE: it is not free, or it
 * is reserved; it is not in that reservation. */
OPERATION(engine_begin_attaching_volume, volume_reserving)
OPERATION(engine_cancel_attaching_volume, volume_reserving)
/* An attached volume is kept for who is about to detach it, or is so no longer. ERR_STATE: likewise. */
OPERATION(engine_begin_detaching_volume, volume_reserving)
OPERATION(engine_cancel_detaching_volume, volume_reserving)
/* A free volume is reserved for an instance. ERR_STATE: likewise. */
OPERATION(engine_reserve_volume, volume_reserving)
/* Detaches the volume where it is attached; else ends its reservation. ERR_STATE: it has none. */
OPERATION(engine_end_volume_attachment, volume_reserving)

/* Attaches the volume to the instance that it is reserved for, whatever instance the wish names. ERR_STATE:
 * it is not reserved for one. */
OPERATION(engine_attach_reserved_volume, volume_attaching)

/* Puts it into a reservation, whatever it is in, as an administrator says. */
struct volume_marking {
	struct ref volume;
	enum volume_reservation reservation;
};
OPERATION(engine_mark_volume, volume_marking)
