/* SPDX-License-Identifier: Apache-2.0
 * Trunks: a port, the parent, whose guest reaches further ports, the sub-ports, by VLAN tags. A sub-port has its
 * own network, addresses and security groups. Its host is that of the parent. */
#pragma once

#include "engine/operation.h"

struct port;
struct trunk;

enum {
	TRUNKS_OF_ACCOUNT_MAX = 500,
	TRUNK_SUBPORTS_MAX = 256,
	TRUNK_VLAN_MAX = 4094, /* IEEE 802.1Q reserves 0 and 4095 */
};

/* A sub-port. Removals read the port only. */
struct trunk_subport {
	struct ref port;
	int64_t vlan;
};
struct trunk_subports {
	const struct trunk_subport *at;
	size_t count;
};

/* Creates a trunk. The ports belong to the trunk's owner. With KIND_TRUNK: ERR_IN_USE, a port is part of a trunk
 * already (fields "port_id", "sub_ports"); ERR_EXISTS, two sub-ports have one tag; ERR_CONFLICT, the network of a
 * sub-port has a larger MTU than the parent's; ERR_QUOTA. ERR_IN_USE with KIND_PORT: a sub-port is in use by a
 * device. ERR_RANGE with KIND_TRUNK: a tag is not one of 1 to 4094. */
struct trunk_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct ref port;
	struct trunk_subports subports;
	struct str name, description;
	bool is_down;
	/* outputs: */
	uuid trunk;
};
OPERATION(engine_create_trunk, trunk_wish)

struct trunk_settings {
	struct ref trunk;
	const struct str *name, *description; /* NULL: unchanged */
	enum choice is_down;
};
OPERATION(engine_update_trunk, trunk_settings)

/* Adds or removes sub-ports. With KIND_TRUNK: ERR_STATE, the trunk is disabled; ERR_NOT_FOUND with the field
 * "sub_ports", the trunk does not have the port. Otherwise errors as for engine_create_trunk(). */
struct trunk_change {
	struct ref trunk;
	struct trunk_subports subports;
	bool removes;
};
OPERATION(engine_change_trunk, trunk_change)

/* Deletes a trunk; its ports stay. ERR_STATE: the trunk is disabled. */
struct trunk_target {
	struct ref trunk;
};
OPERATION(engine_delete_trunk, trunk_target)

/* The port whose interface carries the frames of this port: its parent in a trunk, or itself. */
const struct port *engine_get_carrier(const struct tables *t, const struct port *port);
/* Trunk of which the port is the parent, or NULL. */
const struct trunk *engine_get_trunk_of(const struct tables *t, uuid port);
