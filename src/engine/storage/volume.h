/* SPDX-License-Identifier: Apache-2.0
 * Volumes: made alone or with instances, seen by the reconciler, and forgotten when their host has
 * confirmed that nothing of them is left. */
#pragma once

#include "engine/storage/disk_crypt.h"

struct volume;

/* How many disks an instance may have. */
enum { INSTANCE_VOLUMES_MAX = 26 };

/* A disk of a launch or of an image. If the image has a disk of that device name, what is not given
 * here stays as the image says. */
struct disk_wish {
	struct str device;
	struct ref snapshot;      /* kind none: blank, or as the image says */
	struct ref image;         /* the content of this image's root disk; kind none: not given */
	struct ref copied;        /* the present content of this volume; kind none: not given */
	struct ref existing;      /* for a launch: this free volume itself; kind none: not given */
	int64_t size;             /* bytes; 0: the snapshot's, or as the image says */
	struct str type;          /* empty: gp2, or as the image says */
	int64_t iops, throughput; /* 0: the type's */
	struct disk_crypt crypt;
	enum choice delete_on_termination; /* default: yes, or as the image says */
	struct str tag;                    /* what its guest is told of it */
	enum choice is_shared;             /* several instances may have it; default: as the type says */
	bool is_left_out;                  /* the image's disk of that name is left out */
	struct str field;                  /* for messages */
};

/* Makes a free volume, and places it at once on a host of the zone that has room. ERR_CAPACITY:
 * there is none, unless keeps_unplaced. ERR_STATE with KIND_SNAPSHOT: the snapshot is not completed. */
struct volume_wish {
	struct ref zone;
	struct str name; /* Cinder's name */
	struct str description;
	struct ref group;      /* that it is part of; kind none: of none. ERR_INVALID: not one of that type */
	struct disk_wish disk; /* ERR_STATE: what the volume shall be made from is not complete yet */
	uuid instance; /* that it is made for: on its host, to be attached in the same change; none: for none */
	struct tags tags;
	struct str client_token; /* empty: none */
	struct str digest;       /* of the other parameters */
	/* Where nothing can hold it, it is made all the same, on no host and in error for good, as Cinder has it: its
	 * condition VOLUME_NOT_PLACED says why. */
	bool keeps_unplaced;
	/* made: */
	uuid volume;
};
#define VOLUME_NOT_PLACED "NotPlaced"
OPERATION(engine_create_volume, volume_wish)

/* Forgets one of the conditions of the caller's volumes. What it told of stays as it is; the reconciler tells anew what
 * it finds. */
struct volume_message_target {
	struct ref message; /* the condition, by id */
};
OPERATION(engine_forget_volume_message, volume_message_target)

/* What happens to the snapshots of a volume that is deleted. */
enum volume_snapshots {
	VOLUME_SNAPSHOTS_STAY,
	VOLUME_SNAPSHOTS_GO,    /* all of them are deleted, or nothing is; ERR_IN_USE: an image has one */
	VOLUME_SNAPSHOTS_FORBID /* ERR_STATE: there are some, except those bound to what they were made for */
};

/* Deletes a free volume. ERR_IN_USE: it is attached, still plugged in, or part of a group. ERR_STATE: a snapshot of
 * it is being made. */
struct volume_target {
	struct ref volume;
	enum volume_snapshots snapshots;
	bool force; /* also a volume that is reserved or offered; without it that is ERR_STATE */
};
OPERATION(engine_delete_volume, volume_target)

/* Changes what describes a volume. */
struct volume_settings {
	struct ref volume;
	bool set_name, set_description;
	struct str name, description; /* up to 255 characters */
	enum choice is_bootable, is_readonly, auto_enable_io;
	struct tags image_properties; /* added, or changed */
	struct str
		image_property_gone; /* the key of one to remove; ERR_NOT_FOUND: it has none; empty: none */
};
OPERATION(engine_update_volume, volume_settings)

/* Gives a free volume the content of one of its snapshots. ERR_STATE: the volume is not free; or
 * the snapshot is not completed, or of another size than the volume is now. ERR_INVALID: it is
 * another volume's snapshot. */
struct volume_reverting {
	struct ref volume, snapshot;
};
OPERATION(engine_revert_volume, volume_reverting)

/* Attaches a volume to a running or stopped instance of its zone. Its disk moves to the instance's
 * host, if it is elsewhere. A shared one (is_shared) may be attached to several; all of them are on its
 * host: a stopped instance goes there before it starts, and one that runs elsewhere is ERR_STATE. ERR_STATE with KIND_VOLUME: the volume is not free yet, or the instance
 * is in another state. ERR_IN_USE: the volume is attached, to that instance or to any if it is not
 * shared. ERR_COMBINATION: they are in different zones; or with the field Device: a shared volume cannot
 * be the root disk. ERR_QUOTA with the field InstanceId: the instance has as many disks as it may have,
 * or the volume as many instances.
 * ERR_CAPACITY: the instance's host lacks room. */
struct volume_attaching {
	struct ref volume, instance;
	struct str device;          /* must be free there; empty: the next one that is */
	struct str tag;             /* what its guest is told of it */
	bool delete_on_termination; /* it goes with the instance */
	bool is_promised;           /* the caller may be the one that it is reserved for */
	bool is_new;                /* made for the instance in this change: it comes when there is a disk */
	/* A volume of another zone moves into the instance's zone, with its disk. Without it:
	 * ERR_COMBINATION. */
	bool crosses_zones;
	/* made: */
	uuid attached_volume, to;
	uuid attachment; /* Cinder's id; none: the volume's */
	int64_t attached_us;
};
OPERATION(engine_attach_volume, volume_attaching)

/* Detaches a volume. ERR_MISSING: it is attached to several instances, and none is named. ERR_STATE: it is not attached. ERR_NOT_FOUND with the field InstanceId or
 * Device: it is attached elsewhere. ERR_PROTECTED: it is the root disk of an instance that is not
 * stopped. */
struct volume_detaching {
	struct ref volume;
	struct ref instance; /* kind none: whichever it is attached to */
	uuid attachment;     /* Cinder's id of the attachment; none: likewise */
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

/* Grows a volume, in use or not, and sets its type and what is asked of that, and whether it is shared:
 * that of a free volume only (ERR_STATE). A type of another storage pool sends it there, by itself
 * (ERR_COMBINATION), and with the errors of engine_move_volume(). ERR_UNSUPPORTED: what is asked for cannot be changed of a shared
 * volume of EC2's types. ERR_CONFLICT: the
 * last modification has not been carried out yet. ERR_CAPACITY: its host lacks room. */
struct volume_modifying {
	struct ref volume;
	int64_t size;             /* bytes; 0: as it is */
	bool must_grow;           /* ERR_INVALID: it has that size already, or more */
	struct str type;          /* empty: as it is */
	int64_t iops, throughput; /* 0: as they are, or the new type's */
	enum choice is_shared;    /* default: as it is, or as the new type says */
	bool stays_in_pool;       /* ERR_UNSUPPORTED: the new type's volumes lie in another storage pool */
	/* made: */
	uuid modified_volume;
};
OPERATION(engine_modify_volume, volume_modifying)

/* Whether a snapshot of the volume waits to be cut, or for the bytes of its disk. The volume must
 * not be moved or deleted meanwhile. */
bool engine_volume_is_being_copied(const struct tables *t, uuid volume);

/* The figure that is shown if none was asked for. 0: the type has no such figure. */
int64_t engine_volume_iops(const struct volume *volume);
int64_t engine_volume_throughput(const struct volume *volume);

/* ---- the reconciler's. Absent: OK. ---- */

struct volume_report {
	uuid volume;
	uint64_t gen;    /* of the row that was brought about */
	uuid host;       /* the one that has the disk; none: no host */
	int64_t size;    /* found there; 0: absent */
	bool is_raw;     /* its file is a plain image of the disk */
	int64_t reverts; /* how many of the row's reverts are done */
	uuid blank_for;  /* its file was made anew to take over from that volume; none: it was not */
};
OPERATION(engine_see_volume, volume_report)

/* A host has nothing of the volume any more: the host that a move left; or, for a deleted volume
 * whose move was given up, the host that it should have gone to. */
OPERATION(engine_leave_volume_host, volume_report)

/* Sets the key that the volume shall be encrypted with, unless it has one. */
struct volume_keying {
	uuid volume;
	struct str data_key; /* sealed */
};
OPERATION(engine_key_volume, volume_keying)

/* Forgets a volume. ERR_STATE: it is not deleted, or a host has not confirmed its absence. */
OPERATION(engine_forget_volume, volume_report)

/* Also deleted ones that it still has to remove. */
bool engine_host_has_volumes(const struct tables *t, uuid host);
/* Other accounts' than that one. */
bool engine_host_has_volumes_of_others(const struct tables *t, uuid host, uuid account);
