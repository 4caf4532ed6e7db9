/* SPDX-License-Identifier: Apache-2.0
 * Chooses the next step of an instance, as a pure function of the row and of what the host reports. The unit
 * test is a table of rows. */
#pragma once

#include "drivers/compute.h"
#include "model/instance_words.h"

struct instance;

enum instance_step {
	INSTANCE_SETTLED,
	INSTANCE_WAIT_DISKS, /* volumes are not ready; their steps wake the instance */
	INSTANCE_BACK_OFF,   /* the guest keeps going off by itself: wait until restart_us */
	INSTANCE_DEFINE,
	INSTANCE_START,     /* preceded by a definition */
	INSTANCE_PLUG,      /* the running domain's disks or NICs differ from the wanted ones */
	INSTANCE_IO_PAUSED, /* QEMU paused the guest on an I/O error: wait until resume_us */
	INSTANCE_RESUME,    /* resume after an I/O error, if there is space */
	INSTANCE_REBOOT,    /* ask the guest to shut down; it is started again once it is off */
	INSTANCE_RESET,     /* hard reset: the guest did not react, or was not to be asked. With cold_boot
			     * it is forced off instead */
	INSTANCE_PAUSE,
	INSTANCE_UNPAUSE,  /* paused by whomever, but wanted running, or to be shut down */
	INSTANCE_SAVE,     /* save memory and turn off */
	INSTANCE_SHUTDOWN, /* ask the guest */
	INSTANCE_FORCE_OFF,
	INSTANCE_UNDEFINE,
	INSTANCE_LEAVE, /* report that the instance has left the host */
	INSTANCE_REPORT /* report a difference between the row's seen fields and the host */
};

struct instance_plan_input {
	enum instance_wanted_power power_wanted; /* in effect now; the row's field is the user's wish */
	struct compute_seen seen;
	bool devices_reported; /* the rows' seen devices equal those seen now */
	bool disks_ready;
	bool stands_still;        /* held for a snapshot: vCPUs paused, not to be started */
	bool leaves_host;         /* once off, only its disks stay on the host */
	int64_t now_us, grace_us; /* grace: time from the first shutdown request to force-off */
	int64_t restart_us;       /* earliest restart after the guest went off by itself; 0: at once */
	int64_t resume_us;        /* earliest resume after an I/O error */
};

/* Decides by power and device facts, never by a derived state name. */
enum instance_step instance_plan_step(const struct instance *row, const struct instance_plan_input *input);

/* True if the instance was seen on for its present gen and is now off or absent. The engine decides what such
 * a change from below means. */
bool instance_went_off(const struct instance *row, const struct instance_plan_input *input);

/* True if users see the instance as paused: not while it is only held for a snapshot. */
bool instance_shows_pause(const struct instance *row, bool is_paused, bool stands_still);

/* True if the host has confirmed the deletion: no domain is left. */
bool instance_has_ended(const struct instance *row);
