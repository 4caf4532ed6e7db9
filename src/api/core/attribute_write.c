/* SPDX-License-Identifier: Apache-2.0
 * Writes items as XML elements or JSON objects. A plan names one of the writers of this file for each member, so that a list
 * asks once, not once a row, what a member is. */
#include "api/core/action.h"
#include "api/core/attribute_internal.h"
#include "base/json_write.h"
#include "base/xml.h"

enum {
	NONE_FLAGS = ATTRIBUTE_FROM_ZERO | ATTRIBUTE_OMIT_NONE | ATTRIBUTE_NULL_NONE | ATTRIBUTE_EMPTY_NONE |
		     ATTRIBUTE_OMIT_NONE_IN_READS
};

static struct str name_of(const struct attribute_step *step)
{
	return (struct str){step->a->name, step->a->name_size};
}

static bool has_room(struct buf *b, size_t size)
{
	return (size <= b->capacity - b->size && !b->failed) || buf_reserve(b, size);
}

static void open_tag(struct xml *x, const struct attribute_tag *tag, struct str name)
{
	struct buf *b = x->out;
	if (!tag->size) {
		xml_open_named(x, name);
		return;
	}
	x->depth++;
	if (!has_room(b, 1 + ATTRIBUTE_TAG_SIZE))
		return;
	b->p[b->size] = '<';
	memcpy(b->p + b->size + 1, tag->text, ATTRIBUTE_TAG_SIZE); /* what follows the tag is overwritten */
	b->size += 1u + tag->size;
}

static void close_tag(struct xml *x, const struct attribute_tag *tag, struct str name)
{
	struct buf *b = x->out;
	if (!tag->size) {
		xml_close_named(x, name);
		return;
	}
	x->depth--;
	if (!has_room(b, 2 + ATTRIBUTE_TAG_SIZE))
		return;
	memcpy(b->p + b->size, "</", 2);
	memcpy(b->p + b->size + 2, tag->text, ATTRIBUTE_TAG_SIZE);
	b->size += 2u + tag->size;
}

static void open_step(struct xml *x, const struct attribute_step *step)
{
	open_tag(x, &step->tag, name_of(step));
}

static void close_step(struct xml *x, const struct attribute_step *step)
{
	close_tag(x, &step->tag, name_of(step));
}

static void open_item(struct xml *x, const struct attribute_shape *shape)
{
	open_tag(x, &shape->item, str_from(shape->style->item));
}

static void close_item(struct xml *x, const struct attribute_shape *shape)
{
	close_tag(x, &shape->item, str_from(shape->style->item));
}

/* Writes what stands for a missing value: by the flags of the attribute, else by the style. */
static void write_none(const struct attribute_step *step, void *out)
{
	const struct attribute *a = step->a;
	bool is_null = (a->flags & (ATTRIBUTE_NULL_NONE | ATTRIBUTE_FROM_ZERO) &&
			!(a->flags & ATTRIBUTE_OMIT_NONE)) ||
		       (!step->is_ruled && step->shape->style->none_is_null);
	if (!a->name)
		return;
	if (step->shape->style->is_xml) {
		if (a->none)
			xml_plain_named(out, name_of(step), str_from(a->none));
		else if (a->flags & ATTRIBUTE_EMPTY_NONE)
			xml_plain_named(out, name_of(step), STR_NONE);
	} else if (a->none || a->flags & ATTRIBUTE_EMPTY_NONE) {
		json_write_text(out, a->name, str_from(a->none));
	} else if (is_null) {
		json_write_null(out, a->name);
	}
}

static const union attribute_value *write_values(struct api_call *e, const struct attribute_shape *shape,
						 const struct row *row, const union attribute_value *value,
						 void *out);

/* An object of the same row. Returns the end of its values. */
static const union attribute_value *write_within(struct api_call *e, const struct attribute_step *step,
						 const struct row *row, const union attribute_value *value,
						 void *out)
{
	if (step->shape->style->is_xml)
		open_step(out, step);
	else
		json_write_open(out, step->a->name);
	value = write_values(e, step->within, row, value, out);
	if (step->shape->style->is_xml)
		close_step(out, step);
	else
		json_write_close(out);
	return value;
}

static const union attribute_value *write_values(struct api_call *e, const struct attribute_shape *shape,
						 const struct row *row, const union attribute_value *value,
						 void *out)
{
	for (size_t k = 0; k < shape->count; k++) {
		const struct attribute_step *step = &shape->steps[k];
		const void *at = (const char *) row + step->offset;
		switch (step->place) {
		case PLACE_ROW:
			break;
		case PLACE_ITEM:
			at = value++;
			break;
		case PLACE_POINTER:
			at = (value++)->at;
			break;
		case PLACE_CALL:
			at = (const char *) e + step->offset;
			break;
		case PLACE_WITHIN:
			value = write_within(e, step, row, value, out);
			continue;
		case PLACE_RAW:
			step->a->get.write(e, out, step->a->name, row);
			continue;
		}
		if (step->is_ruled && attribute_has_none(step->a, at))
			write_none(step, out);
		else
			step->write(step, at, out);
	}
	return value;
}

static void write_members(const struct attribute_item *item, void *out)
{
	if (item)
		(void) write_values(item->e, item->shape, item->row, item->values, out);
}

/* ---- XML ---- */

static struct str text_of(const struct attribute_step *step, const void *at, char *room)
{
	if (step->fixed)
		return str_from(step->fixed);
	return at && step->text ? step->text(step->shape->style, step->a, at, room) : STR_NONE;
}

/* Writes a tag that is too long for the step, or a text that is too long or has to be escaped. */
static void write_xml_any(const struct attribute_step *step, struct str text, void *out)
{
	if (text.p)
		xml_text_named(out, name_of(step), text);
	else
		write_none(step, out);
}

static void write_xml_element(const struct attribute_step *step, const void *at, void *out)
{
	(void) at;
	buf_add_str(((struct xml *) out)->out, step->element);
}

static void write_xml_text(const struct attribute_step *step, const void *at, void *out)
{
	char room[ATTRIBUTE_TEXT_SIZE];
	write_xml_any(step, text_of(step, at, room), out);
}

/* Sixteen characters, which the compiler compares at once; those from 0x80 on are negative. */
typedef int8_t block __attribute__((vector_size(16)));

/* Not 0 for each character that may need escaping, a tab, or the end of a line. */
static inline block find_special(const char *at)
{
	block all;
	memcpy(&all, at, sizeof all);
	return (all < ' ') | ((all | ('&' ^ '"')) == '&') | ((all | ('<' ^ '>')) == '>');
}

static inline block put_short(char *to, struct str text)
{
	size_t n = text.n;
	char last[sizeof(uint64_t)];
	if (n >= sizeof last) { /* two pieces, which overlap */
		memcpy(last, text.p + n - sizeof last, sizeof last);
		memcpy(to, text.p, sizeof last);
		memcpy(to + n - sizeof last, last, sizeof last);
	} else {
		for (size_t k = 0; k < n; k++)
			to[k] = text.p[k];
	}
	memset(to + n, ' ', sizeof(block));
	return find_special(to);
}

/* Copies the text to `to`, which has room for a block more. False: it is not plain, and is to be escaped. */
static bool put_plain(char *to, struct str text)
{
	block special = {0};
	uint64_t halves[2];
	if (text.n < sizeof special) {
		special = put_short(to, text);
	} else {
		memcpy(to, text.p, text.n);
		for (size_t k = 0; k + sizeof special < text.n; k += sizeof special)
			special |= find_special(text.p + k);
		special |= find_special(text.p + text.n - sizeof special);
	}
	memcpy(halves, &special, sizeof halves);
	return !(halves[0] | halves[1]) || xml_is_plain(text);
}

/* Writes a short tag and a short text directly into the answer, mostly without a call for a copy. */
static void write_xml_short(const struct attribute_step *step, const void *at, void *out)
{
	struct buf *b = ((struct xml *) out)->out;
	if (!has_room(b, 3 + ATTRIBUTE_TEXT_SIZE + sizeof(block) + 2 * ATTRIBUTE_TAG_SIZE))
		return;
	char *start = b->p + b->size, *p = start + 1 + step->tag.size;
	*start = '<';
	memcpy(start + 1, step->tag.text, ATTRIBUTE_TAG_SIZE); /* what follows the tag is overwritten */
	struct str text = at ? step->text(step->shape->style, step->a, at, p) : STR_NONE;
	bool is_there = text.p == p; /* ids, numbers, times and the like, which need no escapes */
	if (!text.p || (!is_there && (text.n > ATTRIBUTE_TEXT_SIZE || !put_plain(p, text)))) {
		write_xml_any(step, text, out);
		return;
	}
	p += text.n;
	memcpy(p, "</", 2);
	memcpy(p + 2, step->tag.text, ATTRIBUTE_TAG_SIZE);
	b->size = (size_t) (p + 2 + step->tag.size - b->p);
}

static void write_xml_tags(const struct attribute_step *step, const void *at, void *out)
{
	const struct attribute_style *style = step->shape->style;
	const struct tags *tags = at;
	struct xml *x = out;
	if (!tags) {
		write_none(step, out);
		return;
	}
	if (!tags->count) {
		xml_empty_named(x, name_of(step));
		return;
	}
	open_step(x, step);
	for (size_t k = 0; k < tags->count; k++) {
		open_item(x, step->shape);
		xml_text(x, style->key, tags->at[k].key);
		xml_text(x, style->value, tags->at[k].value);
		close_item(x, step->shape);
	}
	close_step(x, step);
}

static void write_xml_texts(const struct attribute_step *step, const void *at, void *out)
{
	const struct strs *texts = at;
	open_step(out, step);
	for (size_t k = 0; texts && k < texts->count; k++)
		xml_text(out, step->shape->style->item, texts->at[k]);
	close_step(out, step);
}

static void write_xml_list(const struct attribute_step *step, const void *at, void *out)
{
	const struct attribute_items *items = *(const struct attribute_items *const *) at;
	bool is_empty = !items || !items->count;
	if (step->a->flags & ATTRIBUTE_EMPTY_NONE && is_empty)
		xml_empty_named(out, name_of(step));
	if (step->a->flags & (ATTRIBUTE_OMIT_NONE | ATTRIBUTE_EMPTY_NONE) && is_empty)
		return;
	open_step(out, step);
	for (size_t k = 0; items && k < items->count; k++) {
		open_item(out, step->shape);
		write_members(attribute_item_at(items, k), out);
		close_item(out, step->shape);
	}
	close_step(out, step);
}

static void write_xml_object(const struct attribute_step *step, const void *at, void *out)
{
	if (!at) {
		write_none(step, out);
		return;
	}
	if (step->a->name)
		open_step(out, step);
	write_members(at, out);
	if (step->a->name)
		close_step(out, step);
}

/* ---- JSON ---- */

static void write_json_text(const struct attribute_step *step, const void *at, void *out)
{
	char room[ATTRIBUTE_TEXT_SIZE];
	struct str text = text_of(step, at, room);
	if (text.p)
		json_write_text(out, step->a->name, text);
	else
		write_none(step, out);
}

static void write_json_int(const struct attribute_step *step, const void *at, void *out)
{
	if (at)
		json_write_int(out, step->a->name, attribute_units(*(const int64_t *) at, step->a->shift));
	else
		write_none(step, out);
}

static void write_json_bool(const struct attribute_step *step, const void *at, void *out)
{
	if (at)
		json_write_bool(out, step->a->name, attribute_truth(step->a, at));
	else
		write_none(step, out);
}

static void write_json_fixed(const struct attribute_step *step, const void *at, void *out)
{
	(void) at;
	json_write_raw(out, step->a->name, str_from(step->a->fixed));
}

static void write_json_tags(const struct attribute_step *step, const void *at, void *out)
{
	const struct tags *tags = at;
	if (!tags) {
		write_none(step, out);
		return;
	}
	json_write_open(out, step->a->name);
	for (size_t k = 0; k < tags->count; k++) {
		json_write_key(out, tags->at[k].key);
		json_write_text(out, NULL, tags->at[k].value);
	}
	json_write_close(out);
}

static void write_json_texts(const struct attribute_step *step, const void *at, void *out)
{
	const struct strs *texts = at;
	json_write_open_list(out, step->a->name);
	for (size_t k = 0; texts && k < texts->count; k++)
		json_write_text(out, NULL, texts->at[k]);
	json_write_close_list(out);
}

static void write_json_list(const struct attribute_step *step, const void *at, void *out)
{
	const struct attribute_items *items = *(const struct attribute_items *const *) at;
	if (step->a->flags & ATTRIBUTE_OMIT_NONE && (!items || !items->count))
		return;
	json_write_open_list(out, step->a->name);
	for (size_t k = 0; items && k < items->count; k++) {
		json_write_open(out, NULL);
		write_members(attribute_item_at(items, k), out);
		json_write_close(out);
	}
	json_write_close_list(out);
}

static void write_json_object(const struct attribute_step *step, const void *at, void *out)
{
	if (!at) {
		write_none(step, out);
		return;
	}
	if (step->a->name)
		json_write_open(out, step->a->name);
	write_members(at, out);
	if (step->a->name)
		json_write_close(out);
}

/* ---- the choice ---- */

typedef void (*write_step)(const struct attribute_step *step, const void *at, void *out);

/* Forms without a row here are written as texts. */
static const write_step xml_writers[] = {
	[ATTRIBUTE_TAGS] = write_xml_tags,
	[ATTRIBUTE_TEXTS] = write_xml_texts,
	[ATTRIBUTE_LIST] = write_xml_list,
	[ATTRIBUTE_OBJECT] = write_xml_object,
	[ATTRIBUTE_RAW] = NULL,
};
static const write_step json_writers[] = {
	[ATTRIBUTE_INT] = write_json_int,       [ATTRIBUTE_BOOL] = write_json_bool,
	[ATTRIBUTE_FIXED] = write_json_fixed,   [ATTRIBUTE_TAGS] = write_json_tags,
	[ATTRIBUTE_TEXTS] = write_json_texts,   [ATTRIBUTE_LIST] = write_json_list,
	[ATTRIBUTE_OBJECT] = write_json_object, [ATTRIBUTE_RAW] = NULL,
};

void attribute_make_tag(struct str name, struct attribute_tag *ret_tag)
{
	ret_tag->size = 0;
	if (name.n >= ATTRIBUTE_TAG_SIZE)
		return;
	memcpy(ret_tag->text, name.p, name.n);
	ret_tag->text[name.n] = '>';
	ret_tag->size = (uint8_t) (name.n + 1);
}

/* The element of a text that every row shows. p NULL: the text has to be escaped. */
static struct str make_element(struct arena *a, const struct attribute_step *step)
{
	struct str text = str_from(step->fixed), name = name_of(step);
	const struct str parts[] = {STR("<"), name, STR(">"), text, STR("</"), name, STR(">")};
	return xml_is_plain(text) ? str_join(a, parts, sizeof parts / sizeof parts[0]) : STR_NONE;
}

static write_step choose_xml(struct arena *arena, struct attribute_step *step)
{
	const struct attribute *a = step->a;
	if (a->name)
		attribute_make_tag(name_of(step), &step->tag);
	if (xml_writers[a->form])
		return xml_writers[a->form];
	if (step->fixed)
		step->element = make_element(arena, step);
	if (step->element.p)
		return write_xml_element;
	if (step->fixed || !step->text || !step->tag.size)
		return write_xml_text;
	return write_xml_short;
}

static write_step choose_json(const struct attribute *a)
{
	bool is_text = !json_writers[a->form] || (a->form == ATTRIBUTE_BOOL && a->words);
	return is_text ? write_json_text : json_writers[a->form];
}

void attribute_choose_writer(struct arena *arena, struct attribute_step *step, bool is_change)
{
	const struct attribute *a = step->a;
	step->write = step->shape->style->is_xml ? choose_xml(arena, step) : choose_json(a);
	step->is_ruled = a->flags & NONE_FLAGS;
	if (a->flags & ATTRIBUTE_OMIT_NONE_IN_READS)
		step->is_ruled = !is_change;
}

void attributes_write_xml(const struct attribute_item *item, struct xml *x)
{
	write_members(item, x);
}

void attributes_write_json(const struct attribute_item *item, struct json_writer *w)
{
	write_members(item, w);
}
