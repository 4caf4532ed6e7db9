/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/openstack/: the change feed, Nova's list of servers that have changed. */
#pragma once

#include "drivers/remote/openstack/request.h"

/* read_changes() of the driver: one request. */
RESULT openstack_read_changes(struct ctx *c, struct remote *r, struct str cursor,
			      struct remote_changes *ret_changes);
/* Reads a page of servers. since_us: start of the request. ERR_IO: it is none. */
RESULT openstack_read_changed(struct ctx *c, const json_t *root, int64_t since_us,
			      struct remote_changes *ret_changes);
