/* SPDX-License-Identifier: Apache-2.0
 * Chooses the next step of a live migration, as a pure function of its row and of what both hosts have of the
 * domain. The unit test is a table of rows: each is a state that a crash of dari, libvirtd, QEMU or a host
 * can leave behind. The guest's location is where it runs, regardless of definitions. */
#pragma once

#include "drivers/compute.h"
#include "model/instance_migration_words.h"

enum migration_step {
	MIGRATION_WAIT,         /* wait for the target's disks and the network, which wake the migration */
	MIGRATION_LOOK_AGAIN,   /* an operation is in progress: look again after a while */
	MIGRATION_BEGIN,        /* record that sending is about to begin */
	MIGRATION_SEND,         /* send the guest */
	MIGRATION_REDO,         /* have the target's disks created anew */
	MIGRATION_CLEAR_TARGET, /* remove the domain from the target */
	MIGRATION_CLEAR_SOURCE, /* remove the domain from the source */
	MIGRATION_RESUME_SOURCE,
	MIGRATION_RESUME_TARGET,
	MIGRATION_ARRIVE, /* the guest is on the target alone */
	MIGRATION_STAY    /* the guest stays on the source; the target has at most its files */
};

struct migration_plan_input {
	struct compute_end_seen source, target;
	bool target_is_silent; /* the target did not answer; `target` is undefined */
	/* The host is proven to be off, so nothing runs on it; its end is not asked. */
	bool source_is_off, target_is_off;
	bool is_over;   /* cancelled or failed */
	bool is_ready;  /* disks and network are ready */
	bool has_begun; /* this process recorded the beginning, and nothing was sent since */
	enum instance_migration_stage stage;
};

/* ERR_CONFLICT: the guest runs on both hosts, which only an operator may resolve. */
RESULT migration_step_choose(struct ctx *c, const struct migration_plan_input *input,
			     enum migration_step *ret_step);
