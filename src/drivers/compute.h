/* SPDX-License-Identifier: Apache-2.0
 * The compute driver's contract: what Dari asks of a host that runs instances. drivers/libvirt
 * keeps it with libvirt and QEMU, drivers/sim keeps it in memory, and
 * tests/unit/drivers/compute_contract.c holds both to it. drivers/disk.h is the contract for the
 * files of disks.
 *
 * What holds for every call:
 *
 * 1. Threads. One thread at a time uses a connection. The reconciler opens one connection for each
 *    host and makes all calls for that host's instances from the host's actor. Connections to
 *    different hosts are used at the same time.
 * 2. Time. A driver notices a host that is away by keep-alive (libvirt: within 12 s) and then fails
 *    with ERR_GONE. A call that waits for the QEMU of one guest may last for ever. The reconciler
 *    then leaves connection and thread to that call, works on over a new connection, and closes the
 *    old one when the call returns (reconcile/host_connection.c).
 * 3. Repetition. Every call may be repeated, after success, after failure and after a crash of
 *    dari. A repeated call does what is still missing and returns OK. No driver retries by itself.
 * 4. Absence. A domain that does not exist is an answer, not a failure, unless a call says
 *    otherwise.
 * 5. Identity. A domain is found by the instance's UUID, never by its name. A domain without this
 *    region's mark (region and instance id) is never touched: such a call fails with ERR_CONFLICT.
 * 6. Memory. The caller owns what it passes and may free it after the return. Results are in the
 *    context's arena, except where a call says that the caller frees them.
 * 7. Errors. ERR_AGAIN: try later. ERR_GONE: the connection is lost; close_host() and open_host()
 *    again. ERR_CONFLICT: see 5. ERR_IO also says that a guest's QEMU has not answered for some
 *    time. ERR_NO_MEMORY is possible everywhere. The reconciler shows any other error to the user
 *    as a condition, in the words of the context. Outputs are valid on success only. */
#pragma once

#include "base/ctx.h"
#include "base/picture.h"
#include "model/console.h"
#include "model/disk_key.h"
#include "model/disk_limits.h"
#include "model/firmware.h"
#include "model/host.h"
#include "model/instance.h"

/* A driver's connection to one host; each driver defines its own. */
struct compute_host;

/* ---- what a host is */

struct compute_facts {
	int64_t cpus;             /* hardware threads */
	int64_t cores, sockets;   /* that these are of */
	int64_t memory;           /* bytes */
	int64_t disk, disk_free;  /* bytes of the file system that the pool is on; of those, free */
	enum host_seen_virt virt; /* kvm only after a guest has run under KVM on this host */
	struct str virt_reason;   /* why virt is not kvm: for `dari doctor` and the log */
	/* What its processor can do for guests (model/processor.h), and likewise the model that its row
	 * names, without what it lacks of that. Empty: the row names none, or the host knows no such model. */
	struct str cpu, named_cpu;
	struct str machine;  /* the newest that guests can be: "pc-q35-7.2" */
	struct str machines; /* all that they can be, with a space between */
	struct str version;  /* of libvirt and QEMU, for people */
	struct str boot_id;  /* differs after every boot of the host; opaque */
	int64_t booted_us;   /* when that was, since 1970: within minutes; 0: nobody can tell */
};

/* ---- what a domain is wanted to be */

/* How many disks and NICs a domain can have. A slot is a fixed place on the guest's bus that exists
 * from the domain's start on, so a device that comes or goes does not move any other. */
enum { COMPUTE_DISK_SLOTS = 26, COMPUTE_NIC_SLOTS = 8 };
/* The number of the PCI bus that the guest finds a slot's device on, where it is alone. Disks by SATA are on none. */
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
	uuid volume;  /* names the file (drivers/disk.h) and is the disk's serial number in the guest */
	int64_t size; /* bytes */
	/* The directory that it lies in, which other hosts have, too, and a guest that goes there takes nothing
	 * of it along; empty: the host's own. */
	struct str directory;
	bool is_readonly;
	bool is_raw;    /* its file is a plain image; else qcow2 */
	bool is_shared; /* needs is_raw: other domains may have it at the same time */
	/* It lies in the CD-ROM drive (hardware.cdrom), read only; one at most. It comes and goes while the guest
	 * runs, whether the guest lets go of it or not. */
	bool is_medium;
	int slot; /* 0 to COMPUTE_DISK_SLOTS - 1; 0 is root. Name and address in the guest follow from it */
	/* The key of an encrypted disk; NULL: the disk is not encrypted. define() hands it to the
	 * host. */
	const struct disk_key *key;
	/* SHA-256 of the base file, if the base is encrypted with the same key; else empty. */
	struct str encrypted_base;
	struct disk_limits limits; /* enforced from the start on, and changed while the guest runs */
	/* The disk is an image in a pool of Ceph (drivers/ceph.h), and no file. define() hands the host the pool's key, and tells a running guest the size
	 * when that grew. NULL: it is a file. */
	const struct ceph_place *ceph;
};

struct compute_nic {
	uuid port; /* also OVN's port name and libvirt's interfaceid */
	struct mac mac;
	int mtu;  /* bytes */
	int slot; /* 0 to COMPUTE_NIC_SLOTS - 1; the address in the guest follows from it */
};

/* What the guest finds instead of the default, which is virtio devices and BIOS (all false). */
struct compute_hardware {
	bool windows;     /* the clock shows local time; under KVM with Hyper-V's interface */
	bool uefi;        /* the firmware is UEFI; its variables are stored with the domain */
	bool secure_boot; /* needs uefi: the firmware starts only what Microsoft's keys have signed */
	bool tpm;         /* the guest has a TPM 2.0, whose state is stored with the domain */
	bool sata;        /* disks are SATA: they can be plugged only while the guest is off */
	bool e1000e;      /* NICs are Intel e1000e */
	bool cdrom;       /* there is a CD-ROM drive, which is tried first at the start */
};

/* A file on a config drive. */
struct compute_file {
	struct str path; /* "openstack/latest/meta_data.json": letters, digits and "/._-" */
	struct str bytes;
};

struct compute_files {
	const struct compute_file *at;
	size_t count;
	struct str label; /* by which guests find the drive, 32 bytes at most; empty: "config-2" */
};

struct compute_domain {
	uuid id;         /* the instance's, the domain's and SMBIOS's */
	struct str name; /* "i-…", for people who look at virsh */
	int64_t vcpus;
	int64_t memory; /* bytes */
	enum instance_personality personality;
	struct compute_hardware hardware;
	struct str cpu;     /* model/processor.h; empty: all that the host's can do */
	struct str machine; /* "pc-q35-7.2"; empty: the newest that the host has */
	/* What the firmware's variables begin with, in the form of model/firmware.h; empty: as the
	 * host's firmware has them. Needs hardware.uefi. define() stores them in place of all that
	 * the domain has, once for each such text, while the domain is off and not saved. */
	struct str variables;
	const struct compute_disk *disks;
	size_t disk_count;
	const struct compute_nic *nics;
	size_t nic_count;
	/* Adds a disk behind all others: read-only, ISO 9660. It is a CD-ROM where disks are SATA's, and for a guest of the
	 * personality azure, which looks for it in such drives alone: SATA's for Windows, SCSI's for others. */
	bool has_drive;
	struct compute_files drive; /* the drive's content; only define() reads it */
	/* The driver stores this text with the domain, and list() returns it unchanged; `dari
	 * adopt` rebuilds rows from it. UTF-8 that XML allows, about 64 KiB at most. A domain whose
	 * manifest alone differs still has defined_as_wished. */
	struct str manifest;
	/* One of its disks is on its way to another file (compute_swap()), so that its definition may name either:
	 * see() looks there, too. */
	bool is_swapping;
	/* define() shall ask a running guest once more to release devices that it was asked for
	 * before. */
	bool asks_again;
};

/* ---- what a domain is found to be */

/* Why a domain is off. UNKNOWN: the driver did not learn it. GUEST: the guest shut itself down.
 * CRASHED: QEMU ended by an error. DESTROYED: it was forced off, by Dari, by another program or by
 * the shutdown of the host. */
enum compute_off { COMPUTE_OFF_UNKNOWN, COMPUTE_OFF_GUEST, COMPUTE_OFF_CRASHED, COMPUTE_OFF_DESTROYED };

struct compute_seen {
	enum instance_seen_power power; /* absent: the domain does not exist, and all else is zero */
	enum compute_off off;           /* has a meaning while power is off */
	/* The guest is on, but QEMU has stopped it because the file of one of its disks could not
	 * grow. COMPUTE_START lets the guest continue. */
	bool is_io_paused;
	bool is_paused;         /* the guest is on, and its processors stand still for another reason */
	bool is_saved;          /* the guest is off, and COMPUTE_START restores its memory */
	bool defined_as_wished; /* false: define() would change the definition */
	/* Our disks and NICs that are plugged in: those of the running guest, or those of the
	 * definition while it is off. */
	struct uuids volumes, ports;
	bool limits_as_wished; /* these disks have the limits of the wish */
	bool sizes_as_wished;  /* its guest was told the sizes of its disks in pools of Ceph, if it is on */
	bool devices_as_wished; /* these disks and NICs are exactly those of the wish, with its limits, and sizes */
};

/* A domain of this region on a host. */
struct compute_item {
	uuid id;
	enum instance_seen_power power;
	struct str manifest; /* as define() was given it; empty: none */
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

/* Makes the definition, the manifest and the devices those of the wish. The domain's power stays as it
 * is.
 *
 * Absent: the domain is created, powered off, with the wish's config drive. Its disks need no files
 * until it is started.
 *
 * Off: the domain is redefined if the definition or the manifest differ. The content of its config
 * drive is written anew, unless the domain is saved.
 *
 * Running: the new definition holds from the next start on, but disks, NICs and limits change at
 * once. Missing devices are plugged in; a disk's file must exist by then. A NIC that is there keeps its place
 * whatever its slot; one that finds its own taken by such a one has another until the next start. Devices that leave the
 * definition with this call are requested to be unplugged. That request is asynchronous, and a
 * guest may ignore it: the unplugging is complete when see() no longer reports the device. A
 * repeated call does not request it again unless the wish has asks_again; wait some seconds before
 * you set that, because libvirt 9.0, asked for a device that is just leaving, may keep its file
 * open for good or crash.
 *
 * ERR_RANGE: a slot that does not exist. ERR_CONFLICT: another domain has the id or the name.
 * ERR_IO: a disk to be plugged has no file, or QEMU does not answer. */
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

/* A disk of a running guest that is to be another one, or the same volume's in another place. */
struct compute_swapping {
	uuid instance;
	const struct compute_disk *from, *to; /* of the same slot */
	uuid tracked_from;                    /* of the first; as in struct disk_spec */
};

/* NONE: nothing was copied yet, or the copying failed or was ended. DONE: the guest has the other disk. */
enum compute_swap_stage { COMPUTE_SWAP_NONE, COMPUTE_SWAP_COPYING, COMPUTE_SWAP_DONE };

/* Copies what the guest has on one disk onto the file of another while it runs, and lets it go on with that one
 * once both are the same; from then on the definition names the other file, too. In the guest the device stays
 * what it was, until define() and the next start. The other file must be blank and of the size of the first.
 * begins: the copying is begun if it is not under way. Repeat the call until DONE. What the disks noted of
 * their writes is lost. Without begins, of a domain that is off: DONE if its definition names the other disk, else
 * NONE; of an absent one NONE. ERR_STATE: it is to begin, and the domain is absent or off. ERR_NOT_FOUND: a running
 * one has neither disk. ERR_IO: the copying cannot be begun, or QEMU does not answer. */
typedef RESULT compute_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish,
			    bool begins, enum compute_swap_stage *ret_stage);

/* Ends a copying that is under way: the guest keeps its disk. None is: OK. Absent or off: OK. */
typedef RESULT compute_end_swap(struct compute_host *h, struct ctx *c, const struct compute_swapping *wish);

/* Removes the domain with all that the driver stored for it: the variables of its firmware, the
 * state of its TPM, its saved memory, its config drive and the log of its console. The files of its
 * disks stay. The domain must be off. Absent: OK. Running: ERR_STATE. */
typedef RESULT compute_undefine(struct compute_host *h, struct ctx *c, uuid id);

/* ---- moving a running domain to another host: calls of connections that nobody else uses */

/* What a host has of a domain that is on its way from one host to another. A guest's disks are written at
 * one end at most: that of the domain that RUNS. */
enum compute_end {
	COMPUTE_END_ABSENT,
	COMPUTE_END_OFF,
	COMPUTE_END_RUNS,
	COMPUTE_END_HELD /* its guest stands still: it arrives there, or is about to be let go of, or is paused */
};

struct compute_end_seen {
	enum compute_end end;
	bool is_busy; /* its memory is being sent, or received */
	/* Of a HELD one, at the end that it leaves: its memory has not gone over as a whole, so that the other end does not
	 * run it, whether that can be asked or not. */
	bool is_unsent;
};

/* Reports what a host has of the domain. Changes nothing. */
typedef RESULT compute_see_end(struct compute_host *h, struct ctx *c, uuid id,
			       struct compute_end_seen *ret_seen);

/* How much was sent so far, and is left; bytes. */
struct compute_sent {
	int64_t memory_size, memory_done, memory_left, disk_size, disk_done, disk_left;
	int64_t pause_limit_ms; /* for how long the guest may stand still as it goes over, by now */
};

struct compute_journey {
	struct compute_host *to; /* a connection of the same driver's */
	struct str address;      /* where the other host is reached by this one: an IP address or a name */
	const struct compute_domain *domain; /* its keys are handed to the other host */
	int64_t rate;                        /* MiB a second at most; 0: as fast as it goes */
	/* Called now and then on the thread of the call; must not call the driver. False: the move is to end
	 * (ERR_AGAIN). *ret_hastens true: the guest is to stand still from now on until it has arrived. */
	bool (*goes_on)(void *arg, const struct compute_sent *sent, bool *ret_hastens);
	void *arg;
	/* made: */
	int64_t pause_ms; /* for how long the guest stood still; 0: nobody tells */
};

/* Sends a running domain to another host, where it runs on: memory, devices, and of its disks that lie in the
 * host's own directory what they have beside their bases. Returns when that is done or has failed, which may take hours.
 *
 * The files of those disks are there, empty, and of the same sizes and bases. The other host's pool has the same
 * path. OK: the domain runs there, is defined there for good, and is undefined here; what the driver keeps
 * beside a definition stays until undefine(). Any failure: look at both ends (see_end()); mostly the domain
 * runs on here, and nothing is there. When nothing was sent for 15 s, the driver gives up (ERR_TIMEOUT).
 * A guest that writes faster than is sent may stand still for longer and longer, up to a second, and is slowed
 * down. One that is emulated by a QEMU which loses what it writes meanwhile stands still until it has arrived; where
 * the call fails, it may be left so (COMPUTE_END_HELD).
 * ERR_UNSUPPORTED: the other host's processors or QEMU do not do for the guest. If the process ends meanwhile,
 * so does the move. */
typedef RESULT compute_send(struct compute_host *h, struct ctx *c, struct compute_journey *journey);

/* ---- observing: reads on behalf of a user's call, through reconciler_observe() */

/* Reads the newest bytes, at most max, of the log of the first serial port, and when that log last
 * grew (microseconds since 1970). The domain may be on, off or absent. A domain that never ran: OK,
 * with empty text and time 0. */
typedef RESULT compute_read_console(struct compute_host *h, struct ctx *c, uuid id, size_t max,
				    struct str *ret_text, int64_t *ret_at_us);

/* Opens a console of a running guest as a stream socket, which the caller closes. Bytes written
 * there are typed at the guest; bytes read from there are what the guest says. The display speaks
 * RFB (VNC). ret_fd NULL: only checks, without opening anything.
 *
 * The stream ends when the guest ends or the connection to the host does. A serial port has one
 * user: opening it again ends the older stream.
 *
 * ERR_STATE: absent or not running. ERR_UNSUPPORTED: the guest was started without this console, or
 * the host is reached in a way over which a display cannot be handed on. ERR_AGAIN: dari has no
 * descriptor or thread left for it. */
typedef RESULT compute_open_console(struct compute_host *h, struct ctx *c, uuid id, enum console console,
				    int *ret_fd);

/* Takes a picture of what a running guest's screen shows now. The caller frees it (picture_free()).
 * wake: presses a Shift key before, for a guest that has turned its screen dark; that guest may
 * need a second call to be bright. ERR_STATE: absent or not running. ERR_UNSUPPORTED: the host
 * draws screens in a format that Dari does not read. */
typedef RESULT compute_draw_screen(struct compute_host *h, struct ctx *c, uuid id, bool wake,
				   struct picture **ret_picture);

/* What a running guest has used since it was started. */
struct compute_cpu_stats {
	int64_t number, time_ns;
};

struct compute_disk_stats {
	struct str name; /* the device's on the host: "vda" */
	int64_t read_bytes, read_requests, write_bytes, write_requests;
};

struct compute_traffic {
	int64_t bytes, packets, errors, drops;
};

struct compute_nic_stats {
	struct str name; /* the device's on the host */
	uuid port;
	struct compute_traffic rx, tx; /* as the guest receives and sends */
};

struct compute_stats {
	const struct compute_cpu_stats *cpus;
	const struct compute_disk_stats *disks; /* a config drive, too */
	const struct compute_nic_stats *nics;
	size_t cpu_count, disk_count, nic_count;
	int64_t memory, memory_max; /* bytes: what it has now, and may have */
};

/* Reads these figures. A count that the driver does not have is 0. ERR_STATE: absent or not running. */
typedef RESULT compute_read_stats(struct compute_host *h, struct ctx *c, uuid id,
				  struct compute_stats *ret_stats);

/* What a guest has used since it was started, and the whole host since its boot: counts that only grow until then. */
struct compute_usage {
	uuid id;        /* a guest's; none: the host's own */
	int64_t cpus;   /* that it has */
	int64_t cpu_ns; /* that these have worked */
	int64_t memory; /* bytes: what the guest's QEMU holds of the host's memory; what of the host's is not free */
	int64_t rx_bytes, tx_bytes, rx_packets, tx_packets; /* of all NICs, as the guest receives and sends */
	int64_t read_bytes, write_bytes, read_requests, write_requests; /* of all its disks */
};

struct compute_usages {
	struct compute_usage host; /* its traffic and disks are not counted: 0 */
	const struct compute_usage *at;
	size_t count;
};

/* Reads these figures of the host and of all guests that run on it, those of others included, with a few calls however
 * many there are. Changes nothing, and waits for no guest: of one that is busy, counts may be 0. The reconciler calls it
 * every ten seconds. */
typedef RESULT compute_read_usages(struct compute_host *h, struct ctx *c, struct compute_usages *ret_usages);

/* Reads the variables that the guest's UEFI has stored, whether the guest runs or not. ERR_STATE:
 * nothing is stored, because the domain is absent, was never started or has no UEFI.
 * ERR_UNSUPPORTED: the variables are stored in a form that Dari does not know. ERR_IO: what is
 * stored is damaged, which a guest can do to itself. */
typedef RESULT compute_read_variables(struct compute_host *h, struct ctx *c, uuid id,
				      struct firmware_variables *ret_variables);

/* Gives the host the key of a pool of Ceph, by which its guests open their disks there; define() does it, too.
 * Repeating replaces the key. What the host's QEMU finds when it asks Ceph is not known before a guest is started.
 * ERR_INVALID: the place cannot be written into a definition. */
typedef RESULT compute_trust_pool(struct compute_host *h, struct ctx *c, const struct ceph_place *place);

/* ---- connections */

/* Connects to the host that a row describes. self: what the configuration pairs with the driver
 * (reconcile_config.compute_self); the two drivers here ignore it. region: half of the mark. The
 * call gives up after some ten seconds. ERR_GONE: the host cannot be reached, with the reason in
 * words. ERR_INVALID: the row's pool path cannot be used. */
typedef RESULT compute_open_host(void *self, struct ctx *c, uuid region, const struct host *host,
				 struct compute_host **ret_host);

/* Closes the connection and frees it. NULL: nothing. The host's domains go on. No call of the
 * connection may be under way, and changed() is not called any more afterwards. */
typedef void compute_close_host(struct compute_host *h);

/* Something happened to domain id: it started, stopped, was defined or undefined, or released a
 * device or refused to. id none: the connection is lost. The driver calls this on any thread, with
 * a lock of its own held: the callee must only post a job, and must not call the driver. */
typedef void compute_changed(void *arg, uuid id);

/* Sets the function that the driver calls with news; NULL: none. The reconciler sets it once, right
 * after open_host(). News are hints: a change may be reported twice, and what happens while no
 * connection is open is not reported. So the reconciler also looks at every instance by itself. */
typedef void compute_watch(struct compute_host *h, compute_changed *changed, void *arg);

/* ---- the driver */

struct compute_driver {
	const char *scheme; /* of the URIs of its hosts: "qemu", "sim" */
	bool is_quick;      /* no call ever waits, so that its hosts can share threads */

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

/* The drivers there are. */
extern const struct compute_driver compute_libvirt;
extern const struct compute_driver compute_sim;

/* ---- for drivers (compute.c); pure */

/* ERR_RANGE: the wish has a disk or a NIC in a slot that does not exist. */
RESULT compute_check_slots(struct ctx *c, const struct compute_domain *wish);
/* The disk of the wish that lies in its CD-ROM drive; NULL: none. */
const struct compute_disk *compute_find_medium(const struct compute_domain *wish);
bool compute_wants_disk(const struct compute_domain *wish, uuid volume);
bool compute_wants_nic(const struct compute_domain *wish, uuid port);
/* Sets devices_as_wished from volumes, ports, limits_as_wished and sizes_as_wished. */
void compute_compare_devices(struct compute_seen *seen, const struct compute_domain *wish);
