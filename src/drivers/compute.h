/* SPDX-License-Identifier: Apache-2.0
 * The compute driver's contract: calls to a host that runs instances. drivers/libvirt implements it with
 * libvirt and QEMU, drivers/sim in memory; tests/unit/drivers/compute_contract.c tests both. drivers/disk.h
 * is the contract for disk files.
 *
 * Rules for every call:
 *
 * 1. Threads. One thread at a time uses a connection. The reconciler opens one connection for each host and
 *    makes all calls for that host's instances from the host's actor. Connections to different hosts are used
 *    concurrently.
 * 2. Time. A driver detects an unreachable host by keep-alive (libvirt: within 12 s) and then fails with
 *    ERR_GONE. A call that waits for a guest's QEMU may block forever. The reconciler then abandons thread
 *    and connection to that call, continues with a new connection, and closes the old one when the call
 *    returns (reconcile/host/host_connection.c).
 * 3. Repetition. Every call may be repeated, after success, after failure and after a crash of dari. A
 *    repeated call does only what is still missing and returns OK. No driver retries by itself.
 * 4. Absence. A missing domain is a result rather than a failure, unless documented otherwise.
 * 5. Identity. A domain is found by the instance's UUID, never by its name. A domain without this region's
 *    mark (region and instance id) is never touched: the call fails with ERR_CONFLICT.
 * 6. Memory. The caller owns all arguments and may free them after the return. Results are in the context's
 *    arena unless documented as freed by the caller.
 * 7. Errors. ERR_AGAIN: try later. ERR_GONE: the connection is lost; close_host() and open_host() again.
 *    ERR_CONFLICT: see 5. ERR_IO includes a guest's QEMU that hasn't answered for some time. ERR_NO_MEMORY is
 *    always possible. The reconciler shows any other error to the user as a condition, with the context's
 *    message. Outputs are valid on success only. */
#pragma once

#include "base/ctx.h"
#include "base/picture.h"
#include "model/console.h"
#include "model/disk_key.h"
#include "model/disk_limits.h"
#include "model/firmware.h"
#include "model/host_words.h"
#include "model/instance_words.h"

struct host;

/* A driver's connection to one host; each driver defines its own. */
struct compute_host;

/* ---- hosts */

struct compute_facts {
	int64_t cpus;             /* hardware threads */
	int64_t cores, sockets;   /* physical cores and sockets of these */
	int64_t memory;           /* bytes */
	int64_t disk, disk_free;  /* size and free bytes of the file system that contains the pool */
	enum host_seen_virt virt; /* kvm only after a guest has run under KVM on this host */
	struct str virt_reason;   /* why virt is not kvm: for `dari doctor` and the log */
	/* The processor's features for guests (model/processor.h), and those of the model named in its row,
	 * minus features that the processor lacks. Empty: the row names none, or the host doesn't know the
	 * model. */
	struct str cpu, named_cpu;
	struct str machine;  /* newest machine type: "pc-q35-7.2" */
	struct str machines; /* all machine types, separated by spaces */
	struct str version;  /* versions of libvirt and QEMU, for people */
	struct str boot_id;  /* differs after every boot of the host; opaque */
	int64_t booted_us;   /* boot time since 1970, accurate to minutes; 0: unknown */
};

/* ---- wanted domains */

/* Maximum disks and NICs of a domain. A slot is a fixed place on the guest's bus that exists from the
 * domain's start, so adding or removing a device doesn't move any other. */
enum { COMPUTE_DISK_SLOTS = 26, COMPUTE_NIC_SLOTS = 8 };
/* The PCI bus on which the guest finds a slot's device, the only one there. SATA disks are on none. */
static inline int compute_nic_bus(int slot)
{
	return slot + 1;
}
static inline int compute_disk_bus(int slot)
{
	return COMPUTE_NIC_SLOTS + slot + 1;
}

struct ceph_place;

struct compute_disk {
	uuid volume;  /* identifies the file (drivers/disk.h); also the disk's serial number in the guest */
	int64_t size; /* bytes */
	/* The shared directory that contains it, so that live migration need not copy it; empty: the
	 * host's own. */
	struct str directory;
	bool is_readonly;
	bool is_raw;    /* a raw image; else qcow2 */
	bool is_shared; /* needs is_raw: other domains may use it at the same time */
	/* In the CD-ROM drive (hardware.cdrom), read-only; at most one. Can be changed while the guest runs,
	 * even if the guest locked the drive. */
	bool is_medium;
	int slot; /* 0 to COMPUTE_DISK_SLOTS - 1; 0 is root. Determines its name and address in the guest */
	/* The key of an encrypted disk; NULL: unencrypted. define() passes it to the host. */
	const struct disk_key *key;
	/* SHA-256 of the base file if it is encrypted with the same key; else empty. */
	struct str encrypted_base;
	struct disk_limits limits; /* applied at the start, and changeable while the guest runs */
	/* The Ceph pool (drivers/ceph.h) that contains the disk's image; NULL: a file. define() passes the
	 * pool's key to the host, and announces a grown size to a running guest. */
	const struct ceph_place *ceph;
};

struct compute_nic {
	uuid port; /* also OVN's port name and libvirt's interfaceid */
	struct mac mac;
	int mtu;  /* bytes */
	int slot; /* 0 to COMPUTE_NIC_SLOTS - 1; determines its address in the guest */
};

/* Virtual hardware that differs from the default of virtio devices and BIOS (all false). */
struct compute_hardware {
	bool windows;     /* the clock shows local time; under KVM with Hyper-V's interface */
	bool uefi;        /* UEFI firmware; its variables are stored with the domain */
	bool secure_boot; /* needs uefi: the firmware starts only code signed with Microsoft's keys */
	bool tpm;         /* a TPM 2.0, whose state is stored with the domain */
	bool sata;        /* SATA disks: they can be plugged only while the guest is off */
	bool e1000e;      /* NICs are Intel e1000e */
	bool cdrom;       /* has a CD-ROM drive, which is the first boot device */
};

/* A file on a config drive. */
struct compute_file {
	struct str path; /* "openstack/latest/meta_data.json": letters, digits and "/._-" */
	struct str bytes;
};

struct compute_files {
	const struct compute_file *at;
	size_t count;
	struct str label; /* guests find the drive by this label, at most 32 bytes; empty: "config-2" */
};

struct compute_domain {
	uuid id;         /* id of the instance, the domain and SMBIOS */
	struct str name; /* "i-…", shown by virsh */
	int64_t vcpus;
	int64_t memory; /* bytes */
	enum instance_personality personality;
	struct compute_hardware hardware;
	struct str cpu;     /* model/processor.h; empty: everything the host supports */
	struct str machine; /* "pc-q35-7.2"; empty: the host's newest */
	/* Initial firmware variables, in the form of model/firmware.h; empty: the firmware's defaults. Needs
	 * hardware.uefi. define() replaces all variables with them, once for each such text, while the domain
	 * is off and not saved. */
	struct str variables;
	const struct compute_disk *disks;
	size_t disk_count;
	const struct compute_nic *nics;
	size_t nic_count;
	/* Adds a config drive as the last disk: read-only, ISO 9660. It is a CD-ROM if disks are SATA, and
	 * for the azure personality, whose guests search only such drives: SATA for Windows, SCSI for
	 * others. */
	bool has_drive;
	struct compute_files drive; /* the drive's content; used by define() only */
	/* The driver stores this text with the domain, and list() returns it unchanged; `dari
	 * adopt` rebuilds rows from it. UTF-8 that XML allows, about 64 KiB at most. A domain whose
	 * manifest alone differs still has defined_as_wished. */
	struct str manifest;
	/* A disk of it is being switched to another file (compute_swap()), so the definition may have
	 * either: see() checks there too. */
	bool is_swapping;
	/* Makes define() ask a running guest again to release devices that it was already asked for. */
	bool asks_again;
};

/* ---- seen domains */

/* Why a domain is off. UNKNOWN: not determined. GUEST: the guest shut itself down. CRASHED: QEMU ended with
 * an error. DESTROYED: forced off, by Dari, another program or the host's shutdown. */
enum compute_off { COMPUTE_OFF_UNKNOWN, COMPUTE_OFF_GUEST, COMPUTE_OFF_CRASHED, COMPUTE_OFF_DESTROYED };

struct compute_seen {
	enum instance_seen_power power; /* absent: the domain does not exist, and all else is zero */
	enum compute_off off;           /* has a meaning while power is off */
	/* The guest is on, but QEMU paused it because a disk's file could not grow. COMPUTE_START resumes
	 * it. */
	bool is_io_paused;
	bool is_paused;         /* the guest is on, and paused for another reason */
	bool is_saved;          /* the guest is off, and COMPUTE_START restores its memory */
	bool defined_as_wished; /* false: define() would change the definition */
	/* Our disks and NICs that are plugged in: those of the running guest, or those of the
	 * definition while it is off. */
	struct uuids volumes, ports;
	bool limits_as_wished;  /* these disks have the limits of the wish */
	bool sizes_as_wished;   /* a running guest knows the sizes of its disks in Ceph pools */
	bool devices_as_wished; /* disks and NICs are exactly those of the wish, with its limits and sizes */
};

/* A domain of this region on a host. */
struct compute_item {
	uuid id;
	enum instance_seen_power power;
	struct str manifest; /* as passed to define(); empty: none */
};

struct compute_inventory {
	const struct compute_item *at;
	size_t count;
};

/* ---- looking */

/* Reports what the host is and whether it works. Any state of the host is allowed before. The first
 * call after a boot of the host may take eight seconds more, because the libvirt driver proves KVM
 * by running a guest. The call also creates what the driver needs on a fresh host: its storage
 * pools and the marker that tells one boot from the next. The reconciler calls it at each look at
 * the host. */
typedef RESULT compute_probe(struct compute_host *h, struct ctx *c, struct compute_facts *ret_facts);

/* Reports the state of the wish's domain and compares the domain with the wish. Changes nothing. An
 * absent domain is OK, with power absent. The reconciler calls it first in every step of an
 * instance, and again after it changed the devices of a running one. */
typedef RESULT compute_see(struct compute_host *h, struct ctx *c, const struct compute_domain *wish,
			   struct compute_seen *ret_seen);

/* Lists every domain on the host that has this region's mark, whether Dari has a row for it or not.
 * Changes nothing, and does not wait for a domain that is busy. An empty list is OK. The reconciler
 * looks for leftovers with it; `dari audit` and `dari adopt` use it as observations. */
typedef RESULT compute_list(struct compute_host *h, struct ctx *c, struct compute_inventory *ret_inventory);

/* ---- changing */

/* Creates or updates a domain: definition, manifest and devices. Its power remains unchanged.
 *
 * Absent: the domain is created, powered off, with the wish's config drive. Its disks need no files until it
 * is started.
 *
 * Off: the domain is redefined if the definition or the manifest differ. Its config drive is written again
 * unless the domain is saved.
 *
 * Running: the new definition takes effect at the next start, but disks, NICs and limits change immediately.
 * Missing devices are plugged in; a disk's file must exist by then. An existing NIC keeps its place whatever
 * its slot; a new one whose place is therefore occupied gets another until the next start. Devices that leave
 * the definition with this call are requested to be unplugged. That request is asynchronous, and a guest may
 * ignore it: it is complete when see() no longer reports the device. A repeated call doesn't request it again
 * unless the wish has asks_again. Wait some seconds before setting that: libvirt 9.0, asked for a device that
 * is just leaving, may crash or keep its file open permanently.
 *
 * ERR_RANGE: no such slot. ERR_CONFLICT: another domain has the id or the name. ERR_IO: a disk to be plugged
 * has no file, or QEMU doesn't answer. */
typedef RESULT compute_define(struct compute_host *h, struct ctx *c, const struct compute_domain *wish);

/* START     turns the domain on, restores it when it is saved, lets it continue when it is paused or
 *           held. Its disks must have their files.
 * SHUTDOWN  presses the guest's ACPI power button and returns at once. The guest may ignore it.
 * FORCE_OFF ends QEMU; works also while QEMU does not answer.
 * RESET     resets the guest hard; the domain stays on.
 * PAUSE     stops the guest's processors.
 * SAVE      writes the guest's memory to the host's disk and turns the domain off. Returns when that
 *           is done, which takes as long as the writing. The saved memory outlives a restart of the
 *           host. The next START uses it up, and the guest then runs even if it was paused. */
enum compute_power {
	COMPUTE_START,
	COMPUTE_SHUTDOWN,
	COMPUTE_FORCE_OFF,
	COMPUTE_RESET,
	COMPUTE_PAUSE,
	COMPUTE_SAVE
};

/* Does one of the above to a defined domain. A domain that is already in that state: OK (RESET
 * always resets). Absent: ERR_NOT_FOUND for START, RESET and PAUSE, else OK. Off: ERR_STATE for
 * RESET and PAUSE. START of a held domain while the pool has no room: ERR_CAPACITY. A disk without
 * a file, or a QEMU that does not answer (except for FORCE_OFF): ERR_IO. The caller learns the
 * outcome of SHUTDOWN from watch() or see(). */
typedef RESULT compute_set_power(struct compute_host *h, struct ctx *c, uuid id, enum compute_power power);

/* A running guest's disk to be switched to another file, of the same or another volume. */
struct compute_swapping {
	uuid instance;
	const struct compute_disk *from, *to; /* in the same slot */
	uuid tracked_from;                    /* as in struct disk_spec; refers to `from` */
};

/* NONE: nothing copied yet, or the copy failed or was aborted. DONE: the guest uses the new disk. */
enum compute_swap_stage { COMPUTE_SWAP_NONE, COMPUTE_SWAP_COPYING, COMPUTE_SWAP_DONE };

/* Copies a running guest's disk to another file, and switches the guest to it once both are equal; the
 * definition is switched as well. To the guest the device remains the same until define() and the next start.
 * The target must be blank and of the same size. begins: starts copying unless that has begun. Repeat the
 * call until DONE. The disks' dirty bitmaps are lost. Without begins, for a domain that is off: DONE if its
 * definition has the new disk, else NONE; for an absent one NONE. ERR_STATE: copying should begin, but the
 * domain is absent or off. ERR_NOT_FOUND: a running domain has neither disk. ERR_IO: copying can't begin, or
 * QEMU doesn't answer. */
typedef RESULT compute_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish,
			    bool begins, enum compute_swap_stage *ret_stage);

/* Aborts a copy: the guest keeps its disk. No copy, absent or off: OK. */
typedef RESULT compute_end_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish);

/* Removes the domain with all that the driver stored for it: the variables of its firmware, the
 * state of its TPM, its saved memory, its config drive and the log of its console. The files of its
 * disks stay. The domain must be off. Absent: OK. Running: ERR_STATE. */
typedef RESULT compute_undefine(struct compute_host *h, struct ctx *c, uuid id);

/* ---- moving a running domain to another host: calls of connections that nobody else uses */

/* A host's part of a domain that is being migrated. At most one end writes a guest's disks: the one where the
 * domain RUNS. */
enum compute_end {
	COMPUTE_END_ABSENT,
	COMPUTE_END_OFF,
	COMPUTE_END_RUNS,
	COMPUTE_END_HELD /* the guest is paused: arriving, about to be released, or paused by a user */
};

struct compute_end_seen {
	enum compute_end end;
	bool is_busy; /* its memory is being sent or received */
	/* HELD at the source: the memory was not sent completely, so the other end can't run it, whether
	 * that can be verified or not. */
	bool is_unsent;
};

/* Reports a host's part of the domain. Changes nothing. */
typedef RESULT compute_see_end(struct compute_host *h, struct ctx *c, uuid id,
			       struct compute_end_seen *ret_seen);

/* Progress in bytes. */
struct compute_sent {
	int64_t memory_size, memory_done, memory_left, disk_size, disk_done, disk_left;
	int64_t pause_limit_ms; /* the currently allowed pause of the guest at the switch */
};

struct compute_migration {
	struct compute_host *to;             /* a connection of the same driver */
	struct str address;                  /* IP address or name by which this host reaches the other */
	const struct compute_domain *domain; /* its keys are passed to the other host */
	int64_t rate;                        /* limit in MiB/s; 0: none */
	/* Called repeatedly on the calling thread; must not call the driver. False: abort the migration
	 * (ERR_AGAIN). *ret_hastens true: pause the guest from now until it has arrived. */
	bool (*goes_on)(void *arg, const struct compute_sent *sent, bool *ret_hastens);
	void *arg;
	/* results: */
	int64_t pause_ms; /* how long the guest was paused; 0: unknown */
};

/* Live migration to another host: transfers memory and devices, and for disks in the host's own directory the
 * blocks above their bases. Returns when it has completed or failed, which may take hours.
 *
 * The caller has created these disks' files there, empty, with the same sizes and bases, and the other host's
 * pool has the same path. OK: the domain runs and is persistently defined there, and is undefined here; other
 * data of the driver remains until undefine(). On failure, look at both ends (see_end()); usually the domain
 * still runs here and nothing is there. After 15 s without progress, the driver gives up (ERR_TIMEOUT). A
 * guest that writes faster than the transfer is throttled, and may be paused for increasingly long times, up
 * to a second. An emulated guest whose QEMU would lose writes during migration is paused until it has
 * arrived; on failure it may be left paused (COMPUTE_END_HELD). ERR_UNSUPPORTED: the other host's processor
 * or QEMU is incompatible with the guest. If this process ends, the migration is aborted. */
typedef RESULT compute_send(struct compute_host *h, struct ctx *c, struct compute_migration *journey);

/* ---- observing: reads on behalf of a user's call, through reconciler_observe() */

/* Reads the last bytes, at most max, of the first serial port's log, and the time of its last growth
 * (microseconds since 1970). The domain may be on, off or absent. A domain that never ran: OK, with empty
 * text and time 0. */
typedef RESULT compute_read_console(struct compute_host *h, struct ctx *c, uuid id, size_t max,
				    struct str *ret_text, int64_t *ret_at_us);

/* Opens a running guest's console as a stream socket, which the caller closes. Written bytes are the guest's
 * input, read bytes its output. The display speaks RFB (VNC). ret_fd NULL: only checks, without opening
 * anything.
 *
 * The stream ends with the guest or the connection to the host. A serial port has one user: opening it again
 * ends the older stream.
 *
 * ERR_STATE: absent or not running. ERR_UNSUPPORTED: the guest was started without this console, or the
 * host's transport can't pass on a display. ERR_AGAIN: dari is out of descriptors or threads. */
typedef RESULT compute_open_console(struct compute_host *h, struct ctx *c, uuid id, enum console console,
				    int *ret_fd);

/* Takes a screenshot of a running guest. The caller frees it (picture_free()). wake: presses Shift first, to
 * wake a dark screen; a second call may be needed to see it. ERR_STATE: absent or not running.
 * ERR_UNSUPPORTED: the host's picture format is not supported. */
typedef RESULT compute_draw_screen(struct compute_host *h, struct ctx *c, uuid id, bool wake,
				   struct picture **ret_picture);

/* A running guest's usage since its start. */
struct compute_cpu_stats {
	int64_t number, time_ns;
};

struct compute_disk_stats {
	struct str name; /* device name on the host: "vda" */
	int64_t read_bytes, read_requests, write_bytes, write_requests;
};

struct compute_traffic {
	int64_t bytes, packets, errors, drops;
};

struct compute_nic_stats {
	struct str name; /* device name on the host */
	uuid port;
	struct compute_traffic rx, tx; /* from the guest's point of view */
};

struct compute_stats {
	const struct compute_cpu_stats *cpus;
	const struct compute_disk_stats *disks; /* including a config drive */
	const struct compute_nic_stats *nics;
	size_t cpu_count, disk_count, nic_count;
	int64_t memory, memory_max; /* bytes: current and maximum */
};

/* Reads this usage. Figures that the driver can't determine are 0. ERR_STATE: absent or not running. */
typedef RESULT compute_read_stats(struct compute_host *h, struct ctx *c, uuid id,
				  struct compute_stats *ret_stats);

/* A guest's usage since its start, or the host's since its boot; counters grow until then. */
struct compute_usage {
	uuid id;        /* guest; none: the host */
	int64_t cpus;   /* number of processors */
	int64_t cpu_ns; /* their busy time */
	int64_t memory; /* bytes: host memory used by the guest's QEMU; the host's memory in use */
	int64_t rx_bytes, tx_bytes, rx_packets, tx_packets; /* sum of all NICs, from the guest's point of
							     * view */
	int64_t read_bytes, write_bytes, read_requests, write_requests; /* sum of all disks */
};

struct compute_usages {
	struct compute_usage host; /* its traffic and disk figures are 0 */
	const struct compute_usage *at;
	size_t count;
};

/* Reads the usage of the host and of all its running guests, including foreign ones, with a few calls
 * independent of their number. Changes nothing and waits for no guest; a busy guest's counters may be 0.
 * Called by the reconciler every ten seconds. */
typedef RESULT compute_read_usages(struct compute_host *h, struct ctx *c, struct compute_usages *ret_usages);

/* Reads the variables stored by the guest's UEFI, whether it runs or not. ERR_STATE: none are stored, because
 * the domain is absent, was never started or has no UEFI. ERR_UNSUPPORTED: their format is unknown. ERR_IO:
 * they are damaged, which a guest can cause itself. */
typedef RESULT compute_read_variables(struct compute_host *h, struct ctx *c, uuid id,
				      struct firmware_variables *ret_variables);

/* Passes a Ceph pool's key to the host, for opening disks there; define() does it too. Repeating replaces the
 * key. Whether the host can reach Ceph is not checked before a guest starts. ERR_INVALID: the place needs
 * escaping in a definition. */
typedef RESULT compute_trust_pool(struct compute_host *h, struct ctx *c, const struct ceph_place *place);

/* ---- connections */

/* Connects to the host of a row. self: set along with the driver in the configuration
 * (reconcile_config.compute_self); both drivers here ignore it. region: half of the mark. Gives up after
 * about ten seconds. ERR_GONE: unreachable, with a message. ERR_INVALID: the row's pool path is unusable. */
typedef RESULT compute_open_host(void *self, struct ctx *c, uuid region, const struct host *host,
				 struct compute_host **ret_host);

/* Closes and frees the connection; ignores NULL. The host's domains continue. No call on the connection may
 * be running; changed() is not called afterwards. */
typedef void compute_close_host(struct compute_host *h);

/* Reports an event of domain id: started, stopped, defined, undefined, device released or its release
 * refused. id none: the connection is lost. Called on any thread with a lock of the driver held: it must only
 * post a job, and must not call the driver. */
typedef void compute_changed(void *arg, uuid id);

/* Sets the callback for events; NULL: none. The reconciler sets it once, right after open_host(). Events are
 * hints: one may be reported twice, and those without an open connection are lost. So the reconciler also
 * looks at every instance periodically. */
typedef void compute_watch(struct compute_host *h, compute_changed *changed, void *arg);

/* ---- the driver */

struct compute_driver {
	const char *scheme; /* URI scheme of its hosts: "qemu", "sim" */
	bool is_quick;      /* no call ever blocks, so hosts can share threads */

	compute_probe *probe;
	compute_see *see;
	compute_list *list;

	compute_define *define;
	compute_set_power *set_power;
	compute_swap *swap;
	compute_end_swap *end_swap;
	compute_undefine *undefine;

	compute_see_end *see_end;
	compute_send *send;

	compute_read_console *read_console;
	compute_read_stats *read_stats;
	compute_read_usages *read_usages;
	compute_open_console *open_console;
	compute_draw_screen *draw_screen;
	compute_read_variables *read_variables;

	compute_trust_pool *trust_pool;
	compute_open_host *open_host;
	compute_close_host *close_host;
	compute_watch *watch;
};

/* The existing drivers. */
extern const struct compute_driver compute_libvirt;
extern const struct compute_driver compute_sim;

/* ---- for drivers (compute.c); pure */

/* ERR_RANGE: a disk or NIC of the wish has an invalid slot. */
RESULT compute_check_slots(struct ctx *c, const struct compute_domain *wish);
/* The wish's disk in the CD-ROM drive; NULL: none. */
const struct compute_disk *compute_find_medium(const struct compute_domain *wish);
bool compute_wants_disk(const struct compute_domain *wish, uuid volume);
bool compute_wants_nic(const struct compute_domain *wish, uuid port);
/* Sets devices_as_wished from volumes, ports, limits_as_wished and sizes_as_wished. */
void compute_compare_devices(struct compute_seen *seen, const struct compute_domain *wish);
