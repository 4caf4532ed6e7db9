/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/sim: what the simulated hosts hold. compute.c and disk.c are the drivers,
 * compute_state.c keeps the hosts and the controls of compute.h. */
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
	SIM_SHUT_DOWN, /* the guest's own: nobody waits for it in a call, as for the next */
	SIM_UNPLUG,
	SIM_SEND, /* a tenth of a guest that goes to another host */
	SIM_WORK_COUNT
};

/* A disk or NIC of a domain: in its definition, in the running guest, or in both. */
struct sim_device {
	uuid id;
	int64_t leaves_us; /* the guest lets go of it then; 0: it was not asked, or missed it */
	int slot;          /* of its definition */
	struct disk_limits defined, applied; /* as the definition says; as it is while it is plugged */
	bool is_nic, is_defined, is_plugged;
	bool is_to_leave;                  /* it has just left the definition: the guest is asked for it */
	bool is_raw, is_shared, is_medium; /* as in struct compute_disk */
	uint64_t key;                      /* its disk is opened with that: sim_key() */
	uint64_t place;                    /* the directory of its disk: sim_place() */
	uuid becomes;                      /* it is being copied there; none: nowhere */
	uint64_t next_place;               /* in that directory */
};

struct sim_domain {
	uuid region, id;
	bool is_on, is_io_paused, is_paused, is_saved;
	bool is_uefi, is_secure;
	bool has_variables;         /* it was started by UEFI */
	bool is_silent, is_awaited; /* its QEMU does not answer; a call waits for that */
	bool is_restless;           /* it is not to be paused */
	bool is_held;               /* it is on, and stands still for its move to another host */
	bool is_unsent;             /* of one that is held: it has not gone over */
	enum compute_off off;
	int64_t boots, started_us;
	int64_t vcpus, memory;  /* of its definition */
	int64_t ends_us;        /* the guest is shutting down until then; 0: it is not */
	char digest[65];        /* of the definition */
	char name[32];          /* cut */
	char *manifest, *drive; /* owned; NULL: none */
	char *variables;        /* that its firmware was given; owned; NULL: none */
	size_t variables_size;
	struct sim_device *devices; /* owned */
	size_t device_count;
	int consoles[2]; /* open ones' sockets, by enum console; 0 or less: none */
	uuid backup;     /* the snapshot that is being cut of one of its volumes; none: no job */
	int backup_looks;
};

enum { SIM_WORD_SIZE = 64 };
enum { SIM_FILE_SIZE = 1024, SIM_TEXT_AT = 512, SIM_TEXT_SIZE = 64, SIM_TRACKS = 4 };
enum { SIM_FULL_BELOW = 16 << 20 }; /* bytes left of a pool */

struct sim_track {
	uuid from; /* the snapshot since whose cut */
	bool is_changed;
	bool is_stored; /* in the file: a guest that had it ended well */
	bool is_spoilt;
};

struct sim_disk {
	uuid region;
	enum disk_kind kind;
	bool is_partial; /* on its way here, or a cut that is being made */
	uuid volume;     /* or the snapshot */
	bool is_raw;     /* a plain image, beside which one of qcow2 may be */
	bool is_apart;   /* it lies in a directory that several hosts may have */
	int64_t size;
	int64_t file_size;                   /* so far, while partial */
	char digest[65];                     /* of a base: its own; */
	char base[65];                       /* of a volume: what it stands on */
	char text[SIM_TEXT_SIZE];            /* what a guest wrote */
	uint64_t key;                        /* what it is encrypted with: sim_key() */
	struct sim_track tracks[SIM_TRACKS]; /* of a volume, the oldest first */
	size_t track_count;
	uuid since;      /* of a cut: an increment since that one's; none: it has all */
	bool is_changed; /* of an increment: it has the text */
};

/* Another number for another key; 0: none. */
uint64_t sim_key(const struct disk_key *key);

/* Another number for another directory; 0: a host's own. */
uint64_t sim_place(struct str directory);
/* That of the directory, or the pool of Ceph, in which a disk lies. */
uint64_t sim_place_of(const struct compute_disk *disk);

/* A directory apart from those of hosts: files of any, by its path, or by a host's name and the path while that
 * host has nothing mounted there. */
struct sim_directory {
	struct sim_directory *next;
	char *path;
	struct sim_disk *disks; /* owned, as the next */
	struct sim_mark {
		uuid region, host;
		char word[32];
	} * marks;
	size_t disk_count, mark_count;
	char (*blocked)[SIM_WORD_SIZE]; /* of a pool: names of hosts that it keeps out; owned */
	size_t blocked_count;
};

/* Where pools of Ceph are, as directories. */
#define SIM_CEPH "/ceph/"

struct sim_host {
	struct sim_host *next; /* in its bucket */
	char *name;
	pthread_mutex_t lock; /* guards all below */
	bool has_directories; /* it is locked with the lock of the directories */
	pthread_cond_t spoke; /* a silent guest answers, or is off */
	enum sim_health health;
	int64_t cpus, memory, disk_size;
	int64_t latency_us, hang_us, shutdown_us;
	bool is_deaf;
	bool is_without_power; /* nothing runs, and it does not answer */
	bool is_cut_off;       /* it does not answer, and what is on it goes on */
	bool is_fence_broken;
	char lacks[SIM_WORD_SIZE]; /* the feature that its processor lacks; empty: it has all */
	char model[SIM_WORD_SIZE]; /* that its row names for guests; empty: none */
	uint64_t boot;             /* counts them */
	int64_t booted_us;
	struct sim_domain *domains;
	struct sim_disk *disks;
	enum sim_break breaks;                /* what becomes of the next guest that is sent from here */
	int64_t pool_free;                    /* 0: what disks leave of disk_size */
	bool copies_stand_still, copies_fail; /* of disks that guests are to swap */
	size_t domain_count, disk_count;
	int64_t call_count, increment_count;
	int64_t hasty_count; /* requests for what was leaving already */
	struct compute_host *connections;
};

/* A connection. */
struct compute_host {
	struct compute_host *next; /* of the same host */
	struct sim_host *host;
	uuid region;
	bool is_lost;
	void (*changed)(void *arg, uuid id);
	void *changed_arg;
};

/* Each call's beginning and end: the host's lock is taken, and released whatever comes of it. */
RESULT sim_begin(struct compute_host *h, struct ctx *c);
RESULT sim_end(struct compute_host *h, struct ctx *c, struct result r);
/* The whole body of a driver's function with a connection h and a context c: what is done inside that frame.
 * on: the compute_host of the connection. */
#define SIM_CALL(on, inside, ...)                                                                            \
	do {                                                                                                 \
		struct result r_ = sim_begin((on), c);                                                       \
		if (result_is_ok(r_))                                                                        \
			r_ = inside(h, c, __VA_ARGS__);                                                      \
		return sim_end((on), c, r_);                                                                 \
	} while (0)
/* Fills in a connection, which is on the heap; freed when that fails, and by sim_disconnect(). */
RESULT sim_connect(struct compute_host *h, struct ctx *c, uuid region, const struct host *host);
void sim_disconnect(struct compute_host *h);

/* The host of that name, made if need be; NULL when out of memory. */
struct sim_host *sim_need_host(struct str name);
/* With the directories apart, once there are any: nobody holds two hosts. */
void sim_lock(struct sim_host *s);
void sim_unlock(struct sim_host *s);

/* ---- directory.c */

/* From now on whoever locks a host holds the directories, too. */
void sim_use_directories(void);
/* What the host has at that path, made if need be: with its lock held. NULL: out of memory. */
struct sim_directory *sim_need_directory(struct sim_host *s, struct str path);
bool sim_has_mounted(const struct sim_host *s, struct str path);
struct sim_disk *sim_find_apart(struct sim_host *s, uuid volume, uint64_t place); /* as sim_find_disk_at() */
struct sim_disk *sim_add_apart(struct sim_directory *directory);                  /* as sim_add_disk() */
bool sim_add_mark(struct sim_directory *directory, const struct sim_mark *mark);
bool sim_block(struct sim_directory *directory, struct str host, bool is_blocked);
bool sim_is_blocked(const struct sim_directory *directory, struct str host);
/* Whether what a guest writes on that disk there is kept out. */
bool sim_is_kept_out(const struct sim_host *s, const struct sim_disk *disk);
void sim_lock_directories(struct sim_host *s);
void sim_unlock_directories(struct sim_host *s);
void sim_reset_directories(void);
void sim_count_apart(struct sim_counts *n);
/* Adds them up. */
void sim_count_disks(const struct sim_disk *disks, size_t count, struct sim_counts *n);
struct sim_domain *sim_find_domain(struct sim_host *s, uuid id); /* with s->lock held, as all below */
/* A volume's whole one in that directory, plain if there is one. */
struct sim_disk *sim_find_disk_at(struct sim_host *s, uuid volume, uint64_t place);
/* That which a guest has plugged; else whichever there is. */
struct sim_disk *sim_find_disk(struct sim_host *s, uuid volume);
struct sim_disk *sim_add_disk(struct sim_host *s); /* zeroed; NULL when out of memory */
/* How long it takes this time; 0 at SIM_AT_ONCE. */
int64_t sim_draw_us(enum sim_work work);
/* Lets it pass, before the effect. The lock stays held: the host does one thing at a time. */
void sim_take_time(enum sim_work work);
void sim_remove_domain(struct sim_host *s, struct sim_domain *d);
void sim_power_off(struct sim_host *s, struct sim_domain *d, enum compute_off why);
/* Guests whose time to shut down is over are off now. */
void sim_settle(struct sim_host *s);
void sim_notify(struct sim_host *s, uuid id); /* all who watch */
/* Returns when the guest answers, if it is on; the host's lock is let go of meanwhile. ERR_IO: it was forced
 * off, or another call waits for it. */
RESULT sim_await_guest(struct sim_host *s, struct ctx *c, uuid id);
void sim_lose_connections(struct sim_host *s);
/* All that ran there is off, and the next boot is another one. */
void sim_end_boot(struct sim_host *s);

/* ---- compute_devices.c */

/* They are what the wish says from the next start on; what is plugged beyond stays until then. False:
 * out of memory. */
bool sim_define_devices(struct sim_domain *d, const struct compute_domain *w);
/* What its disks are opened with from now on, whatever else of the wish it has. */
void sim_set_keys(struct sim_domain *d, const struct compute_domain *w);
/* Of a running domain: plugs what is defined, asks for what is not to go. ERR_IO: a disk is missing. */
RESULT sim_plug_devices(struct sim_host *s, struct ctx *c, struct sim_domain *d, bool asks_again);
/* It starts with what is defined (ERR_IO likewise); it ends. */
RESULT sim_start_devices(struct sim_host *s, struct ctx *c, struct sim_domain *d);
void sim_stop_devices(struct sim_domain *d);
/* True when a guest let go of something whose time had come. */
bool sim_settle_devices(struct sim_domain *d);
/* Whether its disks are held to the wish's limits. */
bool sim_has_limits(const struct sim_domain *d, const struct compute_domain *w);
bool sim_has_plugged(const struct sim_domain *d, uuid id);
/* What a running guest has, else what is defined; in the context's arena. */
RESULT sim_list_devices(struct ctx *c, const struct sim_domain *d, struct uuids *ret_volumes,
			struct uuids *ret_ports);

/* ---- swap.c: with the host's lock held */

/* Of a running domain, as in drivers/compute.h. */
RESULT sim_swap_disk(struct sim_host *s, struct ctx *c, struct sim_domain *d,
		     const struct compute_swapping *wish, bool begins, enum compute_swap_stage *ret_stage);
/* The guest keeps its disk; of a domain that is off: nothing. */
void sim_end_swap(struct sim_domain *d, const struct compute_swapping *wish);

/* ---- track.c: with the host's lock held */

struct sim_track *sim_find_track(struct sim_disk *d, uuid from); /* NULL: none */
void sim_drop_tracks(struct sim_disk *d, uuid keep);             /* all others */
void sim_add_track(struct sim_disk *d, uuid from);
bool sim_has_spoilt_track(const struct sim_disk *d);
/* What a guest writes. */
void sim_write(struct sim_disk *d, const char *text);
/* Of the disks of a guest that ends; before it lets go of them. */
void sim_end_tracks(struct sim_host *s, const struct sim_domain *d, bool crashes);

/* ---- journey.c */

/* Of drivers/compute.h. */
RESULT sim_see_end(struct compute_host *h, struct ctx *c, uuid id, struct compute_end_seen *ret_seen);
RESULT sim_send(struct compute_host *h, struct ctx *c, struct compute_journey *journey);

/* ---- console.c */

/* A running guest's console, instead of one that is open. */
RESULT sim_open_console(struct ctx *c, struct sim_domain *d, enum console console, int *ret_fd);
void sim_close_consoles(struct sim_domain *d); /* it ends */

/* ---- variables.c */

/* What its UEFI would keep once it was started. */
struct firmware_variables sim_list_variables(const struct sim_domain *d);

/* ---- screen.c */

/* What a running guest's screen would show; the caller's to free. */
RESULT sim_draw_screen(struct ctx *c, const struct sim_domain *d, struct picture **ret_picture);
