/* SPDX-License-Identifier: Apache-2.0
 * Adoption: restores the rows of objects found on a host with our mark but without a row, for example after
 * starting from an older database, if the operator decides so. Nothing changes on the host.
 * reconcile/audit/leftover.h finds the objects. */
#pragma once

#include "engine/operation.h"
#include "model/manifest.h"

/* A disk found on its host. */
struct disk_found {
	uuid volume;
	int64_t size;
	bool is_raw; /* the file is a raw image */
};

/* Adopts an instance from the manifest in its domain (model/manifest.h): the instance, its ports, their
 * public addresses and its volumes. The wanted power becomes the observed one; gens stay. Drops security
 * groups that no longer exist (if none remains: the VPC's default group), and public addresses that are in
 * use by now. Quotas are not checked, but the instance counts. ERR_INVALID: the manifest is of another
 * instance. ERR_CONFLICT: a row, an address or a MAC address exists already. ERR_NOT_FOUND: a row it depends
 * on (account, VPC, subnet, image, type) is gone. */
struct instance_adoption {
	uuid instance, host;
	const struct manifest *manifest;
	bool is_on;                     /* the domain's observed power */
	const struct disk_found *disks; /* all our disks on the host */
	size_t disk_count;
	/* results: */
	size_t port_count, volume_count, address_count;
	size_t dropped_count; /* groups and addresses that were dropped */
};
OPERATION(engine_adopt_instance, instance_adoption)

/* Adopts a disk without an instance as a free volume of an account, in its host's zone. ERR_CONFLICT: there
 * is a row for it. ERR_CAPACITY: no live host sees the pool. */
struct volume_adoption {
	uuid host; /* unused for a Ceph pool */
	uuid pool; /* the pool that contains it; none: the host's own directory */
	struct disk_found disk;
	struct ref account; /* by name */
};
OPERATION(engine_adopt_volume, volume_adoption)

/* Adopts an instance or a disk, and removes the audits' findings about it. */
struct leftover_adoption {
	bool is_disk;
	struct instance_adoption instance;
	struct volume_adoption volume;
};
OPERATION(engine_adopt_leftover, leftover_adoption)
