/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/identity/: what an administrator has added to the catalogue, beside the region's
 * own. The view is read. */
#pragma once

#include "api/openstack/identity/identity.h"
#include "model/catalog_entry.h"

/* The region's own service of that id, as 32 digits; false: it is none of them. */
bool os_is_own_service(struct os_call *e, struct str id);
bool os_is_own_endpoint(struct os_call *e, struct str id);

/* The members of one. */
void os_write_catalog_entry(struct os_call *e, struct json_writer *w, const struct catalog_entry *entry);
/* Those of that kind that the query asks for, into an open list. */
void os_write_catalog_entries(struct os_call *e, struct json_writer *w, enum catalog_entry_what what);
/* ERR_NOT_FOUND in Keystone's words. */
RESULT os_show_catalog_entry(struct os_call *e, enum catalog_entry_what what, struct str id,
			     struct json_writer *w);
/* The enabled endpoints of a service as the catalogue has them, into an open list; and the enabled services
 * that were added, each with its own. */
void os_write_added_endpoints(struct os_call *e, struct json_writer *w, uuid service, uuid account);
void os_write_added_services(struct os_call *e, struct json_writer *w, uuid account);
