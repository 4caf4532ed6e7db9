/* SPDX-License-Identifier: Apache-2.0
 * Lines of history. A fail-over that loses commits leaves batches behind which processes may have shown, and whose numbers are
 * given again. The batches are a tree, and a process must show one path of it: each batch whole, never those of two lines. */
#include <string.h>

#include "history.h"

enum { PLACES_MAX = 8192, ALIKE_MAX = 32 };

static struct {
	uint64_t batch;
	int64_t epoch;
	unsigned has;
	size_t from;
} places[PLACES_MAX];
static size_t count = 1; /* the empty database */

/* Places at which each process may be, by what it has shown: lines that made the same changes look alike. */
static struct shown {
	size_t places[ALIKE_MAX], count;
} shown[PROCESSES_MAX];

/* A writer that does not know whether its commit took place sends the same batch again if a fail-over has lost it. */
size_t lines_add(size_t from, uint64_t batch, int64_t epoch, unsigned has)
{
	for (size_t k = 1; k < count; k++)
		if (places[k].from == from && places[k].epoch == epoch && places[k].has == has)
			return k;
	if (count == PLACES_MAX)
		blame("the history has too many batches");
	places[count].batch = batch;
	places[count].epoch = epoch;
	places[count].has = has;
	places[count].from = from;
	return count++;
}

static bool goes_on_from(size_t place, const struct shown *before)
{
	for (size_t at = place;; at = places[at].from) {
		for (size_t k = 0; k < before->count; k++)
			if (before->places[k] == at)
				return true;
		if (at == 0)
			return before->count == 0; /* it has shown nothing yet */
	}
}

bool lines_show(int process, uint64_t batch, unsigned has)
{
	struct shown now = {.count = 0};
	for (size_t place = 0; place < count; place++) {
		if (places[place].batch != batch || places[place].has != has ||
		    !goes_on_from(place, &shown[process]))
			continue;
		if (now.count == ALIKE_MAX)
			blame("too many lines of history are alike");
		now.places[now.count++] = place;
	}
	shown[process] = now;
	return now.count > 0;
}
