/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: resources other than machines. */
#pragma once

#include "drivers/remote/hyperv/wsman.h"
#include "drivers/remote/resource_draft.h"

#define HYPERV_RESOURCE_TYPES                                                                                \
	(1U << REMOTE_RESOURCE_TYPE_IMAGE | 1U << REMOTE_RESOURCE_TYPE_NETWORK |                             \
	 1U << REMOTE_RESOURCE_TYPE_VOLUME | 1U << REMOTE_RESOURCE_TYPE_SNAPSHOT |                           \
	 1U << REMOTE_RESOURCE_TYPE_HOST | 1U << REMOTE_RESOURCE_TYPE_CLUSTER |                              \
	 1U << REMOTE_RESOURCE_TYPE_DATASTORE)

/* Ids of a server's machines. Volumes with another owner belong to checkpoints, and are left out. */
struct hyperv_ids {
	VEC(struct str);
};
/* Reads a page of resources of that type. machines: needed for volumes. zone: name of the server. */
RESULT hyperv_read_resources(struct ctx *c, struct str text, enum remote_resource_type type, struct str zone,
			     const struct hyperv_ids *machines, struct remote_resource_page *ret_page);
/* Lists the server's resources of that type. */
RESULT hyperv_list_resources(struct wsman_link *l, enum remote_resource_type type,
			     struct remote_resource_page *ret_page);
