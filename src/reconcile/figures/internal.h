/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/figures/: arithmetic of points, and the packed text of a host's interval. */
#pragma once

#include "base/buf.h"
#include "drivers/compute.h"
#include "reconcile/figures/figures.h"

struct metric_points;
struct metric_range;
struct metric_source;
struct tables;
struct metrics;
struct series;

struct figures;
/* Frees what was sampled; ignores NULL. */
void figures_free(struct figures *f);

/* Works like reconciler_read_figures_kept(), for several guests of one host. */
RESULT figures_read_kept(struct reconciler *r, struct ctx *c, const struct uuids *ids, uuid host,
			 int64_t step_us, int64_t from_us, int64_t before_us, struct figure_points *points);
/* Writes a sample, and takes the text over as its bytes. A failure is logged. */
void figures_keep(struct reconciler *r, const struct series *series, struct buf *text);

/* ---- metrics.c ---- */

/* NULL: out of memory. */
struct metrics *metrics_new(void);
/* Ignores NULL. */
void metrics_free(struct metrics *m);
/* The minutes of a published metric within the range, in no order. */
RESULT metrics_read(struct reconciler *r, struct ctx *c, uuid account, uuid metric,
		    const struct metric_range *range, struct metric_points *points);

/* ---- pack.c; pure ---- */

/* Difference of two readings. A counter that went backwards was reset by a restart of the guest and counts
 * from zero. */
struct figure_point figure_between(const struct compute_usage *before, int64_t before_us,
				   const struct compute_usage *after, int64_t after_us);
/* Adds a later point to a sum; an empty sum becomes a copy of it. */
void figure_add(struct figure_point *sum, const struct figure_point *next);
/* Format of a host's text: one version byte; then for each subject 16 bytes of id and its numbers as unsigned
 * LEB128. */
void figures_begin_pack(struct buf *text);
void figures_pack(struct buf *text, uuid id, const struct figure_point *p);
/* Finds a subject in a text; false: not there, or another version. */
bool figures_unpack(struct str text, uuid id, struct figure_point *ret_point);

/* ---- gnocchi_source.c ---- */

struct metric_source;
struct tables;
/* Adds a metric in Gnocchi's namespace to the source of an account. Dimensions: resource_id; query and resource_type; or metric_id,
 * repeatedly. */
RESULT gnocchi_find_source(struct ctx *c, const struct tables *t, struct str name,
			   const struct strs *dimensions, struct metric_source *source);
