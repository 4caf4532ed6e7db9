/* SPDX-License-Identifier: Apache-2.0
 * Switches a simulated guest from one disk to another: begun in one call, completed in the next. */
#include <string.h>

#include "drivers/sim/compute_state.h"

/* Searches the running guest's devices, or the definition's if it is off. */
static struct sim_device *find_device(struct sim_domain *d, const struct compute_disk *disk)
{
	for (size_t k = 0; k < d->device_count; k++) {
		struct sim_device *device = &d->devices[k];
		if ((d->is_on ? device->is_plugged : device->is_defined) &&
		    uuid_equal(device->id, disk->volume) && device->place == sim_place_of(disk))
			return device;
	}
	return NULL;
}

static struct sim_disk *find_file(struct sim_host *s, const struct compute_disk *disk)
{
	return sim_find_disk_at(s, disk->volume, sim_place_of(disk));
}

/* Like QEMU, requires a target of the same size and its key. */
static RESULT begin(struct sim_host *s, struct ctx *c, struct sim_device *device,
		    const struct compute_disk *to)
{
	const struct sim_disk *from = sim_find_disk_at(s, device->id, device->place),
			      *disk = find_file(s, to);
	if (!from || !disk || disk->size != from->size || disk->is_raw != to->is_raw ||
	    disk->key != sim_key(to->key) || disk->base[0])
		return ctx_fail(c, ERR_IO, "host %s has no such disk to copy to", s->name);
	device->becomes = to->volume;
	device->next_place = sim_place_of(to);
	return OK;
}

static void finish(struct sim_host *s, struct sim_device *device, const struct compute_disk *to)
{
	struct sim_disk *from = sim_find_disk_at(s, device->id, device->place), *disk = find_file(s, to);
	memcpy(disk->text, from->text, sizeof disk->text);
	sim_drop_tracks(from, UUID_NONE);
	device->id = to->volume;
	device->place = sim_place_of(to);
	device->becomes = UUID_NONE;
	device->is_raw = to->is_raw;
	device->key = sim_key(to->key);
}

static bool is_copied_to(const struct sim_device *device, const struct compute_disk *to)
{
	return uuid_equal(device->becomes, to->volume) && device->next_place == sim_place_of(to);
}

RESULT sim_swap_disk(struct sim_host *s, struct ctx *c, struct sim_domain *d,
		     const struct compute_swapping *wish, bool begins, enum compute_swap_stage *ret_stage)
{
	struct sim_device *device = find_device(d, wish->from);
	*ret_stage = COMPUTE_SWAP_DONE;
	if (find_device(d, wish->to))
		return OK;
	*ret_stage = COMPUTE_SWAP_NONE;
	if (!d->is_on)
		return OK;
	if (!device)
		return ctx_fail(c, ERR_NOT_FOUND, "domain %s has no such disk", d->name);
	bool is_copying = is_copied_to(device, wish->to);
	if (is_copying && s->copies_fail)
		device->becomes = UUID_NONE, is_copying = false;
	*ret_stage = is_copying || begins ? COMPUTE_SWAP_COPYING : COMPUTE_SWAP_NONE;
	if (!is_copying)
		return begins ? begin(s, c, device, wish->to) : OK;
	if (s->copies_stand_still || !sim_find_disk_at(s, device->id, device->place) ||
	    !find_file(s, wish->to))
		return OK;
	*ret_stage = COMPUTE_SWAP_DONE;
	finish(s, device, wish->to);
	sim_notify(s, d->id);
	return OK;
}

void sim_end_swap(struct sim_domain *d, const struct compute_swapping *wish)
{
	struct sim_device *device = find_device(d, wish->from);
	if (device)
		device->becomes = UUID_NONE;
}
