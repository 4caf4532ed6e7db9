/* SPDX-License-Identifier: Apache-2.0
 * What a running change may do to the head, and its undo. Every put and forget is an entry of the batch's
 * log, in order; undo walks the log backwards. A new version of a row is a new block, so the old one is
 * intact when it must come back. engine/ calls this through store/<kind>.h. Next: committer.c. */
#include <assert.h>
#include <inttypes.h>
#include <stdatomic.h>

#include "base/heap.h"
#include "base/log.h"
#include "model/identity.h"
#include "store/hooks.h"
#include "store/internal.h"

/* ---- the log ---- */

void op_log_init(struct op_log *log)
{
	*log = (struct op_log){.notes_end = &log->first_note, .notes_mark = &log->first_note};
}

static void op_cut_notes(struct op_log *log, struct note **from)
{
	for (struct note *note = TAKE(*from), *next = NULL; note; note = next) {
		next = note->next;
		if (note->type == NOTE_USAGE)
			heap_free(note->subject);
		heap_free(note);
	}
	log->notes_end = from;
}

void op_log_done(struct op_log *log)
{
	op_cut_notes(log, &log->first_note);
	heap_free(log->entries);
	heap_free(log->net);
	*log = (struct op_log){0};
}

/* Makes room for an entry and for its net change, so that publishing cannot fail. */
static RESULT op_reserve_entry(struct op *op)
{
	struct op_log *log = op->log;
	if (log->count < log->capacity)
		return OK;
	size_t capacity = log->capacity ? 2 * log->capacity : 256;
	struct entry *entries = heap_resize(log->entries, capacity * sizeof *entries);
	if (!entries)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for a change of %zu rows", log->count);
	log->entries = entries;
	struct published *net = heap_resize(log->net, capacity * sizeof *net);
	if (!net)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for a change of %zu rows", log->count);
	log->net = net;
	log->capacity = capacity;
	return OK;
}

/* Called after the figures are set: an answer made meanwhile has the former number, and is made again. */
static void note_figures(struct store *s)
{
	(void) atomic_fetch_add_explicit(&s->figures_epoch, 1, memory_order_release);
}

static void op_observe(struct store *s, enum kind kind, const struct row *before, const struct row *after)
{
	if (s->config.observe)
		s->config.observe(&s->head, kind, before, after);
	note_figures(s);
}

void op_note_figures(const struct op *op)
{
	note_figures(op->store);
}

static void op_free_version(struct store *s, enum kind kind, struct row *row)
{
	struct version *v = version_of(kind, row);
	s->figures.row_bytes -= v->size;
	version_free(v);
}

/* Applies a step to the head and logs it. Cannot fail: all memory was reserved. */
static void op_apply(struct op *op, enum kind kind, struct row *before, struct row *after)
{
	struct op_log *log = op->log;
	uint32_t place = (uint32_t) log->count;
	struct entry *e = &log->entries[log->count++];
	*e = (struct entry){kind, before, after, .first_of_batch = place, .first_of_change = place};
	struct version *old = before ? version_of(kind, before) : NULL;
	if (old && old->entry) {
		struct entry *previous = &log->entries[old->entry - 1];
		previous->superseded = true;
		e->first_of_batch = previous->first_of_batch;
		if (old->entry - 1 >= log->mark)
			e->first_of_change = previous->first_of_change;
	}
	if (after) {
		version_of(kind, after)->entry = place + 1;
		op->store->figures.row_bytes += version_of(kind, after)->size;
	} else {
		old->owns_usage = true;
	}
	tables_exchange(&op->store->head, kind, before, after);
	op_observe(op->store, kind, before, after);
}

static void op_undo_entry(struct store *s, struct entry *e)
{
	tables_exchange(&s->head, e->kind, e->after, e->before);
	struct version *old = e->before ? version_of(e->kind, e->before) : NULL;
	if (old) {
		old->owns_usage = false;
		if (old->entry)
			s->log.entries[old->entry - 1].superseded = false;
	}
	op_observe(s, e->kind, e->after, e->before);
	if (!e->after)
		return;
	version_of(e->kind, e->after)->owns_usage = !e->before;
	op_free_version(s, e->kind, e->after);
}

static void op_undo_to(struct store *s, size_t mark)
{
	while (s->log.count > mark)
		op_undo_entry(s, &s->log.entries[--s->log.count]);
}

void op_begin_change(struct store *s)
{
	s->log.mark = s->log.count;
	s->log.notes_mark = s->log.notes_end;
}

void op_undo_change(struct store *s)
{
	op_undo_to(s, s->log.mark);
	op_cut_notes(&s->log, s->log.notes_mark);
}

struct op_place op_place_now(const struct op *op)
{
	return (struct op_place){op->log->count, op->log->notes_end};
}

void op_go_back(struct op *op, struct op_place place)
{
	op_undo_to(op->store, place.entries);
	op_cut_notes(op->log, place.notes);
}

void op_mark_records(struct store *s, const struct change *change)
{
	bool is_only = s->log.count == s->log.mark;
	for (const struct note *note = *s->log.notes_mark; note; note = note->next)
		is_only = is_only && note->type == NOTE_AUDIT;
	for (struct note *note = *s->log.notes_mark; is_only && note; note = note->next)
		note->only_of = change;
}

void op_undo_batch(struct store *s)
{
	op_undo_to(s, 0);
	op_cut_notes(&s->log, &s->log.first_note);
	op_begin_change(s);
}

RESULT op_check_change(struct store *s, struct ctx *c)
{
	struct op_log *log = &s->log;
	for (size_t n = log->mark; n < log->count; n++) {
		const struct entry *e = &log->entries[n];
		const struct row *before = log->entries[e->first_of_change].before;
		if (e->superseded || (!before && !e->after))
			continue;
		TRY(reference_check(c, &s->head, e->kind, before, e->after));
		const char *wrong = s->config.check ? s->config.check(e->kind, before, e->after) : NULL;
		if (!wrong)
			continue;
		char id[UUID_TEXT_SIZE];
		uuid_write(e->after ? e->after->id : before->id, id);
		const char *name = model_kinds[e->kind].name;
		log_event(LOG_ERROR, "invariant-broken", "kind=%s id=%s why=%s", name, id,
			  log_quote(str_from(wrong)));
		return ctx_fail_kind(c, ERR_INTERNAL, (int) e->kind, "the change would leave %s %s wrong: %s",
				     name, id, wrong);
	}
	return OK;
}

const struct row *op_row_before(const struct op *op, enum kind kind, uuid id, bool *ret_has_changed)
{
	const struct op_log *log = op->log;
	const struct row *now = tables_find(op->head, kind, id);
	uint32_t place = now ? version_of(kind, (struct row *) now)->entry : 0;
	const struct entry *e = place > log->mark ? &log->entries[place - 1] : NULL;
	for (size_t n = log->mark; !now && !e && n < log->count;
	     n++) { /* forgotten by this change, or never existed */
		const struct entry *each = &log->entries[n];
		if (each->kind == kind && !each->after && uuid_equal(each->before->id, id))
			e = each;
	}
	if (ret_has_changed)
		*ret_has_changed = e != NULL;
	return e ? log->entries[e->first_of_change].before : now;
}

RESULT op_follow_change(struct op *op)
{
	const struct op_log *log = op->log;
	for (size_t n = log->mark; op->store->config.follow && n < log->count; n++) {
		const struct entry *e = &log->entries[n];
		const struct row *before = log->entries[e->first_of_change].before;
		if (!e->superseded && (before || e->after))
			TRY(op->store->config.follow(op, e->kind, before, e->after));
	}
	return OK;
}

void op_make_net(struct store *s)
{
	struct op_log *log = &s->log;
	log->net_count = 0;
	for (size_t n = 0; n < log->count; n++) {
		const struct entry *e = &log->entries[n];
		const struct row *before = log->entries[e->first_of_batch].before;
		if (!e->superseded && (before || e->after))
			log->net[log->net_count++] = (struct published){e->kind, before, e->after};
	}
}

void op_end_batch(struct store *s, uint64_t commit)
{
	struct op_log *log = &s->log;
	for (size_t n = 0; n < log->count; n++) {
		struct entry *e = &log->entries[n];
		/* entry 0: the version was published, so readers may hold it */
		if (e->before && !version_of(e->kind, e->before)->entry)
			view_retire(s, version_of(e->kind, e->before), commit);
	}
	/* Versions created and replaced within the batch were never visible. */
	for (size_t n = 0; n < log->count; n++) {
		struct entry *e = &log->entries[n];
		if (e->after && e->superseded)
			op_free_version(s, e->kind, e->after);
		else if (e->after)
			version_of(e->kind, e->after)->entry = 0;
	}
	log->count = 0;
	log->net_count = 0;
	op_cut_notes(log, &log->first_note);
	op_begin_change(s);
}

/* ---- rows ---- */

/* ERR_EXISTS: another live row has the key of a unique index. A key of all zeros is exempt. A live row that
 * keeps its key is not searched for: no other live row could take that key meanwhile. */
static RESULT op_check_unique(struct op *op, const struct kind_info *k, const struct row *before,
			      const struct row *row)
{
	static const struct {
		_Alignas(16) char bytes[4096];
	} zero;
	assert(k->row_size <= sizeof zero);
	const struct row *none = (const struct row *) (const void *) zero.bytes;
	for (unsigned n = 0; row_is_live(row) && n < k->index_count; n++) {
		const struct index *x = &k->indexes[n];
		if (!x->unique || row_compare_key(k, x, x->field_count, row, none) == 0)
			continue;
		if (before && row_is_live(before) && row_compare_key(k, x, x->field_count, row, before) == 0)
			continue;
		const struct row *other = tables_first(op->head, k->kind, n, row, x->field_count);
		for (; other; other = tables_next(op->head, k->kind, n, other, x->field_count))
			if (row_is_live(other) && !uuid_equal(other->id, row->id))
				return ctx_fail_kind(op->ctx, ERR_EXISTS, (int) k->kind,
						     "another %s has the same %s", k->name, x->name);
	}
	return OK;
}

static RESULT op_no_memory(struct op *op, const struct kind_info *k)
{
	return ctx_fail_kind(op->ctx, ERR_NO_MEMORY, (int) k->kind, "out of memory for a row of %s", k->name);
}

/* Sets made_by of a new row, if its kind has the field. A row with a credential and no user is work of a role, whatever user passed
 * the role to it: the caller's name would make the work ask for the caller's rights. */
static void op_set_maker(const struct op *op, const struct kind_info *k, struct row *row)
{
	uuid *made_by = k->made_by_offset ? (uuid *) (void *) ((char *) row + k->made_by_offset) : NULL;
	const uuid *made_with = (const uuid *) (const void *) ((const char *) row + k->made_with_offset);
	bool is_of_role = k->made_with_offset && !uuid_is_none(*made_with);
	if (made_by && !is_of_role && uuid_is_none(*made_by) && op->ctx->who)
		*made_by = op->ctx->who->user;
}

/* Does everything in a put that can fail: room in log and tables, the row's block, usage of a new row. The
 * version continues `before`, if given, with the content of `row`. */
static RESULT op_new_version(struct op *op, const struct kind_info *k, const struct row *before,
			     const struct row *row, struct row **ret_row)
{
	TRY(op_reserve_entry(op));
	size_t count = tables_count(op->head, k->kind) + 1;
	if (!tables_have_room(op->head, k->kind, count) && !view_grow_tables(op->store, k->kind, count))
		return op_no_memory(op, k);
	struct row *made = version_new(k, row);
	if (!made)
		return op_no_memory(op, k);
	made->commit = op->store->sql_commit + 1;
	made->created_us = before ? before->created_us : op->now_us;
	made->updated_us = op->now_us;
	if (!before)
		op_set_maker(op, k, made);
	made->usage = before ? before->usage : NULL;
	if (!before && k->usage_size && !(made->usage = heap_alloc(k->usage_size))) {
		version_free(version_of(k->kind, made));
		return op_no_memory(op, k);
	}
	*ret_row = made;
	return OK;
}

/* Last check of field sizes; operations normally check first, with a better message. */
static RESULT op_check_sizes(struct op *op, const struct kind_info *k, const struct row *row)
{
	const struct field *field = row_find_too_large(k, row);
	if (!field)
		return OK;
	struct str list; /* every list begins like a text: row_find_too_large() */
	memcpy(&list, (const char *) row + field->offset, sizeof list);
	bool is_bytes = field->type == FIELD_TEXT || field->type == FIELD_BLOB || list.n <= field->most;
	return ctx_fail_kind(op->ctx, ERR_TOO_LARGE, (int) k->kind, "The %s of a %s holds more than %zu %s.",
			     field->name, k->name, list.n > field->most ? field->most : field->most_bytes,
			     is_bytes ? "bytes" : "entries");
}

RESULT op_put(struct op *op, enum kind kind, const struct row *row)
{
	const struct kind_info *k = &model_kinds[kind];
	if (uuid_is_none(row->id))
		return ctx_fail_kind(op->ctx, ERR_INTERNAL, (int) kind, "a row of %s without an id", k->name);
	struct row *before = (struct row *) tables_find(op->head, kind, row->id), *after = NULL;
	TRY(op_check_sizes(op, k, row));
	if (op->store->config.sql->level)
		TRY(level_check_row(op->store->config.sql->level, op->ctx, k, row));
	TRY(op_check_unique(op, k, before, row));
	TRY(op_new_version(op, k, before, row, &after));
	op_apply(op, kind, before, after);
	return OK;
}

RESULT op_take_row(struct op *op, enum kind kind, const struct row *row)
{
	struct row *before = (struct row *) tables_find(op->head, kind, row->id), *after = NULL;
	TRY(op_new_version(op, &model_kinds[kind], before, row, &after));
	after->commit = row->commit;
	after->created_us = row->created_us;
	after->updated_us = row->updated_us;
	op_apply(op, kind, before, after);
	return OK;
}

static RESULT op_find(struct op *op, enum kind kind, uuid id, struct row **ret_row)
{
	*ret_row = (struct row *) tables_find(op->head, kind, id);
	if (*ret_row)
		return OK;
	char text[UUID_TEXT_SIZE];
	return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, (int) kind, "there is no %s %s", model_kinds[kind].name,
			     uuid_write(id, text));
}

RESULT op_delete(struct op *op, enum kind kind, uuid id)
{
	struct row *before = NULL, *after = NULL;
	TRY(op_find(op, kind, id, &before));
	if (!row_is_live(before))
		return OK;
	TRY(op_new_version(op, &model_kinds[kind], before, before, &after));
	after->deleted_us = op->now_us;
	after->gen++;
	op_apply(op, kind, before, after);
	return reference_follow(op, kind, id, false);
}

RESULT op_forget(struct op *op, enum kind kind, uuid id)
{
	struct row *before = NULL;
	TRY(op_find(op, kind, id, &before));
	TRY(reference_check_forget(op, kind, before));
	TRY(op_reserve_entry(op));
	op_apply(op, kind, before, NULL);
	return reference_follow(op, kind, id, true);
}

/* ---- what the change leaves ---- */

static bool op_is_left(const struct entry *e, enum kind kind)
{
	return e->kind == kind && e->after && !e->superseded;
}

static RESULT op_copy_row(struct op *op, const struct kind_info *k, const struct row *row,
			  const struct row **ret_copy)
{
	struct row *copy = row_copy(op->ctx->arena, k, row);
	if (!copy)
		return ctx_no_memory(op->ctx);
	if (k->usage_size && !(copy->usage = arena_alloc(op->ctx->arena, k->usage_size)))
		return ctx_no_memory(op->ctx);
	if (k->usage_size)
		memcpy(copy->usage, row->usage, k->usage_size);
	*ret_copy = copy;
	return OK;
}

void op_show(struct op *op, enum kind kind)
{
	op->shown = (struct op_shown){.kind = kind};
}

RESULT op_name(struct op *op, enum kind kind, const struct row *row)
{
	if (kind != op->shown.kind || VEC_PUSH(op->ctx->arena, &op->shown.named, row))
		return OK;
	return ctx_no_memory(op->ctx);
}

static bool op_has_row(const struct row *const *rows, size_t count, uuid id)
{
	for (size_t n = 0; n < count; n++)
		if (uuid_equal(rows[n]->id, id))
			return true;
	return false;
}

RESULT op_copy_shown(struct op *op, struct rows *ret_rows)
{
	const struct op_log *log = op->log;
	const struct kind_info *k = &model_kinds[op->shown.kind];
	size_t count = 0, room = op->shown.named.count;
	for (size_t n = log->mark; n < log->count; n++)
		room += op_is_left(&log->entries[n], k->kind);
	const struct row **at = arena_new_array(op->ctx->arena, const struct row *, room);
	if (!at)
		return ctx_no_memory(op->ctx);
	for (size_t n = log->mark; n < log->count; n++)
		if (op_is_left(&log->entries[n], k->kind))
			TRY(op_copy_row(op, k, log->entries[n].after, &at[count++]));
	for (size_t n = 0; n < op->shown.named.count; n++) {
		const struct row *row = tables_find(op->head, k->kind, op->shown.named.at[n]->id);
		if (row && !op_has_row(at, count, row->id))
			TRY(op_copy_row(op, k, row, &at[count++]));
	}
	*ret_rows = (struct rows){at, count};
	return OK;
}

RESULT op_visit_made(struct op *op, RESULT (*visit)(void *arg, enum kind kind, const struct row *row),
		     void *arg)
{
	const struct op_log *log = op->log;
	for (size_t n = log->mark; n < log->count; n++) {
		const struct entry *e = &log->entries[n];
		const struct row *row =
			e->before || !e->after ? NULL : tables_find(op->head, e->kind, e->after->id);
		if (row)
			TRY(visit(arg, e->kind, row));
	}
	return OK;
}

RESULT op_visit_changed(struct op *op,
			RESULT (*visit)(void *arg, enum kind kind, const struct row *before,
					const struct row *after),
			void *arg)
{
	const struct op_log *log = op->log;
	for (size_t n = log->mark; n < log->count; n++) {
		const struct entry *e = &log->entries[n];
		const struct row *row = e->before ? e->before : e->after;
		if (e->first_of_change == n && row)
			TRY(visit(arg, e->kind, e->before, tables_find(op->head, e->kind, row->id)));
	}
	return OK;
}

/* ---- history ---- */

struct note *op_new_note(struct str *const texts[], size_t count)
{
	size_t size = sizeof(struct note);
	for (size_t n = 0; n < count; n++)
		size += texts[n]->n;
	struct note *note = heap_alloc(size);
	if (!note)
		return NULL;
	char *end = (char *) (note + 1);
	for (size_t n = 0; n < count; n++) {
		if (texts[n]->n)
			memcpy(end, texts[n]->p, texts[n]->n);
		texts[n]->p = end;
		end += texts[n]->n;
	}
	return note;
}

void op_add_note(struct op *op, struct note *note)
{
	*op->log->notes_end = note;
	op->log->notes_end = &note->next;
}

RESULT op_event(struct op *op, enum kind kind, uuid id, uuid account, const char *what, struct str sentence,
		struct str arguments)
{
	struct event event = {.at_us = op->now_us,
			      .kind = kind,
			      .id = id,
			      .account = account,
			      .user = op->ctx->who ? op->ctx->who->user : UUID_NONE,
			      .request_id = op->ctx->request_id,
			      .action = str_from(op->action),
			      .what = str_from(what),
			      .sentence = sentence,
			      .arguments = arguments};
	struct str *const texts[] = {&event.request_id, &event.action, &event.what, &event.sentence,
				     &event.arguments};
	struct note *note = op_new_note(texts, sizeof texts / sizeof *texts);
	if (!note)
		return ctx_fail(op->ctx, ERR_NO_MEMORY, "out of memory for an event");
	note->event = event;
	op_add_note(op, note);
	return OK;
}
