/* SPDX-License-Identifier: Apache-2.0
 * Adoption: what was found on a host with our mark and without a row (after a start on an older
 * database) gets its rows back, as the operator decides. Nothing on the host changes by it.
 * Called by: daemon/commands_adopt.c. */
#pragma once

#include "engine/operation.h"
#include "model/memo.h"

/* A disk that its host has. */
struct disk_found {
	uuid volume;
	int64_t size;
};

/* An instance by the memo that its domain carries (model/memo.h): the instance, its ports, their
 * public addresses, its volumes. Its wanted power becomes what was seen; gens stay. Security groups
 * that are gone are dropped (none left: the VPC's default one), and so are public addresses that
 * somebody else has by now. Quotas are not enforced, but it counts.
 * ERR_INVALID: the memo is not of that instance. ERR_CONFLICT: a row, an address or a MAC of it exists.
 * ERR_NOT_FOUND: what it stands on (account, VPC, subnet, image, type) is not here any more. */
struct instance_adoption {
	uuid instance, host;
	const struct memo *memo;
	bool is_on;                     /* the domain, as it was seen */
	const struct disk_found *disks; /* all of ours on the host */
	size_t disk_count;
	/* made: */
	size_t port_count, volume_count, address_count;
	size_t dropped_count; /* groups and addresses that could not be had back */
};
OPERATION(engine_adopt_instance, instance_adoption)

/* A lone disk as a free volume of an account, in its host's zone. ERR_CONFLICT: there is such a row. */
struct volume_adoption {
	uuid host;
	struct disk_found disk;
	struct ref account; /* by name */
};
OPERATION(engine_adopt_volume, volume_adoption)
