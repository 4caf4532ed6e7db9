/* SPDX-License-Identifier: Apache-2.0
 * Simulated snapshots: a disk's content at one moment, or its changes since another snapshot. */
#include "drivers/sim/disk_state.h"

#include <unistd.h>

enum { CUT_LOOKS = 3 }; /* looks until a running guest's copy is complete */

/* Finds a usable bitmap for an incremental cut; NULL: none. */
static const struct sim_track *find_usable_track(struct sim_disk *volume, const struct disk_cut *cut)
{
	AUTO_FD content = sim_disk_open_content(cut->volume);
	const struct sim_track *track =
		cut->takes_increment && content < 0 ? sim_find_track(volume, cut->tracked_from) : NULL;
	return track && !track->is_spoilt ? track : NULL;
}

/* Records the volume's current content; the cut counts as complete only after end_cut(). */
static RESULT make_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut, bool by_qemu)
{
	struct disk_name name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct sim_disk *made = sim_disk_find(h, &name);
	if (!made)
		TRY(sim_disk_add(h, c, &name, &made));
	struct sim_disk *volume =
		sim_disk_find(h, &(struct disk_name){.kind = DISK_VOLUME, .id = cut->volume});
	made->size = volume->size;
	made->cut_of = cut->volume;
	made->is_partial = true;
	made->key = volume->key;
	made->since = UUID_NONE;
	made->moment = UUID_NONE;
	memcpy(made->text, volume->text, sizeof made->text);
	if (!by_qemu)
		return OK;
	const struct sim_track *track = find_usable_track(volume, cut);
	made->since = track ? track->from : UUID_NONE;
	made->is_changed = track && track->is_changed;
	if (cut->is_passing)
		return OK;
	sim_drop_tracks(volume, made->since);
	sim_add_track(volume, cut->snapshot);
	return OK;
}

static RESULT end_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut, bool by_qemu,
		      struct disk_cut_seen *seen)
{
	struct sim_disk *made = sim_disk_find(h, &(struct disk_name){.kind = DISK_CUT, .id = cut->snapshot});
	struct sim_disk *volume =
		sim_disk_find(h, &(struct disk_name){.kind = DISK_VOLUME, .id = cut->volume});
	if (!made)
		return ctx_fail(c, ERR_IO, "the cut of a disk of host %s failed", h->link.host->name);
	bool is_tracked = by_qemu && !cut->is_passing;
	if (is_tracked) {
		sim_drop_tracks(volume, cut->snapshot);
		volume->tracks[0].is_stored = !sim_disk_find_user(h, cut->volume);
	}
	made->is_partial = false;
	h->link.host->increment_count += !uuid_is_none(made->since);
	*seen = (struct disk_cut_seen){.is_whole = true,
				       .progress = 100,
				       .is_tracked = is_tracked,
				       .is_increment = !uuid_is_none(made->since),
				       .moment = made->moment};
	return OK;
}

/* An increment is useless if its base is no longer available. */
static bool is_unusable(struct disk_host *h, const struct disk_cut *cut)
{
	const struct sim_disk *made =
		sim_disk_find(h, &(struct disk_name){.kind = DISK_CUT, .id = cut->snapshot});
	bool fits = made && cut->takes_increment && uuid_equal(made->since, cut->tracked_from);
	return made && !uuid_is_none(made->since) && !fits;
}

/* Copies several disks by one job, each with its content of this moment. */
static RESULT make_group(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			 const struct sim_domain *user)
{
	size_t count = 0;
	for (size_t k = 0; k < cut->other_count; k++) {
		const struct disk_cut *other = &cut->others[k];
		struct sim_disk *volume =
			sim_disk_find(h, &(struct disk_name){.kind = DISK_VOLUME, .id = other->volume});
		if (!volume || volume->is_partial || sim_disk_find_user(h, other->volume) != user)
			continue;
		TRY(make_cut(h, c, other, true));
		sim_disk_find(h, &(struct disk_name){.kind = DISK_CUT, .id = other->snapshot})->moment =
			cut->snapshot;
		count++;
	}
	struct sim_disk *own = sim_disk_find(h, &(struct disk_name){.kind = DISK_CUT, .id = cut->snapshot});
	own->moment = count ? cut->snapshot : UUID_NONE;
	return OK;
}

/* True if the cut was begun by the job of another disk. */
static bool is_of_group(struct disk_host *h, const struct disk_cut *cut)
{
	const struct sim_disk *made =
		sim_disk_find(h, &(struct disk_name){.kind = DISK_CUT, .id = cut->snapshot});
	return made && made->is_partial && !uuid_is_none(made->moment) &&
	       !uuid_equal(made->moment, cut->snapshot) && !is_unusable(h, cut);
}

static RESULT cut_running(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			  struct sim_domain *user, struct disk_cut_seen *seen)
{
	if (is_of_group(h, cut))
		return end_cut(h, c, cut, true, seen);
	if (uuid_equal(user->backup, cut->snapshot) && is_unusable(h, cut))
		user->backup = UUID_NONE;
	if (uuid_is_none(user->backup)) {
		TRY(make_cut(h, c, cut, true));
		TRY(make_group(h, c, cut, user));
		user->backup = cut->snapshot;
		user->backup_looks = 0;
	} else if (uuid_equal(user->backup, cut->snapshot)) {
		seen->progress = ++user->backup_looks * 100 / CUT_LOOKS;
	}
	if (seen->progress < 100)
		return OK;
	user->backup = UUID_NONE;
	return end_cut(h, c, cut, true, seen);
}

/* Uses QEMU where a plain copy can't decrypt, or has no bitmaps. */
static RESULT cut_resting(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			  struct disk_cut_seen *seen)
{
	bool by_qemu = cut->key || !uuid_is_none(cut->tracked_from);
	TRY(make_cut(h, c, cut, by_qemu));
	return end_cut(h, c, cut, by_qemu, seen);
}

/* Fails if a running guest could write during the copy. */
static RESULT check_stand_still(const struct sim_host *s, struct ctx *c, uuid volume)
{
	for (size_t k = 0; k < s->domain_count; k++) {
		const struct sim_domain *d = &s->domains[k];
		if (d->is_on && !d->is_paused && sim_has_plugged(d, volume))
			return ctx_fail(c, ERR_IN_USE, "the guest of domain %s has the disk and runs on",
					d->name);
	}
	return OK;
}

static RESULT copy_still(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
			 struct disk_cut_seen *ret_seen)
{
	struct disk_name name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct disk_name from = sim_disk_name(cut->volume, true);
	struct sim_disk *made = sim_disk_find(h, &name);
	const struct sim_disk *volume = sim_disk_find(h, &from);
	if (!volume || volume->is_partial)
		return ctx_fail(c, ERR_NOT_FOUND, "a volume's disk is missing on the host %s",
				h->link.host->name);
	TRY(check_stand_still(h->link.host, c, cut->volume));
	if (!made)
		TRY(sim_disk_add(h, c, &name, &made));
	volume = sim_disk_find(h, &from);
	made->size = volume->size;
	made->is_partial = true;
	memcpy(made->text, volume->text, sizeof made->text);
	*ret_seen = (struct disk_cut_seen){.is_copied = true, .progress = 50, .size = volume->size};
	return OK;
}

static RESULT cut_raw(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		      struct disk_cut_seen *ret_seen)
{
	struct disk_name name = {.kind = DISK_CUT, .id = cut->snapshot};
	struct sim_disk *made = sim_disk_find(h, &name);
	if (!cut->is_copied)
		return copy_still(h, c, cut, ret_seen);
	if (!made)
		return ctx_fail(c, ERR_NOT_FOUND, "a copy is missing on the host %s", h->link.host->name);
	made->is_partial = false;
	*ret_seen = (struct disk_cut_seen){
		.is_whole = true, .is_copied = true, .progress = 100, .size = made->size};
	return OK;
}

RESULT sim_disk_cut(struct disk_host *h, struct ctx *c, const struct disk_cut *cut,
		    struct disk_cut_seen *ret_seen)
{
	if (cut->is_raw)
		return cut_raw(h, c, cut, ret_seen);
	const struct sim_host *s = h->link.host;
	char id[UUID_TEXT_SIZE];
	struct disk_cut_seen seen = {0};
	TRY(sim_disk_ask(h, c, sim_disk_find_user(h, cut->volume)));
	const struct sim_disk *volume =
		sim_disk_find(h, &(struct disk_name){.kind = DISK_VOLUME, .id = cut->volume});
	if (!volume || volume->is_partial)
		return ctx_fail(c, ERR_NOT_FOUND, "the disk of volume %s is missing on the host %s",
				uuid_write(cut->volume, id), s->name);
	if (volume->key != sim_key(cut->key))
		return ctx_fail(c, ERR_IO, "the disk of volume %s does not open with that key",
				uuid_write(cut->volume, id));
	int64_t size = volume->size;
	struct sim_domain *user = sim_disk_find_user(h, cut->volume);
	TRY(user ? cut_running(h, c, cut, user, &seen) : cut_resting(h, c, cut, &seen));
	seen.size = size;
	*ret_seen = seen;
	return OK;
}
