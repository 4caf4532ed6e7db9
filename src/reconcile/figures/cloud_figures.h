/* SPDX-License-Identifier: Apache-2.0
 * Figures of machines elsewhere: an hour of a provider, in intervals of five minutes and as one sum, written to SQL like those
 * of hosts. The machines of a provider are spread over several series, so that reading one machine's months reads few others. */
#pragma once

#include "base/ctx.h"
#include "base/uuid.h"
#include "reconcile/figures/figures.h"

struct reconciler;
struct remote_metric_point;
struct cloud_figures;

#define CLOUD_FIGURES_SHORT_KEPT_US (2 * 24 * HOUR)
#define CLOUD_FIGURES_LONG_KEPT_US (396 * 24 * HOUR)

/* Begins an hour. NULL: out of memory. */
struct cloud_figures *cloud_figures_new(int64_t hour_us);
/* Frees it; ignores NULL. */
void cloud_figures_free(struct cloud_figures *f);
/* Adds the hour of one machine: REMOTE_METRIC_POINTS points. */
void cloud_figures_add(struct cloud_figures *f, uuid machine, int64_t vcpus,
		       const struct remote_metric_point *points);
/* Writes the hour. A failure is logged. */
void cloud_figures_keep(struct reconciler *r, uuid provider, struct cloud_figures *f);

/* The `host` by which reconciler_read_figures_kept() finds the machine's figures. */
uuid cloud_figures_key(uuid provider, uuid machine);
