/* SPDX-License-Identifier: Apache-2.0
 * Kinds of rows in the API: names, references, visibility, and the three reads that each kind has (list,
 * row, history).
 */
#include "api/native/action.h"
#include "base/uuid_asked.h"

#include <assert.h>

#include "api/core/params.h"
#include "base/heap.h"
#include "engine/people/user_owned.h"
#include "engine/region/offered.h"
#include "engine/remote/provider_share.h"
#include "engine/storage/volume_type/volume_type.h"
#include "model/network_offering.h"
#include "model/permission.h"
#include "model/ticket_attachment.h"
#include "model/ticket_message.h"
#include "model/volume_type.h"

/* ---- names ---- */

enum kind native_kind_of(struct str name)
{
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++)
		if (model_shown[k].name && str_is(name, model_shown[k].name))
			return k;
	return KIND_NONE;
}

struct ref native_read_ref(struct str text, enum kind kind, struct str field)
{
	struct ref ref = {0};
	uuid id;
	if (result_is_ok(uuid_parse_asked(text, &id)))
		ref = ref_by_id(kind, id);
	else if (!*model_kinds[kind].ec2_prefix || !result_is_ok(id_parse_ec2(text, kind, &ref)))
		ref = (struct ref){.kind = kind};
	ref.text = text;
	ref.field = field;
	return ref;
}

RESULT native_read_id(const struct params_reader *r, const struct params_value *v, struct ref *out)
{
	struct str own = r->is_copied ? str_copy(r->c->arena, v->text) : v->text;
	if (own.n != v->text.n)
		return ctx_no_memory(r->c);
	enum kind kind = v->p->kind;
	if (v->p->flags & ANY_KIND && kind == KIND_NONE)
		kind = id_kind_of_ec2(own);
	if (kind == KIND_NONE)
		return params_fail(r, FAULT_ID, v);
	*out = native_read_ref(own, kind, v->field);
	return OK;
}

/* ---- who sees ---- */

static bool sees_parent(const struct ctx *c, const struct tables *t, enum kind kind, const struct row *row)
{
	unsigned of = model_shown[kind].of;
	if (!of)
		return true;
	const struct field *f = &model_kinds[kind].fields[of - 1];
	const struct row *parent =
		tables_find(t, f->ref, *(const uuid *) (const void *) ((const char *) row + f->offset));
	return parent && native_sees(c, t, f->ref, parent);
}

/* Rows that belong to one user are visible to that user and to managers of the account. */
static bool is_ones_own(const struct ctx *c, enum kind kind, const struct row *row)
{
	unsigned belongs = model_shown[kind].belongs;
	const struct identity *who = c->who;
	if (!belongs || !who || who->is_owner || identity_has(who, RIGHT_MANAGER))
		return true;
	const struct field *f = &model_kinds[kind].fields[belongs - 1];
	uuid user = *(const uuid *) (const void *) ((const char *) row + f->offset);
	return !uuid_is_none(user) && uuid_equal(user, who->user);
}

static bool is_offered(const struct ctx *c, enum kind kind, const struct row *row)
{
	if (kind == KIND_VOLUME_TYPE)
		return engine_may_use_volume_type(c, volume_type_of(row));
	if (kind == KIND_NETWORK_OFFERING)
		return engine_is_offered(c, &network_offering_of(row)->domains);
	return true;
}

bool native_is_of_desk(enum kind kind, const struct row *row)
{
	if (kind == KIND_TICKET_MESSAGE)
		return ticket_message_of(row)->is_private;
	return kind == KIND_TICKET_ATTACHMENT &&
	       (ticket_attachment_of(row)->is_private || ticket_attachment_of(row)->is_of_region);
}

bool native_sees(const struct ctx *c, const struct tables *t, enum kind kind, const struct row *row)
{
	if ((model_shown[kind].is_for_admins || native_is_of_desk(kind, row)) && !identity_is_admin(c->who))
		return false;
	bool may = engine_may_see(c, kind, row) || engine_is_shared_elsewhere(c, t, kind, row);
	return may && is_ones_own(c, kind, row) && is_offered(c, kind, row) && sees_parent(c, t, kind, row);
}

RESULT native_find_row(struct native_call *e, enum kind kind, const struct ref *ref,
		       const struct row **ret_row)
{
	const struct row *row = NULL;
	TRY(engine_find(e->c, native_tables(e), kind, ref, &row));
	if (!native_sees(e->c, native_tables(e), kind, row))
		return engine_fail_not_found(e->c, kind, ref);
	*ret_row = row;
	return OK;
}

RESULT native_find_anything(struct native_call *e, struct str text, enum kind *ret_kind,
			    const struct row **ret_row)
{
	enum kind of_ec2 = id_kind_of_ec2(text);
	uuid id;
	bool is_uuid = result_is_ok(uuid_parse_asked(text, &id));
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
		bool is_named = k == KIND_HOST || k == KIND_ACCOUNT || k == KIND_ADDRESS;
		struct ref ref = native_read_ref(text, k, STR("id"));
		if (!model_shown[k].name || (is_uuid  ? !tables_find(native_tables(e), k, id)
					     : of_ec2 ? k != of_ec2
						      : !is_named))
			continue;
		struct result found = native_find_row(e, k, &ref, ret_row);
		*ret_kind = k;
		if (found.code != ERR_NOT_FOUND)
			return found;
		ctx_clear_problem(e->c);
	}
	return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("id"), "There is nothing called %" STR_FMT ".",
			      STR_ARG(str_slice(text, 0, 128)));
}

/* ---- reads ---- */

const char *native_permit(const char *permission)
{
	int found = permission_find(str_from(permission));
	assert(found != PERMISSION_NONE); /* a unit test checks the schema's names */
	return model_permissions[found].action;
}

static void add_read(struct native_face *face, enum kind kind, const char *behind,
		     struct native_action action)
{
	const struct shown_kind *s = &model_shown[kind];
	assert(face->read_count < NATIVE_READS_MAX);
	char *path = face->paths[face->read_count];
	int n = snprintf(path, sizeof face->paths[0], "/%s%s", s->name, behind);
	assert(n > 0 && (size_t) n < sizeof face->paths[0]);
	(void) n;
	action.method = HTTP_GET;
	action.path = path;
	action.permit = native_permit(s->read);
	action.flags |= s->is_for_admins ? NATIVE_ADMIN : 0U;
	action.kind = kind;
	face->reads[face->read_count++] = action;
}

bool native_make_reads(struct native_face *face)
{
	face->paths = heap_alloc(NATIVE_READS_MAX * sizeof face->paths[0]);
	if (!face->paths)
		return false;
	for (enum kind k = KIND_NONE + 1; k < KIND_COUNT; k++) {
		if (!model_shown[k].name)
			continue;
		add_read(face, k, "",
			 (struct native_action){.flags = NATIVE_LISTS,
						.prepare = native_prepare_list,
						.answer = native_answer_list,
						.doc = "Lists rows."});
		add_read(face, k, "/{id}",
			 (struct native_action){.flags = NATIVE_READS,
						.prepare = native_prepare_row,
						.answer = native_answer_row,
						.doc = "Shows one row with all its fields."});
		add_read(face, k, "/{id}/events",
			 (struct native_action){.flags = NATIVE_READS,
						.query = "limit|before",
						.prepare = native_prepare_events,
						.answer = native_answer_events,
						.doc = "Lists the events of one row, newest first."});
	}
	return true;
}
