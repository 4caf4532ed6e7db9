/* SPDX-License-Identifier: Apache-2.0
 * Volumes: created alone or with instances, observed by the reconciler, and forgotten once their host
 * confirms that their data are gone. */
#pragma once

#include "engine/storage/disk_crypt.h"
#include "engine/storage/volume/volume_count.h"

struct volume;

/* A disk of a launch or of an image. If the image has a disk with that device name, a field that is not given
 * keeps the image's value. */
struct disk_wish {
	struct str device;
	struct ref snapshot;      /* kind none: blank, or as in the image */
	struct ref image;         /* content of this image's root disk; kind none: not given */
	struct ref copied;        /* current content of this volume; kind none: not given */
	struct ref existing;      /* for a launch: attaches this free volume; kind none: not given */
	int64_t size;             /* bytes; 0: the snapshot's, or as in the image */
	struct str type;          /* empty: gp2, or as in the image */
	int64_t iops, throughput; /* 0: the type's */
	struct disk_crypt crypt;
	enum choice delete_on_termination; /* default: yes, or as in the image */
	struct str tag;                    /* shown to the guest as the device's tag */
	enum choice is_shared;             /* several instances may attach it; default: the type's setting */
	bool is_left_out;                  /* the image's disk of that name is left out */
	struct str field;                  /* for messages */
};

/* Creates a free volume and places it on a host of the zone that has room. ERR_CAPACITY: no host has room,
 * unless keeps_unplaced. ERR_STATE with KIND_SNAPSHOT: the snapshot is not completed. */
struct volume_wish {
	struct ref zone;
	struct str name; /* Cinder's name */
	struct str description;
	struct ref group;      /* the volume group; kind none: no group. ERR_INVALID: the group does not allow
			        * that type */
	struct disk_wish disk; /* ERR_STATE: its source is not complete yet */
	uuid instance; /* the volume is created on this instance's host and attached in the same change; none:
		        * free */
	struct tags tags;
	struct str client_token; /* empty: none */
	struct str digest;       /* digest of the other parameters */
	/* If no host has room, creates the volume without a host and in permanent error, as Cinder does. Its
	 * condition VOLUME_NOT_PLACED says why. */
	bool keeps_unplaced;
	/* result: */
	uuid volume;
};
#define VOLUME_NOT_PLACED "NotPlaced"
OPERATION(engine_create_volume, volume_wish)

/* Forgets one condition of the caller's volumes. The cause stays, and the reconciler reports again what it
 * finds. */
struct volume_message_target {
	struct ref message; /* the condition, by id */
};
OPERATION(engine_forget_volume_message, volume_message_target)

/* The fate of a deleted volume's snapshots. */
enum volume_snapshots {
	VOLUME_SNAPSHOTS_STAY,
	VOLUME_SNAPSHOTS_GO, /* deletes all of them, or nothing at all; ERR_IN_USE: another account's image uses one */
	VOLUME_SNAPSHOTS_FORBID /* ERR_IN_USE: there are snapshots, apart from bound ones */
};

/* Deletes a free volume. ERR_IN_USE: it is attached, still plugged in, or in a group. ERR_STATE: a snapshot
 * of it is in progress. */
struct volume_target {
	struct ref volume;
	enum volume_snapshots snapshots;
	bool force; /* also a reserved or offered volume; otherwise ERR_STATE */
};
OPERATION(engine_delete_volume, volume_target)

/* Changes a volume's name, description and flags. */
struct volume_settings {
	struct ref volume;
	bool set_name, set_description;
	struct str name, description; /* up to 255 characters */
	enum choice is_bootable, is_readonly, auto_enable_io;
	struct tags image_properties;   /* to add or change */
	struct str image_property_gone; /* key to remove; ERR_NOT_FOUND: the volume lacks it; empty: none */
};
OPERATION(engine_update_volume, volume_settings)

/* Reverts a free volume to one of its snapshots. ERR_STATE: the volume is not free, or the snapshot is not
 * completed or has another size than the volume. ERR_INVALID: it is another volume's snapshot. */
struct volume_reverting {
	struct ref volume, snapshot;
};
OPERATION(engine_revert_volume, volume_reverting)

/* Attaches a volume to a running, paused or stopped instance in its zone. A free volume's disk moves to the
 * instance's host. A shared volume (is_shared) may have several instances, all on its host: a stopped
 * instance moves there before it starts; for one that runs elsewhere: ERR_STATE. ERR_STATE with KIND_VOLUME:
 * the volume is not free yet, or the instance is in another state. ERR_IN_USE: the volume is attached to that
 * instance, or to any if it is not shared. ERR_COMBINATION: different zones; or, with the field Device, a
 * shared volume as the root disk. ERR_QUOTA with the field InstanceId: the instance has its maximum of disks,
 * or the volume its maximum of instances. ERR_CAPACITY: the instance's host lacks room. */
struct volume_attaching {
	struct ref volume, instance;
	struct str device;          /* must be free in the instance; empty: the next free name */
	struct str tag;             /* shown to the guest as the device's tag */
	bool delete_on_termination; /* deleted with the instance */
	bool is_promised;           /* the caller may be the one the volume is reserved for */
	bool is_new;                /* created for the instance in this change: plugged in once its disk
				     * exists */
	/* Moves a volume from another zone into the instance's zone, with its disk. Without it:
	 * ERR_COMBINATION. */
	bool crosses_zones;
	/* results: */
	uuid attached_volume, to;
	uuid attachment; /* Cinder's id; none: the volume's id */
	int64_t attached_us;
};
OPERATION(engine_attach_volume, volume_attaching)

/* Detaches a volume. ERR_MISSING: it is attached to several instances, and the request names none. ERR_STATE:
 * it is not attached. ERR_NOT_FOUND with the field InstanceId or Device: it is attached elsewhere.
 * ERR_PROTECTED: it is the root disk of an instance that is not stopped. */
struct volume_detaching {
	struct ref volume;
	struct ref instance; /* kind none: the instance it is attached to */
	uuid attachment;     /* Cinder's id of the attachment; none: the only one */
	struct str device;   /* empty: any device */
	bool force;          /* even if the guest does not release the device */
	/* results: the attachment as it was */
	uuid detached_volume, from;
	struct str from_device;
	int64_t attached_us;
	bool delete_on_termination;
	enum attachment now;
};
OPERATION(engine_detach_volume, volume_detaching)

/* Grows a volume, in use or not, and sets its type, performance and sharing; sharing only for a free volume
 * (ERR_STATE). A type in another storage pool moves the volume there; only the type may change then
 * (ERR_COMBINATION), and the errors of engine_move_volume() apply. ERR_UNSUPPORTED: shared volumes of EC2's
 * types do not allow this change. ERR_CONFLICT: the last modification is still in progress. ERR_CAPACITY: its
 * host lacks room. */
struct volume_modifying {
	struct ref volume;
	int64_t size;             /* bytes; 0: no change */
	bool must_grow;           /* ERR_INVALID: it already has that size, or more */
	struct str type;          /* empty: no change */
	int64_t iops, throughput; /* 0: no change, or the new type's */
	enum choice is_shared;    /* default: no change, or the new type's setting */
	bool stays_in_pool;       /* ERR_UNSUPPORTED: the new type uses another storage pool */
	/* result: */
	uuid modified_volume;
};
OPERATION(engine_modify_volume, volume_modifying)

/* True if a snapshot of the volume still needs its disk, for the cut or the transfer. The volume must not be
 * moved or deleted meanwhile. */
bool engine_volume_is_being_copied(const struct tables *t, uuid volume);

/* The figures to show: the requested one or the type's default. 0: the type has none. */
int64_t engine_volume_iops(const struct volume *volume);
int64_t engine_volume_throughput(const struct volume *volume);

/* ---- for the reconciler; OK for an absent row ---- */

struct volume_report {
	uuid volume;
	uint64_t gen;    /* the generation that was carried out */
	uuid host;       /* that has the disk; none: no host */
	int64_t size;    /* found there, bytes; 0: absent */
	bool is_raw;     /* the file is a raw image */
	int64_t reverts; /* how many of the row's reverts are done */
	uuid blank_for;  /* the volume that this new blank file is to replace; none: none */
};
SYSTEM_OPERATION(engine_see_volume, volume_report)

/* A host has no more data of the volume: the source of a move, or, for a deleted volume with an abandoned
 * move, the move's target. */
SYSTEM_OPERATION(engine_leave_volume_host, volume_report)

/* Sets the encryption key of a volume that has none. */
struct volume_keying {
	uuid volume;
	struct str data_key; /* sealed */
};
SYSTEM_OPERATION(engine_key_volume, volume_keying)

/* Forgets a volume. ERR_STATE: it is not deleted, or a host has not confirmed that its data are gone. */
SYSTEM_OPERATION(engine_forget_volume, volume_report)

/* Includes deleted volumes that the host must still remove. */
bool engine_host_has_volumes(const struct tables *t, uuid host);
/* True if the host has volumes of accounts other than `account`. */
bool engine_host_has_volumes_of_others(const struct tables *t, uuid host, uuid account);
