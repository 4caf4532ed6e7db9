/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: the lists of API extensions, which are older than microversions.
 */
#pragma once

#include "api/openstack/core/action.h"

struct os_extension {
	const char *alias, *name;
};

struct os_extensions {
	const struct os_extension *at;
	size_t count;
	const char *updated;   /* date of all extensions */
	const char *namespace; /* namespace of all extensions; NULL: none */
};

#define OS_EXTENSIONS(rows) .at = (rows), .count = sizeof(rows) / sizeof(rows)[0]

/* All of them. */
RESULT os_list_extensions(const struct os_extensions *extensions, struct json_writer *w);
/* The members of one. ERR_NOT_FOUND. */
RESULT os_show_extension(struct os_call *e, const struct os_extensions *extensions, struct str alias,
			 struct json_writer *w);

/* For an action that shows one. */
struct os_extension_target {
	struct str alias;
};
extern const struct param os_extension_params[1];
