/* SPDX-License-Identifier: Apache-2.0
 * Finds the values of attributes: fields, fields of joined rows, and what functions return; and their texts. */
#include "api/core/attribute_internal.h"

#include <assert.h>

#include "api/core/action.h"
#include "base/clock.h"
#include "model/state.h"

/* ---- rows ---- */

/* The row that the attribute's join leads to; NULL: none. */
static const struct row *follow(const struct tables *t, const struct attribute *a, const struct row *row)
{
	const uuid *id = (const uuid *) (const void *) ((const char *) row + a->via.offset);
	return tables_find(t, a->via.kind, *id);
}

/* The live rows whose index begins with the row's id. */
static struct attribute_rows list_joined(struct api_call *e, const struct attribute *a, const struct row *row)
{
	const struct kind_info *k = &model_kinds[a->via.kind];
	struct row *key = arena_alloc(e->c->arena, k->row_size);
	VEC(const struct row *) rows = {0};
	if (!key)
		return (struct attribute_rows){0};
	*(uuid *) (void *) ((char *) key + k->fields[k->indexes[a->via.index].fields[0]].offset) = row->id;
	const struct tables *t = api_tables(e);
	for (const struct row *at = tables_first(t, k->kind, a->via.index, key, 1); at;
	     at = tables_next(t, k->kind, a->via.index, at, 1))
		if (row_is_live(at))
			(void) VEC_PUSH(e->c->arena, &rows, at);
	return (struct attribute_rows){rows.at, rows.count};
}

static struct attribute_rows list_rows(struct api_call *e, const struct attribute *a, const struct row *row)
{
	return a->get.rows ? a->get.rows(e, row) : list_joined(e, a, row);
}

struct attribute_rows attribute_rows_of(struct api_call *e, const void *structs, size_t count, size_t size)
{
	const void **pointers = structs ? arena_new_array(e->c->arena, const void *, count) : NULL;
	for (size_t k = 0; pointers && k < count; k++)
		pointers[k] = (const char *) structs + k * size;
	return (struct attribute_rows){pointers, pointers ? count : 0};
}

static const struct row *row_at(const struct attribute_rows *rows, size_t k)
{
	const struct row *row;
	memcpy(&row, (const char *) rows->pointers + k * sizeof row, sizeof row);
	return row;
}

/* ---- values ---- */

static inline union attribute_value call_getter(struct api_call *e, const struct attribute *a,
						const struct row *row)
{
	switch ((int) a->form) {
	case ATTRIBUTE_TEXT:
		return (union attribute_value){.text = a->get.text(e, row)};
	case ATTRIBUTE_WORD:
		return (union attribute_value){.word = a->get.word(e, row)};
	case ATTRIBUTE_INT:
	case ATTRIBUTE_TIME:
	case ATTRIBUTE_TIME_FINE:
		return (union attribute_value){.number = a->get.number(e, row)};
	case ATTRIBUTE_BOOL:
		return (union attribute_value){.truth = a->get.truth(e, row)};
	case ATTRIBUTE_ID:
	case ATTRIBUTE_HEX:
		return (union attribute_value){.id = a->get.id(e, row)};
	case ATTRIBUTE_TAGS:
		return (union attribute_value){.tags = a->get.tags(e, row)};
	case ATTRIBUTE_TEXTS:
		return (union attribute_value){.texts = a->get.texts(e, row)};
	default:
		return (union attribute_value){.at = a->get.at(e, row)};
	}
}

/* Reads a value that needs the tables or a function. t NULL: those of the call's view. */
static inline union attribute_value evaluate(struct api_call *e, const struct tables *t,
					     const struct attribute *a, const struct row *row)
{
	if (attribute_is_made(a))
		return call_getter(e, a, row);
	if (a->via.kind == KIND_NONE)
		return (union attribute_value){0};
	const struct row *other = follow(t ? t : api_tables(e), a, row);
	return (union attribute_value){.at = other ? (const char *) other + a->offset : NULL};
}

static const void *find_value(struct api_call *e, const struct attribute *a, const struct row *row,
			      const union attribute_value *value)
{
	if (a->is_of_call)
		return (const char *) e + a->offset;
	if (attribute_is_gathered(a))
		return attribute_is_pointed(a) ? value->at : value;
	return a->form == ATTRIBUTE_STATE ? (const char *) row : (const char *) row + a->offset;
}

const char *attribute_get_nothing(struct api_call *e, const struct row *row)
{
	(void) e, (void) row;
	return NULL;
}

struct attribute_rows attribute_list_nothing(struct api_call *e, const struct row *row)
{
	(void) e, (void) row;
	return (struct attribute_rows){0};
}

/* ---- items ---- */

static void fill_item(struct api_call *e, const struct attribute_shape *shape, const struct row *row,
		      struct attribute_item *item);

static size_t item_size(const struct attribute_shape *shape)
{
	return sizeof(struct attribute_item) + shape->gathered * sizeof(union attribute_value);
}

static const struct attribute_item *gather(struct api_call *e, const struct attribute_shape *shape,
					   const struct row *row)
{
	struct attribute_item *item = arena_alloc(e->c->arena, item_size(shape));
	if (item)
		fill_item(e, shape, row, item);
	return item;
}

static const struct attribute_items *gather_list(struct api_call *e, const struct attribute_step *step,
						 const struct row *row)
{
	struct attribute_rows rows = list_rows(e, step->a, row);
	size_t size = item_size(step->within);
	struct attribute_items *items = arena_alloc(e->c->arena, sizeof *items + rows.count * size);
	if (!items)
		return NULL;
	items->item_size = size;
	for (; items->count < rows.count; items->count++)
		fill_item(e, step->within, row_at(&rows, items->count),
			  (struct attribute_item *) (void *) (items->at + items->count * size));
	return items;
}

/* The row whose members an object has; NULL: there is no object. */
static const struct row *row_of_object(struct api_call *e, const struct attribute *a, const struct row *row)
{
	if (attribute_is_made(a))
		return a->get.at(e, row);
	return follow(api_tables(e), a, row);
}

static inline union attribute_value gather_one(struct api_call *e, const struct attribute_step *step,
					       const struct row *row)
{
	if (step->a->form == ATTRIBUTE_LIST)
		return (union attribute_value){.items = gather_list(e, step, row)};
	if (step->a->form != ATTRIBUTE_OBJECT)
		return evaluate(e, NULL, step->a, row);
	const struct row *other = row_of_object(e, step->a, row);
	return (union attribute_value){.at = other ? gather(e, step->within, other) : NULL};
}

static void fill_item(struct api_call *e, const struct attribute_shape *shape, const struct row *row,
		      struct attribute_item *item)
{
	item->row = row;
	item->shape = shape;
	item->e = e;
	for (size_t k = 0; k < shape->gathered; k++)
		item->values[k] = gather_one(e, shape->gathers[k], row);
}

const struct attribute_item *attributes_gather(const struct attribute_plan *plan, const struct row *row)
{
	return gather(plan->e, plan->shape, row);
}

/* ---- texts ---- */

#define WRITE_TEXT(name)                                                                                     \
	static struct str name(const struct attribute_style *style, const struct attribute *a,               \
			       const void *at, char *out)

static struct str not_null(struct str text)
{
	return text.p ? text : STR("");
}

WRITE_TEXT(write_str)
{
	(void) style, (void) a, (void) out;
	return not_null(*(const struct str *) at);
}

WRITE_TEXT(write_word)
{
	(void) style, (void) a, (void) out;
	return str_from(*(const char *const *) at);
}

WRITE_TEXT(write_int)
{
	char digits[24];
	char *end = digits + sizeof digits, *p = end;
	int64_t number = attribute_units(*(const int64_t *) at, a->shift);
	uint64_t left = number < 0 ? -(uint64_t) number : (uint64_t) number;
	(void) style;
	do {
		*--p = (char) ('0' + left % 10);
		left /= 10;
	} while (left);
	if (number < 0)
		*--p = '-';
	memcpy(out, p, (size_t) (end - p));
	return (struct str){out, (size_t) (end - p)};
}

WRITE_TEXT(write_bool)
{
	bool truth = attribute_truth(a, at);
	(void) style, (void) out;
	return a->words ? str_from(a->words[truth]) : truth ? STR("true") : STR("false");
}

WRITE_TEXT(write_time)
{
	int64_t time_us = *(const int64_t *) at;
	if (!time_us && style->none_is_null)
		return STR_NONE;
	return str_from(
		(a->form == ATTRIBUTE_TIME ? style->write_time : style->write_time_fine)(time_us, out));
}

WRITE_TEXT(write_id)
{
	const uuid *id = at;
	if (uuid_is_none(*id))
		return STR_NONE;
	if (a->prefix)
		return str_from(id_write_prefixed(a->prefix, *id, out));
	return str_from(style->has_ec2_ids ? id_write_ec2(a->kind, *id, out) : uuid_write(*id, out));
}

WRITE_TEXT(write_hex)
{
	char text[UUID_TEXT_SIZE];
	size_t n = 0;
	(void) style, (void) a;
	if (uuid_is_none(*(const uuid *) at))
		return STR_NONE;
	for (const char *p = uuid_write(*(const uuid *) at, text); *p; p++)
		if (*p != '-')
			out[n++] = *p;
	return (struct str){out, n};
}

static bool is_of_family(const struct attribute *a, struct ip ip)
{
	return !(a->flags & (ip.family == IP_V6 ? ATTRIBUTE_V4 : ATTRIBUTE_V6));
}

WRITE_TEXT(write_ip)
{
	const struct ip *ip = at;
	(void) style;
	return ip_is_none(*ip) || !is_of_family(a, *ip) ? STR_NONE : str_from(ip_write(*ip, out));
}

WRITE_TEXT(write_cidr)
{
	const struct cidr *block = at;
	(void) style;
	return cidr_is_none(*block) || !is_of_family(a, block->base) ? STR_NONE
								     : str_from(cidr_write(*block, out));
}

WRITE_TEXT(write_mac)
{
	(void) style, (void) a;
	return str_from(mac_write(*(const struct mac *) at, out));
}

WRITE_TEXT(write_enum)
{
	(void) style, (void) out;
	return str_from(a->words[*(const int *) at]);
}

WRITE_TEXT(write_state)
{
	const char *info = (const char *) &model_kinds[a->kind].states[model_derive_state(a->kind, at)];
	(void) out;
	return str_from(*(const char *const *) (const void *) (info + style->state_word));
}

/* A form without a row here has no text. */
static const attribute_write_text writers[] = {
	[ATTRIBUTE_TEXT] = write_str,    [ATTRIBUTE_WORD] = write_word, [ATTRIBUTE_INT] = write_int,
	[ATTRIBUTE_BOOL] = write_bool,   [ATTRIBUTE_TIME] = write_time, [ATTRIBUTE_TIME_FINE] = write_time,
	[ATTRIBUTE_ID] = write_id,       [ATTRIBUTE_HEX] = write_hex,   [ATTRIBUTE_IP] = write_ip,
	[ATTRIBUTE_CIDR] = write_cidr,   [ATTRIBUTE_MAC] = write_mac,   [ATTRIBUTE_ENUM] = write_enum,
	[ATTRIBUTE_STATE] = write_state, [ATTRIBUTE_RAW] = NULL,
};

attribute_write_text attribute_text_writer(enum attribute_form form)
{
	return writers[form];
}

struct str attribute_text(const struct attribute_style *style, const struct attribute *a, const void *at,
			  char out[static ATTRIBUTE_TEXT_SIZE])
{
	if (a->form == ATTRIBUTE_FIXED)
		return str_from(a->fixed);
	if (a->flags & (ATTRIBUTE_FROM_ZERO | ATTRIBUTE_NULL_NONE) && attribute_has_none(a, at))
		return STR_NONE;
	struct str text = at && writers[a->form] ? writers[a->form](style, a, at, out) : STR_NONE;
	return text.p ? text : str_from(a->none);
}

bool attribute_has_none(const struct attribute *a, const void *at)
{
	if (!at)
		return a->form != ATTRIBUTE_FIXED;
	switch ((int) a->form) {
	case ATTRIBUTE_TEXT:
		return ((const struct str *) at)->n == 0;
	case ATTRIBUTE_WORD:
		return !*(const char *const *) at;
	case ATTRIBUTE_INT:
	case ATTRIBUTE_TIME:
	case ATTRIBUTE_TIME_FINE:
		return a->flags & ATTRIBUTE_FROM_ZERO ? *(const int64_t *) at < 0
						      : *(const int64_t *) at == 0;
	case ATTRIBUTE_ID:
	case ATTRIBUTE_HEX:
		return uuid_is_none(*(const uuid *) at);
	case ATTRIBUTE_IP:
		return ip_is_none(*(const struct ip *) at);
	case ATTRIBUTE_CIDR:
		return cidr_is_none(*(const struct cidr *) at);
	case ATTRIBUTE_TAGS:
		return ((const struct tags *) at)->count == 0;
	case ATTRIBUTE_TEXTS:
		return ((const struct strs *) at)->count == 0;
	default:
		return false;
	}
}

/* ---- filters and sort keys ---- */

/* wanted: not empty. Most names of a table differ in their first letter, and need no measuring. */
static bool is_called(const char *name, struct str wanted)
{
	return name && *name == *wanted.p && str_is(wanted, name);
}

/* A search for a filter by its name, or by its place if the name is empty. */
struct filter_search {
	struct str name;
	size_t before; /* filters that come before it */
	struct attribute_found found;
};

static bool is_sought(struct filter_search *s, const struct attribute *a)
{
	return s->name.n ? is_called(a->filter, s->name) : a->filter && s->before-- == 0;
}

static bool search(struct filter_search *s, const struct attributes *table, size_t depth)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct attribute *a = &table->at[k];
		if (is_sought(s, a)) {
			s->found.attribute = a;
			s->found.around[depth] = NULL;
			return true;
		}
		if (!attribute_filters_within(a))
			continue;
		bool is_deeper = attribute_is_elsewhere(a);
		assert(depth + is_deeper <= ATTRIBUTE_DEPTH_MAX);
		if (is_deeper)
			s->found.around[depth] = a;
		if (search(s, a->within, depth + is_deeper))
			return true;
	}
	return false;
}

struct attribute_found attributes_find_filter(const struct attributes *table, struct str name)
{
	struct filter_search s = {.name = name};
	return name.n && search(&s, table, 0) ? s.found : (struct attribute_found){0};
}

struct attribute_found attributes_get_filter(const struct attributes *table, size_t at)
{
	struct filter_search s = {.before = at};
	return search(&s, table, 0) ? s.found : (struct attribute_found){0};
}

const struct attribute *attributes_find_sort(const struct attributes *table, struct str name)
{
	for (size_t k = 0; k < table->count; k++) {
		struct str rest = str_from(table->at[k].sort ? table->at[k].sort : ""), word;
		while (str_split_next(&rest, '|', &word))
			if (str_equal(word, name))
				return &table->at[k];
	}
	return NULL;
}

/* A comparison of one member. */
struct comparison {
	struct api_call *e;
	const struct tables *t;
	const struct attribute *a;
	bool (*fits)(const void *arg, const struct attribute *a, const void *at);
	const void *arg;
};

static bool fits_within(const struct comparison *c, const struct attribute *const *around,
			const struct row *row)
{
	union attribute_value value = {0};
	struct attribute_rows rows;
	if (!*around) {
		if (attribute_is_gathered(c->a))
			value = evaluate(c->e, c->t, c->a, row);
		return c->fits(c->arg, c->a, find_value(c->e, c->a, row, &value));
	}
	if ((*around)->form == ATTRIBUTE_OBJECT) {
		row = row_of_object(c->e, *around, row);
		return row && fits_within(c, around + 1, row);
	}
	rows = list_rows(c->e, *around, row);
	for (size_t k = 0; k < rows.count; k++)
		if (fits_within(c, around + 1, row_at(&rows, k)))
			return true;
	return false;
}

bool attribute_any(struct api_call *e, const struct tables *t, const struct attribute_found *found,
		   const struct row *row,
		   bool (*fits)(const void *arg, const struct attribute *a, const void *at), const void *arg)
{
	const struct comparison c = {e, t, found->attribute, fits, arg};
	return fits_within(&c, found->around, row);
}

struct query_value attribute_sort_value(struct api_call *e, const struct attribute *a, const struct row *row)
{
	union attribute_value value = {0};
	if (attribute_is_gathered(a))
		value = evaluate(e, NULL, a, row);
	const void *at = find_value(e, a, row, &value);
	if (!at)
		return (struct query_value){0};
	switch ((int) a->form) {
	case ATTRIBUTE_TEXT:
		return (struct query_value){.text = *(const struct str *) at};
	case ATTRIBUTE_WORD:
		return (struct query_value){.text = str_from(*(const char *const *) at)};
	case ATTRIBUTE_INT:
	case ATTRIBUTE_TIME:
	case ATTRIBUTE_TIME_FINE:
		return (struct query_value){.number = *(const int64_t *) at};
	case ATTRIBUTE_BOOL:
		return (struct query_value){.number = attribute_truth(a, at)};
	default:
		return (struct query_value){0};
	}
}

const struct field *attribute_sort_field(enum kind kind, const struct attribute *a)
{
	const struct kind_info *k = &model_kinds[kind];
	for (unsigned n = 0; n < k->field_count && a->via.kind == KIND_NONE && !a->is_of_call; n++)
		if (a->offset && k->fields[n].offset == a->offset)
			return &k->fields[n];
	return NULL;
}

const struct field *attribute_field(enum kind kind, const struct attribute *a)
{
	return attribute_is_gathered(a) ? NULL : attribute_sort_field(kind, a);
}

bool attribute_is_fixed_truth(const struct attribute *a)
{
	return a->form == ATTRIBUTE_FIXED &&
	       (strcmp(a->fixed, "true") == 0 || strcmp(a->fixed, "false") == 0);
}
