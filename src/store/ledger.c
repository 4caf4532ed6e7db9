/* SPDX-License-Identifier: Apache-2.0
 * Adds records to the usage log and the ledger within a change, with time stamps that never go back. */
#include "store/ledger.h"

#include <inttypes.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/reads.h"
#include "store/internal.h"

#define STEP_TOLD (5 * MINUTE)
#define STEP_NOT_BELIEVED (24 * HOUR)

/* ---- stamps ---- */

void stamps_init(struct stamps *stamps, int64_t last_us)
{
	*stamps = (struct stamps){
		.last_us = last_us, .base_us = clock_now_us(), .base_steady_us = clock_monotonic_us()};
}

/* Wall-clock time extrapolated by the steady clock since the wall clock was last trusted. */
static int64_t steady_now(const struct stamps *stamps)
{
	return stamps->base_us + clock_monotonic_us() - stamps->base_steady_us;
}

static void tell_once(_Atomic int64_t *figure, int64_t now, const char *what)
{
	int64_t before = atomic_exchange(figure, now);
	if (now && !before)
		log_event(LOG_WARN, what, "by_s=%" PRId64, now / SECOND);
}

int64_t stamps_draw(struct stamps *stamps, int64_t now_us)
{
	int64_t steady_us = steady_now(stamps), ahead_us = now_us - steady_us;
	bool is_believed = ahead_us <= STEP_NOT_BELIEVED || atomic_exchange(&stamps->is_confirmed, false);
	tell_once(&stamps->ahead_us, is_believed ? 0 : ahead_us, "clock-not-believed");
	if (!is_believed)
		now_us = steady_us;
	else if (ahead_us > STEP_TOLD)
		log_event(LOG_WARN, "clock-leapt", "by_s=%" PRId64, ahead_us / SECOND);
	if (is_believed) {
		stamps->base_us = now_us;
		stamps->base_steady_us = clock_monotonic_us();
	}
	int64_t behind_us = now_us < stamps->last_us ? stamps->last_us - now_us : 0;
	tell_once(&stamps->behind_us, behind_us > STEP_TOLD ? behind_us : 0, "clock-behind-the-log");
	if (!behind_us)
		stamps->last_us = now_us;
	return stamps->last_us;
}

void store_read_clock(struct store *s, int64_t *ret_behind_us, int64_t *ret_ahead_us)
{
	reads_note_outside();
	*ret_behind_us = atomic_load(&s->stamps.behind_us);
	*ret_ahead_us = atomic_load(&s->stamps.ahead_us);
}

void store_confirm_clock(struct store *s)
{
	atomic_store(&s->stamps.is_confirmed, true);
}

/* ---- records ---- */

RESULT op_usage(struct op *op, enum kind kind, uuid id, uuid account, struct str meter, int64_t level)
{
	struct usage usage = {
		stamps_draw(&op->store->stamps, op->now_us), kind, id, account, meter, level, 0};
	struct str *const texts[] = {&usage.meter};
	struct note *note = op_new_note(texts, 1);
	if (!note)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for a usage record");
	note->type = NOTE_USAGE;
	note->usage = usage;
	note->subject = NULL;
	op_add_note(op, note);
	return OK;
}

/* The change's usage record that can carry the resource's name; NULL: none. */
static struct note *find_usage(const struct op *op, const struct ledger_record *subject)
{
	for (struct note *note = *op->log->notes_mark; note; note = note->next)
		if (note->type == NOTE_USAGE && !note->subject && uuid_equal(note->usage.id, subject->id) &&
		    uuid_equal(note->usage.account, subject->account) && note->usage.at_us == subject->at_us)
			return note;
	return NULL;
}

RESULT op_ledger(struct op *op, const struct ledger_record *record)
{
	struct ledger_record r = *record;
	struct str *const texts[] = {&r.name, &r.text};
	r.at_us = stamps_draw(&op->store->stamps, op->now_us);
	struct note *note = op_new_note(texts, sizeof texts / sizeof *texts);
	if (!note)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for a record of the ledger");
	note->type = NOTE_LEDGER;
	note->ledger = r;
	struct note *usage = r.type == LEDGER_SUBJECT ? find_usage(op, &r) : NULL;
	if (usage)
		usage->subject = note;
	else
		op_add_note(op, note);
	return OK;
}

RESULT store_read_ledger(struct store *s, struct ctx *c, const struct ledger_query *query,
			 RESULT (*each)(void *arg, const struct ledger_record *record), void *arg)
{
	reads_note_outside();
	return s->config.sql->read_ledger(s->config.sql, c, query, each, arg);
}
