/* SPDX-License-Identifier: Apache-2.0
 * Images: what instances are launched from. An image is a name for disks, each of which is made
 * from a snapshot or is blank. Its state follows from its snapshots. */
#pragma once

#include "engine/storage/snapshot.h"
#include "engine/storage/volume.h"
#include "model/firmware.h"
#include "model/states.h"
#include "store/image.h"

enum image_visibility {
	IMAGE_VISIBLE_SHARED,
	IMAGE_VISIBLE_PRIVATE,
	IMAGE_VISIBLE_COMMUNITY,
	IMAGE_VISIBLE_PUBLIC
};
/* Who sees the image. Public images and the operator's are in everybody's lists; anybody may launch
 * a community image; of a shared image only its launchers know. */
enum image_visibility engine_image_visibility(const struct image *image);

/* Makes an image with one disk, and that disk's snapshot, from a file that is in the image store
 * already. It belongs to the caller's account, or to the operator if the call names none.
 * ERR_EXISTS: the owner has an image of that name. An operator's image may be a version of a family: if it is the
 * newest of its architecture, it gets the label IMAGE_LATEST, which the others lose. */
#define IMAGE_LATEST "latest"
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
	struct tags tags, properties;
	struct strs licences;               /* model/licence.h */
	struct str vendor, family, version; /* empty: of none */
	/* made: */
	uuid image, snapshot;
};
OPERATION(engine_import_image, image_import)
/* The operator's image of that version; empty version: the one with the label IMAGE_LATEST. NULL: none. */
const struct image *engine_find_image_version(const struct tables *t, struct str family, enum image_arch arch,
					      struct str version);

/* Makes an image from existing snapshots. The root disk is that of root_device (empty: the first
 * disk), and must have a snapshot: else ERR_INVALID with the field BlockDeviceMapping. */
struct image_wish {
	struct str name, description;
	bool may_share_name; /* else ERR_EXISTS: the owner has an image of that name */
	enum image_arch arch;
	enum image_personality personality;
	enum image_platform platform;
	enum image_boot_mode boot_mode;
	bool tpm;         /* needs UEFI: else ERR_COMBINATION */
	bool ena_support; /* kept and shown */
	bool tokens_required;
	/* What UEFI begins with: ERR_COMBINATION without UEFI; ERR_INVALID: they take more than
	 * FIRMWARE_GIVEN_MAX. A platform key among them turns on secure boot. None: the host's. */
	struct firmware_variables uefi_variables;
	struct strs licences; /* besides those of what lay on the root disk */
	struct str root_device;
	const struct disk_wish *disks;
	size_t disk_count;
	struct tags tags;
	/* made: */
	uuid image;
};
OPERATION(engine_register_image, image_wish)

/* Makes an image from an instance. Each of its disks is snapshotted: all at one moment, while the
 * instance is kept off; or with no_reboot one by one, while it runs. disks override the instance's.
 * ERR_STATE: it neither runs nor is stopped. */
struct image_capture {
	struct ref instance;
	struct str name, description;
	bool may_share_name; /* else ERR_EXISTS: the owner has an image of that name */
	bool no_reboot, only_root;
	bool names_source; /* the snapshots' descriptions name the instance and the image, as EC2's do */
	const struct disk_wish *disks;
	size_t disk_count;
	struct tags image_tags, snapshot_tags;
	struct tags properties; /* what describes the machine follows from the instance, whatever these say */
	const char
		*alone_as; /* ERR_STATE: another image of it is being made, in Nova's word; NULL: it may be */
	/* made: */
	uuid image;
};
OPERATION(engine_capture_image, image_capture)
/* Whether an image of the instance is being made. */
bool engine_is_being_imaged(const struct tables *t, uuid instance);

/* Makes an image with the properties image_type=backup and backup_type, and deletes the oldest of those of the
 * instance and the type, with their snapshots, until there are `rotation`. Protected ones do not count.
 * ERR_INVALID: the instance starts from a volume. */
struct image_backing_up {
	struct image_capture capture;
	struct str type;
	int64_t rotation;
};
OPERATION(engine_back_up_instance, image_backing_up)

/* Makes an image of the caller's own, with snapshots of its own, as engine_copy_snapshot() makes
 * them. ERR_STATE: the source is not available. */
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

/* Changes who may launch an image besides its owner, and its words. */
struct image_settings {
	struct ref image;
	struct sharing sharing;
	bool set_description;
	struct str description;
	bool only_shared; /* ERR_DENIED: it is not shared, in Glance's sense */
	/* Each account that is added or removed must change something. With KIND_ACCOUNT:
	 * ERR_EXISTS, an account to be added may launch the image already; ERR_NOT_FOUND, one to be
	 * removed may not. */
	bool is_exact;
	bool only_activated;  /* ERR_STATE: it is deactivated */
	bool tokens_required; /* from now on */
	bool set_deprecated;
	int64_t deprecated_us; /* 0: not any more */
};
OPERATION(engine_update_image, image_settings)

/* All that describes an image, for faces that change it as a whole. */
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
	struct str disk_format, container_format; /* ERR_STATE: changed after the image has data */
	struct tags properties;                   /* sorted by key or not; IMAGE_PROPERTIES_MAX */
	struct strs labels;                       /* IMAGE_PROPERTIES_MAX */
	struct strs licences;                     /* all of them (model/licence.h) */
};
enum { IMAGE_PROPERTIES_MAX = 128, IMAGE_PROPERTIES_SIZE_MAX = 256 * 1024 };
/* The image's present form. It borrows the row's texts. */
struct image_form engine_image_form(const struct image *image);

/* Makes an empty image, which is pending until engine_fill_image(). ERR_EXISTS: there is one of
 * that id. To make an image public needs the permission image.publish, here and in the operations
 * that follow. */
struct image_creation {
	uuid id;          /* none: one is drawn */
	struct ref owner; /* kind none: the caller's account; as engine_find_owner_to_be() has it */
	struct image_form form;
	/* made: */
	uuid image;
};
OPERATION(engine_create_image, image_creation)

/* Makes an image from a volume (Cinder's upload). It is pending until the volume's content is
 * stored, in the form that is said, too: data of an encrypted volume are given to nobody, and are not made. */
struct volume_capture {
	struct ref volume;
	bool also_attached;     /* else ERR_STATE with KIND_VOLUME: it is attached */
	bool also_at_rest;      /* the same, but for an instance that is stopped */
	struct image_form form; /* formats empty: qcow2, bare; no iso */
	/* made: */
	uuid image;
};
OPERATION(engine_capture_volume, volume_capture)

/* Makes an image that has what a snapshot has, and does not need that snapshot. ERR_STATE: it is not completed. */
struct snapshot_capture {
	struct ref snapshot;
	struct image_form form; /* as above */
	/* made: */
	uuid image;
};
OPERATION(engine_capture_snapshot, snapshot_capture)

/* Replaces an image's form. ERR_CONFLICT: the image no longer has that gen. To another owner goes what keeps its
 * disks, too; ERR_STATE: they are kept by snapshots that the present one has by themselves. ERR_QUOTA: the new owner
 * may not have it. */
struct image_rewriting {
	struct ref image;
	uint64_t gen; /* of the row that the form was made from */
	struct image_form form;
	struct ref owner; /* kind none: as it is; else as engine_find_owner_to_be() has it */
};
OPERATION(engine_rewrite_image, image_rewriting)

/* Forbids or allows launches and downloads. ERR_STATE: the image has no data yet. */
struct image_activation {
	struct ref image;
	bool is_active;
	bool unshares; /* from then on only its owner may launch it, active or not */
};
OPERATION(engine_activate_image, image_activation)

/* What a launcher says about an image that is shared with it. ERR_NOT_FOUND with KIND_ACCOUNT: the
 * caller is no launcher. */
enum image_answer { IMAGE_ANSWER_PENDING, IMAGE_ANSWER_ACCEPTED, IMAGE_ANSWER_REJECTED };
struct image_answering {
	struct ref image;
	enum image_answer answer;
};
OPERATION(engine_answer_image, image_answering)
enum image_answer engine_image_answer(const struct image *image, uuid account);

/* Whether its data are those of a CD or a DVD. */
static inline bool engine_is_iso(const struct image *image)
{
	return str_is(image->disk_format, "iso");
}

/* The image that lay on a volume first; NULL: none, or it is forgotten. */
const struct image *engine_find_image_of_volume(const struct tables *t, uuid volume);

/* Whether the image waits for its data. */
bool engine_image_is_empty(const struct tables *t, const struct image *image);

/* Has the image's data fetched from a URL. ERR_STATE: it has data, or they are on their way, or its
 * formats are not set. */
struct image_fetching {
	struct ref image;
	struct str url; /* http or https */
};
OPERATION(engine_fetch_image, image_fetching)

/* The image's data have arrived as they were sent, and wait. ERR_STATE as above. */
struct image_staging {
	struct ref image;
	int64_t data_size;
	struct str md5, sha256, sha512;
};
OPERATION(engine_stage_image, image_staging)
/* Makes the waiting data the image's disk. ERR_STATE: there are none. */
struct image_importing {
	struct ref image;
};
OPERATION(engine_use_staged_image, image_importing)

/* The image's data have arrived, and are in the image store, both as they were sent and as they are
 * used. ERR_STATE: it has data already. ERR_NOT_FOUND: the image is gone, and nothing waits any
 * more. */
struct image_filling {
	struct ref image;
	uint64_t gen; /* when they were fetched or staged: of the row that wanted it; else 0 */
	int64_t data_size;
	struct str md5, data_sha256, sha512;
	struct str sha256; /* of the file that is used */
	int64_t file_size, virtual_size;
};
OPERATION(engine_fill_image, image_filling)

/* Whether the image's disk is still to be written as data, and the disk is there. */
bool engine_image_is_to_be_exported(const struct tables *t, const struct image *image);

/* The image's disk was written as data, which are in the image store. The image gone: OK. */
struct image_exported {
	uuid image;
	int64_t data_size;
	struct str md5, sha256, sha512;
};
OPERATION(engine_see_image_exported, image_exported)

/* The data cannot be fetched, or are no disk. Nothing is wanted any more, and a condition says
 * why. */
struct image_failing {
	uuid image;
	uint64_t gen;
	struct str problem;
};
OPERATION(engine_fail_image, image_failing)

/* Checks an image before data are sent. ERR_STATE: its formats are not set, or it has data. */
RESULT engine_check_image_takes_data(struct ctx *c, const struct tables *t, const struct image *image);

/* For so long, and while an instance names it, those who knew of a deregistered image are told that
 * there was one (engine_has_gone()). */
#define IMAGE_KNOWN_US HOUR

/* Deregisters an image: no launch finds it any more. Instances that were made from it go on, and
 * its snapshots stay. ERR_PROTECTED: it is protected. */
struct image_target {
	struct ref image;
	bool must_be_unused; /* ERR_STATE: there are instances that were made from it */
};
OPERATION(engine_delete_image, image_target)

/* The image's state, from its snapshots: failed if one has failed, available if all are
 * completed. */
enum image_state engine_derive_image_state(const struct tables *t, const struct image *image);

/* For the reconciler: forgets an image. ERR_IN_USE: an instance names it. ERR_STATE: it has not
 * been deleted for IMAGE_KNOWN_US yet. Absent: OK. */
struct image_forget {
	uuid image;
};
OPERATION(engine_forget_image, image_forget)
