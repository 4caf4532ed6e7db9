/* SPDX-License-Identifier: Apache-2.0
 * Private to reconcile/figures/: points that are added up, and the text that a host's stretch is packed into. */
#pragma once

#include "base/buf.h"
#include "drivers/compute.h"
#include "reconcile/figures/figures.h"

struct figures;
void figures_free(struct figures *f); /* NULL: nothing */

/* ---- pack.c; pure ---- */

/* What was counted between two readings of one that was not started anew in between; else since its start. */
struct figure_point figure_between(const struct compute_usage *before, int64_t before_us,
				   const struct compute_usage *after, int64_t after_us);
/* Adds what came later to a stretch; an empty one takes it over. */
void figure_add(struct figure_point *sum, const struct figure_point *next);
/* A host's text: a byte for the form, then for each the id and numbers of seven bits a byte, the lowest first. */
void figures_begin_pack(struct buf *text);
void figures_pack(struct buf *text, uuid id, const struct figure_point *p);
/* Finds one in such a text; false: it is not there, or the text is of another form. */
bool figures_unpack(struct str text, uuid id, struct figure_point *ret_point);
