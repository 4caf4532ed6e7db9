/* SPDX-License-Identifier: Apache-2.0
 * Writes the forms of members.h: heads of resources, links to others, and members that the last PUT stored.
 */
#include "api/azure/core/members.h"

const struct member az_link_members[1] = {MEMBER(struct az_link, "id", id)};

void az_form_head(struct api_call *core, struct json_writer *w, const struct member *m, const void *at)
{
	az_write_head(az_call_of(core), w, (enum az_types) m->of, m->kind, at);
}

struct str az_get_etag(struct api_call *core, const struct row *row)
{
	return az_etag_of(az_call_of(core), row);
}

void az_form_part_head(struct api_call *core, struct json_writer *w, const struct member *m, const void *at)
{
	struct az_call *e = az_call_of(core);
	const struct row *row = at;
	enum az_types type = (enum az_types) m->of;
	json_write_text(w, "name", az_last_word(az_name_of(e, type, m->kind, row->id)));
	json_write_text(w, "id", az_id_of(e, type, m->kind, row->id));
	json_write_text(w, "etag", az_etag_of(e, row));
	json_write_text(w, "type", az_full_type(e->c->arena, type));
}

/* ---- stored members ---- */

static const json_t *find_said(struct api_call *core, const struct member *m, const void *at)
{
	return json_object_get(az_said(az_call_of(core), *(const uuid *) at), m->arg);
}

void az_form_said(struct api_call *core, struct json_writer *w, const struct member *m, const void *at)
{
	const json_t *said = find_said(core, m, at);
	bool fits = m->of == AZ_TRUTH    ? json_is_boolean(said)
		    : m->of == AZ_NUMBER ? json_is_integer(said)
					 : said != NULL;
	if (fits)
		az_write_said(az_call_of(core), w, *(const uuid *) at, m->arg, m->name, NULL);
	else if (m->json)
		json_write_raw(w, m->name, str_from(m->json));
}

/* ---- links ---- */

void az_form_link(struct api_call *core, struct json_writer *w, const struct member *m, const void *at)
{
	const uuid *id = at;
	if (!m->is_optional || tables_find(api_tables(core), m->kind, *id))
		az_write_ref(az_call_of(core), w, m->name, (enum az_types) m->of, m->kind, *id);
}

void az_form_id(struct api_call *core, struct json_writer *w, const struct member *m, const void *at)
{
	const uuid *id = at;
	if (!uuid_is_none(*id))
		json_write_text(w, m->name, az_id_of(az_call_of(core), (enum az_types) m->of, m->kind, *id));
}

void az_form_links(struct api_call *core, struct json_writer *w, const struct member *m, const void *at)
{
	const struct uuids *ids = at;
	if (!ids->count)
		return;
	json_write_open_list(w, m->name);
	for (size_t k = 0; k < ids->count; k++)
		if (tables_find(api_tables(core), m->kind, ids->at[k]))
			az_write_ref(az_call_of(core), w, NULL, (enum az_types) m->of, m->kind, ids->at[k]);
	json_write_close_list(w);
}

/* The row, or the next one of the index that fits or, without .fits, is live. */
static const struct row *skip(struct api_call *core, const struct member *m, const struct row *row)
{
	while (row && !(m->fits ? m->fits(core, row) : row_is_live(row)))
		row = tables_next(api_tables(core), m->each.kind, m->each.index, row, 1);
	return row;
}

void az_form_each_link(struct api_call *core, struct json_writer *w, const struct member *m, const void *at)
{
	const struct row *row =
		skip(core, m, members_find_first(core, m->each.kind, m->each.index, *(const uuid *) at));
	if (!row && m->is_optional)
		return;
	json_write_open_list(w, m->name);
	for (; row; row = skip(core, m, tables_next(api_tables(core), m->each.kind, m->each.index, row, 1)))
		az_write_ref(az_call_of(core), w, NULL, (enum az_types) m->of, m->each.kind, row->id);
	json_write_close_list(w);
}

const struct az_link *az_new_link(struct api_call *core, struct str id)
{
	struct az_link *link = arena_new_object(core->c->arena, struct az_link);
	if (link)
		link->id = id;
	return link;
}

struct member_items az_list_links(struct strs ids)
{
	_Static_assert(sizeof(struct az_link) == sizeof(struct str), "a link is its id");
	return (struct member_items){ids.at, ids.count, sizeof *ids.at};
}
