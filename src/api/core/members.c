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

static void write_object(const struct object *o, const char *name, const struct members *list,
			 const struct row *row)
{
	json_write_open(o->w, name);
	members_write(o->e, o->w, o->write_time, list, row);
	json_write_close(o->w);
}

static void write_each(const struct object *o, const struct member *m, const struct row *row)
{
	const struct tables *t = api_tables(o->e);
	json_write_open_list(o->w, m->name);
	for (const struct row *at = members_find_first(o->e, m->each.kind, m->each.index, row->id); at;
	     at = tables_next(t, m->each.kind, m->each.index, at, 1))
		if (row_is_live(at) && (!m->fits || m->fits(o->e, at)))
			write_object(o, NULL, m->list, at);
	json_write_close_list(o->w);
}

/* row NULL: writes an empty list. */
static void write_refs(const struct object *o, const struct member *m, const struct row *row)
{
	const struct uuids none = {0}, *ids = row ? field_at(m, row) : &none;
	json_write_open_list(o->w, m->name);
	for (size_t k = 0; k < ids->count; k++) {
		const struct row *at = tables_find(api_tables(o->e), m->kind, ids->at[k]);
		if (row_is_live(at))
			write_object(o, NULL, m->list, at);
	}
	json_write_close_list(o->w);
}

static void write_items(const struct object *o, const struct member *m, const struct row *row)
{
	struct member_items items = m->items(o->e, row);
	if (m->is_optional && !items.count)
		return;
	json_write_open_list(o->w, m->name);
	for (size_t k = 0; k < items.count; k++)
		write_object(o, NULL, m->list, (const void *) ((const char *) items.first + k * items.size));
	json_write_close_list(o->w);
}

static void write_within(const struct object *o, const struct member *m, const struct row *row)
{
	const struct row *at = m->find ? m->find(o->e, row) : row;
	if (at && m->name)
		write_object(o, m->name, m->list, at);
	else if (at)
		members_write(o->e, o->w, o->write_time, m->list, at);
}

/* ---- fields ---- */

static void write_text(struct json_writer *w, const struct member *m, struct str text)
{
	if (text.n || !m->is_optional)
		json_write_text(w, m->name, text);
}

static void write_texts(struct json_writer *w, const struct member *m, struct strs texts)
{
	if (m->is_optional && !texts.count)
		return;
	json_write_open_list(w, m->name);
	for (size_t k = 0; k < texts.count; k++)
		json_write_text(w, NULL, texts.at[k]);
	json_write_close_list(w);
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
	char mac[MAC_TEXT_SIZE], block[CIDR_TEXT_SIZE];
	struct json_writer *w = o->w;
	int64_t number = 0;
	switch ((int) m->type) {
	case MEMBER_IS_TEXT:
		write_text(w, m, *(const struct str *) at);
		break;
	case MEMBER_IS_TEXTS:
		write_texts(w, m, *(const struct strs *) at);
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
	case MEMBER_IS_REAL:
		json_write_real(w, m->name, (double) *(const int64_t *) at);
		break;
	case MEMBER_IS_TIME:
		o->write_time(w, m->name, *(const int64_t *) at);
		break;
	case MEMBER_IS_BOOL:
		if (m->yes)
			json_write_z(w, m->name, *(const bool *) at ? m->yes : m->no);
		else
			json_write_bool(w, m->name, *(const bool *) at != m->is_opposite);
		break;
	case MEMBER_IS_ZERO:
		json_write_bool(w, m->name, *(const int64_t *) at == 0);
		break;
	case MEMBER_IS_IP:
		write_ip(w, m, *(const struct ip *) at);
		break;
	case MEMBER_IS_ENUM:
		json_write_z(w, m->name, m->words[*(const int *) at]);
		break;
	case MEMBER_IS_CIDR:
		json_write_z(w, m->name, cidr_write(*(const struct cidr *) at, block));
		break;
	case MEMBER_IS_MAC:
		json_write_z(w, m->name, mac_write(*(const struct mac *) at, mac));
		break;
	case MEMBER_IS_NETMASK:
		write_netmask(w, m, at);
		break;
	}
}

static void write_made(const struct object *o, const struct member *m, const struct row *row)
{
	const char *word = m->type == MEMBER_IS_WORD ? m->word(o->e, row) : NULL;
	if (m->type == MEMBER_IS_TEXT)
		write_text(o->w, m, m->text(o->e, row));
	else if (m->type == MEMBER_IS_TEXTS)
		write_texts(o->w, m, m->texts(o->e, row));
	else if (m->type == MEMBER_IS_INT)
		json_write_int(o->w, m->name, m->number(o->e, row));
	else if (m->type == MEMBER_IS_BOOL)
		json_write_bool(o->w, m->name, m->truth(o->e, row));
	else if (word)
		json_write_z(o->w, m->name, word);
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
	else if (m->type == MEMBER_IS_LIST)
		write_items(o, m, row);
	else if (m->type == MEMBER_IS_OBJECT)
		write_within(o, m, row);
	else if (m->type == MEMBER_IS_WRITTEN)
		m->write(o->e, o->w, m->name, row);
	else if (m->type == MEMBER_IS_FORM)
		m->form(o->e, o->w, m, field_at(m, row));
	else if (m->any)
		write_made(o, m, row);
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
	for (size_t k = 0; k < members->count; k++) {
		const struct member *m = &members->at[k];
		if (!m->shows || m->shows(e, row))
			write_member(&o, m, follow(e, m, row));
	}
}
