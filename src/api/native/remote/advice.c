/* SPDX-License-Identifier: Apache-2.0
 * Right-sizing of remote machines: the maximum of processors and of memory used on each of the last 30 days, and the
 * smallest type of the cloud that holds both, with its price. Where memory in use is not known, the present memory stays. Price lists are read from the ledger's SQL, so on a lane. */
#include "api/native/action.h"
#include "api/native/remote/advice_prices.h"

#include <math.h>

#include "base/clock.h"
#include "drivers/remote.h"
#include "engine/billing/billing.h"
#include "engine/resolve.h"
#include "reconcile/figures/cloud_figures.h"
#include "reconcile/reconcile.h"
#include "store/remote_machine.h"
#include "store/remote_resource.h"

#define DAY (24 * HOUR)
#define MIB (INT64_C(1) << 20)
enum {
	DAYS = 30,
	DAYS_MIN = 7,
	PERCENT_100 = 10000,
	DATE_SIZE = 10,
	MEMORY_STEP_MIB = 4,
	MEMORY_MIN_MIB = 32
};

struct day {
	bool is_there;
	double percent; /* maximum of five minutes, of all processors or of all memory */
};

struct usage_days {
	struct day days[DAYS];
	size_t count;
	double average, deviation, most;
	int64_t most_us; /* the day of the maximum */
};

struct advice_args {
	struct price_book book;
	int64_t closed_until_s;
};

/* The machine's size today. 0: unknown. */
struct present_size {
	int64_t vcpus, memory;
	struct str architecture;
};

/* A type that the machine could have. */
struct type_choice {
	struct str name;
	int64_t vcpus, memory;
};

/* ---- what was used ---- */

struct machine_usage {
	struct usage_days cpu, memory;
};

static void weigh_days(struct usage_days *u, int64_t first_us)
{
	double sum = 0, squares = 0;
	for (size_t k = 0; k < DAYS; k++) {
		if (!u->days[k].is_there)
			continue;
		u->count++;
		sum += u->days[k].percent;
		if (u->days[k].percent > u->most || !u->most_us) {
			u->most = u->days[k].percent;
			u->most_us = first_us + (int64_t) k * DAY;
		}
	}
	u->average = u->count ? sum / (double) u->count : 0;
	for (size_t k = 0; k < DAYS; k++)
		if (u->days[k].is_there)
			squares += pow(u->days[k].percent - u->average, 2);
	u->deviation = u->count ? sqrt(squares / (double) u->count) : 0;
}

static void add_day(struct usage_days *u, size_t k, double percent)
{
	struct day *day = &u->days[k];
	day->percent = day->is_there && day->percent > percent ? day->percent : percent;
	day->is_there = true;
}

/* memory: bytes that the machine has; 0: unknown, and so is their use. */
static RESULT read_usage(struct native_call *e, const struct remote_machine *m, int64_t first_us,
			 int64_t memory, struct machine_usage *u)
{
	struct figure_points points = {0};
	uuid key = cloud_figures_key(m->provider, m->row.id);
	if (e->config->reconciler)
		TRY(reconciler_read_figures_kept(e->config->reconciler, e->c, m->row.id, key, FIGURES_LONG_US,
						 first_us, first_us + DAYS * DAY, &points));
	for (size_t k = 0; k < points.count; k++) {
		size_t day = (size_t) ((points.at[k].from_us - first_us) / DAY);
		int64_t used = points.at[k].at[FIGURE_MEMORY];
		add_day(&u->cpu, day, (double) points.at[k].most_cpu * 100 / PERCENT_100);
		if (used > 0 && memory > 0)
			add_day(&u->memory, day, fmin((double) used * 100 / (double) memory, 100));
	}
	weigh_days(&u->cpu, first_us);
	weigh_days(&u->memory, first_us);
	return OK;
}

/* ---- which type has that ---- */

static const struct remote_resource *next_type(const struct tables *t, uuid provider,
					       const struct remote_resource *after)
{
	const struct remote_resource probe = {.provider = provider,
					      .type = REMOTE_RESOURCE_TYPE_INSTANCE_TYPE};
	return remote_resource_of(
		after ? tables_next(t, KIND_REMOTE_RESOURCE, REMOTE_RESOURCE_INDEX_PROVIDER, &after->row, 2)
		      : tables_first(t, KIND_REMOTE_RESOURCE, REMOTE_RESOURCE_INDEX_PROVIDER, &probe.row, 2));
}

static int64_t vcpus_of(const struct remote_resource *type)
{
	int64_t vcpus = 0;
	const struct tag *tag = tags_find(type->attributes, STR("vcpus"));
	return tag && result_is_ok(str_parse_int(tag->value, &vcpus)) ? vcpus : 0;
}

static bool is_smaller(const struct type_choice *a, const struct type_choice *b)
{
	if (!b->name.n || a->vcpus != b->vcpus)
		return !b->name.n || a->vcpus < b->vcpus;
	return a->memory != b->memory ? a->memory < b->memory : str_compare(a->name, b->name) < 0;
}

/* The smallest type with so many processors and so much memory; no name: none. */
static struct type_choice choose_type(const struct tables *t, uuid provider, int64_t vcpus, int64_t memory)
{
	struct type_choice chosen = {0};
	for (const struct remote_resource *r = next_type(t, provider, NULL); r;
	     r = next_type(t, provider, r)) {
		const struct type_choice type = {r->ref, vcpus_of(r), r->size};
		if (type.vcpus >= vcpus && type.memory >= memory && type.memory && is_smaller(&type, &chosen))
			chosen = type;
	}
	return chosen;
}

/* ---- the answer ---- */

static const struct remote_resource *type_of(const struct tables *t, const struct remote_machine *m)
{
	return remote_resource_find_by_provider(t, m->provider, REMOTE_RESOURCE_TYPE_INSTANCE_TYPE, m->type);
}

/* Clouds without instance types have the size in the type's name. */
static struct present_size size_of(struct native_call *e, const struct remote_machine *m)
{
	const struct tables *t = native_tables(e);
	const struct remote_resource *type = type_of(t, m);
	const struct tag *arch = type ? tags_find(type->attributes, STR("architecture")) : NULL;
	struct present_size size = {m->vcpus, type ? type->size : 0, arch ? arch->value : STR_NONE};
	if (!type)
		(void) remote_read_size(e->c, m->type, &size.vcpus, &size.memory);
	return size;
}

/* Whole steps of memory that hold that share of the present memory. */
static int64_t memory_for(int64_t memory, double percent)
{
	int64_t mib = (int64_t) ceil((double) memory / (double) MIB * percent / 100 + 0.1);
	mib = (mib + MEMORY_STEP_MIB - 1) / MEMORY_STEP_MIB * MEMORY_STEP_MIB;
	mib = mib < MEMORY_MIN_MIB ? MEMORY_MIN_MIB : mib;
	return mib * MIB < memory ? mib * MIB : memory;
}

static bool knows_memory(const struct machine_usage *u)
{
	return u->memory.count >= DAYS_MIN;
}

enum mode { AGGRESSIVE, MODERATE, CONSERVATIVE, MODES };

static double share_of(const struct usage_days *u, enum mode mode)
{
	return mode == AGGRESSIVE ? u->average
	       : mode == MODERATE ? fmin(u->average + u->deviation, 100)
				  : u->most;
}

static RESULT write_mode(struct json_writer *w, struct advice_prices *prices, const struct present_size *size,
			 const struct machine_usage *u, enum mode mode)
{
	static const char *const words[MODES] = {"aggressive", "moderate", "conservative"};
	double percent = share_of(&u->cpu, mode);
	const struct tables *t = native_tables(prices->e);
	const struct remote_machine *m = prices->machine;
	int64_t vcpus = (int64_t) ceil((double) size->vcpus * percent / 100 + 0.1);
	vcpus = vcpus < 1 ? 1 : vcpus < size->vcpus ? vcpus : size->vcpus;
	int64_t memory =
		knows_memory(u) ? memory_for(size->memory, share_of(&u->memory, mode)) : size->memory;
	const struct type_choice type = choose_type(t, m->provider, vcpus, memory);
	json_write_open(w, NULL);
	json_write_z(w, "mode", words[mode]);
	json_write_real(w, "cpu_percent", percent);
	json_write_int(w, "vcpus", vcpus);
	if (knows_memory(u)) {
		json_write_real(w, "memory_percent", share_of(&u->memory, mode));
		json_write_int(w, "memory", memory);
	}
	if (type_of(t, m) && type.name.n) {
		json_write_text(w, "type", type.name);
		TRY(advice_prices_write_type(prices, w, type.name));
	}
	json_write_close(w);
	return OK;
}

static void write_day(struct native_call *e, struct json_writer *w, const char *name, int64_t at_us)
{
	char text[CLOCK_TEXT_SIZE];
	json_write_text(w, name,
			str_copy(e->c->arena, str_cut(str_from(clock_write_s(at_us, text)), DATE_SIZE)));
}

static RESULT write_modes(struct json_writer *w, struct advice_prices *prices,
			  const struct present_size *size, const struct machine_usage *u)
{
	json_write_open_list(w, "advice");
	for (int mode = 0; u->cpu.count >= DAYS_MIN && size->vcpus && mode < MODES; mode++)
		TRY(write_mode(w, prices, size, u, (enum mode) mode));
	json_write_close_list(w);
	return OK;
}

static const char *note_of(const struct machine_usage *u)
{
	if (u->cpu.count < DAYS_MIN)
		return "Advice needs metrics of 7 of the last 30 days.";
	return knows_memory(u) ? "Of processors and of memory."
			       : "Of processors alone: memory in use is not known, and stays as it is.";
}

static RESULT write_advice(struct native_call *e, struct json_writer *w, const struct remote_machine *m,
			   const struct present_size *size, const struct machine_usage *u,
			   const struct price_book *book)
{
	struct advice_prices prices;
	TRY(advice_prices_begin(&prices, e, m, book));
	json_write_text(w, "type", m->type);
	json_write_int(w, "vcpus", size->vcpus);
	json_write_int(w, "days", (int64_t) u->cpu.count);
	advice_prices_write_present(&prices, w);
	TRY(write_modes(w, &prices, size, u));
	TRY(advice_prices_write_here(&prices, w, size->vcpus, size->memory, size->architecture));
	if (u->cpu.count >= DAYS_MIN)
		write_day(e, w, "decided_on", u->cpu.most_us);
	if (knows_memory(u))
		write_day(e, w, "memory_decided_on", u->memory.most_us);
	json_write_z(w, "note", note_of(u));
	advice_prices_write_note(&prices, w);
	return OK;
}

/* Reading price lists is slow, and must not hold a view. */
static RESULT prepare_advice(struct native_call *e, void *args)
{
	TRY(native_prepare_row(e, args));
	view_close(&e->view);
	e->view = (struct view){0};
	return OK;
}

static RESULT read_book(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct advice_args *a = e->args;
	return billing_read_book(e->c, e->config->store, &a->book, &a->closed_until_s);
}

static RESULT answer_advice(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct advice_args *a = args;
	int64_t first_us = (clock_now_us() / DAY - DAYS) * DAY;
	struct machine_usage *u = arena_new_object(e->c->arena, struct machine_usage);
	const struct row *row = NULL;
	TRY(native_find_row(e, KIND_REMOTE_MACHINE, &e->target, &row));
	if (!u)
		return ctx_no_memory(e->c);
	const struct present_size size = size_of(e, remote_machine_of(row));
	TRY(read_usage(e, remote_machine_of(row), first_us, size.memory, u));
	return write_advice(e, w, remote_machine_of(row), &size, u, &a->book);
}

static const struct native_action rows[] = {
	{HTTP_GET, "/remote-machines/{id}/advice", .permit = "dari:ListRemoteMachines",
	 .kind = KIND_REMOTE_MACHINE, .flags = API_CHANGES_BY_TIME,
	 .args = {.size = sizeof(struct advice_args)}, .prepare = prepare_advice, .work = read_book,
	 .answer = answer_advice,
	 .doc = "Recommends smaller types, by the utilization of processors and memory of the last 30 days, "
		"with their prices."},
};
const struct api_actions native_advice_actions = API_ACTIONS(rows);
