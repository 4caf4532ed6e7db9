/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/azure/: resources of Azure Resource Manager other than machines. Pure; any thread. */
#pragma once

#include "drivers/remote/resource_json.h"

/* The lists of a subscription, by enum remote_resource_type. */
struct azure_list {
	const char *path; /* below the subscription; with "%s": that of a location */
	const char
		*parts; /* member of each element with the resources; NULL: the elements are the resources */
	struct resource_form form;
};
extern const struct azure_list azure_lists[];

/* Reads the resources of a location, or of all of them ("all"). entries: the list's length. */
RESULT azure_read_resources(struct ctx *c, const json_t *root, enum remote_resource_type type,
			    struct str subscription, struct str location,
			    struct remote_resource_page *ret_page);
/* "GROUP:NAME", or "GROUP:NAME:PART" of a part such as a subnet, in lower case, as for machines. Empty: the id is not
 * one of the subscription. */
struct str azure_ref_of_resource(struct ctx *c, struct str id, struct str subscription);
