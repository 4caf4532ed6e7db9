/* SPDX-License-Identifier: Apache-2.0
 * What to do next about an instance, as a pure function of what is wanted and what is there. Tested
 * as a table of rows. */
#pragma once

#include "drivers/compute.h"
#include "model/instance.h"

enum instance_step {
	INSTANCE_SETTLED,
	INSTANCE_WAIT_DISKS, /* its volumes are not there yet; their steps wake it */
	INSTANCE_BACK_OFF,   /* it goes off by itself again and again: not before restart_us */
	INSTANCE_DEFINE,
	INSTANCE_START,     /* defined as wished before */
	INSTANCE_PLUG,      /* it runs with other disks or NICs than wished */
	INSTANCE_IO_PAUSED, /* QEMU holds it: not before resume_us */
	INSTANCE_RESUME,    /* it may go on, if there is room now */
	INSTANCE_REBOOT,    /* ask the guest to shut down; off, it is started again */
	INSTANCE_RESET,     /* a guest that did not, or was not to be asked; one that needs a cold boot is
			  * forced off */
	INSTANCE_PAUSE,
	INSTANCE_UNPAUSE,  /* paused, whoever did it, though it is to go on, or to hear of its stop */
	INSTANCE_SAVE,     /* off, with its memory kept */
	INSTANCE_SHUTDOWN, /* ask the guest */
	INSTANCE_FORCE_OFF,
	INSTANCE_UNDEFINE,
	INSTANCE_LEAVE, /* it is on no host any more */
	INSTANCE_REPORT /* what is seen differs from what the row says was seen */
};

struct instance_plan_input {
	enum instance_wanted_power power_wanted; /* now; the row's says what the user wants */
	struct compute_seen seen;
	bool devices_reported; /* the rows know what was seen plugged */
	bool disks_ready;
	bool stands_still;        /* its processors are not to run for now, nor is it to start */
	bool leaves_host;         /* off, it is to be gone from there, but for its disks */
	int64_t now_us, grace_us; /* grace: from asking the guest to forcing it */
	int64_t restart_us;       /* after an end of its own: not before; 0: at once */
	int64_t resume_us;        /* likewise of one whose I/O is paused */
};

/* Never steers by a state's name. */
enum instance_step instance_plan_step(const struct instance *row, const struct instance_plan_input *input);

/* True when the row says it was on, brought about for its present gen, and it is found off, or gone: a
 * change that began below, of which the engine decides what it means. */
bool instance_went_off(const struct instance *row, const struct instance_plan_input *input);

/* Whether its user is told that it is paused: not while it only stands still. */
bool instance_shows_pause(const struct instance *row, bool is_paused, bool stands_still);

/* True when its end was confirmed by the host: nothing of it is there any more. */
bool instance_has_ended(const struct instance *row);
