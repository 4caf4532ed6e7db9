/* SPDX-License-Identifier: Apache-2.0
 * Both ends of a link. A change that makes, moves or ends a reference changes the row at its other end as well: an address
 * that leaves an interface, a forwarded port that leads to a machine. The guard finds such references in the rows that the
 * change has put, so that no operation can forget to ask, and whatever an operation does through others is asked about, too.
 *
 * A reference is a link if it is wanted (schema/: [wanted]) and
 * - its value has changed in a row that exists before and after: the old and the new target are asked about;
 * - its row was made or deleted, and schema/ says `end` or `parent`: its target is asked about.
 * Asked about a part, such as an interface, the guard asks about what it is part of as well.
 *
 * The call's permission decides as where a row is found: a kind that permissions.def names has to be allowed; on other kinds
 * a Deny counts that names the row. A part of a row that the caller was allowed to act on needs no word of its own: whoever
 * may terminate an instance may end its interfaces. A row that the operation has asked about is not asked about again: after
 * the change, a condition on what it refers to (ec2:InstanceProfile) would read what the change has just ended. */
#include <string.h>

#include "auth/guard/guard_internal.h"
#include "engine/resolve.h"
#include "model/end_field.h"

/* permissions.def names the kind; "*" names none. */
static bool names_kind(int permission, enum kind kind)
{
	return permission != PERMISSION_NONE && strcmp(model_permissions[permission].kinds, "*") != 0 &&
	       permission_is_decided_on(permission, kind);
}

static bool was_allowed(const struct guard_state *s, enum kind kind, uuid id)
{
	for (size_t k = 0; k < s->asked.count; k++)
		if (s->asked.at[k].kind == kind && uuid_equal(s->asked.at[k].id, id))
			return true;
	return false;
}

static uuid read_ref(const struct row *row, const struct field *f)
{
	return *(const uuid *) (const void *) ((const char *) row + f->offset);
}

/* The n-th row that this one is part of, as it was before the change. NULL: none, or another account's. */
static const struct row *find_whole(struct op *op, enum kind kind, const struct row *row, unsigned n,
				    enum kind *ret_kind)
{
	const struct field *f = &model_kinds[kind].fields[model_kinds[kind].parents[n]];
	uuid id = f->group == FIELD_WANTED ? read_ref(row, f) : UUID_NONE;
	const struct row *whole = uuid_is_none(id) ? NULL : op_row_before(op, f->ref, id, NULL);
	*ret_kind = f->ref;
	return whole && engine_is_own(op->ctx, f->ref, whole) ? whole : NULL;
}

static bool is_part_of_allowed(const struct guard_state *s, struct op *op, enum kind kind,
			       const struct row *row)
{
	if (was_allowed(s, kind, row->id))
		return true;
	for (unsigned n = 0; n < model_kinds[kind].parent_count; n++) {
		enum kind whole_kind = KIND_NONE;
		const struct row *whole = find_whole(op, kind, row, n, &whole_kind);
		if (whole && is_part_of_allowed(s, op, whole_kind, whole))
			return true;
	}
	return false;
}

static RESULT ask(struct guard_state *s, struct op *op, enum kind kind, const struct row *row)
{
	const struct guard_subject subject = {.state = s, .tables = op->head, .kind = kind, .row = row};
	struct policy_question q =
		guard_make_question(&subject, op->ctx->arena, s->permission, s->request.action);
	bool is_allowed = false;
	if (!guard_must_ask(s, s->permission, kind))
		return OK;
	q.resource = guard_write_arn(&subject, op->ctx->arena, s->permission);
	if (names_kind(s->permission, kind))
		return was_allowed(s, kind, row->id)
			       ? OK
			       : guard_decide(s, op->ctx, &q, s->request.has_role, &is_allowed);
	return is_part_of_allowed(s, op, kind, row) ? OK : guard_decide_by_name(s, op->ctx, &q, &is_allowed);
}

static RESULT ask_with_wholes(struct guard_state *s, struct op *op, enum kind kind, const struct row *row)
{
	TRY(ask(s, op, kind, row));
	for (unsigned n = 0; n < model_kinds[kind].parent_count; n++) {
		enum kind whole_kind = KIND_NONE;
		const struct row *whole = find_whole(op, kind, row, n, &whole_kind);
		if (whole)
			TRY(ask_with_wholes(s, op, whole_kind, whole));
	}
	return OK;
}

/* A target that the change itself has made was asked about as such; one that others own is theirs to protect. */
static RESULT ask_about(struct op *op, enum kind kind, uuid id)
{
	struct guard_state *s = guard_state_of(op->ctx);
	const struct row *row = uuid_is_none(id) ? NULL : op_row_before(op, kind, id, NULL);
	if (!row || !model_kinds[kind].account_offset || !engine_is_own(op->ctx, kind, row))
		return OK;
	return ask_with_wholes(s, op, kind, row);
}

/* Ids of one list that are missing from the other. */
static RESULT ask_about_others(struct op *op, enum kind kind, const struct uuids *list,
			       const struct uuids *known)
{
	for (size_t k = 0; k < list->count; k++)
		if (!uuids_have(known, list->at[k]))
			TRY(ask_about(op, kind, list->at[k]));
	return OK;
}

static RESULT check_moved(struct op *op, const struct field *f, const struct row *before,
			  const struct row *after)
{
	if (f->type == FIELD_UUIDS) {
		const struct uuids *was = (const void *) ((const char *) before + f->offset),
				   *is = (const void *) ((const char *) after + f->offset);
		TRY(ask_about_others(op, f->ref, was, is));
		return ask_about_others(op, f->ref, is, was);
	}
	if (uuid_equal(read_ref(before, f), read_ref(after, f)))
		return OK;
	TRY(ask_about(op, f->ref, read_ref(before, f)));
	return ask_about(op, f->ref, read_ref(after, f));
}

static bool is_reference(const struct field *f)
{
	return f->ref != KIND_NONE && f->ref != KIND_ACCOUNT && f->group == FIELD_WANTED;
}

RESULT guard_check_links(void *arg, enum kind kind, const struct row *before, const struct row *after)
{
	struct op *op = arg;
	const struct kind_info *k = &model_kinds[kind];
	before = row_is_live(before) ? before : NULL;
	after = row_is_live(after) ? after : NULL;
	for (unsigned n = 0; n < k->field_count && (before || after); n++) {
		const struct field *f = &k->fields[n];
		if (!is_reference(f))
			continue;
		if (before && after)
			TRY(check_moved(op, f, before, after));
		else if (model_is_end_field(f))
			TRY(ask_about(op, f->ref, read_ref(before ? before : after, f)));
	}
	return OK;
}
