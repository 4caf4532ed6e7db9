/* SPDX-License-Identifier: Apache-2.0
 * Volumes: made alone or with instances; seen, and forgotten once their host has confirmed that they
 * are gone. */
#pragma once

#include "engine/storage/disk_crypt.h"

struct volume;

/* As many disks as an instance may have. */
enum { INSTANCE_VOLUMES_MAX = 26 };

/* A disk as it is asked for: of a launch, of an image. Where it is said over a disk of the same
 * device name that an image has, what is not said stays. */
struct disk_wish {
	struct str device;
	struct ref snapshot;      /* kind none: blank, or as the image says */
	struct ref image;         /* its root disk's content; kind none: none's */
	struct ref copied;        /* a volume's content as it is now; likewise */
	struct ref existing;      /* of a launch: that free volume itself; likewise */
	int64_t size;             /* bytes; 0: the snapshot's, or as the image says */
	struct str type;          /* empty: gp2, or as the image says */
	int64_t iops, throughput; /* 0: the type's */
	struct disk_crypt crypt;
	enum choice delete_on_termination; /* default: yes, or as the image says */
	bool is_left_out;                  /* the image's disk of that name is not wanted */
	struct str field;                  /* for messages */
};

/* Makes a free volume, placed at once on a host of the zone with room. ERR_CAPACITY: there is none;
 * ERR_STATE with KIND_SNAPSHOT: the snapshot is not completed. */
struct volume_wish {
	struct ref zone;
	struct str name; /* Cinder's */
	struct str description;
	struct disk_wish disk; /* ERR_STATE: what it is to be made from is not whole yet */
	struct tags tags;
	struct str client_token; /* empty: none */
	struct str digest;       /* of the other parameters */
	/* made: */
	uuid volume;
};
OPERATION(engine_create_volume, volume_wish)

/* What becomes of the snapshots of a volume that is deleted. */
enum volume_snapshots {
	VOLUME_SNAPSHOTS_STAY,
	VOLUME_SNAPSHOTS_GO,    /* all or nothing; ERR_IN_USE: an image has one */
	VOLUME_SNAPSHOTS_FORBID /* ERR_STATE: there are some, but for those bound to what they were made for
				 */
};

/* Deletes a free volume. ERR_IN_USE: attached, or still plugged; ERR_STATE: a snapshot of it is on
 * its way. */
struct volume_target {
	struct ref volume;
	enum volume_snapshots snapshots;
	bool force; /* also one that is held or on offer: ERR_STATE else */
};
OPERATION(engine_delete_volume, volume_target)

/* What is said of it. */
struct volume_settings {
	struct ref volume;
	bool set_name, set_description;
	struct str name, description; /* up to 255 characters */
	enum choice is_bootable, is_readonly, auto_enable_io;
	struct tags image_properties;   /* added, or changed */
	struct str image_property_gone; /* the key of one that goes: ERR_NOT_FOUND; empty: none does */
};
OPERATION(engine_update_volume, volume_settings)

/* A free volume is to be again as one of its snapshots. ERR_STATE: the volume is not free, the snapshot is
 * not completed, or of another size than the volume is now; ERR_INVALID: it is another volume's. */
struct volume_reverting {
	struct ref volume, snapshot;
};
OPERATION(engine_revert_volume, volume_reverting)

/* To a running or stopped instance of its zone; its disk moves to the instance's host if need be.
 * ERR_STATE with KIND_VOLUME: not free yet, or the instance is in another state; ERR_IN_USE: it is
 * attached; ERR_COMBINATION: another zone; ERR_QUOTA with field InstanceId: it has as many as it may
 * have; ERR_CAPACITY: the instance's host lacks room. */
struct volume_attaching {
	struct ref volume, instance;
	struct str device; /* not in use there; empty: the next that is free */
	bool is_promised;  /* by whom it is held, too */
	/* One of another zone comes into the instance's, with its disk; else it is ERR_COMBINATION. */
	bool crosses_zones;
	/* made: */
	uuid attached_volume;
};
OPERATION(engine_attach_volume, volume_attaching)

/* ERR_STATE: not attached; ERR_NOT_FOUND with field InstanceId or Device: not so attached;
 * ERR_PROTECTED: the root disk of an instance that is not stopped. */
struct volume_detaching {
	struct ref volume;
	struct ref instance; /* kind none: whichever it is attached to */
	struct str device;   /* empty: likewise */
	bool force;          /* whether the guest lets go of it or not */
	/* made: as it was attached */
	uuid detached_volume, from;
	struct str from_device;
	int64_t attached_us;
	bool delete_on_termination;
	enum attachment now;
};
OPERATION(engine_detach_volume, volume_detaching)

/* Grows it, in use or not, and keeps what is asked of its type. ERR_CONFLICT: the last modification
 * has not been brought about yet; ERR_CAPACITY: its host lacks room. */
struct volume_modifying {
	struct ref volume;
	int64_t size;             /* bytes; 0: as it is */
	bool must_grow;           /* ERR_INVALID: it has that size, or more */
	struct str type;          /* empty: as it is */
	int64_t iops, throughput; /* 0: as they are, or the new type's */
	/* made: */
	uuid modified_volume;
};
OPERATION(engine_modify_volume, volume_modifying)

/* Whether a snapshot of it waits to be cut, or for the bytes of its disk: it is not to be moved away
 * or deleted meanwhile. */
bool engine_volume_is_being_copied(const struct tables *t, uuid volume);

/* What is shown where nothing was asked for; 0: the type has no such figure. */
int64_t engine_volume_iops(const struct volume *volume);
int64_t engine_volume_throughput(const struct volume *volume);

/* ---- the reconciler's. Absent: OK. ---- */

struct volume_sight {
	uuid volume;
	uint64_t gen;    /* of the row that was brought about */
	uuid host;       /* the one that has the disk; none: no host */
	int64_t size;    /* found there; 0: absent */
	int64_t reverts; /* the row's that were brought about */
};
OPERATION(engine_see_volume, volume_sight)

/* Its host has nothing of it any more: the one that a move left, or, of a deleted volume whose move is
 * given up, the one that it was to go to. */
OPERATION(engine_leave_volume_host, volume_sight)

/* The key that it is to be encrypted with, unless it has one. */
struct volume_keying {
	uuid volume;
	struct str data_key; /* sealed */
};
OPERATION(engine_key_volume, volume_keying)

/* ERR_STATE unless deleted, and left by every host. */
OPERATION(engine_forget_volume, volume_sight)
