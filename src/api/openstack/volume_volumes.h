/* SPDX-License-Identifier: Apache-2.0
 * Private to api/openstack/: what the files of Block Storage share. */
#pragma once

#include "api/openstack/list.h"

#define OS_VOLUME_GIB (INT64_C(1) << 30)

extern const struct os_listing os_volume_details, os_snapshot_details;

#define OS_VOLUME_PATH(T, member) OS_PATH(T, "volume_id", member, .kind = KIND_VOLUME, .doc = "The volume.")
#define OS_SNAPSHOT_PATH(T, member)                                                                          \
	OS_PATH(T, "snapshot_id", member, .kind = KIND_SNAPSHOT, .doc = "The snapshot.")

static inline int64_t os_gib(int64_t size)
{
	return (size + OS_VOLUME_GIB - 1) / OS_VOLUME_GIB;
}

/* "links" of a resource below the project. */
void os_write_volume_links(struct os_call *e, struct json_writer *w, const char *collection, uuid id);
