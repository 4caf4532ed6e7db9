/* SPDX-License-Identifier: Apache-2.0
 * Instances: launch, start, stop, reboot, terminate and the other operations on them; and what the
 * reconciler saw of them. Invariant: an instance in any state but terminated has its ports and its
 * quota. reconcile/instance.c does what follows. */
#pragma once

#include "engine/licence/licence.h"
#include "engine/network/port.h"
#include "engine/storage/local_disk.h"
#include "engine/storage/volume.h"
#include "model/states.h"
#include "store/instance.h"

/* The name of the root disk of an imported image. */
#define INSTANCE_ROOT_DEVICE STR("/dev/xvda")
/* User data, in bytes: Nova's 65,535 characters of base64. Other faces' calls take less. */
enum { INSTANCE_USER_DATA_MAX = 49151, INSTANCE_LAUNCH_MAX = 1000, INSTANCE_HINTS_MAX = 64 };

/* A port of a launch: an existing one, or a new one. Device index 0 is the primary port, whose
 * subnet decides the zone. */
struct launch_port {
	/* Kind none: a new port, described by what follows. Else nothing of that may be given. */
	struct ref port;
	/* The subnet of a new port. Kind none: the primary port's subnet; for the primary port
	 * itself the default subnet of the launch's zone, or of any zone with room. */
	struct ref subnet;
	struct ref network; /* instead of a subnet: any subnet of it that has room; kind none: not given */
	struct refs groups; /* by id or name, in the subnet's VPC; none: the VPC's default group */
	bool by_firewall_alone;   /* as of struct port_wish */
	struct port_ips_wish ips; /* addresses that are named: for a launch of one instance only */
	enum choice public_ip; /* default: the subnet's setting; may be given only for a port that is alone */
	struct str description;
	enum choice delete_on_termination; /* default: yes for a new port; only new ports may say so */
	int64_t device_index;
	struct str tag;   /* what its guest is told of it */
	struct str field; /* for messages */
};

/* A file for a guest, with its contents decoded. */
struct guest_file {
	struct str path, contents;
};
struct guest_files {
	const struct guest_file *at;
	size_t count;
};

struct instance_launch {
	/* Kind none: the image follows from the first of disks. ERR_MISSING: nobody can start from
	 * that. */
	struct ref image;
	struct ref type; /* by name */
	int64_t min_count, max_count;
	struct str name; /* Nova's name; of several instances each gets a number behind it */
	struct str description;
	struct ref key_pair;         /* kind none: no key */
	struct ref instance_profile; /* by name or ARN; kind none: no profile */
	struct ref server_group;     /* kind none: none */
	struct refs near,
		apart;     /* where one of these is, and none of those; what is not there is passed over */
	int64_t partition; /* of a partition group; 0: the partition with the fewest instances */
	enum instance_tenancy tenancy;   /* default: in a dedicated VPC that is "dedicated" */
	struct ref dedicated_host;       /* needs the tenancy "host"; kind none: any of the account's */
	bool host_affinity;              /* the same; the instance stays with the host that it gets */
	struct ref zone;                 /* kind none: the zone of the primary port's subnet */
	struct str zone_name;            /* Nova's (region/aggregate.h): on its hosts alone; empty: any */
	struct str host;                 /* by name: on that one or not at all; empty: any */
	const struct launch_port *ports; /* none given: one new port */
	size_t port_count;
	/* any_network: the first of ports names no network. It is in one of the default subnets or,
	 * if the account has none, in the account's only network. ERR_STATE with that port's field:
	 * the account has several networks. If it has none, there is no port; with needs_network
	 * that is ERR_INVALID with that field. */
	bool any_network, needs_network;
	bool no_ports; /* the instance has no port at all */
	/* Ports and addresses are not limited by its type, as they are in EC2, but by the places that an instance has. */
	bool beyond_type;
	struct str user_data;          /* bytes, decoded */
	const struct disk_wish *disks; /* change the image's disks, and add to them */
	size_t disk_count;
	const struct local_disk_wish *local_disks; /* instead of its type's, as far as they are of one use */
	size_t local_disk_count;
	/* It has a CD-ROM drive. from_medium: the image is an ISO and lies there, and the root disk is a blank one of
	 * the size that `disks` say. ERR_INVALID: it is none. */
	bool has_cdrom, from_medium;
	bool root_is_volume; /* said of what is made of an image; without one it is */
	struct tags instance_tags, volume_tags, port_tags;
	/* The launch template's version that gave some of this, for permissions and tags. Or
	 * none. */
	uuid template_version;
	uuid fleet; /* that launches it, by which of its overrides; none: it is launched by itself */
	int64_t fleet_override;
	enum choice personality_choice; /* yes: `personality` below; else the image's */
	enum instance_personality personality;
	bool shutdown_terminates, protect_terminate, protect_stop, monitoring, ebs_optimized;
	/* Default, and 0: as the account's settings say; without these yes, no, no, 1. */
	enum choice metadata_enabled, metadata_tokens_required, metadata_tags;
	int64_t metadata_hop_limit;
	enum choice metadata_ipv6; /* yes: it answers by IPv6, too */
	/* How it is named (schema/instance.toml). Default: as the primary port's subnet says. */
	enum choice named_by_id, id_name_has_a, id_name_has_aaaa;
	bool disk_auto;            /* Nova's OS-DCF:diskConfig AUTO */
	bool config_drive;         /* the instance gets a disk with its metadata */
	struct guest_files files;  /* as in instance_rebuilding */
	struct str admin_password; /* sealed; what its guest is to set; empty: none */
	struct ip access_ip4, access_ip6;
	/* For burstable types only. Default: EC2's, which is yes except for t2. */
	enum choice unlimited_credits;
	struct licences_wish licences; /* besides the image's */
	bool stays_off;                /* it is not turned on */
	/* Whether it is started elsewhere when its host is off for good; default: yes. recovers_by_type: as its type's
	 * offers_ha says. */
	enum choice recovers;
	bool recovers_by_type;
	/* Nova: where no host or storage pool has room, accept, and report that later. Else ERR_CAPACITY, as in EC2. */
	bool accept_unplaced;
	struct str client_token; /* empty: none; up to 64 characters */
	struct str digest;       /* of the other parameters, to tell a repetition from a mistake */
	/* made: */
	uuid reservation;
	struct uuids made; /* in order of launch index */
	bool replayed;     /* an earlier call with this token made them */
};
/* Launches as many instances as fit, up to max_count. ERR_CAPACITY or ERR_QUOTA: fewer than
 * min_count fit. */
OPERATION(engine_create_instances, instance_launch)

struct instance_change {
	uuid id;
	enum instance_state before, after;
};

struct instances_wish {
	struct refs instances; /* an instance that is named twice counts once */
	bool force;            /* for stop and reboot: do not ask the guest; for destroy: end it now */
	/* A bit set of enum instance_state: from other states the call is refused. For faces that
	 * promise more than a later success. 0: any state. */
	uint32_t only_from;
	struct str reason;   /* of a lock; up to 255 characters */
	struct refs volumes; /* of one that is destroyed: its data disks that are deleted with that */
	bool starts;         /* what is recovered is turned on, too */
	/* made: */
	const struct instance_change *changes;
	size_t change_count;
};
/* Start, stop or reboot all of the instances, or none. ERR_STATE with KIND_INSTANCE: one is ending
 * or has ended. ERR_PROTECTED: one is locked. A suspended instance continues with its memory when
 * it is started; a reboot lets a paused one continue. */
OPERATION(engine_start_instances, instances_wish)
OPERATION(engine_stop_instances, instances_wish)
OPERATION(engine_reboot_instances, instances_wish)
/* Changes nothing of what is wanted: what is there is compared with it anew. */
OPERATION(engine_reapply_instances, instances_wish)
/* Ends instances. One that has ended already counts as a success. ERR_PROTECTED: one is locked, or
 * protected against this. */
OPERATION(engine_terminate_instances, instances_wish)

/* ---- instance_medium.c ---- */

/* What lies in an instance's CD-ROM drive, NULL: nothing; and the image of that, none: nothing. */
const struct volume *engine_find_medium(const struct tables *t, uuid instance);
uuid engine_get_medium(const struct tables *t, uuid instance);

/* Puts an ISO into an instance's CD-ROM drive, in place of what lies there, whether the guest lets go of that or not.
 * ERR_STATE: the instance neither runs nor is stopped; or it runs, and has no such drive: it gets one while it is
 * stopped. ERR_INVALID with KIND_IMAGE: the image is no ISO. */
struct instance_medium {
	struct ref instance;
	struct ref image;
};
OPERATION(engine_insert_medium, instance_medium)
/* ERR_STATE with KIND_IMAGE: nothing lies there. */
OPERATION(engine_eject_medium, instance_medium)

/* ---- instance_assign.c ---- */

/* Gives a stopped instance and its disks to another account, for an administrator or who has the role manager in both
 * accounts (ERR_DENIED). It gets ports there: without any said, one where it is now, if that network was granted to the
 * account, else in the default subnet of its zone (ERR_INVALID with KIND_NETWORK: there is none). Those that it had go, or
 * stay with the old account if they were not to go with it. ERR_STATE: it is on, or half way to something; a job waits; a public
 * address, a forwarding or a load balancer leads to it; a disk has snapshots, or is shared or promised. ERR_DENIED with
 * KIND_IMAGE: the account may not have what it was made from. ERR_QUOTA: the account has no room for it. */
struct instance_assigning {
	struct ref instance;
	uuid account;
	const struct launch_port *ports; /* new ones, by network, in the order of their device indexes */
	size_t port_count;
};
OPERATION(engine_assign_instance, instance_assigning)

/* ---- instance_destroy.c ---- */

/* Lets go of instances: they go off, and end when the setting "expunge.delay" has passed, unless they are
 * recovered before. Until then they keep their root disks, their ports and addresses, and take nothing of
 * their account's limits of instances. Data disks that would outlive them are detached. Where that setting
 * is 0 they end at once. Those that are destroyed stay so. ERR_PROTECTED: as for terminate. ERR_INVALID with
 * KIND_VOLUME: one of the volumes is no data disk of the instance. */
OPERATION(engine_destroy_instances, instances_wish)
/* Stopped again. ERR_STATE: one is not destroyed. ERR_QUOTA: the account has no room for it any more. */
OPERATION(engine_recover_instances, instances_wish)

/* When a destroyed instance ends; 0: it is not destroyed, or has ended. */
int64_t engine_get_expunge_us(const struct tables *t, const struct instance *i);
/* For the reconciler: ends it, if its time has come. */
struct instance_expunging {
	uuid instance;
};
OPERATION(engine_expunge_instance, instance_expunging)

/* Stop and continue the guest's processors. ERR_STATE: an instance is neither running nor
 * paused. */
OPERATION(engine_pause_instances, instances_wish)
OPERATION(engine_unpause_instances, instances_wish)
/* Turns instances off, and stores their memory on their host's disk until they are started.
 * ERR_STATE: one is not running. ERR_PROTECTED: one is locked. */
OPERATION(engine_suspend_instances, instances_wish)
/* Protect instances against every change until they are unlocked. An administrator may change them
 * all the same, and only administrators may remove a lock that an administrator has set
 * (ERR_DENIED). */
OPERATION(engine_lock_instances, instances_wish)
OPERATION(engine_unlock_instances, instances_wish)

/* Whether the instance has a console and a screen: it was found on, and its host is known. */
static inline bool engine_has_console(const struct instance *instance)
{
	return instance->seen_power == INSTANCE_SEEN_POWER_ON && !uuid_is_none(instance->host);
}
/* Finds an instance whose console the caller may open now. That is no change, but needs the right
 * to make one. ERR_DENIED: it is missing; or the console is a serial port, and the account has
 * closed these. ERR_STATE with KIND_INSTANCE: the instance was not found on. t as for
 * engine_find(). */
RESULT engine_find_console(struct ctx *c, const struct tables *t, const struct ref *ref, bool is_serial,
			   const struct instance **ret_instance);

OPERATION(engine_monitor_instances, instances_wish)
OPERATION(engine_unmonitor_instances, instances_wish)

/* What happens to one of the instance's volumes when the instance ends. The volume is named by its
 * device. */
struct volume_fate {
	struct str device;
	struct ref volume; /* kind none: whatever volume is there */
	bool delete_on_termination;
	struct str field; /* for messages */
};

/* Changes settings. ERR_STATE: the instance must be stopped, for its type, key pair, user data and
 * ebs_optimized. ERR_CAPACITY: its host has no room for the type. ERR_QUOTA with KIND_PORT: it has
 * more ports than the type can have. ERR_NOT_FOUND with KIND_VOLUME: nothing is at that device.
 * ERR_CONFLICT: groups and check concern one port, and it has several. */
struct instance_settings {
	struct ref instance;
	bool set_name, set_description;
	struct str name, description;
	enum choice protect_terminate, protect_stop, shutdown_terminates, ebs_optimized, disk_auto;
	enum choice metadata_enabled, metadata_tokens_required, metadata_tags;
	enum choice metadata_ipv6;
	enum choice recovers;       /* as in a launch */
	int64_t metadata_hop_limit; /* 0: as it is */
	struct ref type;            /* kind none: as it is */
	bool beyond_type;           /* more ports than EC2 has for that type are no obstacle */
	struct ref key_pair;        /* likewise; its next start gives the guest the public key */
	bool set_access_ip4, set_access_ip6;
	struct ip access_ip4, access_ip6;
	bool set_user_data;
	struct str user_data;
	struct str admin_password; /* sealed; its guest is told at its next start; empty: as it is */
	struct refs groups;        /* none: as they are */
	enum choice source_dest_check;
	const struct volume_fate *volumes;
	size_t volume_count;
};
OPERATION(engine_update_instance, instance_settings)

/* Its guest has set the password that it was told: nobody is told it again. Gone, or told already: OK. */
struct guest_password_taking {
	uuid instance;
};
OPERATION(engine_take_admin_password, guest_password_taking)

/* Changes how an instance is named. ERR_STATE: its host name changes while it is stopped only.
 * ERR_INVALID: without an IPv4 address its name is made of its id. */
struct instance_names_wish {
	struct ref instance;
	enum choice named_by_id, id_name_has_a, id_name_has_aaaa;
};
OPERATION(engine_update_instance_names, instance_names_wish)

/* Changes of CPU credits. Each succeeds or fails by itself; permissions are asked for all of
 * them. */
struct credit_change {
	struct ref instance;
	bool unlimited;
	/* The outcome: ERR_NONE, ERR_NOT_FOUND, ERR_STATE (the instance is ending), ERR_UNSUPPORTED
	 * (its type is not burstable). */
	enum err err;
	struct str message;
};
struct credit_wish {
	struct credit_change *changes;
	size_t count;
};
OPERATION(engine_change_credits, credit_wish)

/* What a user reports about the instance's state: it becomes a line of its history. ERR_STATE: the
 * instance does not run. */
struct instance_status_report {
	struct refs instances;
	bool is_impaired;
	struct str words;
};
OPERATION(engine_report_instances, instance_status_report)

/* ---- instance_resize.c ---- */

/* Gives the instance another type. When that is done (model_is_resized()), the user confirms or
 * reverts it. A running instance is shut down and started. It stays on its host (ERR_CAPACITY). Its
 * root disk grows to what the type says, and keeps that size when it is reverted. ERR_STATE: it
 * neither runs nor is stopped, or its last resize is not confirmed. ERR_CONFLICT with
 * KIND_INSTANCE_TYPE: it has that type. ERR_INVALID: the type has a smaller root disk. */
struct instance_resizing {
	struct ref instance, type;
	enum choice disk_auto; /* Nova's OS-DCF:diskConfig AUTO */
};
OPERATION(engine_resize_instance, instance_resizing)

struct instance_target {
	struct ref instance;
};
/* Confirm or revert a resize. ERR_STATE: there is none. */
OPERATION(engine_confirm_resize, instance_target)
OPERATION(engine_revert_resize, instance_target)

/* Gives the instance a new root disk made from an image; its id, ports and other disks stay. A
 * running guest is reset without being asked. The old root disk is deleted, unless it shall outlive
 * its instance: then it becomes free. ERR_STATE: the instance neither runs nor is stopped, or its
 * resize is not confirmed; with KIND_VOLUME: it has no root disk, or that is being copied. */
struct instance_rebuilding {
	struct ref instance, image;
	bool set_name, set_description, set_key, set_user_data, set_tags, set_access_ip4, set_access_ip6;
	struct str name, description;
	struct ref key_pair; /* kind none: no key */
	struct str user_data;
	struct tags tags;
	struct ip access_ip4, access_ip6;
	struct str admin_password; /* as in a launch */
	enum choice disk_auto;     /* likewise */
	/* What is put into the guest when it first starts, in place of what was: it gets a disk with its metadata for
	 * them, from which its cloud-init takes them. ERR_QUOTA. */
	struct guest_files files;
	bool keeps_volume; /* where root_is_volume: ERR_INVALID unless the image is the volume's */
};
OPERATION(engine_rebuild_instance, instance_rebuilding)

/* ---- instance_rescue.c ---- */

/* Starts the instance from a disk made from the given image, or from its own image, with its root
 * disk as a second disk. When it is unrescued, the extra disk is deleted. A stopped instance is
 * started. ERR_STATE: it neither runs nor is stopped, or is rescued already; with KIND_VOLUME: it
 * has no root disk. ERR_INVALID with KIND_IMAGE: it was not made from an image, and none is
 * given. */
struct instance_rescuing {
	struct ref instance, image; /* image of kind none: the image that it was made from */
	bool spares_volumes;        /* ERR_INVALID where root_is_volume */
};
OPERATION(engine_rescue_instance, instance_rescuing)
/* ERR_STATE: the instance is not rescued. */
OPERATION(engine_unrescue_instance, instance_target)

/* ---- instance_shelve.c ---- */

/* Turns the instance off and frees its room on its host; its disks stay there. If it was made from
 * an image, it is also stored as one. ERR_STATE: it neither runs nor is off, or its resize is not
 * confirmed. ERR_PROTECTED: it is locked. ERR_UNSUPPORTED: it has a TPM. */
OPERATION(engine_shelve_instance, instance_target)
/* Starts a shelved instance where its disks are, or else where there is room; or on the host named. ERR_STATE: it is
 * not shelved; with a zone or a host, has not left its host yet; the zone is not its disks', the host not of it.
 * ERR_INVALID with KIND_HOST: there is no such host. ERR_CAPACITY: that host does not take it. */
struct instance_unshelving {
	struct ref instance;
	struct ref zone;      /* by name; kind none: its own */
	struct str zone_name; /* Nova's, to stay in from now on; empty: as it is */
	struct str host;      /* by name; empty: any */
};
OPERATION(engine_unshelve_instance, instance_unshelving)

/* Whether the instance leaves its host (it is shelved, or moves), and nothing of it is needed there
 * any more. */
bool engine_instance_leaves_host(const struct tables *t, const struct instance *i);
/* For the reconciler: the host has no domain of the instance any more. An absent instance, or
 * another gen: OK. */
struct instance_leaving {
	uuid instance;
	uint64_t gen;
};
OPERATION(engine_leave_instance_host, instance_leaving)

/* ---- instance_settings.c ---- */

/* An operator's statement about the instance, which changes nothing else. It is broken, until it is
 * started, stopped, rebooted or rebuilt. Or it is well: then its conditions are removed, and its
 * host is looked at again. */
struct instance_marking {
	struct ref instance;
	bool is_broken;
};
OPERATION(engine_mark_instance, instance_marking)

/* What the guest says its password is, encrypted for the owner of its key pair. The guest may say
 * it once, until the owner removes it. ERR_EXISTS: the guest has said it already. ERR_INVALID: more
 * than INSTANCE_GUEST_PASSWORD_MAX bytes, or no text. */
enum { INSTANCE_GUEST_PASSWORD_MAX = 4 * 255 };
struct guest_password_report {
	uuid instance;
	struct str password;
};
OPERATION(engine_report_guest_password, guest_password_report)
OPERATION(engine_clear_guest_password, instance_target)

/* ---- instance_place.c ---- */

/* What a stopped instance is placed by. It stays on its host if that is still allowed; else it
 * moves to another host, with its disks. ERR_STATE: it is not stopped. ERR_CAPACITY: no host fits.
 * ERR_INVALID and ERR_QUOTA with KIND_SERVER_GROUP: the group has no such partition; it is full.
 * ERR_UNSUPPORTED: it would have to move and has a TPM. */
struct instance_placement {
	struct ref instance;
	bool set_group;
	struct ref server_group; /* kind none: it leaves its group */
	int64_t partition;       /* 0: not given; in a new group the partition with the fewest instances */
	/* The instance must have a tenancy other than the default: ERR_STATE with
	 * KIND_DEDICATED_HOST. */
	bool set_tenancy;
	enum instance_tenancy tenancy;
	struct ref dedicated_host; /* kind none: as it is */
	enum choice host_affinity; /* the only one that a running instance may change */
};
OPERATION(engine_change_placement, instance_placement)

/* For the reconciler: tries to find a host for an instance without one. placed: it has one now. */
struct instance_placing {
	uuid instance;
	/* made: */
	bool placed;
};
OPERATION(engine_place_instance, instance_placing)

/* ---- the reconciler's ---- */

/* The power that the instance shall have now. It is off while a snapshot of one of its disks waits
 * for that (CreateImage), or while it moves to another host. Otherwise it is what the user wants.
 * What the instance does meanwhile is not its own doing. */
enum instance_wanted_power engine_instance_power_wanted(const struct tables *t, const struct instance *i);

#define INSTANCE_RESTARTED                                                                                   \
	"Restarted" /* the condition of an instance that went off by itself and was started again */

/* Why a domain was found off: the values of drivers/compute.h, which the engine cannot include. */
enum instance_off { INSTANCE_OFF_UNKNOWN, INSTANCE_OFF_GUEST, INSTANCE_OFF_CRASHED, INSTANCE_OFF_DESTROYED };

/* What a look at an instance found. Report ON right after a successful start, so that a guest which
 * shuts itself down before the next look is recognised. An absent instance: OK, nothing happens.
 *
 * The instance is found off although it is wanted on, and its present gen had been reached: if the
 * guest did that, off becomes what is wanted (or the instance is terminated, if it says so).
 * Otherwise it stays wanted on, and gets the condition INSTANCE_RESTARTED until the user starts,
 * stops or reboots it.
 *
 * It is deleted and absent, with its present gen: it has ended. Its ports, and the volumes with
 * delete_on_termination, are marked deleted; what is kept is detached; addresses that were assigned
 * automatically are released.
 *
 * It is wanted off and is off: addresses that were assigned automatically are released. */
struct instance_report {
	uuid instance;
	uint64_t gen;  /* of the row that was acted on */
	bool reached;  /* the world is as that gen asks for: seen_gen and seen_boots follow */
	int64_t boots; /* its wanted_boots, done if reached */
	enum instance_seen_power power;
	bool is_paused, is_saved;
	enum instance_off off; /* when power is off */
	struct str boot_id;    /* the host's */
	/* What is plugged in: in the running guest, or in the definition while it is off. The
	 * seen_instance of these rows follows. An absent instance has nothing, whether that is
	 * known or not. */
	bool devices_known;
	struct uuids ports, volumes;
};
OPERATION(engine_see_instance, instance_report)

/* The meter of what an instance occupies from its launch to its end, in the usage records: level 1
 * begins, 0 ends it. False: the meter is another one. type borrows from it. */
#define INSTANCE_ALLOCATION_METER "server:"
struct instance_allocation {
	int64_t vcpus, memory_mib, disk_gib;
	struct str type;
};
bool engine_parse_allocation(struct str meter, struct instance_allocation *ret_allocation);

/* Forgets an ended instance. It stays visible for INSTANCE_VISIBLE_US after stopped_us. ERR_STATE:
 * it has not ended. ERR_IN_USE: a port or a volume still names it. Absent: OK. */
#define INSTANCE_VISIBLE_US HOUR
struct instance_forget {
	uuid instance;
};
OPERATION(engine_forget_instance, instance_forget)
