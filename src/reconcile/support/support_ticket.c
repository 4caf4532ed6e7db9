/* SPDX-License-Identifier: Apache-2.0
 * Steps of support tickets: attach facts about the named resources once, close a resolved ticket in time, and
 * delete attachment sets that no ticket used. ticket_link.c exchanges tickets with desks. */
#include "store/support_ticket.h"
#include "base/clock.h"
#include "drivers/ticket_file.h"
#include "engine/support/ticket.h"
#include "reconcile/work.h"
#include "store/ticket_attachment.h"

enum { FACTS_MAX = 256 * 1024 };

static RESULT keep(struct step *s, const char *name, struct str content, struct ticket_facts *facts)
{
	const struct ticket_place place = {str_from(s->r->ticket_directory), s->r->master_key};
	struct ticket_file *file = &facts->files[facts->file_count];
	struct str id = id_to_ec2(s->ctx.arena, KIND_SUPPORT_TICKET, s->id);
	content = str_cut(content, FACTS_MAX);
	*file = (struct ticket_file){
		.id = uuid_random(),
		.name = str_print(s->ctx.arena, "dari-facts-%" STR_FMT ".%s", STR_ARG(id), name),
		.media_type = STR("text/plain"),
		.size = (int64_t) content.n};
	TRY(ticket_file_write(&s->ctx, &place, file->id, content, &file->sha256));
	facts->file_count++;
	return OK;
}

static RESULT gather_facts(struct step *s)
{
	struct str text = STR_NONE, json = STR_NONE;
	struct ticket_facts *facts = STEP_NEW(s, struct ticket_facts);
	facts->ticket = s->id;
	if (s->r->write_facts && s->r->ticket_directory[0])
		TRY(s->r->write_facts(s->r->facts_self, &s->ctx, s->id, &text, &json));
	if (text.n)
		TRY(keep(s, "txt", text, facts));
	if (json.n)
		TRY(keep(s, "json", json, facts));
	step_report(s, engine_see_ticket_facts_run, facts);
	return OK;
}

static bool is_known_file(void *arg, uuid id)
{
	struct reconciler *r = arg;
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	return ticket_attachment_find(view.tables, id) != NULL;
}

/* Step without an id: deletes unused attachment sets and files. */
static RESULT step_sets(struct step *s)
{
	const struct ticket_place place = {str_from(s->r->ticket_directory), s->r->master_key};
	struct ticket_sweep *sweep = STEP_NEW(s, struct ticket_sweep);
	ticket_file_sweep(&place, is_known_file, s->r);
	step_report(s, engine_sweep_ticket_sets_run, sweep);
	return OK;
}

static RESULT step_ticket(struct step *s)
{
	bool needs_facts = false;
	int64_t close_us = 0;
	if (uuid_is_none(s->id))
		return step_sets(s);
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct support_ticket *t = support_ticket_find(view.tables, s->id);
		if (!t)
			return OK;
		needs_facts = !t->facts_us && !ticket_is_over(engine_get_ticket_state(view.tables, t, NULL));
		close_us = engine_get_ticket_close_us(view.tables, t);
	}
	if (needs_facts)
		return gather_facts(s);
	if (!close_us)
		return OK;
	if (clock_now_us() < close_us) {
		step_again_at(s, close_us);
		return OK;
	}
	struct ticket_target *target = STEP_NEW(s, struct ticket_target);
	target->ticket = s->id;
	step_report(s, engine_close_ticket_in_time_run, target);
	return OK;
}

static void wake_ticket(struct reconciler *r, const struct row *row)
{
	if (!support_ticket_of(row)->closed_us)
		work_wake(r, lane_home(r), KIND_SUPPORT_TICKET, row->id, WAKE_WISH);
}

const struct resource reconcile_support_ticket = {.step = step_ticket, .is_swept = true, .wake = wake_ticket};
