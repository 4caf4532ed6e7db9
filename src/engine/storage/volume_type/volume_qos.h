/* SPDX-License-Identifier: Apache-2.0
 * QoS specs: an administrator's I/O limits, associated with volume types. Hosts enforce them on guests
 * (model/disk_limits.h); changes apply to attached volumes, too. */
#pragma once

#include "engine/operation.h"

/* ERR_EXISTS: the name is in use. ERR_INVALID: the consumer is not back-end, front-end or both. */
struct volume_qos_wish {
	struct ref qos;      /* update only */
	struct str name;     /* create only */
	struct str consumer; /* empty: back-end, or no change */
	struct tags specs;   /* create: all specs; update: to add or replace */
	struct strs gone;    /* update only: keys to remove. ERR_NOT_FOUND */
	/* result: */
	uuid made;
};
OPERATION(engine_create_volume_qos, volume_qos_wish)
OPERATION(engine_update_volume_qos, volume_qos_wish)

/* ERR_IN_USE: types are associated with the specs, unless `force`. */
struct volume_qos_target {
	struct ref qos;
	bool force;
};
OPERATION(engine_delete_volume_qos, volume_qos_target)

/* ERR_INVALID with KIND_VOLUME_TYPE: the type is associated with other specs. */
struct volume_qos_association {
	struct ref qos;
	struct ref type; /* kind none, to disassociate: all types */
};
OPERATION(engine_associate_volume_qos, volume_qos_association)
OPERATION(engine_disassociate_volume_qos, volume_qos_association)
