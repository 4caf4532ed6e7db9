/* SPDX-License-Identifier: Apache-2.0
 * What an administrator adds to Keystone's catalogue: regions, services, endpoints; and Keystone's policies. */
#pragma once

#include "engine/operation.h"
#include "model/catalog_entry.h"

enum { CATALOG_ENTRIES_MAX = 1000, CATALOG_TEXT_MAX = 65536, ENDPOINT_ACCOUNTS_MAX = 1000 };

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

/* Gives a project one endpoint, or all that fit an endpoint group; or takes that from it. A project that was given any
 * that are there has only these in its catalogue. ERR_EXISTS: it has that already. ERR_NOT_FOUND: it has not, or there
 * is no such group, endpoint or account. */
struct endpoint_association {
	struct ref account;
	struct str group; /* its id; empty: the endpoint */
	uuid endpoint;
	bool is_own_endpoint; /* it is one of the region's own, which no row has */
	bool is_in;
};
OPERATION(engine_associate_endpoints, endpoint_association)
/* Whether the entry is an endpoint group or endpoint_access that the account has. */
bool engine_is_endpoint_filter(const struct catalog_entry *entry, uuid account);
/* Which accounts were given that endpoint by itself; NULL: none. */
const struct catalog_entry *engine_find_endpoint_access(const struct tables *t, uuid endpoint);

/* ---- inside operations ---- */

/* The account has nothing of these any more. */
RESULT catalog_forget_account(struct op *op, uuid account);
