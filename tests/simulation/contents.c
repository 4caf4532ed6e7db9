/* SPDX-License-Identifier: Apache-2.0
 * Data that guests write, and their snapshots. A completed snapshot must contain the last write before its
 * request, or a later write. Each write is identified by its time. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "drivers/sim/compute_state.h"
#include "simulation.h"
#include "store/host.h"
#include "store/snapshot.h"
#include "store/volume.h"

/* Picks a volume of a running guest: nobody else writes. */
static bool pick_volume(struct simulation *s, struct volume *ret_volume, struct str *ret_host)
{
	struct cloud *c = s->region.cloud;
	uint64_t count = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct volume *v = volume_first(view.tables); v; v = volume_next(view.tables, v)) {
		const struct host *h = host_find(view.tables, v->seen_host);
		if (h && sim_compute_has_plugged(h->name, v->seen_instance, v->row.id) &&
		    random_below(++count) == 0) {
			*ret_volume = *v;
			*ret_host = str_copy(c->arena, h->name);
		}
	}
	return count > 0;
}

void contents_write(struct simulation *s)
{
	struct volume v = {0};
	struct str host = STR_NONE;
	char text[24], id[UUID_TEXT_SIZE];
	if (s->writing_count == WRITINGS_MAX || !pick_volume(s, &v, &host))
		return;
	int64_t now_us = clock_now_us();
	tell(s, "a guest writes on volume %s", uuid_write(v.row.id, id));
	(void) snprintf(text, sizeof text, "%lld", (long long) now_us);
	sim_compute_write_disk(host, v.row.id, text);
	s->writings[s->writing_count++] = (struct writing){v.row.id, now_us};
}

static int64_t read_time(struct simulation *s, const struct snapshot *row)
{
	struct cloud *c = s->region.cloud;
	char text[SIM_TEXT_SIZE] = "", id[UUID_TEXT_SIZE];
	struct str path =
		str_print(c->arena, "%s/images/%" STR_FMT ".qcow2", c->directory, STR_ARG(row->sha256));
	FILE *f = fopen(path.p, "r");
	bool is_read =
		f && fseek(f, SIM_TEXT_AT, SEEK_SET) == 0 && fread(text, 1, sizeof text, f) == sizeof text;
	if (f)
		(void) fclose(f);
	if (!is_read)
		blame(s, "the file of snapshot %s is not there", uuid_write(row->row.id, id));
	return strtoll(text, NULL, 10);
}

static void check_snapshot(struct simulation *s, const struct snapshot *row)
{
	char id[UUID_TEXT_SIZE];
	int64_t before_us = -1, has_us = read_time(s, row);
	bool is_later = false;
	for (size_t k = 0; k < s->writing_count; k++) {
		const struct writing *w = &s->writings[k];
		if (!uuid_equal(w->volume, row->volume))
			continue;
		if (w->us < row->row.created_us)
			before_us = w->us;
		else
			is_later = is_later || w->us == has_us;
	}
	if (before_us >= 0 && has_us != before_us && !is_later)
		blame(s, "snapshot %s has what was written at %lld, not at %lld", uuid_write(row->row.id, id),
		      (long long) has_us, (long long) before_us);
}

/* True if the volume was not recreated since the write. */
static bool is_as_written(const struct volume *v)
{
	return v && v->reverts == 0;
}

void contents_check(struct simulation *s)
{
	AUTO_VIEW view = {0};
	view_open(s->region.cloud->store, &view);
	for (const struct snapshot *row = snapshot_first(view.tables); row;
	     row = snapshot_next(view.tables, row))
		if (row_is_live(&row->row) && row->seen_stage == SNAPSHOT_SEEN_STAGE_KEPT &&
		    is_as_written(volume_find(view.tables, row->volume)))
			check_snapshot(s, row);
}
