/* SPDX-License-Identifier: Apache-2.0
 * What Dari asks of a host that runs instances. drivers/libvirt keeps it with libvirt and QEMU,
 * drivers/sim with memory. Their disks are drivers/disk.h's.
 *
 * A connection is used by one thread at a time. A host that is away is found out by keep-alive, but a call
 * may last for ever, where a guest's QEMU hangs: the host's other guests are then seen to through another
 * connection, and that one is closed once the call returns. Every call may be repeated after success and
 * after a crash: it then does what is missing and returns OK. Nothing is looked up by name: domains by UUID.
 * What bears no mark of this region is never touched. Errors: ERR_AGAIN: try later. ERR_GONE: the connection
 * is lost; close_host() and open_host() again. ERR_CONFLICT: the host has something of that id which this
 * region did not make. Anything else is shown to the user as a condition, in the context's words. */
#pragma once

#include "base/ctx.h"
#include "base/picture.h"
#include "model/console.h"
#include "model/disk_key.h"
#include "model/disk_limits.h"
#include "model/firmware.h"
#include "model/host.h"
#include "model/instance.h"

struct compute_host; /* a driver's own connection */

struct compute_facts {
	int64_t cpus, memory, disk;  /* threads; bytes; bytes of the pool's file system */
	int64_t disk_free;           /* of those */
	enum host_seen_virt virt;    /* kvm only after a proof */
	struct str version, boot_id; /* in the context's arena */
	struct str virt_reason;      /* why not KVM, for doctor and the log */
};

enum compute_off {                      /* why a domain is found off */
		   COMPUTE_OFF_UNKNOWN, /* nobody was watching */
		   COMPUTE_OFF_GUEST,   /* the guest shut itself down */
		   COMPUTE_OFF_CRASHED,
		   COMPUTE_OFF_DESTROYED /* forced, by us or from outside */
};

struct compute_seen {
	enum instance_seen_power power; /* absent is an answer, not an error */
	enum compute_off off;           /* when power is off */
	/* It is on, and QEMU holds it, for the file of one of its disks could not grow: START lets it go on.
	 */
	bool is_held;
	bool is_paused;         /* it is on, and its processors stand still for another reason */
	bool is_saved;          /* it is off, and START goes on with the memory that it had */
	bool defined_as_wished; /* false: define() would change its definition */
	/* Our disks and NICs that are plugged into it: what the running guest has, or the definition of one
	 * that is off. In the context's arena. */
	struct uuids volumes, ports;
	bool limits_as_wished;  /* those disks are held to the wish's limits */
	bool devices_as_wished; /* those are the wish's, with their limits */
};

/* What can be plugged into a domain, running or not: each slot is a place of its own that is there from
 * the domain's start on, so nothing that comes or goes moves anything else. */
enum { COMPUTE_DISK_SLOTS = 26, COMPUTE_NIC_SLOTS = 8 };

struct compute_disk {
	uuid volume; /* its UUID is the disk's serial; its file is named by it: drivers/disk.h */
	int64_t size;
	bool is_readonly;
	int slot; /* below COMPUTE_DISK_SLOTS, 0: root; its name and address in the guest follow from it */
	/* What it is encrypted with; NULL: it is plain. Told at define(), of one that is there encrypted. */
	const struct disk_key *key;
	struct str encrypted_base; /* digest of what it stands on, where that has the same key; else empty */
	struct disk_limits limits; /* of one that is plugged in: another is brought about while it runs */
};

struct compute_nic {
	uuid port; /* its UUID is OVN's port name and libvirt's interfaceid */
	struct mac mac;
	int mtu;
	int slot; /* below COMPUTE_NIC_SLOTS; its address in the guest follows from it */
};

/* What a guest finds besides virtio devices and BIOS, which is what all zero is. */
struct compute_hardware {
	bool windows;     /* its clock shows local time; Hyper-V's interface, under KVM */
	bool uefi;        /* its variables are kept with the domain */
	bool secure_boot; /* with uefi: only what Microsoft's keys have signed is started */
	bool tpm;         /* a TPM 2.0, whose state is kept with the domain */
	bool sata;        /* disks, which come and go only while it is off */
	bool e1000e;      /* NICs */
};

/* A file on a drive. */
struct compute_file {
	struct str path; /* "openstack/latest/meta_data.json": letters, digits and "/._-" */
	struct str bytes;
};

struct compute_files {
	const struct compute_file *at;
	size_t count;
};

struct compute_domain {
	uuid id;         /* the instance's; also the domain's and SMBIOS's */
	struct str name; /* "i-…": for people who look at virsh */
	int64_t vcpus, memory;
	enum instance_personality personality;
	struct compute_hardware hardware;
	const struct compute_disk *disks;
	size_t disk_count;
	const struct compute_nic *nics;
	size_t nic_count;
	/* One more disk behind all others, read-only, ISO 9660, labelled "config-2". */
	bool has_drive;
	struct compute_files drive; /* what is on it; define() alone looks at that */
	/* Kept with the domain as it is and given back by list(), for `dari adopt`; UTF-8 that is legal in
	 * XML, of 64 KiB or so. Another memo alone is no other definition: defined_as_wished stays. */
	struct str memo;
	bool asks_again; /* what a running guest was asked to let go of, and has: define() asks for it once
			    more */
};

/* A domain with our mark on a host. */
struct compute_item {
	uuid id;
	enum instance_seen_power power;
	struct str memo; /* empty: it has none. In the context's arena */
};

struct compute_inventory {
	const struct compute_item *at;
	size_t count;
};

enum compute_power {
	COMPUTE_START,
	COMPUTE_SHUTDOWN, /* asks the guest (ACPI); returns at once */
	COMPUTE_FORCE_OFF,
	COMPUTE_RESET, /* hard reset; the domain stays */
	COMPUTE_PAUSE, /* its processors stand still; START lets it go on */
	COMPUTE_SAVE   /* its memory goes to the host's disk, then it is off; returns when that is done */
};

struct compute_driver {
	const char *scheme; /* "qemu", "sim": of the host's uri */
	bool is_quick;      /* its calls wait for nobody: its hosts need no thread each */
	/* region: the mark's first half. Connects within deadline; ERR_GONE with words. */
	RESULT(*open_host)
	(void *self, struct ctx *c, uuid region, const struct host *host, struct compute_host **ret_host);
	void (*close_host)(struct compute_host *h);
	RESULT (*probe)(struct compute_host *h, struct ctx *c, struct compute_facts *ret_facts);
	RESULT(*see)
	(struct compute_host *h, struct ctx *c, const struct compute_domain *wish,
	 struct compute_seen *ret_seen);
	RESULT (*list)(struct compute_host *h, struct ctx *c, struct compute_inventory *ret_inventory);
	/* Defines the domain, powered off; an existing one of the same id is redefined: while it runs,
	 * from its next start on, but for disks and NICs: those it lacks are plugged (a disk's file must be
	 * there), those that leave the definition are asked to go. That is done when see() says so: a guest
	 * takes its time over it, or misses it and has to be asked again (asks_again); but not within
	 * seconds: libvirt 9.0 asked for a device that is just leaving keeps its file open for good, or ends.
	 * Its memo becomes the wish's, and so does, of one that is off and not saved, what is on its drive.
	 * One that is off needs no disks yet. */
	RESULT (*define)(struct compute_host *h, struct ctx *c, const struct compute_domain *domain);
	/* Being so already is OK. Absent: START, RESET and PAUSE ERR_NOT_FOUND, else OK. RESET and PAUSE when
	 * off: ERR_STATE. What SAVE keeps outlives a restart of the host, and goes with the next START.
	 * START of one that is held while the pool has no room: ERR_CAPACITY. */
	RESULT (*set_power)(struct compute_host *h, struct ctx *c, uuid id, enum compute_power power);
	/* Forgets the domain, its firmware's variables, its TPM's state, its drive and its console's log.
	 * Running: ERR_STATE; absent: OK. */
	RESULT (*undefine)(struct compute_host *h, struct ctx *c, uuid id);
	/* The newest max bytes of the serial console's log, and when it grew last (empty and 0: it never
	 * ran). An observe call. */
	RESULT(*read_console)
	(struct compute_host *h, struct ctx *c, uuid id, size_t max, struct str *ret_text,
	 int64_t *ret_at_us);
	/* A running guest's console as a stream socket, the caller's to close; NULL: only whether it could be
	 * had. What is written there is typed, what the guest says is read. It ends with the guest, with the
	 * connection to the host; a serial port's when somebody opens it anew. ERR_STATE: not running.
	 * ERR_UNSUPPORTED: it was started without one, or the host can't hand it on. An observe call. */
	RESULT(*open_console)
	(struct compute_host *h, struct ctx *c, uuid id, enum console console, int *ret_fd);
	/* What a running guest's screen shows now; the caller's to free. wake: a Shift key is pressed before,
	 * for a guest whose screen is dark until then. ERR_STATE, ERR_UNSUPPORTED as above. An observe call.
	 */
	RESULT(*draw_screen)
	(struct compute_host *h, struct ctx *c, uuid id, bool wake, struct picture **ret_picture);
	/* What its UEFI keeps, be it running or not, in the context's arena. ERR_STATE: nothing is kept, for
	 * it was never started or is not one with UEFI. ERR_UNSUPPORTED: it is kept in a form that is not
	 * known here; ERR_IO: what is kept is damaged, as a guest can do. An observe call. */
	RESULT(*read_variables)
	(struct compute_host *h, struct ctx *c, uuid id, struct firmware_variables *ret_variables);
	/* changed() is called, on any thread, when something happened to a domain (id), a disk or NIC
	 * that it lost included, or to the
	 * connection (id none). It must only post. Set once, right after open_host. */
	void (*watch)(struct compute_host *h, void (*changed)(void *arg, uuid id), void *arg);
};

/* For drivers: ERR_RANGE when a wish names a slot that is not there; what is in a wish; and, from what
 * a look found, limits_as_wished, devices_as_wished. */
RESULT compute_check_slots(struct ctx *c, const struct compute_domain *wish);
bool compute_wants_disk(const struct compute_domain *wish, uuid volume);
bool compute_wants_nic(const struct compute_domain *wish, uuid port);
void compute_compare_devices(struct compute_seen *seen, const struct compute_domain *wish);

/* The drivers there are; self is passed as their first argument. */
extern const struct compute_driver compute_libvirt;
extern const struct compute_driver compute_sim;
