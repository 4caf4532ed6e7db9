/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/azure/: the change feed, Azure Monitor's activity log. */
#pragma once

#include "drivers/remote/azure/request.h"

/* read_changes() of the driver: one request. */
RESULT azure_read_changes(struct ctx *c, struct remote *r, struct str cursor,
			  struct remote_changes *ret_changes);
/* Reads a page of the activity log. since_us: start of the request. ERR_IO: it is none. */
RESULT azure_read_events(struct ctx *c, const json_t *root, struct str subscription, int64_t since_us,
			 struct remote_changes *ret_changes);
