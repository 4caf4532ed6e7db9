/* SPDX-License-Identifier: Apache-2.0
 * Figures of guests and of hosts: what their processors, disks and networks did, and what memory they hold. Each host is asked
 * once every so many seconds for all of its guests (compute_read_usages), on its own lane.
 *
 * Points of that interval are in memory only, for what somebody has looked at within the last quarter of an hour, and 90 of each.
 * Every five minutes, and every hour, what was counted since goes to SQL, as one text a host (store/series.h): for three days, and
 * for ninety. What a stretch had counted when the process ended is lost: a gap. What a guest did on another host than its present
 * one is not found. */
#pragma once

#include "base/clock.h"
#include "base/ctx.h"
#include "base/uuid.h"
#include "base/vec.h"

struct reconciler;

enum figure {
	FIGURE_CPU_NS, /* that its processors worked */
	FIGURE_RX_BYTES,
	FIGURE_TX_BYTES,
	FIGURE_RX_PACKETS,
	FIGURE_TX_PACKETS,
	FIGURE_READ_BYTES,
	FIGURE_WRITE_BYTES,
	FIGURE_READS,
	FIGURE_WRITES,
	FIGURE_MEMORY, /* bytes, at the end of the stretch: not a count */
	FIGURE_COUNT
};

/* A stretch of time, and what was counted within it. */
struct figure_point {
	int64_t from_us, to_us;
	int64_t covered_us;          /* of it: the rest is not known */
	int64_t samples;             /* readings that it is made of */
	int64_t cpus;                /* at its end */
	int64_t least_cpu, most_cpu; /* of its readings, in hundredths of a percent of all its processors */
	int64_t at[FIGURE_COUNT];
};

struct figure_points { /* a VEC, by time */
	struct figure_point *at;
	size_t count, capacity;
};

#define FIGURES_SHORT_US (5 * MINUTE)
#define FIGURES_LONG_US HOUR
#define FIGURES_SHORT_KEPT_US (3 * 24 * HOUR)
#define FIGURES_LONG_KEPT_US (90 * 24 * HOUR)

/* Begins to take them; before, none are. Call it once, before requests come. ERR_NO_MEMORY. */
RESULT reconciler_start_figures(struct reconciler *r, struct ctx *c, int64_t interval_us);

/* Hundredths of a percent of all its processors' time. */
int64_t figure_cpu_of(const struct figure_point *p);

/* Reads the stretches of step_us (FIGURES_SHORT_US or FIGURES_LONG_US) of the guest, or of the host itself, that begin within the
 * time. It reads SQL, and blocks meanwhile. */
RESULT reconciler_read_figures_kept(struct reconciler *r, struct ctx *c, uuid id, uuid host, int64_t step_us,
				    int64_t from_us, int64_t before_us, struct figure_points *points);
/* The points of the last quarter of an hour, as far as somebody looked then; and keeps those that come from now on. Any thread. */
RESULT reconciler_look_at_figures(struct reconciler *r, struct ctx *c, uuid id, struct figure_points *points);
/* How far apart those are; 0: no figures are taken. */
int64_t reconciler_figures_interval(const struct reconciler *r);

/* Of all guests together, since this process began. Any thread. */
struct figure_totals {
	int64_t guests; /* that run */
	int64_t at[FIGURE_COUNT];
};
void reconciler_sum_figures(struct reconciler *r, struct figure_totals *ret_totals);
