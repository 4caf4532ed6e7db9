/* SPDX-License-Identifier: Apache-2.0
 * Where the region itself connects to, as rows say it: the places that nothing fetched for an account may reach. Each field
 * of a row that a client of ours connects to is in the table of remotes.c, which a unit test holds against the schema. */
#pragma once

#include "model/row.h"
#include "store/tables.h"

struct remote_field {
	enum kind kind;
	const char *field; /* a text, or texts: "https://desk.example/api", "10.0.0.5:6789" */
	bool is_bare;      /* without a scheme */
};
/* NULL-ended by .field. */
extern const struct remote_field engine_remote_fields[];

/* The remotes of all live rows, as drivers/web_reach.h has them. In the arena. False: out of memory. */
bool engine_list_remotes(const struct tables *t, struct arena *a, struct strs *ret_remotes);
