/* SPDX-License-Identifier: Apache-2.0
 * Keeps the ends of the last backups of the region and of their proofs in a small file of the data directory, so that `dari doctor`
 * names a timer's failure, also after a restart. */
#pragma once

#include "daemon/daemon.h"

enum region_drill_part { DRILL_BACKUP, DRILL_PROOF, DRILL_PARTS };

struct region_drill {
	struct {
		int64_t done_us, failed_us; /* last success, last failure; 0: none */
		struct str why;             /* the failure's message */
	} parts[DRILL_PARTS];
};

/* Zeroed: no backup was made here. */
RESULT region_drill_read(struct ctx *c, const struct settings *s, struct region_drill *ret_drill);
/* Notes the end of a backup or a proof. why: empty after a success. Logs a file that cannot be written. */
void region_drill_note(struct ctx *c, const struct settings *s, enum region_drill_part part, struct str why);
