/* SPDX-License-Identifier: Apache-2.0
 * References between rows: what op_delete() and op_forget() do to rows that refer to the row that goes, the
 * check at the end of a change, and a search for references that lead nowhere. Called by: op.c. */
#include "store/reference.h"

#include "store/internal.h"

enum { ROW_SIZE_MAX = 4096 };

/* A row of which only some fields are set. */
struct probe {
	_Alignas(16) char bytes[ROW_SIZE_MAX];
};

static const struct field *field_of(const struct reference *r)
{
	return &model_kinds[r->kind].fields[r->field];
}

static void *value_at(const struct row *row, const struct field *f)
{
	return (char *) row + f->offset;
}

/* r has an index. */
static const struct row *first_by(const struct tables *t, const struct reference *r, uuid id)
{
	struct probe probe; /* only the key is read */
	struct row *row = (struct row *) (void *) probe.bytes;
	*(uuid *) value_at(row, field_of(r)) = id;
	return tables_first(t, r->kind, r->index, row, 1);
}

static const struct row *next_by(const struct tables *t, const struct reference *r, const struct row *row)
{
	return tables_next(t, r->kind, r->index, row, 1);
}

/* Leaves gen as it is: no host or network has to follow. */
static RESULT clear(struct op *op, const struct reference *r, const struct row *row)
{
	struct probe copy;
	struct row *next = (struct row *) (void *) copy.bytes;
	memcpy(next, row, model_kinds[r->kind].row_size);
	*(uuid *) value_at(next, field_of(r)) = UUID_NONE;
	return op_put(op, r->kind, next);
}

/* Each row that is treated leaves the index's range. */
static RESULT follow(struct op *op, const struct reference *r, uuid id, bool is_forgotten)
{
	const struct row *row = NULL;
	for (; r && r->kind; r++) {
		if ((r->rule != REFERENCE_CASCADE && r->rule != REFERENCE_CLEAR) ||
		    (r->at_forget && !is_forgotten))
			continue;
		while ((row = first_by(op->head, r, id)))
			TRY(r->rule == REFERENCE_CASCADE ? op_forget(op, r->kind, row->id)
							 : clear(op, r, row));
	}
	return OK;
}

RESULT reference_follow(struct op *op, enum kind kind, uuid id, bool is_forgotten)
{
	TRY(follow(op, model_references[kind], id, is_forgotten));
	return follow(op, model_references[KIND_NONE], id, is_forgotten);
}

/* at_forget: only by references that matter once the row is forgotten, or only by the others. */
static const struct row *find_user(const struct tables *t, enum kind kind, uuid id, bool at_forget)
{
	for (const struct reference *r = model_references[kind]; r && r->kind; r++) {
		if (r->rule != REFERENCE_REFUSE || !r->index || r->at_forget != at_forget)
			continue;
		for (const struct row *row = first_by(t, r, id); row; row = next_by(t, r, row))
			if (at_forget || row_is_live(row))
				return row;
	}
	return NULL;
}

const struct row *reference_find_user(const struct tables *t, enum kind kind, uuid id, bool is_forgotten)
{
	const struct row *user = find_user(t, kind, id, false);
	return user || !is_forgotten ? user : find_user(t, kind, id, true);
}

static RESULT fail_in_use(struct ctx *c, enum kind kind, uuid id, const struct row *user)
{
	char text[UUID_TEXT_SIZE], of[UUID_TEXT_SIZE];
	return ctx_fail_kind(c, ERR_IN_USE, (int) kind, "The %s %s is in use by the %s %s.",
			     model_kinds[kind].name, uuid_write(id, text), model_kinds[user->kind].name,
			     uuid_write(user->id, of));
}

RESULT reference_check_forget(struct op *op, enum kind kind, const struct row *row)
{
	const struct row *user = find_user(op->head, kind, row->id, true);
	return user ? fail_in_use(op->ctx, kind, row->id, user) : OK;
}

RESULT reference_check(struct ctx *c, const struct tables *t, enum kind kind, const struct row *before,
		       const struct row *after)
{
	bool has_gone = before && (!after || (row_is_live(before) && !row_is_live(after)));
	const struct row *user = has_gone ? find_user(t, kind, before->id, false) : NULL;
	return user ? fail_in_use(c, kind, before->id, user) : OK;
}

/* ---- audits ---- */

static const struct row *find_of_any_kind(const struct tables *t, uuid id)
{
	const struct row *row = NULL;
	for (int kind = KIND_NONE + 1; kind < KIND_COUNT && !row; kind++)
		row = tables_find(t, (enum kind) kind, id);
	return row;
}

static bool is_gone(const struct tables *t, const struct field *f, bool at_forget, uuid id)
{
	const struct row *row = f->ref ? tables_find(t, f->ref, id) : find_of_any_kind(t, id);
	return !uuid_is_none(id) && (at_forget ? !row : !row_is_live(row));
}

static void find_dangling_by(const struct tables *t, const struct reference *r, reference_visit *visit,
			     void *arg)
{
	const struct field *f = field_of(r);
	for (const struct row *row = tables_first(t, r->kind, 0, NULL, 0); row;
	     row = tables_next(t, r->kind, 0, row, 0)) {
		const uuid *at = value_at(row, f);
		size_t count = 1;
		if (f->type == FIELD_UUIDS) {
			const struct uuids *list = value_at(row, f);
			at = list->at;
			count = list->count;
		}
		for (size_t n = 0; row_is_live(row) && n < count; n++)
			if (is_gone(t, f, r->at_forget, at[n]))
				visit(arg, row, f, at[n]);
	}
}

void reference_find_dangling(const struct tables *t, reference_visit *visit, void *arg)
{
	for (int kind = 0; kind < KIND_COUNT; kind++)
		for (const struct reference *r = model_references[kind]; r && r->kind; r++)
			if (r->rule != REFERENCE_KEEP)
				find_dangling_by(t, r, visit, arg);
}
