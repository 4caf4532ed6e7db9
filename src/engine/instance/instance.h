/* SPDX-License-Identifier: Apache-2.0
 * Instances: launch, start, stop, reboot, terminate; and what the reconciler saw of them.
 * Invariant: an instance in any state but terminated holds its ports and its quota.
 * What happens next: reconcile/instance.c. */
#pragma once

#include "engine/network/port.h"
#include "engine/storage/volume.h"
#include "model/states.h"
#include "store/instance.h"

/* The root disk of an imported image. */
#define INSTANCE_ROOT_DEVICE STR("/dev/xvda")
enum { INSTANCE_USER_DATA_MAX = 16 * 1024, INSTANCE_LAUNCH_MAX = 1000 };

/* A port of a launch: one that is there, or a new one. Device index 0 is the primary one, whose subnet says
 * the zone. */
struct launch_port {
	struct ref port; /* kind none: a new one, of what follows; else nothing of that may be said */
	/* kind none: the primary one's; of that one itself: the default subnet of the launch's zone, or
	 * of any zone with room */
	struct ref subnet;
	struct ref network;       /* or any subnet of it that has room; kind none: not said */
	struct refs groups;       /* by id or name, in the subnet's VPC; none: its default group */
	struct port_ips_wish ips; /* named ones: with one instance only */
	enum choice public_ip;    /* default: the subnet's setting; said: of a port that is alone only */
	struct str description;
	enum choice delete_on_termination; /* default: yes for a new one; yes for those only */
	int64_t device_index;
	struct str field; /* for messages */
};

struct instance_launch {
	struct ref
		image;   /* kind none: from the first of disks, ERR_MISSING unless that can be started from */
	struct ref type; /* by name */
	int64_t min_count, max_count;
	struct str name; /* Nova's; of several each gets a number behind it */
	struct str description;
	struct ref key_pair;         /* kind none: no key */
	struct ref instance_profile; /* by name or ARN; kind none: none */
	struct ref server_group;     /* kind none: none */
	int64_t partition;           /* of a partition group; 0: that with the fewest instances */
	enum instance_tenancy tenancy;
	struct ref dedicated_host;       /* with the tenancy of host only; kind none: any of the account's */
	bool host_affinity;              /* likewise: it stays with the one that it gets */
	struct ref zone;                 /* kind none: the primary port's subnet's */
	const struct launch_port *ports; /* none: one new one */
	size_t port_count;
	/* The first of ports, which names no network, is one of the default subnets' or, where the account
	 * has none, of its only network. ERR_STATE with that port's field: the account has several networks.
	 * Where it has none there is no port, or with needs_network ERR_INVALID with that field. */
	bool any_network, needs_network;
	bool no_ports;                 /* none at all */
	struct str user_data;          /* bytes, decoded */
	const struct disk_wish *disks; /* over and besides the image's */
	size_t disk_count;
	struct tags instance_tags, volume_tags, port_tags;
	uuid template_version; /* the launch template's that said some of this, for permissions and tags; or
				  none */
	enum choice personality_choice; /* yes: personality below; else the image's */
	enum instance_personality personality;
	bool shutdown_terminates, protect_terminate, protect_stop, monitoring, ebs_optimized;
	/* default, and 0: as the account says, else yes, no, no, 1 */
	enum choice metadata_enabled, metadata_tokens_required, metadata_tags;
	int64_t metadata_hop_limit;
	bool config_drive;         /* a disk of its own with what it is told */
	struct str admin_password; /* sealed; that drive tells it; empty: none */
	struct ip access_ip4, access_ip6;
	enum choice unlimited_credits; /* burstable types only; default: as EC2, yes but for t2 */
	bool accept_unplaced;          /* Nova: accept and say so later; else ERR_CAPACITY as in EC2 */
	struct str client_token;       /* empty: none; up to 64 characters */
	struct str digest;             /* of the other parameters, to tell a repetition from a mistake */
	/* made: */
	uuid reservation;
	struct uuids made; /* in order of launch index */
	bool replayed;     /* an earlier call with this token made them */
};
/* As many as fit, up to max_count; ERR_CAPACITY or ERR_QUOTA when fewer than min_count. */
OPERATION(engine_create_instances, instance_launch)

struct instance_change {
	uuid id;
	enum instance_state before, after;
};

struct instances_wish {
	struct refs instances; /* one named twice counts once */
	bool force;            /* stop, reboot: without asking the guest */
	/* Bit set of enum instance_state: from others it is refused, for faces that promise more than that it
	 * will be so. 0: none said. */
	uint32_t only_from;
	struct str reason; /* of a lock; up to 255 characters */
	/* made: */
	const struct instance_change *changes;
	size_t change_count;
};
/* ERR_STATE with KIND_INSTANCE when one is ending or has ended. ERR_PROTECTED when one is locked. All or
 * none. A suspended one goes on with its memory when it is started; a paused one is let go on by a reboot. */
OPERATION(engine_start_instances, instances_wish)
OPERATION(engine_stop_instances, instances_wish)
OPERATION(engine_reboot_instances, instances_wish)
/* One that has ended already is a success. ERR_PROTECTED, as for stop. */
OPERATION(engine_terminate_instances, instances_wish)

/* Its processors stand still and go on. ERR_STATE unless it is running or paused. */
OPERATION(engine_pause_instances, instances_wish)
OPERATION(engine_unpause_instances, instances_wish)
/* Off, with its memory kept on its host's disk until it is started. ERR_STATE unless it is running;
 * ERR_PROTECTED as for stop. */
OPERATION(engine_suspend_instances, instances_wish)
/* Against every change, until it is unlocked: but by an administrator, whose lock only he takes off
 * (ERR_DENIED). */
OPERATION(engine_lock_instances, instances_wish)
OPERATION(engine_unlock_instances, instances_wish)

/* It was found on, and its host is known: it has a console and a screen. */
static inline bool engine_has_console(const struct instance *instance)
{
	return instance->seen_power == INSTANCE_SEEN_POWER_ON && !uuid_is_none(instance->host);
}
/* One whose console the caller may open now, which is no change and needs the right to make one: ERR_DENIED,
 * as for a serial port of an account that has closed them. ERR_STATE with KIND_INSTANCE: it was not found on.
 * t as for engine_find(). */
RESULT engine_find_console(struct ctx *c, const struct tables *t, const struct ref *ref, bool is_serial,
			   const struct instance **ret_instance);

OPERATION(engine_monitor_instances, instances_wish)
OPERATION(engine_unmonitor_instances, instances_wish)

/* One of its volumes, by the device as it is named. */
struct volume_fate {
	struct str device;
	struct ref volume; /* kind none: whatever is there */
	bool delete_on_termination;
	struct str field; /* for messages */
};

/* ERR_STATE where it must be stopped: for type, user data and ebs_optimized. ERR_CAPACITY: its host has
 * no room for the type; ERR_QUOTA with KIND_PORT: it has more ports than the type can. ERR_NOT_FOUND with
 * KIND_VOLUME: nothing is at that device. ERR_CONFLICT: groups and check are of one port, it has several. */
struct instance_settings {
	struct ref instance;
	bool set_name, set_description;
	struct str name, description;
	enum choice protect_terminate, protect_stop, shutdown_terminates, ebs_optimized;
	enum choice metadata_enabled, metadata_tokens_required, metadata_tags;
	int64_t metadata_hop_limit; /* 0: as it is */
	struct ref type;            /* kind none: as it is */
	bool set_access_ip4, set_access_ip6;
	struct ip access_ip4, access_ip6;
	bool set_user_data;
	struct str user_data;
	struct refs groups; /* none: as they are */
	enum choice source_dest_check;
	const struct volume_fate *volumes;
	size_t volume_count;
};
OPERATION(engine_update_instance, instance_settings)

/* Each by itself; permissions are asked for all. */
struct credit_change {
	struct ref instance;
	bool unlimited;
	/* what came of it: ERR_NONE, ERR_NOT_FOUND, ERR_STATE (it is ending), ERR_UNSUPPORTED (no burstable
	 * type) */
	enum err err;
	struct str message;
};
struct credit_wish {
	struct credit_change *changes;
	size_t count;
};
OPERATION(engine_change_credits, credit_wish)

/* What its user thinks of it, against what is shown: a line of its history. ERR_STATE: it does not run. */
struct instance_report {
	struct refs instances;
	bool is_impaired;
	struct str words;
};
OPERATION(engine_report_instances, instance_report)

/* ---- instance_resize.c ---- */

/* Another size, which is confirmed or reverted when it was brought about (model_is_resized): a running one
 * is shut down and started. It stays on its host: ERR_CAPACITY. Its root disk grows to what the type says,
 * and stays so when it is reverted. ERR_STATE: it neither runs nor is stopped, or has not confirmed its last
 * one; ERR_CONFLICT with KIND_INSTANCE_TYPE: it has that type; ERR_INVALID: that has a smaller root disk. */
struct instance_resizing {
	struct ref instance, type;
};
OPERATION(engine_resize_instance, instance_resizing)

struct instance_target {
	struct ref instance;
};
/* ERR_STATE: it is not resized. */
OPERATION(engine_confirm_resize, instance_target)
OPERATION(engine_revert_resize, instance_target)

/* A new root disk of an image, under the same id, ports and other disks. What runs is reset over it without
 * asking the guest. The old root disk goes, unless it is to outlive its instance: then it is free. ERR_STATE:
 * it neither runs nor is stopped, or has not confirmed its resize; with KIND_VOLUME: it has no root disk, or
 * that is being copied. */
struct instance_rebuilding {
	struct ref instance, image;
	bool set_name, set_description, set_key, set_user_data, set_tags, set_access_ip4, set_access_ip6;
	struct str name, description;
	struct ref key_pair; /* kind none: no key */
	struct str user_data;
	struct tags tags;
	struct ip access_ip4, access_ip6;
	struct str admin_password; /* as of a launch */
};
OPERATION(engine_rebuild_instance, instance_rebuilding)

/* ---- instance_rescue.c ---- */

/* Starts from a disk of its own of that image, or of its own image's, with its root disk in that one's place,
 * until it is unrescued: then that disk goes. One that is stopped is started. ERR_STATE: it neither runs nor
 * is stopped, or is rescued; with KIND_VOLUME: it has no root disk; ERR_INVALID with KIND_IMAGE: it was made
 * of no image and none is said. */
struct instance_rescuing {
	struct ref instance, image; /* image kind none: the one that it was made of */
};
OPERATION(engine_rescue_instance, instance_rescuing)
/* ERR_STATE: it is not rescued. */
OPERATION(engine_unrescue_instance, instance_target)

/* ---- instance_shelve.c ---- */

/* Off and away from its host, but for its disks. What was made of an image is kept as one, too. ERR_STATE: it
 * neither runs nor is off, or has not confirmed its resize; ERR_PROTECTED as for stop; ERR_UNSUPPORTED: it
 * has a TPM. */
OPERATION(engine_shelve_instance, instance_target)
/* Started where its disks are, or where there is room. ERR_STATE: it is not shelved. */
OPERATION(engine_unshelve_instance, instance_target)

/* Shelved or on its way elsewhere, and nothing of it is needed on its host any more. */
bool engine_instance_leaves_host(const struct tables *t, const struct instance *i);
/* The reconciler's: its host has no domain of it any more. Absent, or another gen: OK. */
struct instance_leaving {
	uuid instance;
	uint64_t gen;
};
OPERATION(engine_leave_instance_host, instance_leaving)

/* ---- instance_settings.c ---- */

/* An operator's word on it, which steers nothing: broken until it is started, stopped, rebooted or made anew,
 * or said to be well; then its conditions are gone, and its host is looked at anew. */
struct instance_marking {
	struct ref instance;
	bool is_broken;
};
OPERATION(engine_mark_instance, instance_marking)

/* What its guest says its password is, encrypted for its key pair's owner: once, until that takes it away.
 * ERR_EXISTS: it said so already; ERR_INVALID: more than INSTANCE_GUEST_PASSWORD_MAX bytes, or no text. */
enum { INSTANCE_GUEST_PASSWORD_MAX = 4 * 255 };
struct instance_telling {
	uuid instance;
	struct str password;
};
OPERATION(engine_tell_guest_password, instance_telling)
OPERATION(engine_clear_guest_password, instance_target)

/* ---- instance_place.c ---- */

/* What it is placed in regard to, of a stopped one: it stays on its host where that allows it, else it goes
 * to another one, with its disks. ERR_STATE: it is not stopped. ERR_CAPACITY: no host fits. ERR_INVALID and
 * ERR_QUOTA with KIND_SERVER_GROUP: the group has no such part; is full. ERR_UNSUPPORTED: it would have to go
 * and has a TPM. */
struct instance_placement {
	struct ref instance;
	bool set_group;
	struct ref server_group; /* kind none: none any more */
	int64_t partition;       /* 0: not said: in a new group that with the fewest */
	/* Of one that has a tenancy other than the default one: ERR_STATE with KIND_DEDICATED_HOST. */
	bool set_tenancy;
	enum instance_tenancy tenancy;
	struct ref dedicated_host; /* kind none: as it is */
	enum choice host_affinity; /* which alone a running one may change, too */
};
OPERATION(engine_change_placement, instance_placement)

/* For one that has no host: tries to find one. placed says whether it has one now. */
struct instance_placing {
	uuid instance;
	/* made: */
	bool placed;
};
OPERATION(engine_place_instance, instance_placing)

/* ---- the reconciler's ---- */

/* The power that it is to have now: off while a snapshot of one of its disks waits for that (CreateImage), or
 * on its way to another host, else as the user wants it. What it is found to do meanwhile is no doing of its
 * own. */
enum instance_wanted_power engine_instance_power_wanted(const struct tables *t, const struct instance *i);

#define INSTANCE_RESTARTED "Restarted" /* the condition of one that went off by itself */

enum instance_off { /* why a domain was found off; drivers/compute.h's words, which engine does not see */
		    INSTANCE_OFF_UNKNOWN,
		    INSTANCE_OFF_GUEST,
		    INSTANCE_OFF_CRASHED,
		    INSTANCE_OFF_DESTROYED
};

/* What a look at an instance found. Report ON right after a successful start: a guest that shuts
 * itself down before the next look is then recognised. Absent instance: OK, nothing happens.
 *
 * Off though wanted on, when the present gen had been brought about: the guest did it → wanted
 * becomes off (or the instance is terminated, where it says so); anything else → it stays wanted on,
 * with the condition INSTANCE_RESTARTED, which stays until the user's next start, stop or reboot. Deleted and
 * absent, with its present gen: ended; its ports and delete_on_termination volumes are marked deleted, what
 * is kept is detached, auto-assigned addresses are released. Wanted off and off: auto-assigned addresses are
 * released. */
struct instance_sight {
	uuid instance;
	uint64_t gen;  /* of the row that was acted on */
	bool reached;  /* what is there is what that gen asks for: seen_gen and seen_boots follow */
	int64_t boots; /* its wanted_boots, brought about when reached */
	enum instance_seen_power power;
	bool is_paused, is_saved;
	enum instance_off off; /* when power is off */
	struct str boot_id;    /* the host's */
	/* What is plugged: what the guest has or, while off, its definition. Their rows' seen_instance
	 * follows; an absent instance has nothing, known or not. */
	bool devices_known;
	struct uuids ports, volumes;
};
OPERATION(engine_see_instance, instance_sight)

/* What an instance holds from its launch to its end, as its meter in the usage records says: level 1 begins,
 * 0 ends it. False: it is no such meter. type borrows from it. */
#define INSTANCE_HELD_METER "server:"
struct instance_held {
	int64_t vcpus, memory_mib, disk_gib;
	struct str type;
};
bool engine_parse_held(struct str meter, struct instance_held *ret_held);

/* Ended instances stay visible for an hour after stopped_us (INSTANCE_VISIBLE_US); then this.
 * ERR_STATE unless ended; ERR_IN_USE while a port or volume still names it. Absent: OK. */
#define INSTANCE_VISIBLE_US HOUR
struct instance_forget {
	uuid instance;
};
OPERATION(engine_forget_instance, instance_forget)
