/* SPDX-License-Identifier: Apache-2.0
 * A simulated guest that goes over from one disk to another: begun in one call, done in the next. */
#include <string.h>

#include "drivers/sim/compute_state.h"

static struct sim_device *find_plugged(struct sim_domain *d, uuid volume)
{
	for (size_t k = 0; k < d->device_count; k++)
		if (d->devices[k].is_plugged && uuid_equal(d->devices[k].id, volume))
			return &d->devices[k];
	return NULL;
}

/* As QEMU does, which copies onto what is as large, and opens it with its key. */
static RESULT begin(struct sim_host *s, struct ctx *c, struct sim_device *device,
		    const struct compute_disk *to)
{
	const struct sim_disk *from = sim_find_disk(s, device->id), *disk = sim_find_disk(s, to->volume);
	if (!from || !disk || disk->size != from->size || disk->is_raw != to->is_raw ||
	    disk->key != sim_key(to->key) || disk->base[0])
		return ctx_fail(c, ERR_IO, "host %s has no such disk to copy to", s->name);
	device->becomes = to->volume;
	return OK;
}

static void finish(struct sim_host *s, struct sim_device *device, const struct compute_disk *to)
{
	struct sim_disk *from = sim_find_disk(s, device->id), *disk = sim_find_disk(s, to->volume);
	memcpy(disk->text, from->text, sizeof disk->text);
	sim_drop_tracks(from, UUID_NONE);
	device->id = to->volume;
	device->becomes = UUID_NONE;
	device->is_raw = to->is_raw;
	device->key = sim_key(to->key);
}

RESULT sim_swap_disk(struct sim_host *s, struct ctx *c, struct sim_domain *d,
		     const struct compute_swapping *wish, bool begins, enum compute_swap_stage *ret_stage)
{
	struct sim_device *device = find_plugged(d, wish->from->volume);
	*ret_stage = COMPUTE_SWAP_DONE;
	if (find_plugged(d, wish->to->volume))
		return OK;
	if (!device)
		return ctx_fail(c, ERR_NOT_FOUND, "domain %s has no such disk", d->name);
	bool is_copying = uuid_equal(device->becomes, wish->to->volume);
	if (is_copying && s->copies_fail)
		device->becomes = UUID_NONE, is_copying = false;
	*ret_stage = is_copying || begins ? COMPUTE_SWAP_COPYING : COMPUTE_SWAP_NONE;
	if (!is_copying)
		return begins ? begin(s, c, device, wish->to) : OK;
	if (s->copies_stand_still || !sim_find_disk(s, device->id) || !sim_find_disk(s, wish->to->volume))
		return OK;
	*ret_stage = COMPUTE_SWAP_DONE;
	finish(s, device, wish->to);
	sim_notify(s, d->id);
	return OK;
}

void sim_end_swap(struct sim_domain *d, const struct compute_swapping *wish)
{
	struct sim_device *device = find_plugged(d, wish->from->volume);
	if (device)
		device->becomes = UUID_NONE;
}
