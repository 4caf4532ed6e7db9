/* SPDX-License-Identifier: Apache-2.0
 * A simulated disk's dirty bitmaps: for each cut's snapshot, whether anything was written since. Like QEMU's,
 * they are stored in the volume's file and deleted with it. A crash spoils the bitmaps stored in the file at
 * the guest's start, and loses those added later. A spoilt bitmap prevents growing. */
#include <stdio.h>

#include "drivers/sim/compute_state.h"

struct sim_track *sim_find_track(struct sim_disk *d, uuid from)
{
	for (size_t k = 0; k < d->track_count; k++)
		if (!uuid_is_none(from) && uuid_equal(d->tracks[k].from, from))
			return &d->tracks[k];
	return NULL;
}

void sim_drop_tracks(struct sim_disk *d, uuid keep)
{
	const struct sim_track *kept = sim_find_track(d, keep);
	d->tracks[0] = kept ? *kept : (struct sim_track){0};
	d->track_count = kept ? 1 : 0;
}

void sim_add_track(struct sim_disk *d, uuid from)
{
	if (d->track_count < SIM_TRACKS)
		d->tracks[d->track_count++] = (struct sim_track){.from = from};
}

bool sim_has_spoilt_track(const struct sim_disk *d)
{
	for (size_t k = 0; k < d->track_count; k++)
		if (d->tracks[k].is_spoilt)
			return true;
	return false;
}

void sim_write(struct sim_disk *d, const char *text)
{
	(void) snprintf(d->text, sizeof d->text, "%s", text);
	for (size_t k = 0; k < d->track_count; k++)
		d->tracks[k].is_changed = true;
}

/* half: the snapshot whose unfinished cut ends with its guest. */
static void end_tracks(struct sim_disk *d, uuid half, bool crashes)
{
	if (sim_find_track(d, half))
		d->track_count--; /* the newest bitmap belongs to it */
	bool stays = d->track_count > 0 && (!crashes || d->tracks[0].is_stored);
	sim_drop_tracks(d, stays ? d->tracks[0].from : UUID_NONE);
	d->tracks[0].is_stored = stays;
	d->tracks[0].is_spoilt = stays && (crashes || d->tracks[0].is_spoilt);
}

void sim_end_tracks(struct sim_host *s, const struct sim_domain *d, bool crashes)
{
	for (size_t k = 0; k < d->device_count; k++) {
		const struct sim_device *device = &d->devices[k];
		struct sim_disk *disk = device->is_nic || !device->is_plugged
						? NULL
						: sim_find_disk_at(s, device->id, device->place);
		if (disk && disk->track_count)
			end_tracks(disk, d->backup, crashes);
	}
}
