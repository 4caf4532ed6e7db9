/* SPDX-License-Identifier: Apache-2.0
 * Simulated hosts: what a test, `dari dev` and the benchmarks do to them from outside, as an
 * electrician, a guest or a bad day would do to real ones. Hosts are known by name, shared by the
 * whole process, and live until sim_compute_reset(): a restart of all else finds them as they were.
 * Any thread. What is asked of a host that does not exist is ignored. */
#pragma once

#include "drivers/compute.h"

enum sim_health {
	SIM_UP,
	SIM_HANGS, /* calls are held for hang_us, then the connection is lost */
	SIM_DOWN   /* calls and open fail at once */
};

/* How long real work takes there. */
enum sim_pace {
	SIM_AT_ONCE, /* no time: tests, benchmarks */
	SIM_AS_REAL  /* about as long as on a small real host: sim_work_times in compute_state.c */
};

struct sim_counts {
	int64_t hosts, connections;
	int64_t domains, running;
	int64_t disks, cuts, images; /* of volumes, of snapshots, cached */
	int64_t disk_size;           /* bytes, as promised to guests */
	int64_t calls;               /* of the driver, since the reset */
	int64_t increments;          /* likewise: cuts of what was written since another one */
	int64_t hasty;               /* likewise: requests to let go of a device that was about to leave */
};

/* Forgets all hosts. None may be open. */
void sim_compute_reset(void);
/* What a host that is first opened from now on has; 0 leaves the default (64 threads, 256 GiB, 10 TiB). */
void sim_compute_set_size(int64_t cpus, int64_t memory, int64_t disk);
/* Of all hosts; SIM_AT_ONCE until it is called. Drawn anew for each piece of work, from base/random.h:
 * seeded, it is the same again. A call that finds nothing to do takes no time. */
void sim_compute_set_pace(enum sim_pace pace);
/* The disk is on the host already, as if an earlier process had left it. */
void sim_compute_bring_disk(struct str host, uuid region, uuid volume, int64_t size);
/* What a guest wrote on a volume; at most 63 characters. False: it is not there, or has other text. */
void sim_compute_write_disk(struct str host, uuid volume, const char *text);
bool sim_compute_disk_has(struct str host, uuid volume, const char *text);
/* What a running guest's disk is held to; false: no guest that runs there has it. */
bool sim_compute_find_limits(struct str host, uuid volume, struct disk_limits *ret_limits);
/* Whether that is somewhere on the drive of the domain. */
bool sim_compute_drive_has(struct str host, uuid id, const char *text);
/* What the pool says to have left; 0: what it has. */
void sim_compute_set_pool_free(struct str host, int64_t free);
/* The guest is held: the file of one of its disks could not grow. It goes on when it is started while the
 * pool says to have room. */
void sim_compute_hold_guest(struct str host, uuid id);
/* Every call on the host takes that long: of the clock where it is frozen, else of real time. */
void sim_compute_set_latency(struct str host, int64_t latency_us);
/* hang_us: how long SIM_HANGS holds a call; likewise of the clock or of real time. Going down loses
 * the connections; guests go on. */
void sim_compute_set_health(struct str host, enum sim_health health, int64_t hang_us);
/* Its connections are lost and can be made anew: libvirtd was restarted. */
void sim_compute_disconnect(struct str host);
/* Power cycle: guests are off, why is not known; the boot id changes, connections are lost. */
void sim_compute_reboot(struct str host);
/* A guest ends: by itself, in a crash, or destroyed by somebody. */
void sim_compute_end_guest(struct str host, uuid id, enum compute_off why);
/* Guests that do not answer ACPI: they miss the power button, and every request to let a device go. */
void sim_compute_set_deaf(struct str host, bool is_deaf);
/* Its QEMU does not answer: a call that asks it waits until it does, or is forced off. Not in one thread. */
void sim_compute_set_silent(struct str host, uuid id, bool is_silent);
/* Whether a call waits for that. */
bool sim_compute_is_awaited(struct str host, uuid id);
/* How long guests take to shut down (of the clock; noticed when somebody looks). Default 0. */
void sim_compute_set_shutdown_us(struct str host, int64_t shutdown_us);
/* The domain is undefined behind our back. */
void sim_compute_lose_domain(struct str host, uuid id);
/* Whether the running guest has that disk or NIC. */
bool sim_compute_has_plugged(struct str host, uuid id, uuid device);
/* In which slot it is defined; -1: there is no such disk or NIC, or no such domain. */
int sim_compute_get_slot(struct str host, uuid id, uuid device);
void sim_compute_count(struct sim_counts *ret_counts);
