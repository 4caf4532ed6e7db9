/* SPDX-License-Identifier: Apache-2.0
 * What a test, `dari dev` and the benchmarks do to simulated hosts from outside, as an electrician,
 * a guest or a bad day would do to real ones. Hosts are known by their names, belong to the whole
 * process, and live until sim_compute_reset(), so a restart of everything else finds them as they
 * were. A call about a host that does not exist is ignored. Any thread. */
#pragma once

#include "drivers/compute.h"

enum sim_health {
	SIM_UP,
	SIM_HANGS, /* calls last for hang_us, then the connection is lost */
	SIM_DOWN   /* calls and open fail at once */
};

/* How long work takes that takes time on a real host. */
enum sim_pace {
	SIM_AT_ONCE, /* no time: tests, benchmarks */
	SIM_AS_REAL  /* about as long as on a small real host: sim_work_times in compute_state.c */
};

/* How a guest's way to another host goes wrong, once. */
enum sim_break {
	SIM_BREAK_NONE,
	SIM_BREAK_REFUSED, /* it fails; the guest runs on */
	SIM_BREAK_STUCK,   /* nothing more is sent; the guest runs on */
	SIM_BREAK_CUT, /* connections are lost; the guest runs on, and the target has nothing but half of disks */
	SIM_BREAK_HELD,     /* the same, but the guest stands still */
	SIM_BREAK_DOUBLE,   /* connections are lost; the guest runs at the target, and stands still here */
	SIM_BREAK_LEFTOVER, /* the same, but it runs here, and stands still at the target */
	SIM_BREAK_UNSAID,   /* it is done, but the answer is lost */
	SIM_BREAK_STILL, /* nothing more is sent of a guest that stood still from the beginning, and does */
	SIM_BREAK_CRASH  /* the guest crashes */
};

struct sim_counts {
	int64_t hosts, connections;
	int64_t domains, running;
	int64_t disks, cuts, images; /* volumes, snapshots, cached bases */
	int64_t disk_size;           /* bytes that were promised to guests */
	int64_t calls;               /* of the driver, since the reset */
	int64_t increments;          /* cuts of what was written since another cut, since the reset */
	int64_t hasty;               /* requests to release a device that was just leaving, since the reset */
};

/* Forgets all hosts. None may be open. */
void sim_compute_reset(void);
/* The size of hosts that are opened for the first time from now on. 0: the default (64 threads, 256
 * GiB, 10 TiB). */
void sim_compute_set_size(int64_t cpus, int64_t memory, int64_t disk);
/* Sets the pace of all hosts, which is SIM_AT_ONCE at first. The time of each piece of work is
 * drawn from base/random.h, so a seed repeats it. A call that finds nothing to do takes no time. */
void sim_compute_set_pace(enum sim_pace pace);
/* Puts a disk on a host, as if an earlier process had left it there. */
void sim_compute_bring_disk(struct str host, uuid region, uuid volume, int64_t size);
/* Whether the host has mounted at that path what the other hosts have there, as every host has at first. While
 * it has not it has an empty directory there. */
void sim_compute_mount(struct str host, struct str path, bool is_mounted);
/* Writes a guest's text, at most 63 characters, on a volume; or reads it back. False: the volume is
 * not there, or has another text. */
void sim_compute_write_disk(struct str host, uuid volume, const char *text);
bool sim_compute_disk_has(struct str host, uuid volume, const char *text);
/* Reads the limits of a running guest's disk. False: no guest that runs there has it. */
bool sim_compute_find_limits(struct str host, uuid volume, struct disk_limits *ret_limits);
/* Whether the text is somewhere on the domain's config drive. */
bool sim_compute_drive_has(struct str host, uuid id, const char *text);
/* Sets how much room the pool reports. 0: what it has. */
void sim_compute_set_pool_free(struct str host, int64_t free);
/* Stops a guest because the file of one of its disks could not grow. It continues when it is
 * started while the pool reports room. */
void sim_compute_pause_guest_io(struct str host, uuid id);
/* Lets the copying for a swap of disks stand still, or fail. */
void sim_compute_set_copies(struct str host, bool stand_still, bool fail);
/* Makes every call on the host take so long: on the test's clock if that is frozen, else in real
 * time. */
void sim_compute_set_latency(struct str host, int64_t latency_us);
/* Sets a host's health. hang_us: how long a call lasts under SIM_HANGS, as above. A host that goes
 * down loses its connections; its guests go on. */
void sim_compute_set_health(struct str host, enum sim_health health, int64_t hang_us);
/* Loses the host's connections, which can be made again: libvirtd was restarted. */
void sim_compute_disconnect(struct str host);
/* Cuts the power for a moment: guests are off for an unknown reason, the boot id changes, and
 * connections are lost. */
void sim_compute_reboot(struct str host);
/* Takes the power away for good, as drivers/sim/fence.c does; and gives it back: the host is well. */
void sim_compute_cut_power(struct str host);
void sim_compute_give_power(struct str host);
/* Cuts the host off, or mends that: nothing of it is reached, and its guests go on. False: nothing reaches it, for
 * that reason or for want of power. */
void sim_compute_cut_off(struct str host, bool is_cut);
bool sim_compute_is_reached(struct str host);
bool sim_compute_has_power(struct str host);
/* Its power switch does not answer a fence. */
void sim_compute_break_fence(struct str host, bool is_broken);
/* Domains that run on more than one host just now; one that is held for its move does not run. */
size_t sim_compute_count_doubles(void);
/* Ends a guest: by itself, by a crash, or by somebody's force. */
void sim_compute_end_guest(struct str host, uuid id, enum compute_off why);
/* Makes the host's guests ignore ACPI: the power button, and every request to release a device. */
void sim_compute_set_deaf(struct str host, bool is_deaf);
/* Makes a guest's QEMU silent: a call that asks it waits until it answers again or is forced off.
 * Not in one thread. */
void sim_compute_set_silent(struct str host, uuid id, bool is_silent);
/* Lets a guest run on when it is to be paused: the call fails, as libvirt's does when QEMU's monitor is busy. */
void sim_compute_set_restless(struct str host, uuid id, bool is_restless);
/* Whether a call waits for a silent one. */
bool sim_compute_is_awaited(struct str host, uuid id);
/* How long guests take to shut down, on the test's clock; it shows at the next look. 0 at first. */
void sim_compute_set_shutdown_us(struct str host, int64_t shutdown_us);
/* Of the next guest that is sent from the host. */
void sim_compute_break_journey(struct str host, enum sim_break how);
/* Undefines a domain behind Dari's back. */
void sim_compute_lose_domain(struct str host, uuid id);
/* Whether the running guest has that disk or NIC. */
bool sim_compute_has_plugged(struct str host, uuid id, uuid device);
/* The slot that a disk or NIC is defined in. -1: there is no such device or domain. */
int sim_compute_get_slot(struct str host, uuid id, uuid device);
void sim_compute_count(struct sim_counts *ret_counts);
