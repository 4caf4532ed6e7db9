/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: dedicated hosts. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Checks that the host accepts instances of that type. ERR_COMBINATION with KIND_DEDICATED_HOST. */
RESULT dedicated_host_check_type(struct op *op, const struct dedicated_host *dedicated,
				 const struct instance_type *type, struct str field);

/* True if the host can be dedicated to the account: nothing of others is there. type NULL: for a whole
 * family. */
bool dedicated_host_is_free(const struct tables *t, const struct host *host, uuid account,
			    const struct instance_type *type);
/* Releases the dedicated host; it stays listed for a while. Instances bound to it that are on no host may go
 * to any other one. */
RESULT dedicated_host_end(struct op *op, const struct dedicated_host *dedicated);

/* ---- recovery from a machine that is proven off (dedicated_recovery.c) */

/* Allocates a replacement, if the host recovers and has none: one with room for the instance that sees its
 * disks; preferably with room for everything on the old one. Does nothing if there is none. */
RESULT dedicated_host_replace(struct op *op, const struct dedicated_host *dedicated,
			      const struct instance *instance);
/* Releases a failed dedicated host with the last instance on it. */
RESULT dedicated_host_leave(struct op *op, uuid host);
/* The machine is given up: marks its dedicated host as failed. */
RESULT dedicated_host_fail(struct op *op, uuid host);
