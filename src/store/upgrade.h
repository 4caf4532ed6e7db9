/* SPDX-License-Identifier: Apache-2.0
 * The state of an upgrade: which level of the schema is in force, what this program adds, who is connected
 * (store/level.h). Each call asks the database: never use it on an HTTP thread or inside a change. */
#pragma once

#include "store/sql.h"
#include "store/store.h"

struct upgrade {
	bool is_confirmed;          /* the level in force is this program's */
	struct level_meta in_force; /* if it is not; in the arena of the context */
	unsigned kind_count, field_count, word_count;
	struct str news; /* names of what is new */
	bool is_shared;  /* other processes may be connected */
	struct sql_programs programs;
};

/* Asks a shared database for the connected processes. */
RESULT store_read_upgrade(struct store *s, struct ctx *c, struct upgrade *ret_upgrade);
/* Makes this program's level the one in force. An older program cannot be started any more. ERR_STATE, with a message:
 * one is connected. *ret_was_upgrading: it was not the one in force before. */
RESULT store_confirm_upgrade(struct store *s, struct ctx *c, bool *ret_was_upgrading);
