/* SPDX-License-Identifier: Apache-2.0
 * Dry runs: what a change would create, use of quota and cost.
 */
#include "api/native/dry.h"

#include "base/clock.h"
#include "base/vec.h"
#include "engine/billing/billing.h"
#include "engine/instance/placement/placement.h"
#include "engine/quota.h"
#include "metering/price_list.h"
#include "model/instance.h"
#include "model/volume.h"
#include "store/account.h"
#include "store/instance_type.h"
#include "store/zone.h"

RESULT dry_begin(struct native_call *e)
{
	e->dry = arena_new_object(e->c->arena, struct dry);
	return e->dry ? OK : ctx_no_memory(e->c);
}

/* ---- limits ---- */

static RESULT read_usage(struct native_call *e, struct op *op, struct account_usage **ret_usage)
{
	const struct account *account = account_find(op->head, engine_get_account(op->ctx));
	struct account_usage *usage = arena_new_object(e->c->arena, struct account_usage);
	if (!usage)
		return ctx_no_memory(e->c);
	if (account)
		engine_get_usage(account, usage);
	*ret_usage = account ? usage : NULL;
	if (account && !e->dry->account)
		e->dry->account = (const struct account *) row_copy(e->c->arena, &model_kinds[KIND_ACCOUNT],
								    &account->row);
	return OK;
}

RESULT dry_look_before(struct native_call *e, struct op *op)
{
	return read_usage(e, op, &e->dry->before);
}

/* ---- what it would make ---- */

struct gathering {
	struct native_call *e;
	struct op *op;
	VEC(struct dry_made) made;
};

static struct str zone_name(struct gathering *g, uuid id)
{
	const struct zone *zone = zone_find(g->op->head, id);
	return zone ? str_copy(g->e->c->arena, zone->name) : STR_NONE;
}

static void name_meter(struct gathering *g, const struct row *row, struct dry_made *made)
{
	struct arena *a = g->e->c->arena;
	if (made->kind == KIND_INSTANCE) {
		const struct instance_type *type = instance_type_find(g->op->head, instance_of(row)->type);
		made->meter = type ? str_print(a, "instance:%" STR_FMT, STR_ARG(type->name)) : STR_NONE;
		made->zone = zone_name(g, instance_of(row)->zone);
		made->level = 1;
	} else if (made->kind == KIND_VOLUME) {
		made->meter = str_print(a, "volume:%" STR_FMT, STR_ARG(volume_of(row)->type));
		made->zone = zone_name(g, volume_of(row)->zone);
		made->level = volume_of(row)->size;
	} else if (made->kind == KIND_ADDRESS) {
		made->meter = STR("address");
		made->level = 1;
	}
}

static RESULT note_made(void *arg, enum kind kind, const struct row *row)
{
	struct gathering *g = arg;
	struct dry_made made = {.kind = kind, .id = row->id};
	name_meter(g, row, &made);
	return VEC_PUSH(g->e->c->arena, &g->made, made) ? OK : ctx_no_memory(g->e->c);
}

RESULT dry_look_after(struct native_call *e, struct op *op)
{
	struct gathering g = {.e = e, .op = op};
	TRY(op_visit_made(op, note_made, &g));
	e->dry->made = g.made.at;
	e->dry->made_count = g.made.count;
	return read_usage(e, op, &e->dry->after);
}

/* ---- room ---- */

RESULT dry_look_for_room(struct op *op, const struct ref *type_ref, const struct ref *zone_ref,
			 struct native_room *ret_room)
{
	const struct instance_type *type = NULL;
	const struct zone *zone = NULL;
	struct placement placement;
	struct placement_report report = {0};
	TRY(engine_find_instance_type(op->ctx, op->head, type_ref, &type));
	if (ref_is_given(zone_ref))
		TRY(engine_find_zone(op->ctx, op->head, zone_ref, &zone));
	const struct placement_need need = {.zone = zone ? zone->row.id : UUID_NONE,
					    .arch = type->arch,
					    .vcpus = type->vcpus,
					    .memory = type->memory,
					    .disk = type->root_disk,
					    .type = type,
					    .account = engine_get_account(op->ctx)};
	TRY(placement_begin(op->ctx, op->head, &need, &placement));
	placement_report(&placement, &report);
	*ret_room = (struct native_room){
		.is_known = true, .fitting = placement_count_fitting(&placement), .hosts = report.host_count};
	for (enum placement_reason r = PLACEMENT_FITS + 1; r < PLACEMENT_REASON_COUNT; r++)
		if (report.refused[r] &&
		    ret_room->reason_count < sizeof ret_room->reasons / sizeof ret_room->reasons[0])
			ret_room->reasons[ret_room->reason_count++] =
				(struct room_reason){placement_reason_words(r), report.refused[r]};
	return OK;
}

/* ---- the answer ---- */

static void write_made(const struct dry *d, struct json_writer *w)
{
	json_write_open(w, "makes");
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
		int64_t count = 0;
		for (size_t n = 0; n < d->made_count; n++)
			count += d->made[n].kind == k;
		if (count && model_shown[k].name)
			json_write_int(w, model_kinds[k].name, count);
	}
	json_write_close(w);
}

static const struct {
	const char *name;
	size_t usage, limit;
} counted[] = {
#define COUNTED(word)                                                                                        \
	{                                                                                                    \
#word, offsetof(struct account_usage, word), offsetof(struct account, limit_##word)          \
	}
	COUNTED(instances),    COUNTED(vcpus),     COUNTED(memory),    COUNTED(volumes),
	COUNTED(volume_bytes), COUNTED(snapshots), COUNTED(images),    COUNTED(addresses),
	COUNTED(routers),      COUNTED(groups),    COUNTED(ports),     COUNTED(nat_gateways),
	COUNTED(networks),     COUNTED(subnets),   COUNTED(key_pairs), COUNTED(disk_bytes),
	COUNTED(rows_bytes), /* last: nearly every change moves this figure, so write_quota() leaves it out */
#undef COUNTED
};

enum { COUNTED_COUNT = sizeof counted / sizeof counted[0] };

static int64_t figure_at(const void *row, size_t offset)
{
	return *(const int64_t *) (const void *) ((const char *) row + offset);
}

void native_write_quotas(struct json_writer *w, const struct account *account)
{
	struct account_usage usage;
	engine_get_usage(account, &usage);
	json_write_open_list(w, "items");
	for (size_t k = 0; k < COUNTED_COUNT; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "name", counted[k].name);
		json_write_int(w, "used", figure_at(&usage, counted[k].usage));
		json_write_int(w, "limit", figure_at(account, counted[k].limit));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_quota(const struct dry *d, struct json_writer *w)
{
	json_write_open_list(w, "quota");
	for (size_t k = 0; d->before && d->after && k < COUNTED_COUNT - 1; k++) {
		int64_t before = figure_at(d->before, counted[k].usage);
		int64_t after = figure_at(d->after, counted[k].usage);
		if (before == after)
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "name", counted[k].name);
		json_write_int(w, "used", before);
		json_write_int(w, "would_use", after);
		json_write_int(w, "limit", figure_at(d->account, counted[k].limit));
		json_write_close(w);
	}
	json_write_close_list(w);
}

void dry_write_reasons(const struct native_room *room, struct json_writer *w)
{
	json_write_open_list(w, "reasons");
	for (size_t k = 0; k < room->reason_count; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "why", room->reasons[k].why);
		json_write_int(w, "hosts", (int64_t) room->reasons[k].hosts);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_placement(const struct native_room *room, struct json_writer *w)
{
	json_write_open(w, "placement");
	json_write_int(w, "hosts", (int64_t) room->hosts);
	json_write_int(w, "fits", (int64_t) room->fitting);
	dry_write_reasons(room, w);
	json_write_close(w);
}

/* ---- prices ---- */

enum { HOURS_OF_YEAR = 8760, MONTHS_OF_YEAR = 12 };

/* Price per hour in millionths of the currency, by the first tier. Ignores what the account already
 * uses. */
static int64_t hour_of(const struct price *price, int64_t level)
{
	const struct unit_info *unit = &unit_infos[price->item->unit];
	double amount =
		(double) price->own[0] * (unit->counts_level ? (double) level / (double) unit->divisor : 1);
	return (int64_t) (unit->is_monthly ? amount * MONTHS_OF_YEAR / HOURS_OF_YEAR : amount);
}

static RESULT add_prices(struct native_call *e, const struct dry *d, struct str *ret_currency,
			 int64_t *ret_hour, size_t *ret_unpriced)
{
	struct ctx *c = e->c;
	struct price_book book;
	int64_t closed_s = 0;
	char id[UUID_TEXT_SIZE];
	const struct str owners[] = {d->account->number, str_from(uuid_write(d->account->row.id, id)),
				     d->account->name};
	const struct payer payer = {.owners = {owners, sizeof owners / sizeof owners[0]}};
	TRY(billing_read_book(c, e->config->store, &book, &closed_s));
	for (size_t k = 0; k < d->made_count; k++) {
		const struct dry_made *made = &d->made[k];
		const struct price *price = NULL;
		if (!made->meter.n)
			continue;
		TRY(price_book_price(c, &book, &payer, meter_info_price_name(c->arena, made->meter),
				     made->level, made->zone, clock_now_us() / SECOND, &price));
		if (!price) {
			(*ret_unpriced)++;
			continue;
		}
		*ret_currency = price->currency;
		*ret_hour += hour_of(price, made->level);
	}
	return OK;
}

/* Writes nothing if no price list applies. */
static void write_price(struct native_call *e, const struct dry *d, struct json_writer *w)
{
	struct str currency = STR_NONE;
	const struct problem kept = e->c->problem;
	int64_t hour = 0;
	size_t unpriced = 0;
	ctx_clear_problem(e->c);
	struct result read = d->account ? add_prices(e, d, &currency, &hour, &unpriced) : OK;
	ctx_clear_problem(e->c);
	e->c->problem = kept;
	if (!result_is_ok(read) || !currency.n)
		return;
	json_write_open(w, "price");
	json_write_text(w, "currency", currency);
	json_write_int(w, "hour_micro", hour);
	json_write_int(w, "month_micro", hour * HOURS_OF_YEAR / MONTHS_OF_YEAR);
	json_write_int(w, "without_price", (int64_t) unpriced);
	json_write_close(w);
}

void native_write_would(struct native_call *e, struct json_writer *w)
{
	const struct dry *d = e->dry;
	json_write_open(w, "would");
	if (d) {
		write_made(d, w);
		write_quota(d, w);
		write_price(e, d, w);
	}
	if (e->room && e->room->is_known)
		write_placement(e->room, w);
	if (native_action_of(e)->tell) {
		native_action_of(e)->tell(e, e->args, w);
		view_close(&e->view);
		e->view = (struct view){0};
	}
	json_write_close(w);
}
