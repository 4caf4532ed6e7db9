/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/sim: state of the simulated hosts. compute.c and disk.c are the drivers, compute_state.c
 * keeps the hosts and implements compute.h. */
#pragma once

#include <pthread.h>

#include "drivers/disk.h"
#include "drivers/sim/compute.h"

struct host;

/* Work that takes time on a real host. */
enum sim_work {
	SIM_MAKE_DISK,
	SIM_DELETE_DISK,
	SIM_DEFINE,
	SIM_START,
	SIM_SHUT_DOWN, /* by the guest itself, outside of any call, like the next */
	SIM_UNPLUG,
	SIM_SEND, /* a tenth of a live migration */
	SIM_WORK_COUNT
};

/* A disk or NIC of a domain: in its definition, in the running guest, or in both. */
struct sim_device {
	uuid id;
	int64_t leaves_us; /* time at which the guest releases it; 0: not asked, or it ignored the request */
	int slot;          /* in the definition */
	struct disk_limits defined, applied; /* by the definition; as currently plugged */
	bool is_nic, is_defined, is_plugged;
	bool is_to_leave;                  /* just left the definition; its unplug has yet to be requested */
	bool is_raw, is_shared, is_medium; /* as in struct compute_disk */
	uint64_t key;                      /* sim_key() that opens its disk */
	uint64_t place;                    /* its disk's directory: sim_place() */
	uuid becomes;                      /* volume it is being copied to; none: no copy */
	uint64_t next_place;               /* directory of that volume */
};

struct sim_domain {
	uuid region, id;
	bool is_on, is_io_paused, is_paused, is_saved;
	bool is_uefi, is_secure;
	bool has_variables;         /* started with UEFI */
	bool is_silent, is_awaited; /* its QEMU doesn't respond; a call is blocked on it */
	bool is_restless;           /* can't be paused */
	bool is_held;               /* on, but paused for its migration */
	bool is_unsent;             /* held, and not transferred yet */
	enum compute_off off;
	int64_t boots, started_us;
	int64_t vcpus, memory;  /* from the definition */
	int64_t ends_us;        /* end of the guest's shutdown; 0: not shutting down */
	char digest[65];        /* digest of the definition */
	char name[32];          /* truncated */
	char *manifest, *drive; /* owned; NULL: none */
	char *variables;        /* set for its firmware; owned; NULL: none */
	size_t variables_size;
	struct sim_device *devices; /* owned */
	size_t device_count;
	int consoles[2]; /* sockets of open consoles, by enum console; 0 or less: none */
	uuid backup;     /* snapshot of a running cut of its volumes; none: no job */
	int backup_looks;
};

enum { SIM_WORD_SIZE = 64 };
enum { SIM_FILE_SIZE = 1024, SIM_TEXT_AT = 512, SIM_TEXT_SIZE = 64, SIM_TRACKS = 4 };
enum { SIM_FULL_BELOW = 16 << 20 }; /* free bytes of a pool */

struct sim_track {
	uuid from; /* writes since this snapshot's cut */
	bool is_changed;
	bool is_stored; /* stored in the file: its last guest ended normally */
	bool is_spoilt;
};

struct sim_disk {
	uuid region;
	enum disk_kind kind;
	bool is_partial; /* being transferred here, or an unfinished cut */
	uuid moment;     /* the snapshot whose job makes this cut and others; none: its own job */
	uuid volume;     /* or the snapshot */
	uuid cut_of;     /* cuts alone: the copied volume */
	bool is_raw;     /* a raw image; a qcow2 file of the same volume may exist as well */
	bool is_apart;   /* in a directory shared by several hosts */
	int64_t size;
	int64_t file_size;                   /* length so far, while partial */
	char digest[65];                     /* a base's own digest */
	char base[65];                       /* a volume's base */
	char text[SIM_TEXT_SIZE];            /* written by a guest */
	uint64_t key;                        /* encryption key: sim_key() */
	struct sim_track tracks[SIM_TRACKS]; /* a volume's bitmaps, oldest first */
	size_t track_count;
	uuid since;      /* cut: the base of the increment; none: a full cut */
	bool is_changed; /* increment: it includes the text */
};

/* A number distinguishing keys; 0: none. */
uint64_t sim_key(const struct disk_key *key);

/* A number distinguishing directories; 0: a host's own. */
uint64_t sim_place(struct str directory);
/* The number of the directory or Ceph pool of a disk. */
uint64_t sim_place_of(const struct compute_disk *disk);

/* A shared directory: files by its path, or by host name and path while that host has nothing mounted
 * there. */
struct sim_directory {
	struct sim_directory *next;
	char *path;
	struct sim_disk *disks; /* owned, as the next */
	struct sim_mark {
		uuid region, host;
		char word[32];
	} * marks;
	size_t disk_count, mark_count;
	char (*blocked)[SIM_WORD_SIZE]; /* pool: names of blocked hosts; owned */
	size_t blocked_count;
};

/* Ceph pools as directories. */
#define SIM_CEPH "/ceph/"

struct sim_host {
	struct sim_host *next; /* in its bucket */
	char *name;
	pthread_mutex_t lock; /* guards everything below */
	bool has_directories; /* locked together with the directories' lock */
	pthread_cond_t spoke; /* a silent guest responds, or is off */
	enum sim_health health;
	int64_t cpus, memory, disk_size;
	int64_t latency_us, hang_us, shutdown_us;
	bool is_deaf;
	bool is_without_power; /* nothing runs, and it doesn't answer */
	bool is_cut_off;       /* it doesn't answer, but its guests continue */
	bool is_fence_broken;
	char lacks[SIM_WORD_SIZE]; /* missing CPU feature; empty: none */
	char model[SIM_WORD_SIZE]; /* processor model its row names for guests; empty: none */
	uint64_t boot;             /* number of the current boot */
	int64_t booted_us;
	struct sim_domain *domains;
	struct sim_disk *disks;
	enum sim_break breaks;                /* fate of the next guest migrated from here */
	int64_t pool_free;                    /* 0: disk_size minus the disks */
	bool copies_stand_still, copies_fail; /* for disk swaps */
	size_t domain_count, disk_count;
	bool may_settle; /* a guest may be shutting down, or about to release a device */
	int64_t call_count, increment_count;
	int64_t hasty_count; /* requests for devices already leaving */
	struct compute_host *connections;
};

/* A connection. */
struct compute_host {
	struct compute_host *next; /* next connection of the same host */
	struct sim_host *host;
	uuid region;
	bool is_lost;
	void (*changed)(void *arg, uuid id);
	void *changed_arg;
};

/* Start and end of each call: takes the host's lock, and releases it whatever the result. */
RESULT sim_begin(struct compute_host *h, struct ctx *c);
RESULT sim_end(struct compute_host *h, struct ctx *c, struct result r);
/* The body of a driver function with a connection h and a context c: calls `inside` between sim_begin() and
 * sim_end(). on: the connection's compute_host. */
#define SIM_CALL(on, inside, ...)                                                                            \
	do {                                                                                                 \
		struct result r_ = sim_begin((on), c);                                                       \
		if (result_is_ok(r_))                                                                        \
			r_ = inside(h, c, __VA_ARGS__);                                                      \
		return sim_end((on), c, r_);                                                                 \
	} while (0)
/* Initialises a heap-allocated connection; freed on failure and by sim_disconnect(). */
RESULT sim_connect(struct compute_host *h, struct ctx *c, uuid region, const struct host *host);
void sim_disconnect(struct compute_host *h);

/* Finds or creates a host; NULL: out of memory. */
struct sim_host *sim_need_host(struct str name);
/* Locks the host, and the shared directories once any exist. Never lock two hosts. */
void sim_lock(struct sim_host *s);
void sim_unlock(struct sim_host *s);

/* ---- directory.c */

/* From now on, locking a host also locks the directories. */
void sim_use_directories(void);
/* Finds or creates the directory that the host sees at that path. With the host's lock held. NULL: out of
 * memory. */
struct sim_directory *sim_need_directory(struct sim_host *s, struct str path);
bool sim_has_mounted(const struct sim_host *s, struct str path);
struct sim_disk *sim_find_apart(struct sim_host *s, uuid volume, uint64_t place); /* as sim_find_disk_at() */
struct sim_disk *sim_add_apart(struct sim_directory *directory);                  /* as sim_add_disk() */
bool sim_add_mark(struct sim_directory *directory, const struct sim_mark *mark);
bool sim_block(struct sim_directory *directory, struct str host, bool is_blocked);
bool sim_is_blocked(const struct sim_directory *directory, struct str host);
/* True if the pool blocks that guest's writes to the disk. */
bool sim_is_kept_out(const struct sim_host *s, const struct sim_disk *disk);
void sim_lock_directories(struct sim_host *s);
void sim_unlock_directories(struct sim_host *s);
void sim_reset_directories(void);
void sim_count_apart(struct sim_counts *n);
/* Adds up the counts. */
void sim_count_disks(const struct sim_disk *disks, size_t count, struct sim_counts *n);
struct sim_domain *sim_find_domain(struct sim_host *s, uuid id); /* with s->lock held, as all below */
/* A complete disk of the volume in that directory, preferably raw. */
struct sim_disk *sim_find_disk_at(struct sim_host *s, uuid volume, uint64_t place);
/* The disk that a guest has plugged in, else any. */
struct sim_disk *sim_find_disk(struct sim_host *s, uuid volume);
struct sim_disk *sim_add_disk(struct sim_host *s); /* zeroed; NULL: out of memory */
/* A random duration for the work; 0 at SIM_AT_ONCE. */
int64_t sim_draw_us(enum sim_work work);
/* Waits for that duration before the effect, with the lock held: a host does one thing at a time. */
void sim_take_time(enum sim_work work);
void sim_remove_domain(struct sim_host *s, struct sim_domain *d);
void sim_power_off(struct sim_host *s, struct sim_domain *d, enum compute_off why);
/* Turns off guests whose shutdown time is over. */
void sim_settle(struct sim_host *s);
void sim_notify(struct sim_host *s, uuid id); /* calls all watchers */
/* Waits until the guest responds, if it is on; releases the host's lock meanwhile. ERR_IO: forced off, or
 * another call is waiting for it. */
RESULT sim_await_guest(struct sim_host *s, struct ctx *c, uuid id);
void sim_lose_connections(struct sim_host *s);
/* Turns all guests off; the next boot has another id. */
void sim_end_boot(struct sim_host *s);

/* ---- compute_devices.c */

/* Sets the definition's devices, effective at the next start; other plugged devices stay until then. False:
 * out of memory. */
bool sim_define_devices(struct sim_domain *d, const struct compute_domain *w);
/* Updates only the keys of its disks. */
void sim_set_keys(struct sim_domain *d, const struct compute_domain *w);
/* For a running domain: plugs defined devices, requests the release of others. ERR_IO: a disk is missing. */
RESULT sim_plug_devices(struct sim_host *s, struct ctx *c, struct sim_domain *d, bool asks_again);
/* Start: with the defined devices (ERR_IO likewise); stop: releases them. */
RESULT sim_start_devices(struct sim_host *s, struct ctx *c, struct sim_domain *d);
void sim_stop_devices(struct sim_domain *d);
/* True when a guest released a device that was due. */
bool sim_settle_devices(struct sim_domain *d);
bool sim_has_leaving_devices(const struct sim_domain *d);
/* True if the domain's disks have the wish's limits. */
bool sim_has_limits(const struct sim_domain *d, const struct compute_domain *w);
bool sim_has_plugged(const struct sim_domain *d, uuid id);
/* Lists the running guest's devices, or the definition's if it is off; in the context's arena. */
RESULT sim_list_devices(struct ctx *c, const struct sim_domain *d, struct uuids *ret_volumes,
			struct uuids *ret_ports);

/* ---- block_copy.c: with the host's lock held */

/* For a running domain, as in drivers/compute.h. */
RESULT sim_swap_disk(struct sim_host *s, struct ctx *c, struct sim_domain *d,
		     const struct compute_swapping *wish, bool begins, enum compute_swap_stage *ret_stage);
/* The guest keeps its current disk. Does nothing for a domain that is off. */
void sim_end_swap(struct sim_domain *d, const struct compute_swapping *wish);

/* ---- dirty_bitmap.c: with the host's lock held */

struct sim_track *sim_find_track(struct sim_disk *d, uuid from); /* NULL: none */
void sim_drop_tracks(struct sim_disk *d, uuid keep);             /* all except keep */
void sim_add_track(struct sim_disk *d, uuid from);
bool sim_has_spoilt_track(const struct sim_disk *d);
/* Simulates a guest's write. */
void sim_write(struct sim_disk *d, const char *text);
/* Updates the bitmaps of an ending guest's disks, before it releases them. */
void sim_end_tracks(struct sim_host *s, const struct sim_domain *d, bool crashes);

/* ---- migrate.c */

/* Implements drivers/compute.h. */
RESULT sim_see_end(struct compute_host *h, struct ctx *c, uuid id, struct compute_end_seen *ret_seen);
RESULT sim_send(struct compute_host *h, struct ctx *c, struct compute_migration *journey);

/* ---- console.c */

/* Opens a running guest's console, replacing an open one. */
RESULT sim_open_console(struct ctx *c, struct sim_domain *d, enum console console, int *ret_fd);
void sim_close_consoles(struct sim_domain *d); /* the guest ends */

/* ---- variables.c */

/* The variables that its UEFI would store after a start. */
struct firmware_variables sim_list_variables(const struct sim_domain *d);

/* ---- screen.c */

/* The screen of a running guest; the caller frees it. */
RESULT sim_draw_screen(struct ctx *c, const struct sim_domain *d, struct picture **ret_picture);
