/* SPDX-License-Identifier: Apache-2.0
 * Selects actions by method and path, for faces with a few dozen of them (SCIM, TMF621), and dumps their tables for
 * `dari dump` and the coverage page. A face with hundreds of actions sorts its rows instead
 * (openstack/core/routes.c). Any thread. */
#pragma once

#include "api/core/action.h"
#include "api/core/dump.h"

/* First members of a row. path: behind the face's own prefix, such as "Users/{id}". */
#define REST_ACTION_BASE                                                                                     \
	enum http_method method;                                                                             \
	const char *path;                                                                                    \
	API_ACTION_BASE

struct rest_action {
	REST_ACTION_BASE;
};

struct rest_table {
	const struct api_actions *const *groups;
	size_t count;
};

/* NULL: no row has the path and the method. ret_variables: values of the path's variables, in the arena.
 * ret_has_path: a row has the path, whatever its method. */
const struct rest_action *rest_find_action(struct ctx *c, const struct rest_table *t, enum http_method method,
					   struct str path, struct pairs *ret_variables, bool *ret_has_path);

/* A Markdown table with a row for each action. */
void rest_write_coverage(const struct rest_table *t, struct buf *out);
/* The object {"actions": […]}; write_members adds the face's own members of an action, and its "params". */
void rest_dump_actions(const struct rest_table *t, const struct dump_form *form,
		       void (*write_members)(struct json_writer *w, const struct rest_action *a),
		       struct buf *out);
