/* SPDX-License-Identifier: Apache-2.0
 * Walks the log once, tracking the level of each running guest and product. */
#include "metering/software_use.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"

enum { RUNS_FIRST = 64, CORES_OF_SOCKET = 8, CORES_OF_HOST = 16 };

/* A guest using a product. */
struct software_run {
	uuid id, host;
	struct software_line *line;
	int64_t level;  /* 0: off */
	int64_t from_s; /* counted up to this time */
	/* A run for begun hours: vCPUs, start, and end once it is off. It continues if the guest is on again
	 * in the same second, e.g. on another host. */
	int64_t run_level, since_s, off_s;
	unsigned counted; /* bit set of bands in which this guest has been counted */
};

RESULT software_use_begin(struct ctx *c, struct month month, int64_t now_s, struct software_use *ret_use)
{
	*ret_use = (struct software_use){.arena = c->arena,
					 .month = month,
					 .until_s = now_s < month.until_s ? now_s : month.until_s,
					 .run_room = RUNS_FIRST};
	ret_use->runs = arena_new_array(c->arena, struct software_run, RUNS_FIRST);
	return ret_use->runs ? OK : ctx_no_memory(c);
}

/* ---- finding ---- */

static struct software_run *slot_of(struct software_run *runs, size_t room, uuid id,
				    const struct software_line *line)
{
	uint64_t halves[2];
	memcpy(halves, &id, sizeof halves);
	size_t at =
		(size_t) hash_add(hash_add(hash_mix(halves[0]), halves[1]), (uintptr_t) line) & (room - 1);
	while (runs[at].line && (runs[at].line != line || !uuid_equal(runs[at].id, id)))
		at = (at + 1) & (room - 1);
	return &runs[at];
}

static RESULT grow(struct software_use *u, struct ctx *c)
{
	struct software_run *more = arena_new_array(u->arena, struct software_run, u->run_room * 2);
	if (!more)
		return ctx_no_memory(c);
	for (size_t k = 0; k < u->run_room; k++)
		if (u->runs[k].line)
			*slot_of(more, u->run_room * 2, u->runs[k].id, u->runs[k].line) = u->runs[k];
	u->runs = more;
	u->run_room *= 2;
	return OK;
}

static RESULT find_run(struct software_use *u, struct ctx *c, uuid id, struct software_line *line,
		       struct software_run **ret_run)
{
	if (u->run_count * 2 >= u->run_room)
		TRY(grow(u, c));
	struct software_run *run = slot_of(u->runs, u->run_room, id, line);
	if (!run->line) {
		*run = (struct software_run){.id = id, .line = line};
		u->run_count++;
	}
	*ret_run = run;
	return OK;
}

static RESULT find_line(struct software_use *u, struct ctx *c, uuid account, struct licence licence,
			struct software_line **ret_line)
{
	for (size_t k = 0; k < u->lines.count; k++) {
		struct software_line *l = u->lines.at[k];
		if (uuid_equal(l->account, account) && l->source == licence.source &&
		    str_equal(l->product, licence.product)) {
			*ret_line = l;
			return OK;
		}
	}
	struct software_line *line = arena_new_object(u->arena, struct software_line);
	if (!line)
		return ctx_no_memory(c);
	line->account = account;
	line->product = str_copy(u->arena, licence.product);
	line->source = licence.source;
	*ret_line = line;
	return line->product.p && VEC_PUSH(u->arena, &u->lines, line) ? OK : ctx_no_memory(c);
}

static RESULT find_host(struct software_use *u, struct ctx *c, uuid host, const struct software_line *line,
			struct software_host **ret_host)
{
	for (size_t k = 0; k < u->hosts.count; k++) {
		struct software_host *h = &u->hosts.at[k];
		if (uuid_equal(h->host, host) && h->source == line->source &&
		    str_equal(h->product, line->product)) {
			*ret_host = h;
			return OK;
		}
	}
	const struct software_host fresh = {.host = host, .product = line->product, .source = line->source};
	if (!VEC_PUSH(u->arena, &u->hosts, fresh))
		return ctx_no_memory(c);
	*ret_host = &u->hosts.at[u->hosts.count - 1];
	return OK;
}

/* ---- counting ---- */

static int band_of(int64_t vcpus)
{
	return vcpus > LICENCE_BAND_SMALL;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void raise(struct software_level *peak, struct software_level now)
{
	peak->guests = later(peak->guests, now.guests);
	peak->vcpus = later(peak->vcpus, now.vcpus);
}

/* Updates peaks with the level held since its last change; levels without duration are ignored. */
static void raise_peaks(const struct software_use *u, struct software_line *l, int64_t at_s)
{
	int64_t from = later(l->since_s, u->month.from_s), until = at_s < u->until_s ? at_s : u->until_s;
	l->since_s = at_s;
	if (from >= until)
		return;
	raise(&l->peak, l->now);
	for (int k = 0; k < 2; k++)
		raise(&l->bands[k].peak, l->bands[k].now);
	for (int64_t hour = (from - u->month.from_s) / HOUR_S;
	     hour <= (until - 1 - u->month.from_s) / HOUR_S && hour < SOFTWARE_HOURS; hour++)
		raise(&l->hours[hour], l->now);
}

/* Counts usage up to a second. */
static void count_until(struct software_use *u, struct software_run *run, int64_t at_s)
{
	struct software_band *band = &run->line->bands[band_of(run->level)];
	int64_t from = later(run->from_s, u->month.from_s), until = at_s < u->until_s ? at_s : u->until_s;
	if (run->level && until > from) {
		band->seconds += until - from;
		band->vcpu_seconds += (until - from) * run->level;
		band->guests += !(run->counted & 1U << band_of(run->level));
		run->counted |= 1U << band_of(run->level);
	}
	run->from_s = at_s;
}

/* Counts the run's part within the month, in begun hours. */
static void end_run(const struct software_use *u, struct software_run *run, int64_t at_s)
{
	int64_t from = later(run->since_s, u->month.from_s), until = at_s < u->until_s ? at_s : u->until_s;
	if (run->run_level && until > from)
		run->line->bands[band_of(run->run_level)].begun_hours += (until - from + HOUR_S - 1) / HOUR_S;
	run->run_level = 0;
}

static void follow_run(const struct software_use *u, struct software_run *run, int64_t at_s, int64_t level)
{
	bool was_off = !run->level;
	if (!level) {
		run->off_s = at_s;
		return;
	}
	bool goes_on = run->run_level && (!was_off || run->off_s == at_s) &&
		       band_of(run->run_level) == band_of(level);
	if (!goes_on) {
		end_run(u, run, was_off ? run->off_s : at_s);
		run->since_s = at_s;
	}
	run->run_level = level;
}

static void add_level(struct software_line *l, int64_t level, int64_t sign)
{
	struct software_level *all = &l->now, *band = &l->bands[band_of(level)].now;
	if (!level)
		return;
	all->guests += sign;
	all->vcpus += sign * level;
	band->guests += sign;
	band->vcpus += sign * level;
}

static RESULT move_host(struct software_use *u, struct ctx *c, struct software_run *run, uuid host,
			bool is_on, int64_t at_s)
{
	struct software_host *h = NULL;
	if (run->level) {
		TRY(find_host(u, c, run->host, run->line, &h));
		h->now--;
	}
	run->host = host;
	if (!is_on || at_s >= u->until_s)
		return OK;
	if (uuid_is_none(host))
		return OK; /* a machine elsewhere */
	TRY(find_host(u, c, host, run->line, &h));
	h->now++;
	if (at_s >= u->month.from_s)
		h->peak = later(h->peak, h->now);
	return OK;
}

/* Usage in progress at the beginning of the month counts as if it began there. */
static void begin_month(struct software_use *u, int64_t at_s)
{
	if (u->at_s >= u->month.from_s || at_s < u->month.from_s)
		return;
	for (size_t k = 0; k < u->hosts.count; k++)
		u->hosts.at[k].peak = u->hosts.at[k].now;
}

static RESULT change(struct software_use *u, struct ctx *c, struct software_run *run, uuid host, int64_t at_s,
		     int64_t level)
{
	struct software_line *l = run->line;
	raise_peaks(u, l, at_s);
	count_until(u, run, at_s);
	follow_run(u, run, at_s, level);
	TRY(move_host(u, c, run, host, level > 0, at_s));
	add_level(l, run->level, -1);
	add_level(l, level, 1);
	run->level = level;
	return OK;
}

static bool read_meter(struct str meter, struct licence *ret_licence, uuid *ret_host)
{
	struct str rest = meter, prefix, product, source;
	return str_split_next(&rest, ':', &prefix) && str_is(prefix, "software") &&
	       str_split_next(&rest, ':', &product) && str_split_next(&rest, ':', &source) &&
	       licence_parse_source(source, &ret_licence->source) && (ret_licence->product = product).n &&
	       result_is_ok(uuid_parse(rest, ret_host));
}

RESULT software_use_take(struct software_use *u, struct ctx *c, uuid account, uuid id, struct str meter,
			 int64_t at_us, int64_t level)
{
	struct licence licence;
	struct software_line *line = NULL;
	struct software_run *run = NULL;
	uuid host;
	int64_t at_s = at_us / SECOND;
	if (!read_meter(meter, &licence, &host))
		return OK;
	begin_month(u, at_s);
	u->at_s = at_s;
	TRY(find_line(u, c, account, licence, &line));
	TRY(find_run(u, c, id, line, &run));
	if (!level && run->level && !uuid_equal(host, run->host))
		return OK; /* the end of a stay that a migration has ended already */
	return change(u, c, run, host, at_s, level);
}

void software_use_end(struct software_use *u)
{
	begin_month(u, later(u->until_s, u->month.from_s));
	for (size_t k = 0; k < u->run_room; k++) {
		struct software_run *run = &u->runs[k];
		if (!run->line)
			continue;
		count_until(u, run, u->until_s);
		end_run(u, run, run->level ? u->until_s : run->off_s);
	}
	for (size_t k = 0; k < u->lines.count; k++)
		raise_peaks(u, u->lines.at[k], u->until_s);
}

int64_t software_count_cores(int64_t cores, int64_t sockets)
{
	if (cores <= 0)
		return 0;
	return later(later(cores, CORES_OF_SOCKET * sockets), CORES_OF_HOST);
}
