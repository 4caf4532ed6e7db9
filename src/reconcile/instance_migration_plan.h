/* SPDX-License-Identifier: Apache-2.0
 * What to do next about a live migration, as a pure function of its row and of what both hosts have of the
 * domain. Tested as a table of rows: each is something that a crash of dari, of a libvirtd, of a QEMU or of a
 * host leaves behind. The guest is where it runs, whatever definitions say. */
#pragma once

#include "drivers/compute.h"
#include "model/instance_migration.h"

enum migration_step {
	MIGRATION_WAIT,         /* for the target's disks and the network; they wake it */
	MIGRATION_LOOK_AGAIN,   /* in a while: something is on its way there */
	MIGRATION_BEGIN,        /* note that it is about to be sent */
	MIGRATION_SEND,         /* send it */
	MIGRATION_REDO,         /* the target's disks are made anew */
	MIGRATION_CLEAR_TARGET, /* what the target has of the domain goes */
	MIGRATION_CLEAR_SOURCE, /* likewise */
	MIGRATION_RESUME_SOURCE,
	MIGRATION_RESUME_TARGET,
	MIGRATION_ARRIVE, /* it is at the target alone */
	MIGRATION_STAY    /* it is where it was, and the target has nothing of it but files */
};

struct migration_plan_input {
	struct compute_end_seen source, target;
	bool target_is_silent; /* it cannot be asked: `target` means nothing */
	/* The host is proven to be off: nothing of the guest runs there, and nobody is asked what it has of it. */
	bool source_is_off, target_is_off;
	bool is_over;   /* it was cancelled, or it failed */
	bool is_ready;  /* disks and network */
	bool has_begun; /* this process noted its beginning, and nothing was sent since */
	enum instance_migration_stage stage;
};

/* ERR_CONFLICT: it runs at both ends, which nobody may resolve but an operator. */
RESULT migration_step_choose(struct ctx *c, const struct migration_plan_input *input,
			     enum migration_step *ret_step);
