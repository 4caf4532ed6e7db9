/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/key_manager/: shared by the resources of Barbican. */
#pragma once

#include "api/openstack/core/action.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "engine/people/credential/secret.h"

/* "https://cloud.example.com/key-manager/v1/secrets/ID": the reference by which Barbican names a row. */
struct str os_km_ref(struct os_call *e, const char *collection, uuid id);
/* Reads such a reference, or an id alone. False: another text. */
bool os_km_read_ref(struct str text, const char *collection, enum kind kind, struct ref *ret_ref);

/* The secret that a call names, which its caller may read. ERR_NOT_FOUND; ERR_DENIED. */
RESULT os_km_find_secret(struct os_call *e, const struct ref *ref, const struct secret **ret_secret);

/* Members that all resources have. */
void os_km_write_common(struct json_writer *w, const struct row *row, struct str name, uuid creator);

/* Pages of lists, by offset. */
struct os_km_page {
	int64_t limit, offset;
};
enum { OS_KM_LIMIT_MAX = 100, OS_KM_OFFSET_MAX = 1000000 };
#define OS_KM_PAGE(T)                                                                                        \
	OS_QUERY(T, "limit", page.limit, .min = 1, .max = OS_KM_LIMIT_MAX, .absent = "10",                   \
		 .doc = "Rows of a page."),                                                                  \
		OS_QUERY(T, "offset", page.offset, .min = 0, .max = OS_KM_OFFSET_MAX, .absent = "0",         \
			 .doc = "Rows before the page.")
/* Sorts rows by their creation. */
int os_km_compare(const void *a, const void *b);
/* Writes "total" and links to the pages beside this one. */
void os_km_write_page(struct os_call *e, struct json_writer *w, const struct os_km_page *page, size_t total);
