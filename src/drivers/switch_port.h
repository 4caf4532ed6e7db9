/* SPDX-License-Identifier: Apache-2.0
 * Interfaces of this machine in the local Open vSwitch's br-int. Each has a scope, which is a resource's UUID, and a kind,
 * and carries our mark. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"

struct ovsdb;

struct switch_port {
	const char *kind; /* "plug", "proxy" */
	uuid scope;
	const char *link; /* NULL: none is to be there */
	uuid port;        /* OVN's name of the logical port */
};

/* Opens the switch's database. */
RESULT switch_open(struct ctx *c, struct str address, struct ovsdb **ret_switch);
/* Adds, changes or removes the interface of the scope. ERR_AGAIN: there is no br-int yet. */
RESULT switch_apply_port(struct ovsdb *vswitch, struct ctx *c, uuid region, const struct switch_port *port);
/* Removes the region's interfaces of the kind. */
RESULT switch_remove_all(struct ovsdb *vswitch, struct ctx *c, uuid region, const char *kind);
/* Name of the scope's link, in c's arena; empty: there is none. */
RESULT switch_find_link(struct ovsdb *vswitch, struct ctx *c, uuid region, const struct switch_port *port,
			struct str *ret_link);
