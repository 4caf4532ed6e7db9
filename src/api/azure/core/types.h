/* SPDX-License-Identifier: Apache-2.0
 * Types of Azure's resources, and which versions of the API each has: constant tables. Source of the versions: the files
 * types.def and empty_types.def name it. */
#pragma once

#include <stdbool.h>

/* A type of resources, and which versions of the API it is spoken in: from the first to the last, which are dates, and
 * some between them with a suffix. */
struct az_type {
	const char *space, *name; /* "Microsoft.Compute", "virtualMachines" */
	const char *versions;     /* those that /providers lists, the newest last: "2015-06-15|2020-06-01" */
	bool is_global;           /* it has no location */
};
enum az_types {
#define TYPE(symbol, space, name, versions, is_global) AZ_##symbol,
#include "api/azure/core/types.def"
	AZ_BUILT_TYPE_COUNT, /* the types that follow have no resources here: their lists are empty */
	AZ_LAST_BUILT_TYPE = AZ_BUILT_TYPE_COUNT - 1,
#include "api/azure/core/empty_types.def"
#undef TYPE
	AZ_TYPE_COUNT
};
extern const struct az_type az_types[AZ_TYPE_COUNT];
