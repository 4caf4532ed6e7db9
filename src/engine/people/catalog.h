/* SPDX-License-Identifier: Apache-2.0
 * An administrator's additions to Keystone's catalogue: regions, services, endpoints; and Keystone's
 * policies. */
#pragma once

#include "engine/operation.h"
#include "model/catalog_entry_words.h"

struct catalog_entry;

enum { CATALOG_ENTRIES_MAX = 1000, CATALOG_TEXT_MAX = 65536, ENDPOINT_ACCOUNTS_MAX = 1000 };

/* Finds an entry by Keystone's id: a region's name, or a UUID. NULL: not found. */
const struct catalog_entry *engine_find_catalog_entry(const struct tables *t, enum catalog_entry_what what,
						      struct str id);

struct catalog_wish {
	enum catalog_entry_what what;
	struct str id;         /* the entry to change or delete */
	struct str own_region; /* name of this region, which has no row */
	/* NULL: no change, or empty */
	const struct str *name, *type, *text, *description, *interface, *region;
	const uuid *service;
	bool is_own_service; /* the service is one of this region's own */
	bool makes_region;   /* creates a region with that name if there is none */
	enum choice enabled;
	struct tags extra; /* added to the present ones, or replacing those of the same name */
	/* result: */
	uuid entry;
};
/* ERR_EXISTS: there is a region with that name. ERR_INVALID: the service or the region does not exist. */
OPERATION(engine_create_catalog_entry, catalog_wish)
/* ERR_NOT_FOUND: no entry has that id. */
OPERATION(engine_update_catalog_entry, catalog_wish)
/* Deleting a service deletes its endpoints. ERR_PROTECTED: the region has endpoints. */
OPERATION(engine_delete_catalog_entry, catalog_wish)

/* Associates a project with an endpoint, or with all endpoints of an endpoint group, or ends that. A project
 * with associations sees only these endpoints in its catalogue. ERR_EXISTS: it is associated already.
 * ERR_NOT_FOUND: it is not associated, or there is no such group, endpoint or account. */
struct endpoint_association {
	struct ref account;
	struct str group; /* id of the group; empty: the endpoint */
	uuid endpoint;
	bool is_own_endpoint; /* the endpoint is one of this region's own, which has no row */
	bool is_in;
};
OPERATION(engine_associate_endpoints, endpoint_association)
/* True if the entry is an endpoint group or endpoint_access associated with the account. */
bool engine_is_endpoint_filter(const struct catalog_entry *entry, uuid account);
/* The accounts associated with that single endpoint, or NULL. */
const struct catalog_entry *engine_find_endpoint_access(const struct tables *t, uuid endpoint);

/* ---- inside operations ---- */

/* Removes all associations of the account. */
RESULT catalog_forget_account(struct op *op, uuid account);
