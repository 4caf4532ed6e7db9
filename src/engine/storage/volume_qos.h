/* SPDX-License-Identifier: Apache-2.0
 * QoS specs: an administrator's rates, which volume types are associated with. Hosts hold guests to them
 * (model/disk_limits.h), also while the volumes are attached. */
#pragma once

#include "engine/operation.h"

/* ERR_EXISTS: the name is taken. ERR_INVALID: the consumer is none of back-end, front-end, both. */
struct volume_qos_wish {
	struct ref qos;      /* to change */
	struct str name;     /* to make */
	struct str consumer; /* empty: back-end, or as it is */
	struct tags specs;   /* to make: all; to change: over those there are */
	struct strs gone;    /* to change: keys. ERR_NOT_FOUND */
	/* made: */
	uuid made;
};
OPERATION(engine_create_volume_qos, volume_qos_wish)
OPERATION(engine_update_volume_qos, volume_qos_wish)

/* ERR_IN_USE: types are associated with it, and it is not forced. */
struct volume_qos_target {
	struct ref qos;
	bool force;
};
OPERATION(engine_delete_volume_qos, volume_qos_target)

/* ERR_INVALID with KIND_VOLUME_TYPE: the type is associated with others already. */
struct volume_qos_association {
	struct ref qos;
	struct ref type; /* kind none, to end it: every type */
};
OPERATION(engine_associate_volume_qos, volume_qos_association)
OPERATION(engine_disassociate_volume_qos, volume_qos_association)
