/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of dedicated hosts. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* It takes instances of that type. ERR_COMBINATION with KIND_DEDICATED_HOST. */
RESULT dedicated_host_check_type(struct op *op, const struct dedicated_host *dedicated,
				 const struct instance_type *type, struct str field);

/* Nothing of others is there, and it could be set apart for the account. type NULL: for a whole family. */
bool dedicated_host_is_free(const struct tables *t, const struct host *host, uuid account,
			    const struct instance_type *type);
/* It ends, and is listed for a while. Those that were bound to it and are on no host go to any other one. */
RESULT dedicated_host_end(struct op *op, const struct dedicated_host *dedicated);

/* ---- recovery: its machine is proven to be off (dedicated_recovery.c) */

/* Another machine takes its place, if it is to and none does yet: one that has room for the instance, and sees its
 * disks; for all that are on the old one, if there is such a machine. Where there is none nothing happens. */
RESULT dedicated_host_replace(struct op *op, const struct dedicated_host *dedicated,
			      const struct instance *instance);
/* One that failed ends with the last instance on it. */
RESULT dedicated_host_leave(struct op *op, uuid host);
/* The machine is given up: what is dedicated of it has failed. */
RESULT dedicated_host_fail(struct op *op, uuid host);
