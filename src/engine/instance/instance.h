/* SPDX-License-Identifier: Apache-2.0
 * Instances: launch, start, stop, reboot, termination and other operations, and the reconciler's reports.
 * Invariant: an instance in any state but terminated has its ports and counts for quotas.
 * reconcile/instance/instance.c makes hosts follow. */
#pragma once

#include "engine/licence/licence.h"
#include "engine/network/port/port.h"
#include "engine/storage/volume/local_disk.h"
#include "engine/storage/volume/volume.h"
#include "model/instance_words.h"
#include "model/states.h"

struct instance;

/* Tag of the instances of scaling groups, whose value is the group's name. */
#define SCALING_TAG "aws:autoscaling:groupName"
/* Device name of the root disk of images that do not say one. */
#define INSTANCE_ROOT_DEVICE STR("/dev/xvda")
/* INSTANCE_USER_DATA_MAX: bytes, from Nova's limit of 65,535 base64 characters; other faces accept less. */
enum { INSTANCE_USER_DATA_MAX = 49151, INSTANCE_LAUNCH_MAX = 1000, INSTANCE_HINTS_MAX = 64 };

/* A port of a launch, existing or new. Device index 0 is the primary port, whose subnet decides the zone. */
struct launch_port {
	/* An existing port, to which nothing below may be added. Kind none: a new port as described below. */
	struct ref port;
	/* Subnet of a new port. Kind none: the primary port's subnet; for the primary port, the default
	 * subnet of the launch's zone, or of any zone that has room. */
	struct ref subnet;
	struct ref network; /* instead of a subnet: any subnet of the network that has room; kind none: not
			     * given */
	bool may_lack_ip;   /* a network without subnets is accepted: the new port has no address */
	struct refs groups; /* by id or name, in the subnet's VPC; none: the VPC's default group */
	bool by_firewall_alone;   /* see struct port_wish */
	struct port_ips_wish ips; /* named addresses require a launch of a single instance */
	enum choice public_ip;    /* default: the subnet's setting; can be given for a single port only */
	struct str description;
	enum choice delete_on_termination; /* new ports only; default: yes */
	int64_t device_index;
	struct str tag;   /* device tag, which the guest reads from its metadata */
	struct str field; /* for messages */
};

/* A file for the guest, with decoded contents. */
struct guest_file {
	struct str path, contents;
};
struct guest_files {
	const struct guest_file *at;
	size_t count;
};

/* Terms of a spot instance (engine/instance/launch/spot.h). */
struct spot_wish {
	bool is_spot;
	uuid request; /* the request that it fulfils; none: the launch makes one */
	bool is_persistent, stops;
	bool from_launch;     /* RunInstances asks for it */
	struct str max_price; /* per hour; empty: the on-demand price */
	int64_t valid_from_us, valid_until_us;
	struct str form;  /* opaque, for the face: the launch's parameters, to repeat a persistent one */
	struct tags tags; /* the request gets them */
};

struct instance_launch {
	/* Kind none: the image of the first of disks. ERR_MISSING: there is no such image. */
	struct ref image;
	struct ref type; /* by name */
	int64_t min_count, max_count;
	struct str name; /* Nova's name; several instances get a number appended */
	struct str description;
	struct ref key_pair;         /* kind none: no key */
	struct ref instance_profile; /* by name or ARN; kind none: no profile */
	struct ref server_group;     /* kind none: no group */
	struct refs near, apart; /* same host as one of `near`, and not the host of any in `apart`; unknown
			    * instances are ignored */
	int64_t partition;       /* partition of a partition group; 0: the one with the fewest instances */
	enum instance_tenancy tenancy;   /* default: "dedicated" in a dedicated VPC */
	struct ref dedicated_host;       /* requires the tenancy "host"; kind none: any of the account's */
	bool host_affinity;              /* requires the tenancy "host"; pins the instance to its host */
	struct ref zone;                 /* kind none: the zone of the primary port's subnet */
	struct str zone_name;            /* Nova's availability zone (region/aggregate.h), to whose hosts it
					  * is restricted; empty: any */
	struct str host;                 /* name of the only host allowed; empty: any */
	const struct launch_port *ports; /* empty: one new port */
	size_t port_count;
	/* any_network: the first of ports names no network. It gets a default subnet or, if the account has
	 * none, the account's only network. ERR_STATE with that port's field: the account has several
	 * networks. Without any network the instance has no port; with needs_network this is ERR_INVALID with
	 * that field. */
	bool any_network, needs_network;
	bool no_ports; /* the instance has no ports */
	/* Limits ports and addresses by the instance's slots, not by its type as EC2 does. */
	bool beyond_type;
	struct str user_data;          /* decoded bytes */
	const struct disk_wish *disks; /* override the image's disks, and add to them */
	size_t disk_count;
	const struct local_disk_wish *local_disks; /* replace the type's local disks of the same use */
	size_t local_disk_count;
	/* has_cdrom: adds a CD-ROM drive. from_medium: the image is an ISO, inserted there, and the root disk
	 * is blank, with its size from `disks`. ERR_INVALID: the image is no ISO. */
	bool has_cdrom, from_medium;
	bool root_is_volume; /* for a root disk made from an image; always true without an image */
	struct tags instance_tags, volume_tags, port_tags;
	/* Launch template version that provided parameters, for permissions and tags; none: no template. */
	uuid template_version;
	/* Capacity reservations to use: the named one alone, or those that the preference allows
	 * (engine/reservation/capacity_reservation.h). ERR_CAPACITY with KIND_CAPACITY_RESERVATION: it must use
	 * one, and none has a free unit for it. */
	enum instance_capacity_preference capacity_preference;
	struct ref capacity_target; /* kind none: no reservation in particular */
	uuid fleet; /* fleet that launches it, and the index of its override; none: no fleet */
	int64_t fleet_override, fleet_units; /* units: that one of its instances counts for, in thousandths */
	struct str scaling_group;       /* name of the scaling group that launches it; empty: none does */
	struct spot_wish spot;          /* whether it is a spot instance, and of which request */
	enum choice personality_choice; /* yes: personality as given; otherwise the image's */
	enum instance_personality personality;
	bool shutdown_terminates, protect_terminate, protect_stop, monitoring, ebs_optimized;
	/* Default and 0: the account's settings, or else yes, no, no, 1. */
	enum choice metadata_enabled, metadata_tokens_required, metadata_tags;
	int64_t metadata_hop_limit;
	enum choice metadata_ipv6; /* yes: the metadata service answers over IPv6, too */
	/* DNS names (schema/instance.toml). Default: the primary port's subnet decides. */
	enum choice named_by_id, id_name_has_a, id_name_has_aaaa;
	bool disk_auto;            /* Nova's OS-DCF:diskConfig AUTO */
	bool config_drive;         /* attaches a disk with the instance's metadata */
	struct guest_files files;  /* as in struct instance_rebuilding */
	struct str admin_password; /* sealed; password for the guest to set; empty: none */
	struct ip access_ip4, access_ip6;
	/* Burstable types only. Default: as in EC2, yes except for t2. */
	enum choice unlimited_credits;
	struct licences_wish licences; /* in addition to the image's */
	bool stays_off;                /* does not start the instance */
	/* Restart elsewhere if the host is fenced; default: yes. recovers_by_type: the type's offers_ha
	 * decides. */
	enum choice recovers;
	bool recovers_by_type;
	/* Accepts the launch even if no host or pool has room, as Nova does, and reports that later.
	 * Otherwise ERR_CAPACITY, as in EC2. */
	bool accept_unplaced;
	struct str client_token; /* up to 64 characters; empty: none */
	struct str digest;       /* covers the other parameters, to tell a repeated call from a reused
				  * token */
	/* outputs: */
	uuid reservation;
	struct uuids made; /* in order of launch index */
	bool replayed;     /* an earlier call with the token launched them */
};
/* Launches as many instances as have room, up to max_count. ERR_CAPACITY or ERR_QUOTA: that is fewer than
 * min_count. */
OPERATION(engine_create_instances, instance_launch)

struct instance_change {
	uuid id;
	enum instance_state before, after;
};

struct instances_wish {
	struct refs instances; /* duplicates count once */
	bool force;            /* stop, reboot: without asking the guest; destroy: ends the instance now */
	/* Bit set of enum instance_state in which the call is accepted, for faces that promise an immediate
	 * result. 0: any state. */
	uint32_t only_from;
	struct str reason;   /* reason of a lock, up to 255 characters */
	struct refs volumes; /* data disks to delete with a destroyed instance */
	bool starts;         /* starts recovered instances */
	/* outputs: */
	const struct instance_change *changes;
	size_t change_count;
};
/* Start, stop or reboot all of the instances, or none. ERR_STATE with KIND_INSTANCE: an instance is
 * terminating or terminated. ERR_PROTECTED: an instance is locked. Starting a suspended instance resumes its
 * memory; rebooting resumes a paused one. */
OPERATION(engine_start_instances, instances_wish)
OPERATION(engine_stop_instances, instances_wish)
OPERATION(engine_reboot_instances, instances_wish)
/* Raises gen without other changes, so that the reconciler compares the instance with its host again. */
OPERATION(engine_reapply_instances, instances_wish)
/* Terminates instances. Terminated ones count as success. ERR_PROTECTED: an instance is locked or has
 * termination protection. */
OPERATION(engine_terminate_instances, instances_wish)

/* ---- instance_medium.c ---- */

/* Volume in the instance's CD-ROM drive, or NULL; and the image that it is made from, or none. */
const struct volume *engine_find_medium(const struct tables *t, uuid instance);
uuid engine_get_medium(const struct tables *t, uuid instance);

/* Inserts an ISO into an instance's CD-ROM drive, replacing the present one even if the guest has locked it.
 * ERR_STATE: the instance is neither running nor stopped, or is running without a drive, which is added only
 * while it is stopped. ERR_INVALID with KIND_IMAGE: not an ISO. */
struct instance_medium {
	struct ref instance;
	struct ref image;
};
OPERATION(engine_insert_medium, instance_medium)
/* ERR_STATE with KIND_IMAGE: the drive is empty. */
OPERATION(engine_eject_medium, instance_medium)

/* ---- instance_assign.c ---- */

/* Transfers a stopped instance with its disks to another account, for administrators, and managers of both
 * accounts (ERR_DENIED). The instance gets new ports: the given ones; by default one in its present subnet if
 * that network is granted to the account, otherwise in the default subnet of its zone (ERR_INVALID with
 * KIND_NETWORK: there is none). Its former ports are deleted, or stay with the former account if they are not
 * deleted on termination. ERR_STATE: not stopped, or busy; a job waits; a public address, forwarding or load
 * balancer leads to it; a disk has snapshots, or is shared or offered for transfer. ERR_DENIED with
 * KIND_IMAGE: the account may not use the image. ERR_QUOTA. */
struct instance_assigning {
	struct ref instance;
	uuid account;
	const struct launch_port *ports; /* new ports, by network, in order of device indexes */
	size_t port_count;
};
OPERATION(engine_assign_instance, instance_assigning)

/* ---- instance_destroy.c ---- */

/* Destroys instances: stops them, and terminates them after the setting "expunge.delay" unless users recover
 * them before. Until then they keep root disks, ports and addresses, and do not count for instance quotas.
 * Data disks without delete_on_termination are detached. With a delay of 0 they are terminated at once.
 * Destroyed instances count as success. ERR_PROTECTED: as for engine_terminate_instances(). ERR_INVALID with
 * KIND_VOLUME: a volume is no data disk of the instance. */
OPERATION(engine_destroy_instances, instances_wish)
/* Recovers destroyed instances, as stopped. ERR_STATE: an instance is not destroyed. ERR_QUOTA. */
OPERATION(engine_recover_instances, instances_wish)

/* Time at which a destroyed instance will be terminated; 0: it is not destroyed. */
int64_t engine_get_expunge_us(const struct tables *t, const struct instance *i);
/* Terminates a destroyed instance that is due, for the reconciler. */
struct instance_expunging {
	uuid instance;
};
SYSTEM_OPERATION(engine_expunge_instance, instance_expunging)

/* Stop and resume the guest's processors. ERR_STATE: an instance is neither running nor paused. */
OPERATION(engine_pause_instances, instances_wish)
OPERATION(engine_unpause_instances, instances_wish)
/* Suspends instances to their host's disk until they are started. ERR_STATE: an instance is not running.
 * ERR_PROTECTED: an instance is locked. */
OPERATION(engine_suspend_instances, instances_wish)
/* Lock instances against changes, and unlock them. Administrators may change locked instances, and only they
 * may remove an administrator's lock (ERR_DENIED). */
OPERATION(engine_lock_instances, instances_wish)
OPERATION(engine_unlock_instances, instances_wish)

/* True if the instance has a console and a screen: it was last seen running, and its host is known. */
bool engine_has_console(const struct instance *instance);
/* Finds an instance whose console the caller may open now. Needs the right to change the instance.
 * ERR_DENIED: the right is missing, or the account has disabled serial consoles. ERR_STATE with
 * KIND_INSTANCE: not running. t as for engine_find(). */
RESULT engine_find_console(struct ctx *c, const struct tables *t, const struct ref *ref, bool is_serial,
			   const struct instance **ret_instance);

OPERATION(engine_monitor_instances, instances_wish)
OPERATION(engine_unmonitor_instances, instances_wish)

/* delete_on_termination of one of the instance's volumes, named by its device. */
struct volume_fate {
	struct str device;
	struct ref volume; /* kind none: any volume at the device */
	bool delete_on_termination;
	struct str field; /* for messages */
};

/* Changes settings. ERR_STATE: type, key pair, user data and ebs_optimized require a stopped instance.
 * ERR_CAPACITY: the host has no room for the type. ERR_QUOTA with KIND_PORT: more ports than the type allows.
 * ERR_NOT_FOUND with KIND_VOLUME: no volume at that device. ERR_CONFLICT: groups and source_dest_check need
 * an instance with a single port. */
struct instance_settings {
	struct ref instance;
	bool set_name, set_description;
	struct str name, description;
	enum choice protect_terminate, protect_stop, shutdown_terminates, ebs_optimized, disk_auto;
	enum choice metadata_enabled, metadata_tokens_required, metadata_tags;
	enum choice metadata_ipv6;
	enum choice recovers;       /* see struct instance_launch */
	int64_t metadata_hop_limit; /* 0: unchanged */
	struct ref type;            /* kind none: unchanged */
	bool beyond_type;           /* ignores EC2's limit of ports for the type */
	struct ref key_pair;        /* kind none: unchanged; the guest gets the public key at its next
				     * start */
	bool set_access_ip4, set_access_ip6;
	struct ip access_ip4, access_ip6;
	bool set_user_data;
	struct str user_data;
	struct str admin_password; /* sealed; the guest gets it at its next start; empty: unchanged */
	struct refs groups;        /* none: unchanged */
	enum choice source_dest_check;
	const struct volume_fate *volumes;
	size_t volume_count;
};
OPERATION(engine_update_instance, instance_settings)

/* Report of the guest: it has set its password, which is cleared so that nobody can fetch it again. OK if it
 * is gone or cleared. */
struct guest_password_taking {
	uuid instance;
};
SYSTEM_OPERATION(engine_take_admin_password, guest_password_taking)

/* Changes an instance's DNS names. ERR_STATE: the host name changes only while the instance is stopped.
 * ERR_INVALID: without an IPv4 address the name is made of the id. */
struct instance_names_wish {
	struct ref instance;
	enum choice named_by_id, id_name_has_a, id_name_has_aaaa;
};
OPERATION(engine_update_instance_names, instance_names_wish)

/* Changes of CPU credits. Each may fail by itself; permissions are checked for all. */
struct credit_change {
	struct ref instance;
	bool unlimited;
	/* Result: ERR_NONE, ERR_NOT_FOUND, ERR_STATE (terminating), ERR_UNSUPPORTED (not a burstable
	 * type). */
	enum err err;
	struct str message;
};
struct credit_wish {
	struct credit_change *changes;
	size_t count;
};
OPERATION(engine_change_credits, credit_wish)

/* User's statement about the instance's health, recorded in its history. ERR_STATE: not running. */
struct instance_status_report {
	struct refs instances;
	bool is_impaired;
	struct str words;
};
OPERATION(engine_report_instances, instance_status_report)

/* ---- instance_resize.c ---- */

/* Changes the type. Once done (model_is_resized()), the user confirms or reverts. A running instance is shut
 * down and started again, on the same host (ERR_CAPACITY). The root disk grows to the type's size, and does
 * not shrink on a revert. ERR_STATE: neither running nor stopped, or the last resize is not confirmed.
 * ERR_CONFLICT with KIND_INSTANCE_TYPE: same type. ERR_INVALID: the type has a smaller root disk. */
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

/* Replaces the root disk by a new one made from an image; id, ports and other disks stay. A running guest is
 * reset without warning. The old root disk is deleted, or detached if it has no delete_on_termination.
 * ERR_STATE: neither running nor stopped, or a resize is not confirmed; with KIND_VOLUME: no root disk, or it
 * is being copied. */
struct instance_rebuilding {
	struct ref instance, image;
	bool set_name, set_description, set_key, set_user_data, set_tags, set_access_ip4, set_access_ip6;
	struct str name, description;
	struct ref key_pair; /* kind none: no key */
	struct str user_data;
	struct tags tags;
	struct ip access_ip4, access_ip6;
	struct str admin_password; /* as in struct instance_launch */
	enum choice disk_auto;     /* as in struct instance_launch */
	/* Files for the guest's first start, replacing earlier ones. The guest's cloud-init reads them from
	 * the metadata disk, which is attached for them. ERR_QUOTA. */
	struct guest_files files;
	bool keeps_volume; /* with root_is_volume: ERR_INVALID unless the image is the volume's */
};
OPERATION(engine_rebuild_instance, instance_rebuilding)

/* ---- instance_rescue.c ---- */

/* Starts the instance from a rescue disk made from the given image, or its own, with its root disk as the
 * second disk. Unrescuing deletes the rescue disk. Starts a stopped instance. ERR_STATE: neither running nor
 * stopped, or rescued already; with KIND_VOLUME: no root disk. ERR_INVALID with KIND_IMAGE: the instance has
 * no image, and none is given. */
struct instance_rescuing {
	struct ref instance, image; /* image of kind none: the instance's image */
	bool spares_volumes;        /* ERR_INVALID with root_is_volume */
};
OPERATION(engine_rescue_instance, instance_rescuing)
/* ERR_STATE: the instance is not rescued. */
OPERATION(engine_unrescue_instance, instance_target)

/* ---- instance_shelve.c ---- */

/* Stops the instance and releases its room on the host; its disks stay there. If its root disk was made from
 * an image, also stores it as an image. ERR_STATE: neither running nor stopped, or a resize is not confirmed.
 * ERR_PROTECTED: locked. ERR_UNSUPPORTED: the instance has a TPM. */
OPERATION(engine_shelve_instance, instance_target)
/* Starts a shelved instance on the host of its disks, or else where there is room, or on the named host.
 * ERR_STATE: not shelved; or with a zone or host: it has not left its host yet, the zone is not that of its
 * disks, or the host is not in the zone. ERR_INVALID with KIND_HOST: unknown host. ERR_CAPACITY: the host
 * does not accept it. */
struct instance_unshelving {
	struct ref instance;
	struct ref zone;      /* by name; kind none: its present zone */
	struct str zone_name; /* Nova's availability zone, which it is restricted to from now on; empty:
			       * unchanged */
	struct str host;      /* by name; empty: any */
};
OPERATION(engine_unshelve_instance, instance_unshelving)

/* True if the instance leaves its host, to be shelved or moved, and its host is no longer needed for
 * anything. */
bool engine_instance_leaves_host(const struct tables *t, const struct instance *i);
/* Report of the reconciler: the host has no domain of the instance. OK if the instance is gone or has another
 * gen. */
struct instance_leaving {
	uuid instance;
	uint64_t gen;
};
SYSTEM_OPERATION(engine_leave_instance_host, instance_leaving)

/* ---- instance_settings.c ---- */

/* Operator's override of an instance's health. Broken: until it is started, stopped, rebooted or rebuilt.
 * Otherwise: clears its conditions, and has its host checked again. */
struct instance_marking {
	struct ref instance;
	bool is_broken;
};
OPERATION(engine_mark_instance, instance_marking)

/* Password that the guest generated, encrypted for the key pair's owner. Accepted once, until the owner
 * clears it. ERR_EXISTS: there is one. ERR_INVALID: longer than INSTANCE_GUEST_PASSWORD_MAX bytes, or not
 * text. */
enum { INSTANCE_GUEST_PASSWORD_MAX = 4 * 255 };
struct guest_password_report {
	uuid instance;
	struct str password;
};
SYSTEM_OPERATION(engine_report_guest_password, guest_password_report)
OPERATION(engine_clear_guest_password, instance_target)

/* ---- instance_placement.c ---- */

/* Changes placement constraints of a stopped instance. It stays on its host if that is still allowed,
 * otherwise it moves with its disks. ERR_STATE: not stopped. ERR_CAPACITY: no host fits. With
 * KIND_SERVER_GROUP: ERR_INVALID, no such partition; ERR_QUOTA, the group is full. ERR_UNSUPPORTED: it would
 * have to move and has a TPM. */
struct instance_placement {
	struct ref instance;
	bool set_group;
	struct ref server_group; /* kind none: leaves its group */
	int64_t partition;       /* 0: not given; a new group's partition with the fewest instances */
	/* Requires a tenancy other than the default: ERR_STATE with KIND_DEDICATED_HOST. */
	bool set_tenancy;
	enum instance_tenancy tenancy;
	struct ref dedicated_host; /* kind none: unchanged */
	enum choice host_affinity; /* may be changed while the instance runs */
};
OPERATION(engine_change_placement, instance_placement)

/* Tries to place an instance that has no host, for the reconciler. placed: it has a host now. */
struct instance_placing {
	uuid instance;
	/* outputs: */
	bool placed;
};
SYSTEM_OPERATION(engine_place_instance, instance_placing)

/* ---- reports of the reconciler ---- */

/* Power state that the instance should have now. Off while a snapshot of its disks waits for that
 * (CreateImage), or while it moves to another host; otherwise as the user wants. Being off for these reasons
 * is not taken for a shutdown by the guest. */
enum instance_wanted_power engine_instance_power_wanted(const struct tables *t, const struct instance *i);

#define INSTANCE_RESTARTED                                                                                   \
	"Restarted" /* condition of an instance that went off by itself and was started again */

/* Why a domain is off. Same values as in drivers/compute.h, which the engine may not include. */
enum instance_off { INSTANCE_OFF_UNKNOWN, INSTANCE_OFF_GUEST, INSTANCE_OFF_CRASHED, INSTANCE_OFF_DESTROYED };

/* Observation of an instance by the reconciler. OK if the instance is gone. Report ON right after a
 * successful start: then a guest that shuts itself down before the next look is recognised. If an instance
 * that is wanted on at a reached gen is seen off: a shutdown by the guest makes it stopped (or terminated,
 * with shutdown_terminates); anything else leaves it wanted on, with the condition INSTANCE_RESTARTED until
 * the user starts, stops or reboots it. If a deleted instance is absent at its gen it has ended: its ports
 * and volumes with delete_on_termination are marked deleted, others are detached, and auto-assigned addresses
 * are released. The latter also happens once an instance that is wanted off is off. */
struct instance_report {
	uuid instance;
	uint64_t gen;  /* gen of the row that was acted on */
	bool reached;  /* the host is as that gen wants it; sets seen_gen and seen_boots */
	int64_t boots; /* wanted_boots of that row, done if reached */
	enum instance_seen_power power;
	bool is_paused, is_saved;
	enum instance_off off; /* valid when power is off */
	struct str boot_id;    /* the host's boot id */
	/* The lists of devices are valid: those plugged into the running guest, or in the definition while it
	 * is off. Sets seen_instance of the rows. An absent instance has none, whatever devices_known
	 * says. */
	bool devices_known;
	struct uuids ports, volumes;
};
SYSTEM_OPERATION(engine_see_instance, instance_report)

/* Meter of an instance's allocation, from launch to termination, in usage records: level 1 starts, 0 ends it.
 * False: another meter. `type` borrows from meter. */
#define INSTANCE_ALLOCATION_METER "server:"
struct instance_allocation {
	int64_t vcpus, memory_mib, disk_gib;
	struct str type;
};
bool engine_parse_allocation(struct str meter, struct instance_allocation *ret_allocation);

/* Forgets a terminated instance, INSTANCE_VISIBLE_US after stopped_us. ERR_STATE: not terminated, or too
 * early. ERR_IN_USE: a port or volume still refers to it. OK if it is gone. */
#define INSTANCE_VISIBLE_US HOUR
struct instance_forget {
	uuid instance;
};
SYSTEM_OPERATION(engine_forget_instance, instance_forget)
