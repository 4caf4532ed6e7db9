/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/licence/: the parts of a mapping. */
#pragma once

#include "base/json_write.h"
#include "engine/licence/mapping.h"

/* States of guests, as virt-who numbers them. */
enum mapping_state {
	MAPPING_UNKNOWN = 0,
	MAPPING_RUNNING = 1,
	MAPPING_PAUSED = 3,
	MAPPING_OFF = 5,
	MAPPING_SUSPENDED = 7
};

/* True if the scope has the owner's guests. */
bool mapping_has(const struct tables *t, const struct mapping_scope *scope, uuid owner);
void mapping_write_guest(struct json_writer *w, uuid id, enum mapping_state state, const char *type);
/* Writes the hosts of VMware and Hyper-V that providers list, with their guests. */
RESULT mapping_write_elsewhere(struct ctx *c, const struct tables *t, const struct mapping_scope *scope,
			       struct json_writer *w);
