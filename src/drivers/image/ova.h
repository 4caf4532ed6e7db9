/* SPDX-License-Identifier: Apache-2.0
 * Writes an OVA: a tar archive of an OVF descriptor (DMTF DSP0243), a manifest and streamOptimized VMDKs, as VMware,
 * VirtualBox, Proxmox VE and virt-v2v read it. Blocks: never use it on an HTTP thread or the committer. */
#pragma once

#include "base/ctx.h"

struct ova {
	const char *directory; /* contains the disks, and gets the other files */
	const char *name; /* letters, digits and dashes: NAME.ovf, NAME.mf, NAME-disk1.vmdk, …, NAME.ova */
	bool is_windows, is_uefi, is_arm;
	int64_t vcpus, memory;     /* bytes */
	const int64_t *disk_sizes; /* virtual sizes, bytes; disk 1 is the root disk */
	size_t disk_count;
};

/* Path of a disk, counted from 1, that ova_write() expects. */
struct str ova_disk_path(struct arena *a, const struct ova *ova, size_t number);
/* Writes the descriptor, the manifest and the archive, and then removes all but the archive. ERR_CAPACITY: no space.
 * ERR_IO. */
RESULT ova_write(struct ctx *c, const struct ova *ova);
