/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: fences. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct host;

/* True if Ceph can block the host to some effect: its addresses are configured, or all running guests there
 * have all their disks in Ceph pools. */
bool fence_can_block(const struct tables *t, const struct host *host);
/* The host's addresses for Ceph to block: as configured in the row, or in *room its own address. count 0:
 * unknown. */
struct strs fence_get_addresses(const struct host *host, struct str *room);
bool fence_is_address(const struct host *host, struct str address);
/* The host answered, with that boot id. Cancels a fence that was only requested, unless the boot id is new,
 * which is a proof. */
RESULT fence_see_host_up(struct op *op, const struct host *host, struct str boot_id);
/* Records that the instance leaves a fenced host, whose remains of it must be removed when it returns.
 * ERR_STATE: the host is not proven off. ERR_CAPACITY: too many instances have left it. */
RESULT fence_let_go(struct op *op, uuid host, uuid instance);
