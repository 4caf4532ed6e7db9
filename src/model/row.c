/* SPDX-License-Identifier: Apache-2.0
 * Operations common to all kinds of rows: layout in one block, copying, comparing. They use the field tables
 * made by tools/schema.py; text.c converts fields to and from text. */
#include "model/row.h"
#include "model/row_field.h"

#include <assert.h>
#include <stdlib.h>

/* A row's block while it is filled, or only measured if base is NULL. */
struct block {
	char *base;
	size_t used;
};

static const void *field_at(const struct field *f, const struct row *r)
{
	return (const char *) r + f->offset;
}

/* Reserves size bytes of the block; NULL while measuring. align is a power of two. */
static void *block_take(struct block *b, size_t size, size_t align)
{
	size_t from = (b->used + align - 1) & ~(align - 1);
	b->used = from + size;
	return b->base ? b->base + from : NULL;
}

static struct str block_put_text(struct block *b, struct str s)
{
	if (s.n == 0)
		return STR_NONE;
	char *p = block_take(b, s.n, 1);
	if (p)
		memcpy(p, s.p, s.n);
	return (struct str){p, s.n};
}

/* Copies a list of values without pointers. */
static const void *block_put_values(struct block *b, const void *at, size_t count, size_t size)
{
	if (count == 0)
		return NULL;
	void *to = block_take(b, count * size, _Alignof(uint64_t));
	if (to)
		memcpy(to, at, count * size);
	return to;
}

static struct str *block_put_texts(struct block *b, const struct str *at, size_t count)
{
	if (count == 0)
		return NULL;
	struct str *to = block_take(b, count * sizeof *to, _Alignof(struct str));
	for (size_t k = 0; k < count; k++) {
		struct str s = block_put_text(b, at[k]);
		if (to)
			to[k] = s;
	}
	return to;
}

static int compare_tags(const void *a, const void *b)
{
	return str_compare(((const struct tag *) a)->key, ((const struct tag *) b)->key);
}

void tags_sort(struct tag *at, size_t count)
{
	size_t sorted = 1;
	while (sorted < count && compare_tags(&at[sorted - 1], &at[sorted]) <= 0)
		sorted++;
	if (sorted < count)
		qsort(at, count, sizeof *at, compare_tags);
}

/* Copies the data that the field points at into the block and sets the pointer in the copy, if there is one
 * yet. The struct itself was copied before, including fields without pointers. */
static void block_put_field(struct block *b, const struct field *f, const struct row *r, void *to)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_BLOB: {
		struct str s = block_put_text(b, *(const struct str *) field_at(f, r));
		if (to)
			*(struct str *) to = s;
		break;
	}
	case FIELD_UUIDS: {
		const struct uuids *list = field_at(f, r);
		const void *at = block_put_values(b, list->at, list->count, sizeof *list->at);
		if (to)
			((struct uuids *) to)->at = at;
		break;
	}
	case FIELD_IPS: {
		const struct ips *list = field_at(f, r);
		const void *at = block_put_values(b, list->at, list->count, sizeof *list->at);
		if (to)
			((struct ips *) to)->at = at;
		break;
	}
	case FIELD_CIDRS: {
		const struct cidrs *list = field_at(f, r);
		const void *at = block_put_values(b, list->at, list->count, sizeof *list->at);
		if (to)
			((struct cidrs *) to)->at = at;
		break;
	}
	case FIELD_TEXTS: {
		const struct strs *list = field_at(f, r);
		const struct str *at = block_put_texts(b, list->at, list->count);
		if (to)
			((struct strs *) to)->at = at;
		break;
	}
	case FIELD_TAGS: {
		/* A tag consists of two texts, so a tag list is copied as a list of twice as many texts. */
		_Static_assert(sizeof(struct tag) == 2 * sizeof(struct str), "a tag is two texts");
		const struct tags *list = field_at(f, r);
		struct str *at = block_put_texts(b, (const struct str *) list->at, 2 * list->count);
		if (to) { /* the database keeps no order of tags */
			tags_sort((struct tag *) (void *) at, list->count);
			((struct tags *) to)->at = (const struct tag *) (void *) at;
		}
		break;
	}
	case FIELD_UUID:
	case FIELD_INT:
	case FIELD_BOOL:
	case FIELD_ENUM:
	case FIELD_IP:
	case FIELD_CIDR:
	case FIELD_MAC:
		break;
	}
}

/* ---- limits ---- */

static size_t texts_size(const struct str *at, size_t count)
{
	size_t size = 0;
	for (size_t k = 0; k < count; k++)
		size += at[k].n;
	return size;
}

static bool is_too_large(const struct field *f, const struct row *r)
{
	/* Every list type starts with pointer and count, like a text. */
	_Static_assert(offsetof(struct uuids, count) == offsetof(struct str, n) &&
			       offsetof(struct ips, count) == offsetof(struct str, n) &&
			       offsetof(struct cidrs, count) == offsetof(struct str, n) &&
			       offsetof(struct strs, count) == offsetof(struct str, n) &&
			       offsetof(struct tags, count) == offsetof(struct str, n),
		       "lists and texts are alike");
	struct str list;
	if (!f->most)
		return false;
	memcpy(&list, field_at(f, r), sizeof list);
	if (list.n > f->most)
		return true;
	if (!f->most_bytes)
		return false;
	size_t count = f->type == FIELD_TAGS ? 2 * list.n : list.n;
	return texts_size((const struct str *) (const void *) list.p, count) > f->most_bytes;
}

const struct field *row_find_too_large(const struct kind_info *k, const struct row *r)
{
	for (unsigned n = 0; n < k->field_count; n++)
		if (is_too_large(&k->fields[n], r))
			return &k->fields[n];
	return NULL;
}

/* ---- blocks ---- */

static struct block block_fill(const struct kind_info *k, const struct row *r, void *base)
{
	struct block b = {.base = base};
	void *copy = block_take(&b, k->row_size, 16);
	if (copy)
		memcpy(copy, r, k->row_size);
	for (unsigned n = 0; n < k->field_count; n++) {
		const struct field *f = &k->fields[n];
		block_put_field(&b, f, r, copy ? (char *) copy + f->offset : NULL);
	}
	return b;
}

size_t row_block_size(const struct kind_info *k, const struct row *r)
{
	return block_fill(k, r, NULL).used;
}

struct row *row_copy_into(const struct kind_info *k, const struct row *r, void *block)
{
	block_fill(k, r, block);
	struct row *copy = block;
	copy->kind = k->kind;
	return copy;
}

struct row *row_copy(struct arena *a, const struct kind_info *k, const struct row *r)
{
	void *block = arena_alloc(a, row_block_size(k, r));
	return block ? row_copy_into(k, r, block) : NULL;
}

static bool texts_equal(const struct str *a, const struct str *b, size_t count)
{
	for (size_t k = 0; k < count; k++) {
		if (!str_equal(a[k], b[k]))
			return false;
	}
	return true;
}

static bool cidrs_equal(const struct cidrs *a, const struct cidrs *b)
{
	if (a->count != b->count)
		return false;
	for (size_t k = 0; k < a->count; k++) {
		if (!cidr_equal(a->at[k], b->at[k]))
			return false;
	}
	return true;
}

static bool ips_equal(const struct ips *a, const struct ips *b)
{
	if (a->count != b->count)
		return false;
	for (size_t k = 0; k < a->count; k++) {
		if (!ip_equal(a->at[k], b->at[k]))
			return false;
	}
	return true;
}

static bool uuids_equal(const struct uuids *a, const struct uuids *b)
{
	return a->count == b->count && (a->count == 0 || memcmp(a->at, b->at, a->count * sizeof *a->at) == 0);
}

static int compare_ints(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* Compares two values of a type usable as a key; lists are unordered and can't be keys. */
static int compare_values(enum field_type type, const void *a, const void *b)
{
	switch (type) {
	case FIELD_UUID:
		return uuid_compare(*(const uuid *) a, *(const uuid *) b);
	case FIELD_TEXT:
	case FIELD_BLOB:
		return str_compare(*(const struct str *) a, *(const struct str *) b);
	case FIELD_INT:
		return compare_ints(*(const int64_t *) a, *(const int64_t *) b);
	case FIELD_BOOL:
		return compare_ints(*(const bool *) a, *(const bool *) b);
	case FIELD_ENUM:
		return compare_ints(*(const unsigned *) a, *(const unsigned *) b);
	case FIELD_IP:
		return ip_compare(*(const struct ip *) a, *(const struct ip *) b);
	case FIELD_CIDR:
		return cidr_compare(*(const struct cidr *) a, *(const struct cidr *) b);
	case FIELD_MAC:
		return memcmp(a, b, sizeof(struct mac));
	case FIELD_UUIDS:
	case FIELD_TEXTS:
	case FIELD_IPS:
	case FIELD_CIDRS:
	case FIELD_TAGS:
		break;
	}
	return 0;
}

bool row_field_equal(const struct field *f, const struct row *a, const struct row *b)
{
	const void *x = field_at(f, a), *y = field_at(f, b);
	switch (f->type) {
	case FIELD_UUIDS:
		return uuids_equal(x, y);
	case FIELD_IPS:
		return ips_equal(x, y);
	case FIELD_CIDRS:
		return cidrs_equal(x, y);
	case FIELD_TEXTS: {
		const struct strs *s = x, *t = y;
		return s->count == t->count && texts_equal(s->at, t->at, s->count);
	}
	case FIELD_TAGS: {
		const struct tags *s = x, *t = y;
		return s->count == t->count &&
		       texts_equal((const struct str *) s->at, (const struct str *) t->at, 2 * s->count);
	}
	/* most fields of a row: each commit compares all of a changed one */
	case FIELD_UUID:
		return uuid_equal(*(const uuid *) x, *(const uuid *) y);
	case FIELD_INT:
		return *(const int64_t *) x == *(const int64_t *) y;
	case FIELD_BOOL:
		return *(const bool *) x == *(const bool *) y;
	case FIELD_ENUM:
		return *(const unsigned *) x == *(const unsigned *) y;
	case FIELD_TEXT:
	case FIELD_BLOB: {
		const struct str *s = x, *t = y;
		return s->n == t->n && (s->p == t->p || str_equal(*s, *t));
	}
	case FIELD_IP:
	case FIELD_CIDR:
	case FIELD_MAC:
		break;
	}
	return compare_values(f->type, x, y) == 0;
}

bool row_equal(const struct kind_info *k, const struct row *a, const struct row *b)
{
	if (!uuid_equal(a->id, b->id) || a->gen != b->gen || a->deleted_us != b->deleted_us)
		return false;
	for (unsigned n = 0; n < k->field_count; n++) {
		if (!row_field_equal(&k->fields[n], a, b))
			return false;
	}
	return true;
}

/* The value changed to something other than the field's default. */
static bool has_new_value(const struct kind_info *k, const struct field *f, const struct row *before,
			  const struct row *after)
{
	static const struct {
		_Alignas(16) char bytes[4096];
	} nothing;
	assert(k->row_size <= sizeof nothing);
	return !row_field_equal(f, before, after) && !row_field_equal(f, (const void *) &nothing, after);
}

bool row_report_sets_wish(const struct kind_info *k, const struct row *before, const struct row *after)
{
	bool is_report = false, has_wish = false;
	if (before->gen != after->gen)
		return false;
	for (unsigned n = 0; n < k->field_count; n++) {
		const struct field *f = &k->fields[n];
		if (f->group == FIELD_SEEN && !is_report)
			is_report = !row_field_equal(f, before, after);
		if (f->group == FIELD_WANTED && !has_wish)
			has_wish = has_new_value(k, f, before, after);
	}
	return is_report && has_wish;
}

int row_compare_field(const struct field *f, const struct row *a, const struct row *b)
{
	return compare_values(f->type, field_at(f, a), field_at(f, b));
}

int row_compare_key(const struct kind_info *k, const struct index *x, unsigned field_count,
		    const struct row *a, const struct row *b)
{
	for (unsigned n = 0; n < field_count && n < x->field_count; n++) {
		int order = row_compare_field(&k->fields[x->fields[n]], a, b);
		if (order != 0)
			return order;
	}
	return 0;
}

const struct tag *tags_find(struct tags tags, struct str key)
{
	size_t from = 0, to = tags.count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		int order = str_compare(key, tags.at[middle].key);
		if (order == 0)
			return &tags.at[middle];
		if (order < 0)
			to = middle;
		else
			from = middle + 1;
	}
	return NULL;
}
