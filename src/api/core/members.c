/* SPDX-License-Identifier: Apache-2.0
 * Writes rows as JSON objects, as the face's tables of members say.
 */
#include "api/core/members.h"

struct object {
	struct api_call *e;
	struct json_writer *w;
	members_write_time write_time;
};

static const void *field_at(const struct member *m, const struct row *row)
{
	return (const char *) row + m->offset;
}

/* ---- from a row to others ---- */

const struct row *members_find_first(struct api_call *e, enum kind kind, unsigned index, uuid id)
{
	const struct kind_info *k = &model_kinds[kind];
	struct row *key =
		arena_alloc(e->c->arena, k->row_size); /* a full arena fails the call when the answer ends */
	if (!key)
		return NULL;
	size_t offset = k->fields[k->indexes[index].fields[0]].offset;
	*(uuid *) (void *) ((char *) key + offset) = id;
	return tables_first(api_tables(e), kind, index, key, 1);
}

/* Row that has the member's field; NULL: there is none. */
static const struct row *follow(struct api_call *e, const struct member *m, const struct row *row)
{
	for (size_t k = 0; k < MEMBER_PATH_MAX && row && m->path[k].kind != KIND_NONE; k++) {
		const struct query_join *join = &m->path[k];
		const uuid *id = (const uuid *) (const void *) ((const char *) row + join->offset);
		row = join->index ? members_find_first(e, join->kind, join->index, row->id)
				  : tables_find(api_tables(e), join->kind, *id);
	}
	return row;
}

static void write_object(const struct object *o, const struct member *m, const struct row *row)
{
	if (!row_is_live(row))
		return;
	json_write_open(o->w, NULL);
	members_write(o->e, o->w, o->write_time, m->list, row);
	json_write_close(o->w);
}

static void write_each(const struct object *o, const struct member *m, const struct row *row)
{
	const struct tables *t = api_tables(o->e);
	json_write_open_list(o->w, m->name);
	for (const struct row *at = members_find_first(o->e, m->each.kind, m->each.index, row->id); at;
	     at = tables_next(t, m->each.kind, m->each.index, at, 1))
		write_object(o, m, at);
	json_write_close_list(o->w);
}

/* row NULL: writes an empty list. */
static void write_refs(const struct object *o, const struct member *m, const struct row *row)
{
	const struct uuids none = {0}, *ids = row ? field_at(m, row) : &none;
	json_write_open_list(o->w, m->name);
	for (size_t k = 0; k < ids->count; k++)
		write_object(o, m, tables_find(api_tables(o->e), m->kind, ids->at[k]));
	json_write_close_list(o->w);
}

/* ---- fields ---- */

static void write_text(struct json_writer *w, const struct member *m, struct str text)
{
	if (text.n || !m->is_optional)
		json_write_text(w, m->name, text);
}

static void write_id(struct json_writer *w, const struct member *m, uuid id)
{
	if (!uuid_is_none(id))
		json_write_uuid(w, m->name, id);
}

static void write_ip(struct json_writer *w, const struct member *m, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	if (!ip_is_none(ip))
		json_write_z(w, m->name, ip_write(ip, text));
}

static void write_netmask(struct json_writer *w, const struct member *m, const struct cidr *block)
{
	const struct cidr all = {{.family = IP_V4}, 0}, ones = {cidr_last(all), block->bits};
	if (block->base.family == IP_V4)
		write_ip(w, m, cidr_canonical(ones).base);
}

static void write_field(const struct object *o, const struct member *m, const void *at)
{
	char mac[MAC_TEXT_SIZE];
	struct json_writer *w = o->w;
	int64_t number = 0;
	switch ((int) m->type) {
	case MEMBER_IS_TEXT:
		write_text(w, m, *(const struct str *) at);
		break;
	case MEMBER_IS_ID:
		write_id(w, m, *(const uuid *) at);
		break;
	case MEMBER_IS_INT:
		json_write_int(w, m->name, *(const int64_t *) at >> m->shift);
		break;
	case MEMBER_IS_DIGITS:
		number = *(const int64_t *) at;
		json_write_text(w, m->name, str_print(o->e->c->arena, "%lld", (long long) number));
		break;
	case MEMBER_IS_TIME:
		o->write_time(w, m->name, *(const int64_t *) at);
		break;
	case MEMBER_IS_BOOL:
		if (m->yes)
			json_write_z(w, m->name, *(const bool *) at ? m->yes : m->no);
		else
			json_write_bool(w, m->name, *(const bool *) at);
		break;
	case MEMBER_IS_ZERO:
		json_write_bool(w, m->name, *(const int64_t *) at == 0);
		break;
	case MEMBER_IS_IP:
		write_ip(w, m, *(const struct ip *) at);
		break;
	case MEMBER_IS_MAC:
		json_write_z(w, m->name, mac_write(*(const struct mac *) at, mac));
		break;
	case MEMBER_IS_NETMASK:
		write_netmask(w, m, at);
		break;
	}
}

static void write_fixed(struct json_writer *w, const struct member *m)
{
	struct str rest = str_from(m->name), name;
	while (str_split_next(&rest, '|', &name)) {
		json_write_key(w, name);
		json_write_raw(w, NULL, str_from(m->json));
	}
}

static void write_member(const struct object *o, const struct member *m, const struct row *row)
{
	if (m->type == MEMBER_IS_FIXED)
		write_fixed(o->w, m);
	else if (m->type == MEMBER_IS_REFS)
		write_refs(o, m, row);
	else if (!row)
		return;
	else if (m->type == MEMBER_IS_ALL)
		members_write(o->e, o->w, o->write_time, m->list, row);
	else if (m->type == MEMBER_IS_EACH)
		write_each(o, m, row);
	else if (m->write)
		m->write(o->e, o->w, m->name, row);
	else if (m->text)
		write_text(o->w, m, m->text(o->e, row));
	else if (m->instead && !((const struct str *) field_at(m, row))->n)
		write_text(o->w, m,
			   *(const struct str *) (const void *) ((const char *) row + m->instead - 1));
	else
		write_field(o, m, field_at(m, row));
}

void members_write(struct api_call *e, struct json_writer *w, members_write_time write_time,
		   const struct members *members, const struct row *row)
{
	const struct object o = {e, w, write_time};
	for (size_t k = 0; k < members->count; k++)
		write_member(&o, &members->at[k], follow(e, &members->at[k], row));
}
