/* SPDX-License-Identifier: Apache-2.0
 * Annotations. The account of an annotation is the owner of the resource, so that the owner's users find it. Source
 * of the rules: CloudStack's AnnotationManagerImpl. */
#include "engine/annotation.h"

#include "engine/internal.h"
#include "engine/limits.h"
#include "store/annotation.h"

static bool is_admin(const struct ctx *c)
{
	return !c->who || identity_is_admin(c->who);
}

bool engine_sees_annotation(const struct ctx *c, const struct tables *t, const struct annotation *a)
{
	const struct row *subject = tables_find(t, (enum kind) a->subject_kind, a->subject);
	if (!subject || !row_is_live(subject))
		return false;
	uuid owner = engine_get_owner(subject->kind, subject);
	bool is_own = !uuid_is_none(owner) && uuid_equal(owner, engine_get_account(c)) &&
		      engine_is_own(c, subject->kind, subject);
	return is_admin(c) || (is_own && !a->admins_only);
}

const struct annotation *engine_find_newest_annotation(const struct ctx *c, const struct tables *t,
						       uuid subject, enum annotation_part part)
{
	const struct annotation *newest = NULL;
	for (const struct annotation *a = annotation_first_by_subject(t, subject); a;
	     a = annotation_next_by_subject(t, a))
		if (a->part == part && engine_sees_annotation(c, t, a) &&
		    (!newest || newest->row.created_us <= a->row.created_us))
			newest = a;
	return newest;
}

/* The owner of the resource. A resource without owner takes no notes but administrators', which count as
 * those of their own account. */
static RESULT find_account(struct op *op, const struct ref *resource, const struct row *row,
			   uuid *ret_account)
{
	*ret_account = engine_get_owner(resource->kind, row);
	if (uuid_is_none(*ret_account) && !is_admin(op->ctx))
		return ENGINE_FAIL(op, ERR_DENIED, KIND_ANNOTATION, resource->field,
				   "Only an administrator annotates what no account owns.");
	if (uuid_is_none(*ret_account))
		*ret_account = engine_get_account(op->ctx);
	return OK;
}

static RESULT log_change(struct op *op, const struct annotation *a, const char *what)
{
	struct str id = engine_write_id(op, (enum kind) a->subject_kind, a->subject);
	uuid reader = a->admins_only ? UUID_NONE : a->account;
	return engine_log_event_to(op, reader, KIND_ANNOTATION, a->row.id, what,
				   "Annotation of %s %" STR_FMT ".",
				   engine_kind_words(op->ctx, (enum kind) a->subject_kind), STR_ARG(id));
}

RESULT engine_add_annotation(struct op *op, struct annotation_wish *wish)
{
	const struct row *row = NULL;
	uuid account = UUID_NONE;
	TRY(engine_find_own(op->ctx, op->head, wish->resource.kind, &wish->resource, &row));
	TRY(engine_permit(op, "annotation.add", wish->resource.kind, row));
	TRY(find_account(op, &wish->resource, row, &account));
	if (wish->text.n < 1 || wish->text.n > ANNOTATION_TEXT_MAX || !str_is_xml_text(wish->text))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ANNOTATION, STR("annotation"),
				   "An annotation has 1 to %d characters.", ANNOTATION_TEXT_MAX);
	if (!is_admin(op->ctx))
		TRY(limit_check(op, LIMIT_ANNOTATIONS, account, 1, STR_NONE));
	const struct annotation a = {.row.id = engine_new_id(op, KIND_ANNOTATION),
				     .row.gen = 1,
				     .account = account,
				     .subject_kind = wish->resource.kind,
				     .subject = row->id,
				     .part = wish->part,
				     .text = wish->text,
				     .admins_only = wish->admins_only};
	TRY(annotation_put(op, &a));
	wish->annotation = a.row.id;
	return log_change(op, &a, "created");
}

static RESULT find(struct op *op, const struct ref *ref, const struct annotation **ret_annotation)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_ANNOTATION, ref, &row));
	*ret_annotation = annotation_of(row);
	return is_admin(op->ctx) || !annotation_of(row)->admins_only
		       ? OK
		       : engine_fail_not_found(op->ctx, KIND_ANNOTATION, ref);
}

RESULT engine_remove_annotation(struct op *op, struct annotation_target *wish)
{
	const struct annotation *a = NULL;
	TRY(find(op, &wish->annotation, &a));
	TRY(engine_permit(op, "annotation.remove", KIND_ANNOTATION, &a->row));
	bool is_author = op->ctx->who && uuid_equal(a->made_by, op->ctx->who->user);
	if (!is_admin(op->ctx) && !is_author)
		return ENGINE_FAIL(op, ERR_PROTECTED, KIND_ANNOTATION, wish->annotation.field,
				   "Only administrators and its author remove an annotation.");
	TRY(log_change(op, a, "deleted"));
	return annotation_forget(op, a->row.id);
}

RESULT engine_update_annotation(struct op *op, struct annotation_visibility *wish)
{
	const struct annotation *a = NULL;
	TRY(find(op, &wish->annotation, &a));
	TRY(engine_permit(op, "annotation.update", KIND_ANNOTATION, &a->row));
	struct annotation next = *a;
	next.admins_only = wish->admins_only;
	next.row.gen++;
	TRY(annotation_put(op, &next));
	return log_change(op, &next, "changed");
}

RESULT annotation_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after)
{
	if (!before || !after || tables_count(op->head, KIND_ANNOTATION) == 0)
		return OK;
	uuid owner = engine_get_owner(kind, before);
	if (!uuid_is_none(owner) && !uuid_equal(owner, engine_get_owner(kind, after)))
		FORGET_EACH(op, annotation, subject, before->id);
	return OK;
}
