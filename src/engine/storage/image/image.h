/* SPDX-License-Identifier: Apache-2.0
 * Images: what instances are launched from. An image lists disks, each made from a snapshot or blank. Its
 * state is derived from the snapshots' states. */
#pragma once

#include "engine/storage/snapshot/snapshot.h"
#include "engine/storage/volume/volume.h"
#include "model/firmware.h"
#include "model/image_words.h"
#include "model/states.h"

struct image;

enum image_visibility {
	IMAGE_VISIBLE_SHARED,
	IMAGE_VISIBLE_PRIVATE,
	IMAGE_VISIBLE_COMMUNITY,
	IMAGE_VISIBLE_PUBLIC
};
/* Visibility of the image. Public images and the operator's appear in everybody's lists; anybody may launch a
 * community image; only its launchers see a shared image. */
enum image_visibility engine_image_visibility(const struct image *image);

/* Creates an image with one disk and its snapshot from a file in the image store. Owned by the caller's
 * account, or by the operator if the call names none. ERR_EXISTS: the owner has an image of that name. An
 * operator's image may be a version of a family: the newest one of an architecture gets the label
 * IMAGE_LATEST, and the others lose it. */
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
	int64_t virtual_size, file_size; /* in bytes */
	struct str sha256;               /* digest of the file, and its name in the store */
	struct tags tags, properties;
	struct strs licences;               /* see model/licence.h */
	struct str vendor, family, version; /* empty: no family */
	/* outputs: */
	uuid image, snapshot;
};
OPERATION(engine_import_image, image_import)
/* The operator's image of that version; empty version: the one labelled IMAGE_LATEST. NULL: none. */
const struct image *engine_find_image_version(const struct tables *t, struct str family, enum image_arch arch,
					      struct str version);

/* Registers an image of existing snapshots. The root disk is the one at root_device (empty: the first), and
 * must have a snapshot: ERR_INVALID with the field BlockDeviceMapping otherwise. */
struct image_wish {
	struct str name, description;
	bool may_share_name; /* false: ERR_EXISTS if the owner has an image of that name */
	enum image_arch arch;
	enum image_personality personality;
	enum image_platform platform;
	enum image_boot_mode boot_mode;
	enum image_disk_bus disk_bus;
	enum image_nic_model nic_model;
	bool tpm;         /* requires UEFI: ERR_COMBINATION otherwise */
	bool ena_support; /* stored and shown only */
	bool tokens_required;
	/* Initial UEFI variables. ERR_COMBINATION without UEFI; ERR_INVALID: larger than FIRMWARE_GIVEN_MAX.
	 * A platform key among them enables secure boot. None: the host's defaults. */
	struct firmware_variables uefi_variables;
	struct strs licences; /* in addition to those of the root disk's content */
	struct str root_device;
	const struct disk_wish *disks;
	size_t disk_count;
	struct tags tags;
	/* outputs: */
	uuid image;
};
OPERATION(engine_register_image, image_wish)

/* Creates an image from an instance by snapshotting its disks: together while the instance is off, or with
 * no_reboot one by one while it runs. `disks` override the instance's. ERR_STATE: neither running nor
 * stopped. */
struct image_capture {
	struct ref instance;
	struct str name, description;
	bool may_share_name; /* false: ERR_EXISTS if the owner has an image of that name */
	bool no_reboot, only_root;
	bool owns_snapshots; /* they are deleted with the image */
	bool names_source;   /* descriptions of the snapshots name instance and image, as EC2's do */
	const struct disk_wish *disks;
	size_t disk_count;
	struct tags image_tags, snapshot_tags;
	struct tags properties; /* properties of the instance's hardware are set regardless */
	const char
		*alone_as; /* name of the action in Nova; ERR_STATE if another image of the instance is being
			    * made. NULL: not checked */
	/* outputs: */
	uuid image;
};
OPERATION(engine_capture_image, image_capture)
/* True if an image of the instance is being made. */
bool engine_is_being_imaged(const struct tables *t, uuid instance);

/* Creates an image with the properties image_type=backup and backup_type, then deletes the oldest such images
 * of the instance and type, with their snapshots, until `rotation` are left. Protected images do not count.
 * ERR_INVALID: the instance boots from a volume. */
struct image_backing_up {
	struct image_capture capture;
	struct str type;
	int64_t rotation;
};
OPERATION(engine_back_up_instance, image_backing_up)

/* Copies an image to the caller's account, with copies of its snapshots (engine_copy_snapshot()). ERR_STATE:
 * the source is not available. */
struct image_copying {
	struct ref source;
	struct str name, description;
	struct disk_crypt crypt;
	bool with_tags; /* copies the source's tags */
	struct tags image_tags, snapshot_tags;
	struct str client_token, digest;
	/* outputs: */
	uuid image;
};
OPERATION(engine_copy_image, image_copying)

/* Changes an image's launchers and its words. */
struct image_settings {
	struct ref image;
	struct sharing sharing;
	bool set_description;
	struct str description;
	bool only_shared; /* ERR_DENIED unless the visibility is "shared" in Glance's sense */
	/* Every added or removed account must be a change. With KIND_ACCOUNT: ERR_EXISTS, an account to add
	 * is a launcher; ERR_NOT_FOUND, one to remove is not. */
	bool is_exact;
	bool only_activated;  /* ERR_STATE if the image is deactivated */
	bool tokens_required; /* true: sets it; it cannot be cleared */
	bool set_deprecated;
	int64_t deprecated_us; /* 0: not deprecated */
};
OPERATION(engine_update_image, image_settings)

/* All descriptive attributes of an image, for faces that replace them together. */
struct image_form {
	struct str name, description; /* up to 255 characters; names need not be unique */
	enum image_visibility visibility;
	enum image_arch arch;
	enum image_personality personality;
	enum image_platform platform;
	enum image_boot_mode boot_mode;
	bool secure_boot, tpm; /* ERR_COMBINATION without UEFI */
	enum image_disk_bus disk_bus;
	enum image_nic_model nic_model;
	bool is_protected, is_hidden;
	int64_t min_disk, min_memory;             /* in bytes */
	struct str disk_format, container_format; /* ERR_STATE: cannot be changed once the image has data */
	struct tags properties;                   /* in any order; up to IMAGE_PROPERTIES_MAX */
	struct strs labels;                       /* up to IMAGE_PROPERTIES_MAX */
	struct strs licences;                     /* complete list (model/licence.h) */
};
enum { IMAGE_PROPERTIES_MAX = 128, IMAGE_PROPERTIES_SIZE_MAX = 256 * 1024 };
/* The image's present attributes; borrows the row's texts. */
struct image_form engine_image_form(const struct image *image);

/* Creates an empty image, which is pending until engine_fill_image(). ERR_EXISTS: an image has the id. Making
 * an image public needs the permission image.publish, here and below. */
#define ENGINE_IMAGE_ID_IS_TAKEN "There is an image with that id, or one that begins like it."
struct image_creation {
	uuid id;          /* none: random */
	struct ref owner; /* kind none: the caller's account; see engine_find_owner_to_be() */
	struct image_form form;
	/* outputs: */
	uuid image;
};
OPERATION(engine_create_image, image_creation)

/* Creates an image from a volume (Cinder's upload). Pending until the content is stored, and converted to the
 * requested format. Content of encrypted volumes is never handed out, and so not converted. */
struct volume_capture {
	struct ref volume;
	bool also_attached;     /* false: ERR_STATE with KIND_VOLUME if attached */
	bool also_at_rest;      /* accepts a volume attached to a stopped instance */
	struct image_form form; /* empty formats: qcow2, bare; iso is not allowed */
	/* outputs: */
	uuid image;
};
OPERATION(engine_capture_volume, volume_capture)

/* Creates an image with a snapshot's content, independent of that snapshot. ERR_STATE: not completed. */
struct snapshot_capture {
	struct ref snapshot;
	struct image_form form; /* see struct volume_capture */
	/* outputs: */
	uuid image;
};
OPERATION(engine_capture_snapshot, snapshot_capture)

/* Replaces an image's attributes. ERR_CONFLICT: the image has another gen. A new owner also gets the
 * snapshots of its disks; ERR_STATE: the present owner uses those by themselves. ERR_QUOTA: the new owner has
 * no room. */
struct image_rewriting {
	struct ref image;
	uint64_t gen; /* gen of the row that the attributes were read from */
	struct image_form form;
	struct ref owner; /* kind none: unchanged; else see engine_find_owner_to_be() */
};
OPERATION(engine_rewrite_image, image_rewriting)

/* Allows or forbids launches and downloads. ERR_STATE: the image has no data. */
struct image_activation {
	struct ref image;
	bool is_active;
	bool unshares; /* also revokes all sharing */
};
OPERATION(engine_activate_image, image_activation)

/* Answer of an account that an image is shared with. ERR_NOT_FOUND with KIND_ACCOUNT: the caller is not a
 * launcher. */
enum image_answer { IMAGE_ANSWER_PENDING, IMAGE_ANSWER_ACCEPTED, IMAGE_ANSWER_REJECTED };
struct image_answering {
	struct ref image;
	enum image_answer answer;
};
OPERATION(engine_answer_image, image_answering)
enum image_answer engine_image_answer(const struct image *image, uuid account);

/* True if the image is a CD or DVD. */
bool engine_is_iso(const struct image *image);

/* Image that the volume was originally made from, or NULL. */
const struct image *engine_find_image_of_volume(const struct tables *t, uuid volume);

/* True if the image waits for its data. */
bool engine_image_is_empty(const struct tables *t, const struct image *image);

/* Fetches the image's data from a URL. ERR_STATE: it has data, data are on their way, or formats are
 * missing. */
struct image_fetching {
	struct ref image;
	struct str url; /* http or https */
};
OPERATION(engine_fetch_image, image_fetching)

/* Report that the data were uploaded and are staged. ERR_STATE as for engine_fetch_image(). */
struct image_staging {
	struct ref image;
	int64_t data_size;
	struct str md5, sha256, sha512;
};
OPERATION(engine_stage_image, image_staging)
/* Imports the staged data as the image's disk. ERR_STATE: nothing is staged. */
struct image_importing {
	struct ref image;
};
OPERATION(engine_use_staged_image, image_importing)

/* Report that the data are in the image store, as uploaded and as used. ERR_STATE: it has data.
 * ERR_NOT_FOUND: the image is gone. */
struct image_filling {
	struct ref image;
	uint64_t gen; /* for fetched or staged data, gen of the row that asked for them; otherwise 0 */
	int64_t data_size;
	struct str md5, data_sha256, sha512;
	struct str sha256; /* digest of the file in use */
	int64_t file_size, virtual_size;
};
OPERATION(engine_fill_image, image_filling)

/* True if the image's disk exists and has to be converted to downloadable data. */
bool engine_image_is_to_be_exported(const struct tables *t, const struct image *image);

/* Report that the image's data were converted and are in the image store. OK if the image is gone. */
struct image_exported {
	uuid image;
	int64_t data_size;
	struct str md5, sha256, sha512;
};
SYSTEM_OPERATION(engine_see_image_exported, image_exported)

/* Report that data could not be fetched, or are no disk. Clears the request, and sets a condition with the
 * reason. */
struct image_failing {
	uuid image;
	uint64_t gen;
	struct str problem;
};
SYSTEM_OPERATION(engine_fail_image, image_failing)

/* Checks that data may be uploaded. ERR_STATE: the image has data; ERR_MISSING: formats are missing. */
RESULT engine_check_image_takes_data(struct ctx *c, const struct tables *t, const struct image *image);

/* Time for which a deregistered image without instances stays known to those who knew it
 * (engine_has_gone()). */
#define IMAGE_KNOWN_US HOUR

/* Deregisters an image: it can no longer be launched. Its instances and snapshots remain. ERR_PROTECTED: the
 * image is protected. */
struct image_target {
	struct ref image;
	bool deletes_snapshots; /* also its snapshots, each as far as engine_delete_snapshot() does */
	bool must_be_unused;    /* ERR_STATE if instances made from it exist */
	/* results with deletes_snapshots: each snapshot of the image, and whether it was deleted */
	struct image_snapshot {
		uuid snapshot;
		enum {
			IMAGE_SNAPSHOT_DELETED,
			IMAGE_SNAPSHOT_SKIPPED, /* another image has it */
			IMAGE_SNAPSHOT_DENIED,
			IMAGE_SNAPSHOT_IN_USE
		} end;
	} * snapshots;
	size_t snapshot_count;
};
OPERATION(engine_delete_image, image_target)

/* State derived from the image's snapshots: failed if one has failed, available if all are completed. */
enum image_state engine_derive_image_state(const struct tables *t, const struct image *image);

/* Forgets an image, for the reconciler. ERR_IN_USE: an instance refers to it. ERR_STATE: deleted less than
 * IMAGE_KNOWN_US ago. OK if it is gone. */
struct image_forget {
	uuid image;
};
SYSTEM_OPERATION(engine_forget_image, image_forget)
