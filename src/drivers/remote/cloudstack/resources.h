/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/cloudstack/: resources of CloudStack other than machines. Pure; any thread. */
#pragma once

#include "drivers/remote/resource_json.h"

/* The list commands, by enum remote_resource_type. */
struct cloudstack_list {
	const char *command;       /* NULL: CloudStack has no such resources */
	const char *list;          /* the member with the elements */
	const char *filter, *word; /* a parameter that the command needs; NULL: none */
	struct resource_form form;
};
extern const struct cloudstack_list cloudstack_lists[];
/* All types but subnets: bits 1 << enum remote_resource_type. */
#define CLOUDSTACK_RESOURCE_TYPES (RESOURCE_TYPES_ALL & ~(1U << REMOTE_RESOURCE_TYPE_SUBNET))

/* Reads the resources of a zone, or of all zones ("all"), and those that belong to no zone. entries: the list's length. */
RESULT cloudstack_read_resources(struct ctx *c, const json_t *root, enum remote_resource_type type,
				 struct str zone, struct remote_resource_page *ret_page);
