/* SPDX-License-Identifier: Apache-2.0
 * Marks that hosts leave in a shared simulated directory. */
#include "drivers/sim/disk_state.h"

#include <stdio.h>

static bool is_same(const struct sim_mark *m, uuid region, const struct disk_mark *mark)
{
	return uuid_equal(m->region, region) && uuid_equal(m->host, mark->host) &&
	       str_is(mark->word, m->word);
}

static bool has_mark(const struct sim_directory *d, uuid region, const struct disk_mark *mark)
{
	for (size_t k = 0; k < d->mark_count; k++)
		if (is_same(&d->marks[k], region, mark))
			return true;
	return false;
}

static void drop_old_marks(struct sim_directory *d, uuid region, const struct disk_mark *own,
			   struct str kept_word)
{
	struct disk_mark kept = {.host = own->host, .word = kept_word};
	size_t count = 0;
	for (size_t k = 0; k < d->mark_count; k++) {
		const struct sim_mark *m = &d->marks[k];
		if (!uuid_equal(m->region, region) || !uuid_equal(m->host, own->host) ||
		    is_same(m, region, own) || is_same(m, region, &kept))
			d->marks[count++] = *m;
	}
	d->mark_count = count;
}

RESULT sim_disk_prove(struct disk_host *h, struct ctx *c, const struct disk_mark *own, struct str kept_word,
		      struct disk_marks *ret_marks)
{
	struct sim_directory *d = sim_disk_directory(h);
	struct sim_mark made = {.region = h->link.region, .host = own->host};
	if (!d)
		return ctx_fail(c, ERR_GONE, "host %s was asked to prove its own directory",
				h->link.host->name);
	if (h->is_pool) {
		*ret_marks =
			(struct disk_marks){.size = h->link.host->disk_size, .free = h->link.host->disk_size};
		return OK;
	}
	(void) snprintf(made.word, sizeof made.word, "%" STR_FMT, STR_ARG(own->word));
	drop_old_marks(d, h->link.region, own, kept_word);
	if (!has_mark(d, h->link.region, own) && !sim_add_mark(d, &made))
		return ctx_no_memory(c);
	struct disk_marks marks = {.at = arena_new_array(c->arena, struct disk_mark, d->mark_count + 1),
				   .size = h->link.host->disk_size,
				   .free = h->link.host->disk_size};
	if (!marks.at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < d->mark_count; k++)
		if (uuid_equal(d->marks[k].region, h->link.region))
			marks.at[marks.count++] =
				(struct disk_mark){.host = d->marks[k].host,
						   .word = str_copy(c->arena, str_from(d->marks[k].word))};
	*ret_marks = marks;
	return OK;
}
