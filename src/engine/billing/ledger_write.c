/* SPDX-License-Identifier: Apache-2.0
 * Writes the ledger: price lists, commitments, corrections of the usage log, and closed billing periods. SQL
 * refuses changes to closed periods (store/sqlite_ledger.c). */
#include <inttypes.h>

#include "base/clock.h"
#include "engine/billing/billing.h"
#include "engine/internal.h"
#include "store/ledger.h"

RESULT engine_load_prices(struct op *op, struct price_list_wish *wish)
{
	const struct ledger_record record = {.type = LEDGER_PRICES,
					     .from_us = wish->from_s * SECOND,
					     .name = wish->name,
					     .text = wish->yaml};
	TRY(engine_permit(op, "price_list.load", KIND_NONE, NULL));
	return op_ledger(op, &record);
}

RESULT engine_make_commitment(struct op *op, struct commitment_wish *wish)
{
	struct commitment *k = &wish->commitment;
	TRY(engine_permit(op, "commitment.create", KIND_NONE, NULL));
	k->id = uuid_random();
	const struct ledger_record record = {.type = LEDGER_COMMITMENT,
					     .from_us = k->from_s * SECOND,
					     .id = k->id,
					     .name = k->name,
					     .text = commitment_write(op->ctx, k)};
	return record.text.p ? op_ledger(op, &record) : ctx_no_memory(op->ctx);
}

RESULT engine_keep_charges(struct op *op, struct charges_wish *wish)
{
	TRY(engine_permit(op, "bill.close", KIND_NONE, NULL));
	for (size_t k = 0; k < wish->count; k++) {
		const struct kept_charge *charge = &wish->charges[k];
		const struct ledger_record record = {.type = LEDGER_CHARGE,
						     .from_us = wish->month.from_s * SECOND,
						     .number = wish->run,
						     .id = charge->id,
						     .account = charge->account,
						     .name = charge->key,
						     .text = charge->values};
		TRY(op_ledger(op, &record));
	}
	return OK;
}

RESULT engine_close_month(struct op *op, struct closing_wish *wish)
{
	const struct ledger_record record = {.type = LEDGER_CLOSED,
					     .from_us = wish->month.from_s * SECOND,
					     .number = (int64_t) wish->count,
					     .level = wish->month.until_s * SECOND,
					     .name = str_print(op->ctx->arena, "%" PRId64, wish->run),
					     .text = wish->digest};
	TRY(engine_permit(op, "bill.close", KIND_NONE, NULL));
	return record.name.p ? op_ledger(op, &record) : ctx_no_memory(op->ctx);
}

RESULT engine_fix_usage(struct op *op, struct fix_wish *wish)
{
	const struct ledger_record record = {.type = LEDGER_FIX,
					     .from_us = wish->at_us,
					     .number = wish->wrong_seq,
					     .level = wish->level,
					     .id = wish->id,
					     .account = wish->account,
					     .name = wish->meter,
					     .text = wish->reason};
	TRY(engine_permit(op, "bill.correct_usage", KIND_NONE, NULL));
	return op_ledger(op, &record);
}

/* ---- charges as text ---- */

struct str billing_charge_key(struct ctx *c, const struct charge *charge)
{
	char at[CLOCK_TEXT_SIZE];
	bool is_covered = charge_is_committed(charge) && !charge->is_unused;
	struct str id = charge->kind == KIND_NONE ? uuid_to_str(c->arena, charge->id)
						  : id_to_text(c->arena, charge->kind, charge->id);
	return str_print(c->arena, "%" STR_FMT "/%" STR_FMT "/%s/%u%s%" STR_FMT "%s", STR_ARG(id),
			 STR_ARG(charge->meter), clock_write_s(charge->from_s * SECOND, at), charge->tier + 1,
			 is_covered ? "/by-" : "", STR_ARG(is_covered ? charge->commitment->name : STR_NONE),
			 !charge->is_correction ? ""
			 : charge->quantity < 0 ? "/taken-back"
						: "/corrected");
}

struct str billing_charge_values(struct ctx *c, const struct charge *charge)
{
	char until[CLOCK_TEXT_SIZE], quantity[MONEY_TEXT_SIZE], own[MONEY_TEXT_SIZE], list[MONEY_TEXT_SIZE],
		cost[MONEY_TEXT_SIZE];
	const struct price *p = charge->price;
	char effective[MONEY_TEXT_SIZE] = "";
	if (charge->commitment)
		money_write(charge_effective_cost(charge), effective);
	return str_print(
		c->arena, "%s %" PRId64 " %" PRId64 " %s %s %s %s %s%s%s %" STR_FMT " %" STR_FMT "%u",
		clock_write_s(charge->until_s * SECOND, until), charge->seq, charge->level,
		unit_infos[p->item->unit].focus, money_write_micro(charge->quantity, quantity),
		money_write_micro(p->list[charge->tier], list), money_write_micro(p->own[charge->tier], own),
		money_write(charge_cost(charge), cost), *effective ? " " : "", effective,
		STR_ARG(p->currency), STR_ARG(p->id), charge->tier + 1);
}
