/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: resources other than machines. */
#pragma once

#include "drivers/remote/resource_draft.h"
#include "drivers/remote/vmware/soap.h"

#define VIM_RESOURCE_TYPES                                                                                   \
	(1U << REMOTE_RESOURCE_TYPE_IMAGE | 1U << REMOTE_RESOURCE_TYPE_NETWORK |                             \
	 1U << REMOTE_RESOURCE_TYPE_VOLUME | 1U << REMOTE_RESOURCE_TYPE_SNAPSHOT |                           \
	 1U << REMOTE_RESOURCE_TYPE_HOST | 1U << REMOTE_RESOURCE_TYPE_CLUSTER |                              \
	 1U << REMOTE_RESOURCE_TYPE_DATASTORE)

/* Reads an answer of a listing of that type. */
RESULT vmware_read_resources(struct ctx *c, struct str text, enum remote_resource_type type,
			     struct remote_resource_page *ret_page);
/* In a session: a page of resources. */
RESULT vmware_list_resources(struct ctx *c, struct remote *r, enum remote_resource_type type,
			     struct str cursor, struct remote_resource_page *ret_page);
