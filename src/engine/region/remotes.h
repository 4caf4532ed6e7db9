/* SPDX-License-Identifier: Apache-2.0
 * The servers that the region itself connects to, from its rows. Fetches on behalf of an account must not
 * reach them. remotes.c lists every row field that our clients connect to; a unit test compares the table
 * with the schema. */
#pragma once

#include "model/row.h"
#include "store/tables.h"

struct remote_field {
	enum kind kind;
	const char *field; /* one text or a list: "https://desk.example/api", "10.0.0.5:6789" */
	bool is_bare;      /* without a scheme */
	const char *only;  /* name of a bool field: rows that it is true of; NULL: all */
};
/* Ends with an entry whose .field is NULL. */
extern const struct remote_field engine_remote_fields[];

/* The remotes of all live rows, in the form of drivers/egress_policy.h. In the arena. False: out of memory. */
bool engine_list_remotes(const struct tables *t, struct arena *a, struct strs *ret_remotes);
