/* SPDX-License-Identifier: Apache-2.0
 * Record of the sources that the calling thread has read since reads_begin(). The readers of each source add to the record
 * themselves (store/tables.c, row_figures(), clock_now_us()), so that no caller can forget one. A kept answer carries the
 * record, and is sent again only while none of its sources has changed (view_still_has(), store/view.c). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* READS_KINDS_MAX: at least KIND_COUNT; store/view.c asserts it. Base does not know the kinds. */
enum { READS_WORDS = 6, READS_KINDS_MAX = 64 * READS_WORDS };

struct reads {
	uint64_t kinds[READS_WORDS]; /* a bit for each kind of which rows, or their absence, were read */
	uint64_t commit;        /* the earliest commit among the views that were opened; UINT64_MAX: none */
	uint64_t figures_epoch; /* the store's number of changes of figures when the first view was opened */
	bool has_figures;       /* derived figures of rows (model/row.h) */
	bool has_clock;
	bool has_outside; /* events, usage, audit records, or another source that has no number of a version */
	const void *of;   /* the call that is recorded; NULL: none, and the record means nothing */
};

/* Initial-exec: an offset from the thread pointer, since each read of a row writes here. */
extern _Thread_local struct reads reads_here __attribute__((tls_model("initial-exec")));

static inline void reads_note_kind(unsigned kind)
{
	reads_here.kinds[kind / 64] |= UINT64_C(1) << kind % 64;
}

static inline void reads_note_figures(void)
{
	reads_here.has_figures = true;
}

static inline void reads_note_clock(void)
{
	reads_here.has_clock = true;
}

static inline void reads_note_outside(void)
{
	reads_here.has_outside = true;
}

/* Starts an empty record of the call on this thread. A call that goes on on another thread, or after another call, finds that
 * the record is not its own. */
void reads_begin(const void *of);
void reads_end(void);
/* Forgets figures, clock and outside, but no kind: for the end of a part of the call that is repeated whether or not its answer
 * was kept, such as authentication. */
void reads_drop_sources(void);
/* Adds the kinds of an item that was made earlier. */
void reads_add_kinds(const uint64_t kinds[static READS_WORDS]);
