/* SPDX-License-Identifier: Apache-2.0
 * Reservations of volumes: for a pending attach or detach, for a given instance, or by an administrator's
 * mark. A reserved volume cannot be attached, modified or deleted by others. Only Cinder's clients create
 * reservations; all faces respect them. */
#pragma once

#include "engine/storage/volume/volume.h"
#include "model/volume_words.h"

struct volume_reserving {
	struct ref volume;
	struct ref instance; /* engine_reserve_volume(): reserves for this instance; kind none: for none in
			      * particular */
	uuid attachment;     /* engine_end_volume_attachment(): Cinder's id of the attachment; none: the only
			      * one */
};
/* Reserves a free or shared volume for a pending attach, or cancels that. ERR_STATE: the volume is not free,
 * is reserved, or has no such reservation. */
OPERATION(engine_begin_attaching_volume, volume_reserving)
OPERATION(engine_cancel_attaching_volume, volume_reserving)
/* Reserves an attached volume for a pending detach, or cancels that. ERR_STATE: the volume is not attached,
 * is reserved, or has no such reservation. */
OPERATION(engine_begin_detaching_volume, volume_reserving)
OPERATION(engine_cancel_detaching_volume, volume_reserving)
/* Reserves a free volume for an instance. ERR_STATE: the volume is not free, or is reserved. */
OPERATION(engine_reserve_volume, volume_reserving)
/* Detaches an attached volume; otherwise ends its reservation. ERR_STATE: the volume has none. */
OPERATION(engine_end_volume_attachment, volume_reserving)

/* Attaches the volume to the instance it is reserved for; the wish's instance is ignored. ERR_STATE: the
 * volume is not reserved for an instance. */
OPERATION(engine_attach_reserved_volume, volume_attaching)

/* Sets any reservation, regardless of the present one, for administrators. */
struct volume_marking {
	struct ref volume;
	enum volume_reservation reservation;
};
OPERATION(engine_mark_volume, volume_marking)
