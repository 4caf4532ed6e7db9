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

/* From snapshots that are there. The root disk is the one of root_device (empty: the first), and has a
 * snapshot: else ERR_INVALID with field BlockDeviceMapping. */
struct image_wish {
	struct str name, description;
	enum image_arch arch;
	enum image_personality personality;
	enum image_boot_mode boot_mode;
	bool tpm;         /* needs UEFI: else ERR_COMBINATION */
	bool ena_support; /* kept and shown */
	struct str root_device;
	const struct disk_wish *disks;
	size_t disk_count;
	struct tags tags;
	/* made: */
	uuid image;
};
OPERATION(engine_register_image, image_wish)

/* From an instance: each of its disks is snapshotted, at one moment while it is held off or, with
 * no_reboot, one by one while it runs. disks go over the instance's. ERR_STATE: it neither runs nor is
 * stopped. */
struct image_capture {
	struct ref instance;
	struct str name, description;
	bool no_reboot;
	const struct disk_wish *disks;
	size_t disk_count;
	struct tags image_tags, snapshot_tags;
	/* made: */
	uuid image;
};
OPERATION(engine_capture_image, image_capture)

/* An image of the caller's own, with snapshots of its own. ERR_STATE: it is not available. */
struct image_copying {
	struct ref source;
	struct str name, description;
	bool with_tags; /* the source's */
	struct tags image_tags, snapshot_tags;
	struct str client_token, digest;
	/* made: */
	uuid image;
};
OPERATION(engine_copy_image, image_copying)

/* Who may launch it besides its owner, and its words. */
struct image_settings {
	struct ref image;
	enum choice is_public;
	struct refs add_launchers, remove_launchers; /* accounts, by number */
	bool reset_launchers, set_description;
	struct str description;
};
OPERATION(engine_update_image, image_settings)

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
