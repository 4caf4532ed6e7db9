/* SPDX-License-Identifier: Apache-2.0
 * Live migration between simulated hosts. As with libvirt, only blocks written above a disk's base are
 * copied: an existing file at the target keeps its other content. At most one host's lock is held at a
 * time. */
#include "base/clock.h"
#include "base/heap.h"
#include "drivers/sim/compute_state.h"

enum { PIECES = 10, STUCK_AT = 4, PAUSE_MS = 300 };
static const int64_t LOOK_US =
	300 * MILLISECOND; /* interval at which the caller decides whether to continue */
static const int64_t DISK_SIZE = 10 << 20;

/* ---- looking */

static RESULT see_end_inside(struct compute_host *h, struct ctx *c, uuid id,
			     struct compute_end_seen *ret_seen)
{
	const struct sim_domain *d = sim_find_domain(h->host, id);
	char text[UUID_TEXT_SIZE];
	*ret_seen = (struct compute_end_seen){.end = COMPUTE_END_ABSENT};
	if (d && !uuid_equal(d->region, h->region))
		return ctx_fail(c, ERR_CONFLICT, "host %s has a domain %s that this region did not make",
				h->host->name, uuid_write(id, text));
	if (d) {
		ret_seen->end = !d->is_on    ? COMPUTE_END_OFF
				: d->is_held ? COMPUTE_END_HELD
					     : COMPUTE_END_RUNS;
		ret_seen->is_unsent = d->is_held && d->is_unsent;
	}
	return OK;
}

RESULT sim_see_end(struct compute_host *h, struct ctx *c, uuid id, struct compute_end_seen *ret_seen)
{
	SIM_CALL(h, see_end_inside, id, ret_seen);
}

/* ---- what is carried */

struct carried {
	struct sim_domain domain; /* with its own copies of owned memory */
	struct sim_disk *disks;   /* owned */
	size_t disk_count;
};

static void *copy_bytes(const void *p, size_t size)
{
	void *copy = p && size ? heap_alloc(size) : NULL;
	if (copy)
		memcpy(copy, p, size);
	return copy;
}

static void drop_carried(struct carried *carried)
{
	heap_free(carried->domain.devices);
	heap_free(carried->domain.manifest);
	heap_free(carried->domain.drive);
	heap_free(carried->domain.variables);
	heap_free(carried->disks);
	*carried = (struct carried){0};
}

static bool copy_domain(const struct sim_domain *d, struct sim_domain *copy)
{
	*copy = *d;
	copy->consoles[0] = copy->consoles[1] = 0;
	copy->backup = UUID_NONE;
	copy->devices = copy_bytes(d->devices, d->device_count * sizeof *d->devices);
	copy->manifest = copy_bytes(d->manifest, d->manifest ? strlen(d->manifest) + 1 : 0);
	copy->drive = copy_bytes(d->drive, d->drive ? strlen(d->drive) + 1 : 0);
	copy->variables = copy_bytes(d->variables, d->variables_size);
	return !d->devices == !copy->devices && !d->manifest == !copy->manifest &&
	       !d->drive == !copy->drive && !d->variables == !copy->variables;
}

/* On the source host. */
static RESULT pick_up(struct compute_host *h, struct ctx *c, const struct compute_migration *journey,
		      struct carried *ret_carried)
{
	struct sim_host *s = h->host;
	const struct sim_domain *d = sim_find_domain(s, journey->domain->id);
	if (!d || !d->is_on)
		return ctx_fail(c, ERR_STATE, "the guest does not run on host %s", s->name);
	ret_carried->disks = heap_alloc((d->device_count + 1) * sizeof *ret_carried->disks);
	if (!ret_carried->disks || !copy_domain(d, &ret_carried->domain))
		return ctx_no_memory(c);
	for (size_t k = 0; k < d->device_count; k++) {
		const struct sim_disk *disk =
			d->devices[k].is_nic || !d->devices[k].is_plugged
				? NULL
				: sim_find_disk_at(s, d->devices[k].id, d->devices[k].place);
		if (disk)
			ret_carried->disks[ret_carried->disk_count++] = *disk;
	}
	return OK;
}

static const char *find_base_text(const struct sim_host *s, const struct sim_disk *disk)
{
	for (size_t k = 0; k < s->disk_count; k++)
		if (s->disks[k].kind == DISK_BASE && disk->base[0] &&
		    strcmp(s->disks[k].digest, disk->base) == 0)
			return s->disks[k].text;
	return "";
}

/* On the target host. */
static RESULT bring_disks(struct compute_host *h, struct ctx *c, const struct carried *carried, bool half)
{
	struct sim_host *s = h->host;
	for (size_t k = 0; k < carried->disk_count; k++) {
		const struct sim_disk *from = &carried->disks[k];
		struct sim_disk *to = sim_find_disk(s, from->volume);
		if (to && to->is_apart && from->is_apart)
			continue; /* the same shared file */
		if (!to || to->size != from->size || strcmp(to->base, from->base) != 0 ||
		    to->key != from->key)
			return ctx_fail(c, ERR_UNSUPPORTED,
					"host %s has no file for a disk of the guest, or another one",
					s->name);
		if (half)
			memcpy(to->text, "half of it", sizeof "half of it");
		else if (strcmp(from->text, find_base_text(s, from)) != 0)
			memcpy(to->text, from->text, sizeof to->text);
	}
	return OK;
}

static RESULT put_down(struct compute_host *h, struct ctx *c, struct carried *carried, bool is_held)
{
	struct sim_host *s = h->host;
	TRY(bring_disks(h, c, carried, is_held));
	struct sim_domain *more = heap_resize(s->domains, (s->domain_count + 1) * sizeof *more);
	if (!more)
		return ctx_no_memory(c);
	s->domains = more;
	more[s->domain_count] = carried->domain;
	more[s->domain_count].is_held = is_held;
	s->domain_count++;
	s->may_settle = true; /* the guest may have been asked to release a device before it left */
	carried->domain = (struct sim_domain){0};
	sim_notify(s, more[s->domain_count - 1].id);
	return OK;
}

/* ---- how it goes */

static RESULT arrive(struct compute_host *h, struct ctx *c, struct carried *carried, bool is_held)
{
	SIM_CALL(h, put_down, carried, is_held);
}

static RESULT spoil(struct compute_host *h, struct ctx *c, const struct carried *carried)
{
	SIM_CALL(h, bring_disks, carried, true);
}

static RESULT begin_inside(struct compute_host *h, struct ctx *c, const struct compute_migration *journey,
			   struct carried *ret_carried, enum sim_break *ret_breaks)
{
	*ret_breaks = h->host->breaks;
	h->host->breaks = SIM_BREAK_NONE;
	return pick_up(h, c, journey, ret_carried);
}

static RESULT begin(struct compute_host *h, struct ctx *c, const struct compute_migration *journey,
		    struct carried *ret_carried, enum sim_break *ret_breaks)
{
	SIM_CALL(h, begin_inside, journey, ret_carried, ret_breaks);
}

/* On the source host: the guest is gone, paused or crashed. */
static RESULT leave_inside(struct compute_host *h, struct ctx *c, uuid id, enum sim_break breaks)
{
	struct sim_domain *d = sim_find_domain(h->host, id);
	(void) c;
	if (!d)
		return OK;
	if (breaks == SIM_BREAK_HELD || breaks == SIM_BREAK_DOUBLE || breaks == SIM_BREAK_STILL) {
		d->is_held = true;
		d->is_unsent = breaks == SIM_BREAK_STILL;
	} else if (breaks == SIM_BREAK_CRASH)
		sim_power_off(h->host, d, COMPUTE_OFF_CRASHED);
	else
		sim_remove_domain(h->host, d);
	sim_notify(h->host, id);
	return OK;
}

static RESULT leave(struct compute_host *h, struct ctx *c, uuid id, enum sim_break breaks)
{
	SIM_CALL(h, leave_inside, id, breaks);
}

static RESULT lose_both(struct compute_host *h, struct ctx *c, struct compute_host *to)
{
	h->is_lost = to->is_lost = true;
	return ctx_fail(c, ERR_GONE, "the connections to the hosts were lost while a guest was sent");
}

static RESULT break_off(struct compute_host *h, struct ctx *c, const struct compute_migration *journey,
			struct carried *carried, enum sim_break breaks)
{
	uuid id = journey->domain->id;
	if (breaks == SIM_BREAK_HELD || breaks == SIM_BREAK_DOUBLE || breaks == SIM_BREAK_STILL ||
	    breaks == SIM_BREAK_CRASH)
		TRY(leave(h, c, id, breaks));
	if (breaks == SIM_BREAK_LEFTOVER || breaks == SIM_BREAK_DOUBLE)
		TRY(arrive(journey->to, c, carried, breaks == SIM_BREAK_LEFTOVER));
	else
		TRY(spoil(journey->to, c, carried));
	if (breaks == SIM_BREAK_REFUSED)
		return ctx_fail(c, ERR_IO, "simulated: the target does not take the guest");
	if (breaks == SIM_BREAK_STUCK || breaks == SIM_BREAK_STILL)
		return ctx_fail(c, ERR_TIMEOUT, "nothing was sent for some time");
	if (breaks == SIM_BREAK_CRASH)
		return ctx_fail(c, ERR_IO, "simulated: the guest ended while it was sent");
	return lose_both(h, c, journey->to);
}

/* The duration of one piece: the configured pace, extended by the wish's rate limit if there is one, so that
 * behaviour with slow transfers can be watched. SIM_AT_ONCE ignores the rate. */
static int64_t piece_us(const struct compute_migration *journey, const struct compute_sent *sent)
{
	int64_t paced_us = sim_draw_us(SIM_SEND);
	int64_t piece = (sent->memory_size + sent->disk_size) / PIECES;
	int64_t rated_us = journey->rate ? (piece >> 20) * SECOND / journey->rate : 0;
	return paced_us && rated_us > paced_us ? rated_us : paced_us;
}

/* False: the transfer has to end. */
static bool take_piece(const struct compute_migration *journey, const struct compute_sent *sent,
		       bool *ret_hastens)
{
	int64_t left_us = *ret_hastens ? 0 : piece_us(journey, sent);
	do {
		int64_t pass_us = left_us < LOOK_US ? left_us : LOOK_US;
		if (pass_us)
			clock_sleep_us(pass_us);
		left_us -= pass_us;
		if (!journey->goes_on(journey->arg, sent, ret_hastens))
			return false;
	} while (left_us > 0 && !*ret_hastens);
	return true;
}

static RESULT carry(struct compute_host *h, struct ctx *c, const struct compute_migration *journey,
		    struct carried *carried, enum sim_break breaks)
{
	struct compute_sent sent = {.memory_size = carried->domain.memory,
				    .pause_limit_ms = PAUSE_MS,
				    .disk_size = DISK_SIZE * (int64_t) carried->disk_count};
	bool hastens = false;
	for (int k = 1; k <= PIECES; k++) {
		sent.memory_done = sent.memory_size * k / PIECES;
		sent.disk_done = sent.disk_size * k / PIECES;
		sent.memory_left = sent.memory_size - sent.memory_done;
		sent.disk_left = sent.disk_size - sent.disk_done;
		if (!take_piece(journey, &sent, &hastens)) {
			TRY(spoil(journey->to, c, carried));
			return ctx_fail(c, ERR_AGAIN, "the move was ended");
		}
		if (k == STUCK_AT && breaks != SIM_BREAK_NONE && breaks != SIM_BREAK_UNSAID)
			return break_off(h, c, journey, carried, breaks);
	}
	TRY(leave(h, c, journey->domain->id, SIM_BREAK_HELD));
	TRY(arrive(journey->to, c, carried, false));
	TRY(leave(h, c, journey->domain->id, SIM_BREAK_NONE));
	return breaks == SIM_BREAK_UNSAID ? lose_both(h, c, journey->to) : OK;
}

RESULT sim_send(struct compute_host *h, struct ctx *c, struct compute_migration *journey)
{
	struct carried carried = {0};
	enum sim_break breaks = SIM_BREAK_NONE;
	struct result result = begin(h, c, journey, &carried, &breaks);
	if (result_is_ok(result))
		result = carry(h, c, journey, &carried, breaks);
	journey->pause_ms = result_is_ok(result) ? PAUSE_MS : 0;
	drop_carried(&carried);
	return result;
}
