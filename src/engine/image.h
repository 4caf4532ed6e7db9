/* SPDX-License-Identifier: Apache-2.0
 * Images: what instances are launched from. An image is a name for disks: each is made from a
 * snapshot, or blank; its state follows from its snapshots. */
#pragma once

#include "engine/snapshot.h"
#include "engine/volume.h"

/* From a file that lies in the image store already: makes its snapshot, and an image with that one
 * disk. Owned by the caller's account; by the operator when it names none. ERR_EXISTS: the owner has
 * an image of that name. */
struct image_import {
	struct str name, description;
	bool is_public;
	enum image_arch arch;
	enum image_personality personality;
	enum image_platform platform;
	enum image_boot_mode boot_mode;
	bool secure_boot, tpm; /* secure_boot: ERR_COMBINATION without UEFI */
	enum image_disk_bus disk_bus;
	enum image_nic_model nic_model;
	int64_t virtual_size, file_size; /* bytes */
	struct str sha256;               /* of the file; its name in the store */
	struct tags tags;
	/* made: */
	uuid image, snapshot;
};
OPERATION(engine_import_image, image_import)

/* Deregisters it: no launch finds it any more; instances made from it go on, and its snapshots stay. */
struct image_target {
	struct ref image;
};
OPERATION(engine_delete_image, image_target)

/* From its snapshots: failed when one has, available when all are completed. */
enum image_state engine_derive_image_state(const struct tables *t, const struct image *image);

/* The reconciler's. ERR_IN_USE while an instance names it; ERR_STATE unless deleted. Absent: OK. */
struct image_forget {
	uuid image;
};
OPERATION(engine_forget_image, image_forget)
