/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of fences. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct host;

/* Whether Ceph can keep the host out so that something of it may be started elsewhere: somebody said by which
 * addresses, or all guests that run there have all of their disks in pools of Ceph. */
bool fence_can_block(const struct tables *t, const struct host *host);
/* Those addresses, in the row or in *room; count 0: none is known. */
struct strs fence_get_addresses(const struct host *host, struct str *room);
bool fence_is_address(const struct host *host, struct str address);
/* A host was found to answer, in that boot: one that was only asked to be off is not to be, unless it is another
 * boot, which is a proof. */
RESULT fence_see_host_up(struct op *op, const struct host *host, struct str boot_id);
/* The instance leaves a host that is off: what that still has of it is to go when it comes back. ERR_STATE: the
 * host is not proven to be off. ERR_CAPACITY: too many have left it already. */
RESULT fence_let_go(struct op *op, uuid host, uuid instance);
