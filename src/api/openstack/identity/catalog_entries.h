/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/identity/: catalog entries that an administrator added to the region's own. The caller
 * holds an open view. */
#pragma once

#include "api/openstack/identity/identity.h"
#include "model/catalog_entry_words.h"

struct catalog_entry;

/* The region's own service of that id, as 32 digits; false: it is none of them. */
bool os_is_own_service(struct os_call *e, struct str id);
/* Type of the region's own service of that id, "block-storage" for both of Cinder's; empty: it is none of them. */
struct str os_get_own_type(struct os_call *e, uuid service);
bool os_is_own_endpoint(struct os_call *e, struct str id);

/* Writes the members of an entry. */
void os_write_catalog_entry(struct os_call *e, struct json_writer *w, const struct catalog_entry *entry);
/* Writes the entries of that kind that match the query, into an open list. */
void os_write_catalog_entries(struct os_call *e, struct json_writer *w, enum catalog_entry_what what);
/* ERR_NOT_FOUND in Keystone's words. */
RESULT os_show_catalog_entry(struct os_call *e, enum catalog_entry_what what, struct str id,
			     struct json_writer *w);
/* Filter for a project's endpoints, which match any of the entries; without entries the project has all. In the arena. */
struct os_endpoint_filter {
	const struct catalog_entry **at;
	size_t count;
};
RESULT os_read_endpoint_filter(struct os_call *e, uuid account, struct os_endpoint_filter *ret_filter);
bool os_endpoint_fits(const struct os_endpoint_filter *filter, uuid id, uuid service, struct str interface,
		      struct str region);
/* True if the filter admits an added endpoint, whether enabled or not. */
bool os_added_endpoint_fits(const struct os_endpoint_filter *filter, const struct catalog_entry *entry);
/* Writes the endpoints that match the filter, the region's own and added ones, into an open list; without entries, none. */
void os_write_fitting_endpoints(struct os_call *e, struct json_writer *w,
				const struct os_endpoint_filter *filter);

/* The enabled endpoints of a service that fit, as the catalogue has them, into an open list; whether there are any;
 * and the enabled services that were added, each with its own. */
void os_write_added_endpoints(struct os_call *e, struct json_writer *w, uuid service, uuid account,
			      const struct os_endpoint_filter *filter);
bool os_has_added_endpoints(struct os_call *e, uuid service, const struct os_endpoint_filter *filter);
void os_write_added_services(struct os_call *e, struct json_writer *w, uuid account,
			     const struct os_endpoint_filter *filter);
