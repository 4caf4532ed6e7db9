/* SPDX-License-Identifier: Apache-2.0
 * Explains the state of a row: since when, what blocks it, the time of the next attempt, and what to do. A row is
 * blocked by a condition, by another row that it waits for, or by its own fields. Texts are in the arena. Any
 * thread, on a view that is read. */
#pragma once

#include "store/condition.h"

struct reconciler;

struct explanation {
	struct arena *arena;
	struct reconciler *reconciler;
	const struct tables *t;
	enum kind kind;
	const struct row *row;
	/* explain_begin() finds what follows: */
	const struct condition
		*obstacle;        /* the first thing in its way; NULL: nothing, or what `because` says */
	size_t further;           /* conditions of its own besides */
	enum kind waits_for_kind; /* another resource's obstacle is its own; KIND_NONE: it is not */
	const struct row *waits_for;
	struct str because;     /* what the obstacle is, where no condition says it */
	const char *what_to_do; /* likewise; NULL: nothing is known */
};

/* Finds what is in its way; and the word of its state. */
void explain_begin(struct explanation *e);
const char *explain_state(const struct explanation *e);
/* Since when it is in its state; 0: its row does not say. */
int64_t explain_since_us(const struct explanation *e);
bool explain_is_obstructed(const struct explanation *e);
struct str explain_obstacle(const struct explanation *e);
struct str explain_next_try(const struct explanation *e);
struct str explain_advice(const struct explanation *e); /* empty: nothing */
struct str explain_time(const struct explanation *e, int64_t time_us);

/* Name of a row for people: its EC2 id, else its name, else its UUID. */
struct str explain_name_row(struct arena *a, const struct tables *t, enum kind kind, uuid id);
