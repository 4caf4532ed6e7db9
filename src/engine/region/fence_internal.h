/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of fences. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct host;

/* A host was found to answer, in that boot: one that was only asked to be off is not to be, unless it is another
 * boot, which is a proof. */
RESULT fence_see_host_up(struct op *op, const struct host *host, struct str boot_id);
/* The instance leaves a host that is off: what that still has of it is to go when it comes back. ERR_STATE: the
 * host is not proven to be off. ERR_CAPACITY: too many have left it already. */
RESULT fence_let_go(struct op *op, uuid host, uuid instance);
