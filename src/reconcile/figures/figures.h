/* SPDX-License-Identifier: Apache-2.0
 * Usage of guests and hosts: processor time, disk and network traffic, memory. Every interval each host's own
 * lane reads the figures of all its guests in one call (compute_read_usages).
 *
 * Points at that interval exist in memory only, at most 90 of each guest, and only while somebody has read
 * them within the last 15 minutes. Guests that alarms watch have sums of each minute in memory, too. Every five
 * minutes and every hour the sums are written to SQL, one text per host (store/series.h), for three and for
 * ninety days. An interval in progress is lost when the process ends. The history of a guest on earlier hosts is
 * not found, because a text belongs to a host. */
#pragma once

#include "base/clock.h"
#include "base/ctx.h"
#include "base/uuid.h"
#include "base/vec.h"

struct reconciler;

enum figure {
	FIGURE_CPU_NS, /* processor time, ns */
	FIGURE_RX_BYTES,
	FIGURE_TX_BYTES,
	FIGURE_RX_PACKETS,
	FIGURE_TX_PACKETS,
	FIGURE_READ_BYTES,
	FIGURE_WRITE_BYTES,
	FIGURE_READS,
	FIGURE_WRITES,
	FIGURE_MEMORY, /* bytes at the end of the interval; not a counter */
	FIGURE_COUNT
};

/* An interval and what was counted in it. */
struct figure_point {
	int64_t from_us, to_us;
	int64_t covered_us;          /* part of the interval that was measured, us */
	int64_t samples;             /* number of readings */
	int64_t cpus;                /* vCPUs at the end */
	int64_t least_cpu, most_cpu; /* minimum and maximum of the readings, in 0.01 % of all vCPUs */
	int64_t at[FIGURE_COUNT];
};

struct figure_points { /* compatible with VEC; in order of time */
	struct figure_point *at;
	size_t count, capacity;
};

#define FIGURES_SHORT_US (5 * MINUTE)
#define FIGURES_LONG_US HOUR
#define FIGURES_SHORT_KEPT_US (3 * 24 * HOUR)
#define FIGURES_LONG_KEPT_US (90 * 24 * HOUR)

/* Starts sampling; nothing is sampled before. Call it once, before requests arrive. ERR_NO_MEMORY. */
RESULT reconciler_start_figures(struct reconciler *r, struct ctx *c, int64_t interval_us);

/* Processor use in 0.01 % of all vCPUs' time. */
int64_t figure_cpu_of(const struct figure_point *p);

/* Reads the intervals of step_us (FIGURES_SHORT_US or FIGURES_LONG_US) of the guest, or of the host if id is
 * the host's, that begin in [from_us, before_us). Reads SQL and blocks. */
RESULT reconciler_read_figures_kept(struct reconciler *r, struct ctx *c, uuid id, uuid host, int64_t step_us,
				    int64_t from_us, int64_t before_us, struct figure_points *points);
/* Copies the points of the last 15 minutes, as far as they were recorded, and has further ones recorded. Any
 * thread. */
RESULT reconciler_look_at_figures(struct reconciler *r, struct ctx *c, uuid id, struct figure_points *points);
/* Copies the minutes of the guest that begin in [from_us, before_us), as far as they were recorded within the last hour, and has
 * further ones recorded. Any thread. */
RESULT reconciler_look_at_minutes(struct reconciler *r, struct ctx *c, uuid id, int64_t from_us,
				  int64_t before_us, struct figure_points *points);
/* Sampling interval, us; 0: no sampling. */
int64_t reconciler_figures_interval(const struct reconciler *r);

/* Sums over all guests since the process began. Any thread. */
struct figure_totals {
	int64_t guests; /* running guests */
	int64_t at[FIGURE_COUNT];
};
void reconciler_sum_figures(struct reconciler *r, struct figure_totals *ret_totals);
