/* SPDX-License-Identifier: Apache-2.0
 * Devices plugged into simulated guests: those of the definition at the start, and changes while running. A
 * guest releases a device when asked, unless it is deaf. */
#include <string.h>

#include "base/clock.h"
#include "base/heap.h"
#include "drivers/sim/compute_state.h"

static struct sim_device *find_device(struct sim_device *at, size_t count, uuid id)
{
	for (size_t k = 0; k < count; k++)
		if (uuid_equal(at[k].id, id))
			return &at[k];
	return NULL;
}

/* Drops devices that are neither defined nor plugged. */
static void drop_devices(struct sim_domain *d)
{
	size_t kept = 0;
	for (size_t k = 0; k < d->device_count; k++)
		if (d->devices[k].is_defined || d->devices[k].is_plugged)
			d->devices[kept++] = d->devices[k];
	d->device_count = kept;
}

bool sim_define_devices(struct sim_domain *d, const struct compute_domain *w)
{
	size_t count = 0;
	struct sim_device *made =
		heap_alloc_array(w->disk_count + w->nic_count + d->device_count + 1, sizeof *made);
	if (!made)
		return false;
	for (size_t k = 0; k < w->disk_count; k++)
		made[count++] = (struct sim_device){.id = w->disks[k].volume,
						    .slot = w->disks[k].slot,
						    .defined = w->disks[k].limits,
						    .is_raw = w->disks[k].is_raw,
						    .is_shared = w->disks[k].is_shared,
						    .is_medium = w->disks[k].is_medium,
						    .place = sim_place_of(&w->disks[k]),
						    .is_defined = true};
	for (size_t k = 0; k < w->nic_count; k++)
		made[count++] = (struct sim_device){
			.id = w->nics[k].port, .slot = w->nics[k].slot, .is_nic = true, .is_defined = true};
	for (size_t k = 0; k < d->device_count; k++) {
		struct sim_device *now = find_device(made, count, d->devices[k].id);
		bool is_defined = now != NULL;
		if (!now)
			now = &made[count++];
		struct sim_device fresh = is_defined ? *now : d->devices[k];
		*now = d->devices[k];
		now->slot = fresh.slot;
		now->defined = fresh.defined;
		now->is_raw = fresh.is_raw;
		now->is_shared = fresh.is_shared;
		now->place = now->is_plugged ? now->place : fresh.place;
		now->is_defined = is_defined;
		now->is_to_leave = !is_defined && d->devices[k].is_defined;
	}
	heap_free(d->devices);
	d->devices = made;
	d->device_count = count;
	drop_devices(d);
	return true;
}

void sim_set_keys(struct sim_domain *d, const struct compute_domain *w)
{
	for (size_t k = 0; k < w->disk_count; k++) {
		struct sim_device *device = find_device(d->devices, d->device_count, w->disks[k].volume);
		if (device)
			device->key = sim_key(w->disks[k].key);
	}
}

/* A paused guest releases the device after it resumes. */
static void request_unplug(struct sim_host *s, const struct sim_domain *d, struct sim_device *device)
{
	device->is_to_leave = false;
	if (device->is_medium) {
		device->is_plugged = false;
		return;
	}
	if (device->leaves_us)
		s->hasty_count += !d->is_paused;
	if (s->is_deaf || device->leaves_us)
		return;
	int64_t takes_us = sim_draw_us(SIM_UNPLUG);
	device->is_plugged = d->is_paused || takes_us > 0;
	device->leaves_us = device->is_plugged ? clock_steady_us() + takes_us : 0;
	s->may_settle = true;
}

/* Simulates QEMU's file lock: all guests that have the file must share it. */
static RESULT check_lock(const struct sim_host *s, struct ctx *c, const struct sim_domain *d,
			 const struct sim_device *device)
{
	for (size_t k = 0; k < s->domain_count; k++) {
		const struct sim_domain *other = &s->domains[k];
		const struct sim_device *theirs =
			find_device(other->devices, other->device_count, device->id);
		bool locks = other != d && other->is_on && theirs && theirs->is_plugged &&
			     !(theirs->is_shared && device->is_shared && device->is_raw);
		if (locks)
			return ctx_fail(c, ERR_IO, "a disk of domain %s is locked by domain %s", d->name,
					other->name);
	}
	return OK;
}

static RESULT check_disk(struct sim_host *s, struct ctx *c, const struct sim_domain *d,
			 const struct sim_device *device)
{
	char text[UUID_TEXT_SIZE];
	const struct sim_disk *disk = device->is_nic ? NULL : sim_find_disk_at(s, device->id, device->place);
	if (device->is_nic)
		return OK;
	TRY(check_lock(s, c, d, device));
	if (disk && disk->key == device->key && disk->is_raw == device->is_raw)
		return OK;
	if (disk)
		return ctx_fail(c, ERR_IO, "the disk %s of domain %s does not open with that key",
				uuid_write(device->id, text), d->name);
	return ctx_fail(c, ERR_IO, "host %s has no disk %s for domain %s", s->name,
			uuid_write(device->id, text), d->name);
}

/* Requests unplugs before plugging, like the libvirt driver. */
RESULT sim_plug_devices(struct sim_host *s, struct ctx *c, struct sim_domain *d, bool asks_again)
{
	size_t count = d->device_count;
	for (size_t k = 0; k < count; k++)
		if (!d->devices[k].is_defined && (asks_again || d->devices[k].is_to_leave))
			request_unplug(s, d, &d->devices[k]);
	drop_devices(d);
	if (d->device_count < count)
		sim_notify(s, d->id);
	for (size_t k = 0; k < d->device_count; k++) {
		struct sim_device *device = &d->devices[k];
		if (!device->is_defined)
			continue;
		device->applied = device->defined;
		if (device->is_plugged && !device->leaves_us)
			continue;
		TRY(check_disk(s, c, d, device));
		device->is_plugged = true;
		device->leaves_us = 0;
	}
	return OK;
}

RESULT sim_start_devices(struct sim_host *s, struct ctx *c, struct sim_domain *d)
{
	for (size_t k = 0; k < d->device_count; k++)
		TRY(check_disk(s, c, d, &d->devices[k]));
	for (size_t k = 0; k < d->device_count; k++)
		d->devices[k].is_plugged = true;
	for (size_t k = 0; k < d->device_count; k++)
		d->devices[k].applied = d->devices[k].defined;
	return OK;
}

void sim_stop_devices(struct sim_domain *d)
{
	for (size_t k = 0; k < d->device_count; k++) {
		d->devices[k].is_plugged = false;
		d->devices[k].leaves_us = 0;
		d->devices[k].becomes = UUID_NONE;
	}
	drop_devices(d);
}

bool sim_settle_devices(struct sim_domain *d)
{
	size_t count = d->device_count;
	for (size_t k = 0; k < count && !d->is_paused; k++) {
		struct sim_device *device = &d->devices[k];
		if (!device->leaves_us || device->leaves_us > clock_steady_us())
			continue;
		device->is_plugged = false;
		device->leaves_us = 0;
	}
	drop_devices(d);
	return d->device_count < count;
}

bool sim_has_leaving_devices(const struct sim_domain *d)
{
	for (size_t k = 0; k < d->device_count; k++)
		if (d->devices[k].leaves_us)
			return true;
	return false;
}

bool sim_has_limits(const struct sim_domain *d, const struct compute_domain *w)
{
	for (size_t k = 0; k < w->disk_count; k++) {
		const struct sim_device *has = find_device(d->devices, d->device_count, w->disks[k].volume);
		const struct disk_limits *limits = has && d->is_on ? &has->applied
						   : has           ? &has->defined
								   : NULL;
		if (limits && memcmp(limits, &w->disks[k].limits, sizeof *limits) != 0)
			return false;
	}
	return true;
}

bool sim_has_plugged(const struct sim_domain *d, uuid id)
{
	const struct sim_device *device = find_device(d->devices, d->device_count, id);
	return device && device->is_plugged;
}

RESULT sim_list_devices(struct ctx *c, const struct sim_domain *d, struct uuids *ret_volumes,
			struct uuids *ret_ports)
{
	uuid *volumes = arena_new_array(c->arena, uuid, d->device_count + 1);
	uuid *ports = arena_new_array(c->arena, uuid, d->device_count + 1);
	size_t volume_count = 0, port_count = 0;
	if (!volumes || !ports)
		return ctx_no_memory(c);
	for (size_t k = 0; k < d->device_count; k++) {
		const struct sim_device *device = &d->devices[k];
		if (!(d->is_on ? device->is_plugged : device->is_defined))
			continue;
		if (device->is_nic)
			ports[port_count++] = device->id;
		else
			volumes[volume_count++] = device->id;
	}
	*ret_volumes = (struct uuids){volumes, volume_count};
	*ret_ports = (struct uuids){ports, port_count};
	return OK;
}
