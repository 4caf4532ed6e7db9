/* SPDX-License-Identifier: Apache-2.0
 * What an administrator adds to Keystone's catalogue: regions, services, endpoints; and Keystone's policies. */
#pragma once

#include "engine/operation.h"
#include "model/catalog_entry.h"

enum { CATALOG_ENTRIES_MAX = 1000, CATALOG_TEXT_MAX = 65536 };

/* An id as Keystone has it: a region's is its name, the others' are UUIDs. NULL: there is none of that. */
const struct catalog_entry *engine_find_catalog_entry(const struct tables *t, enum catalog_entry_what what,
						      struct str id);

struct catalog_wish {
	enum catalog_entry_what what;
	struct str id;         /* of one to be changed or deleted */
	struct str own_region; /* the region's own name, which no row has */
	/* NULL: as it is, or empty */
	const struct str *name, *type, *text, *description, *interface, *region;
	const uuid *service;
	bool is_own_service; /* the service is one of the region's own */
	bool makes_region;   /* a region of that name is made, if there is none */
	enum choice enabled;
	struct tags extra; /* added to the present ones, or replace them */
	/* made: */
	uuid entry;
};
/* ERR_EXISTS: a region of that name is there. ERR_INVALID: the service or the region is not. */
OPERATION(engine_create_catalog_entry, catalog_wish)
/* ERR_NOT_FOUND: there is none of that id. */
OPERATION(engine_update_catalog_entry, catalog_wish)
/* With a service go its endpoints. ERR_PROTECTED: a region has endpoints. */
OPERATION(engine_delete_catalog_entry, catalog_wish)
