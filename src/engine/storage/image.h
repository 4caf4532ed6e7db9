/* SPDX-License-Identifier: Apache-2.0
 * Images: what instances are launched from. An image is a name for disks: each is made from a
 * snapshot, or blank; its state follows from its snapshots. */
#pragma once

#include "engine/storage/snapshot.h"
#include "engine/storage/volume.h"
#include "model/states.h"
#include "store/image.h"

enum image_visibility {
	IMAGE_VISIBLE_SHARED,
	IMAGE_VISIBLE_PRIVATE,
	IMAGE_VISIBLE_COMMUNITY,
	IMAGE_VISIBLE_PUBLIC
};
/* Public ones and the operator's are in everybody's lists, community ones may be launched by all; of shared
 * ones their launchers know. */
enum image_visibility engine_image_visibility(const struct image *image);

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
	bool may_share_name; /* else ERR_EXISTS: the owner has an image of that name */
	bool no_reboot, only_root;
	const struct disk_wish *disks;
	size_t disk_count;
	struct tags image_tags, snapshot_tags;
	struct tags properties; /* what its machines are follows from the instance, whatever these say */
	/* made: */
	uuid image;
};
OPERATION(engine_capture_image, image_capture)

/* An image of the caller's own, with snapshots of its own, as engine_copy_snapshot() makes them. ERR_STATE:
 * it is not available. */
struct image_copying {
	struct ref source;
	struct str name, description;
	struct disk_crypt crypt;
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
	struct sharing sharing;
	bool set_description;
	struct str description;
	bool only_shared; /* ERR_DENIED: it is not, in Glance's sense */
	/* Each account added or removed changes something. With KIND_ACCOUNT: ERR_EXISTS, one to be added may
	 * launch it already; ERR_NOT_FOUND, one to be removed may not. */
	bool is_exact;
	bool only_activated; /* ERR_STATE: it is deactivated */
	bool set_deprecated;
	int64_t deprecated_us; /* 0: not any more */
};
OPERATION(engine_update_image, image_settings)

/* All that is said of an image, as it is to be: for faces that change it as a whole. */
struct image_form {
	struct str name, description; /* up to 255 characters; need not be its owner's only one */
	enum image_visibility visibility;
	enum image_arch arch;
	enum image_personality personality;
	enum image_platform platform;
	enum image_boot_mode boot_mode;
	bool secure_boot, tpm; /* ERR_COMBINATION without UEFI */
	enum image_disk_bus disk_bus;
	enum image_nic_model nic_model;
	bool is_protected, is_hidden;
	int64_t min_disk, min_memory;             /* bytes */
	struct str disk_format, container_format; /* ERR_STATE: to change them once it has data */
	struct tags properties;                   /* sorted by key or not; IMAGE_PROPERTIES_MAX */
	struct strs labels;                       /* IMAGE_PROPERTIES_MAX */
};
enum { IMAGE_PROPERTIES_MAX = 128, IMAGE_PROPERTIES_SIZE_MAX = 256 * 1024 };
/* As it is now; borrows the row's texts. */
struct image_form engine_image_form(const struct image *image);

/* One with nothing in it: pending, until engine_fill_image(). ERR_EXISTS: there is one of that id. Making
 * one public needs a permission of its own, image.publish, here and in all that follows. */
struct image_creation {
	uuid id; /* none: one is drawn */
	struct image_form form;
	/* made: */
	uuid image;
};
OPERATION(engine_create_image, image_creation)

/* From a volume: Cinder's upload. The image is pending until the volume's content is kept. */
struct volume_capture {
	struct ref volume;
	bool also_attached;     /* else ERR_STATE with KIND_VOLUME: it is attached */
	struct image_form form; /* formats empty: qcow2, bare */
	/* made: */
	uuid image;
};
OPERATION(engine_capture_volume, volume_capture)

/* ERR_CONFLICT: it is not of that gen any more. */
struct image_rewriting {
	struct ref image;
	uint64_t gen; /* of the row that the form was made from */
	struct image_form form;
};
OPERATION(engine_rewrite_image, image_rewriting)

/* Not launched nor downloaded, or again. ERR_STATE: it has no data yet. */
struct image_activation {
	struct ref image;
	bool is_active;
	bool unshares; /* only its owner may launch it from then on, active or not */
};
OPERATION(engine_activate_image, image_activation)

/* A launcher's own word. ERR_NOT_FOUND with KIND_ACCOUNT: the caller is none. */
enum image_answer { IMAGE_ANSWER_PENDING, IMAGE_ANSWER_ACCEPTED, IMAGE_ANSWER_REJECTED };
struct image_answering {
	struct ref image;
	enum image_answer answer;
};
OPERATION(engine_answer_image, image_answering)
enum image_answer engine_image_answer(const struct image *image, uuid account);

/* Whether it waits for its data. */
bool engine_image_is_empty(const struct tables *t, const struct image *image);

/* Its data are to be fetched from there. ERR_STATE: it has some, or they are on their way, or its formats
 * are unsaid. */
struct image_fetching {
	struct ref image;
	struct str url; /* http or https */
};
OPERATION(engine_fetch_image, image_fetching)

/* Its data have come, as they were sent, and wait. ERR_STATE as above. */
struct image_staging {
	struct ref image;
	int64_t data_size;
	struct str md5, sha256, sha512;
};
OPERATION(engine_stage_image, image_staging)
/* Those are to become its disk. ERR_STATE: there are none. */
struct image_importing {
	struct ref image;
};
OPERATION(engine_use_staged_image, image_importing)

/* Its data have come: they lie in the image store, as they were and as they are used. ERR_STATE: it has
 * some already. Nothing is left waiting when it is gone: ERR_NOT_FOUND. */
struct image_filling {
	struct ref image;
	uint64_t gen; /* when they were fetched or staged: of the row that wanted it; else 0 */
	int64_t data_size;
	struct str md5, data_sha256, sha512;
	struct str sha256; /* of the file that is used */
	int64_t file_size, virtual_size;
};
OPERATION(engine_fill_image, image_filling)

/* They cannot be fetched, or are no disk: nothing is to be any more, and a condition says why. */
struct image_failing {
	uuid image;
	uint64_t gen;
	struct str problem;
};
OPERATION(engine_fail_image, image_failing)

/* ERR_STATE: its formats are unsaid, or it has data: for a look before they are sent. */
RESULT engine_check_image_takes_data(struct ctx *c, const struct tables *t, const struct image *image);

/* Whoever knew of an image that was deregistered is told for as long, and while an instance names it, that it
 * was one: engine_has_gone(). */
#define IMAGE_KNOWN_US HOUR

/* ERR_PROTECTED. Deregisters it: no launch finds it any more; instances made from it go on, and its snapshots
 * stay. */
struct image_target {
	struct ref image;
};
OPERATION(engine_delete_image, image_target)

/* From its snapshots: failed when one has, available when all are completed. */
enum image_state engine_derive_image_state(const struct tables *t, const struct image *image);

/* The reconciler's. ERR_IN_USE while an instance names it; ERR_STATE until it has been deleted for
 * IMAGE_KNOWN_US. Absent: OK. */
struct image_forget {
	uuid image;
};
OPERATION(engine_forget_image, image_forget)
