/* SPDX-License-Identifier: Apache-2.0
 * Adoption: what has our mark on a host and no row (after a start on an older database) gets its
 * rows back, if the operator decides so. Nothing on the host changes. reconcile/audit/leftover.h
 * finds what is to be adopted. */
#pragma once

#include "engine/operation.h"
#include "model/manifest.h"

/* A disk that its host has. */
struct disk_found {
	uuid volume;
	int64_t size;
	bool is_raw; /* its file is a plain image */
};

/* Adopts an instance by the manifest that its domain carries (model/manifest.h): the instance, its ports,
 * their public addresses, its volumes. Its wanted power becomes what was seen, and gens stay.
 * Security groups that no longer exist are dropped (if none is left: the VPC's default group), and
 * so are public addresses that another has by now. Quotas are not enforced, but the instance
 * counts. ERR_INVALID: the manifest is not of that instance. ERR_CONFLICT: a row, an address or a MAC
 * address of it exists. ERR_NOT_FOUND: what it depends on (account, VPC, subnet, image, type) is no
 * longer there. */
struct instance_adoption {
	uuid instance, host;
	const struct manifest *manifest;
	bool is_on;                     /* the domain, as it was seen */
	const struct disk_found *disks; /* all of ours on the host */
	size_t disk_count;
	/* made: */
	size_t port_count, volume_count, address_count;
	size_t dropped_count; /* groups and addresses that it did not get back */
};
OPERATION(engine_adopt_instance, instance_adoption)

/* Adopts a disk without an instance as an account's free volume, in its host's zone. ERR_CONFLICT:
 * there is such a row. ERR_CAPACITY: no host that is up sees the pool. */
struct volume_adoption {
	uuid host; /* unused of one in a pool of Ceph */
	uuid pool; /* that it lies in; none: its host's own directory */
	struct disk_found disk;
	struct ref account; /* by name */
};
OPERATION(engine_adopt_volume, volume_adoption)

/* Either. What audits found of it is forgotten. */
struct leftover_adoption {
	bool is_disk;
	struct instance_adoption instance;
	struct volume_adoption volume;
};
OPERATION(engine_adopt_leftover, leftover_adoption)
