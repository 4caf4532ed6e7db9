/* SPDX-License-Identifier: Apache-2.0
 * Controls of simulated hosts for tests, `dari dev` and benchmarks: what an electrician, a guest or an outage
 * would do to real ones. Hosts are identified by name, belong to the process, and exist until
 * sim_compute_reset(), so they survive a restart of everything else. Calls naming an unknown host are
 * ignored. Any thread. */
#pragma once

#include "drivers/compute.h"

enum sim_health {
	SIM_UP,
	SIM_HANGS, /* calls last hang_us, then the connection is lost */
	SIM_DOWN   /* calls and open fail immediately */
};

/* The duration of work that takes time on a real host. */
enum sim_pace {
	SIM_AT_ONCE, /* none: tests, benchmarks */
	SIM_AS_REAL  /* roughly a small real host's: sim_work_times in compute_state.c */
};

/* Failure of the next live migration, once. */
enum sim_break {
	SIM_BREAK_NONE,
	SIM_BREAK_REFUSED, /* refused; the guest continues to run */
	SIM_BREAK_STUCK,   /* the transfer stalls; the guest continues to run */
	SIM_BREAK_CUT,    /* connections are lost; the guest continues to run, and the target has only partial
		        * disks */
	SIM_BREAK_HELD,   /* the same, but the guest is paused */
	SIM_BREAK_DOUBLE, /* connections are lost; the guest runs at the target and is paused at the
			     * source */
	SIM_BREAK_LEFTOVER, /* the same, but it runs at the source and is paused at the target */
	SIM_BREAK_UNSAID,   /* it succeeds, but the answer is lost */
	SIM_BREAK_STILL,    /* the transfer stalls, of a guest that was and stays paused */
	SIM_BREAK_CRASH     /* the guest crashes */
};

struct sim_counts {
	int64_t hosts, connections;
	int64_t domains, running;
	int64_t disks, cuts, images; /* volumes, snapshots, cached base images */
	int64_t disk_size;           /* provisioned bytes */
	int64_t calls;               /* driver calls since the reset */
	int64_t increments;          /* incremental cuts since the reset */
	int64_t hasty;               /* requests to release a device already leaving, since the reset */
};

/* Removes all hosts. No connection may be open. */
void sim_compute_reset(void);
/* Sets the size of hosts opened for the first time from now on. 0: the default (64 threads, 256 GiB, 10
 * TiB). */
void sim_compute_set_size(int64_t cpus, int64_t memory, int64_t disk);
/* Sets the pace of all hosts; initially SIM_AT_ONCE. Durations are drawn from base/random.h, so a seed
 * reproduces them. A call that changes nothing takes no time. */
void sim_compute_set_pace(enum sim_pace pace);
/* Gives disks blocks: snapshots of a volume have the content of DIRECTORY/<id>.qcow2, if that file exists. The text must
 * outlive the hosts; NULL: none. */
void sim_compute_set_contents(const char *directory);
/* Creates a disk on a host as if left by an earlier process. */
void sim_compute_bring_disk(struct str host, uuid region, uuid volume, int64_t size);
/* Sets whether the host has the shared directory mounted at that path, as every host initially does. Without
 * the mount it has an empty directory there. */
void sim_compute_mount(struct str host, struct str path, bool is_mounted);
/* Writes a guest's text (at most 63 characters) to a volume, or compares it. False: no such volume, or
 * another text. */
void sim_compute_write_disk(struct str host, uuid volume, const char *text);
bool sim_compute_disk_has(struct str host, uuid volume, const char *text);
/* Reads the limits of a running guest's disk. False: no running guest has it. */
bool sim_compute_find_limits(struct str host, uuid volume, struct disk_limits *ret_limits);
/* True if the domain's config drive contains the text. */
bool sim_compute_drive_has(struct str host, uuid id, const char *text);
/* Sets the pool's reported free space. 0: the real one. */
void sim_compute_set_pool_free(struct str host, int64_t free);
/* Pauses a guest as if a disk's file could not grow. It resumes when started while the pool reports free
 * space. */
void sim_compute_pause_guest_io(struct str host, uuid id);
/* Makes disk swaps stall or fail. */
void sim_compute_set_copies(struct str host, bool stand_still, bool fail);
/* Sets the duration of every call: on a frozen test clock, else in real time. */
void sim_compute_set_latency(struct str host, int64_t latency_us);
/* Sets a host's health. hang_us: duration of a call under SIM_HANGS, as above. A host that goes down loses
 * its connections; its guests continue. */
void sim_compute_set_health(struct str host, enum sim_health health, int64_t hang_us);
/* Drops the host's connections, as a libvirtd restart does; they can be opened again. */
void sim_compute_disconnect(struct str host);
/* Power-cycles a host: guests are off for an unknown reason, the boot id changes, connections are lost. */
void sim_compute_reboot(struct str host);
/* Cuts the power until further notice, as drivers/sim/fence.c does; or restores it with the host healthy. */
void sim_compute_cut_power(struct str host);
void sim_compute_give_power(struct str host);
/* Isolates the host or ends that: unreachable, but its guests continue. is_reached: false when isolated or
 * without power. */
void sim_compute_cut_off(struct str host, bool is_cut);
bool sim_compute_is_reached(struct str host);
bool sim_compute_has_power(struct str host);
/* Makes its power switch ignore fence requests. */
void sim_compute_break_fence(struct str host, bool is_broken);
/* Counts domains running on more than one host; one held for its migration doesn't count. */
size_t sim_compute_count_doubles(void);
/* Ends a guest: by itself, by a crash, or forced. */
void sim_compute_end_guest(struct str host, uuid id, enum compute_off why);
/* Makes the host's guests ignore ACPI: the power button and unplug requests. */
void sim_compute_set_deaf(struct str host, bool is_deaf);
/* Makes a guest's QEMU unresponsive: calls that query it block until it responds again or is forced off. Use
 * two threads. */
void sim_compute_set_silent(struct str host, uuid id, bool is_silent);
/* Makes pausing a guest fail, as libvirt does when QEMU's monitor is busy. */
void sim_compute_set_restless(struct str host, uuid id, bool is_restless);
/* True if a call is blocked on a silent guest. */
bool sim_compute_is_awaited(struct str host, uuid id);
/* Sets how long guests take to shut down, on the test's clock; visible at the next look. Initially 0. */
void sim_compute_set_shutdown_us(struct str host, int64_t shutdown_us);
/* Applies to the next guest migrated from this host. */
void sim_compute_break_migration(struct str host, enum sim_break how);
/* Undefines a domain behind Dari's back. */
void sim_compute_lose_domain(struct str host, uuid id);
/* True if the running guest has that disk or NIC. */
bool sim_compute_has_plugged(struct str host, uuid id, uuid device);
/* The slot in which a disk or NIC is defined. -1: no such device or domain. */
int sim_compute_get_slot(struct str host, uuid id, uuid device);
void sim_compute_count(struct sim_counts *ret_counts);
