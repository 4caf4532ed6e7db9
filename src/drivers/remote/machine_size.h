/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: sizes of machines in clouds without instance types, as a number of processors and MiB of memory,
 * "2x4096". Pure; any thread. */
#pragma once

#include "base/ctx.h"

enum { MACHINE_VCPUS_MAX = 4096 };
#define MACHINE_MIB_MAX (INT64_C(1) << 30)

/* Empty: a number is unknown. */
struct str machine_size_write(struct ctx *c, int64_t vcpus, int64_t mib);
/* ERR_INVALID: of another form. cloud: for the message. */
RESULT machine_size_parse(struct ctx *c, const char *cloud, struct str text, int64_t *ret_vcpus,
			  int64_t *ret_mib);
