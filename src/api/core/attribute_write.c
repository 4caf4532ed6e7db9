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

/* Writes what stands for a missing value: by the flags of the attribute, else by the style. */
static void write_none(const struct attribute_step *step, void *out)
{
	const struct attribute *a = step->a;
	bool is_null = a->flags & (ATTRIBUTE_NULL_NONE | ATTRIBUTE_FROM_ZERO) ||
		       (!step->is_ruled && step->plan->style->none_is_null);
	if (!a->name)
		return;
	if (step->plan->style->is_xml) {
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

static const union attribute_value *write_values(const struct attribute_plan *plan, const struct row *row,
						 const union attribute_value *value, void *out);

/* An object of the same row. Returns the end of its values. */
static const union attribute_value *write_within(const struct attribute_step *step, const struct row *row,
						 const union attribute_value *value, void *out)
{
	if (step->plan->style->is_xml)
		xml_open_named(out, name_of(step));
	else
		json_write_open(out, step->a->name);
	value = write_values(step->within, row, value, out);
	if (step->plan->style->is_xml)
		xml_close_named(out, name_of(step));
	else
		json_write_close(out);
	return value;
}

static const union attribute_value *write_values(const struct attribute_plan *plan, const struct row *row,
						 const union attribute_value *value, void *out)
{
	for (size_t k = 0; k < plan->count; k++) {
		const struct attribute_step *step = &plan->steps[k];
		const void *at = (const char *) row + step->a->offset;
		if (step->place == PLACE_WITHIN) {
			value = write_within(step, row, value, out);
			continue;
		}
		if (attribute_takes_room(step)) {
			at = step->place == PLACE_ITEM ? value : value->at;
			value++;
		} else if (step->place == PLACE_CALL) {
			at = (const char *) plan->e + step->a->offset;
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
		(void) write_values(item->plan, item->row, item->values, out);
}

/* ---- XML ---- */

static struct str text_of(const struct attribute_step *step, const void *at, char *room)
{
	if (step->fixed)
		return str_from(step->fixed);
	return at && step->text ? step->text(step->plan->style, step->a, at, room) : STR_NONE;
}

static bool has_room(struct buf *b, size_t size)
{
	return (size <= b->capacity - b->size && !b->failed) || buf_reserve(b, size);
}

/* Writes a tag that is too long for the step, or a text that is too long or has to be escaped. */
static void write_xml_any(const struct attribute_step *step, struct str text, void *out)
{
	if (text.p)
		xml_text_named(out, name_of(step), text);
	else
		write_none(step, out);
}

static void write_xml_text(const struct attribute_step *step, const void *at, void *out)
{
	char room[ATTRIBUTE_TEXT_SIZE];
	write_xml_any(step, text_of(step, at, room), out);
}

/* Writes a short tag and a short text directly into the answer, mostly without a call for a copy. */
static void write_xml_short(const struct attribute_step *step, const void *at, void *out)
{
	struct buf *b = ((struct xml *) out)->out;
	size_t n = step->a->name_size;
	if (!has_room(b, n + 3 + ATTRIBUTE_TEXT_SIZE + 2 * ATTRIBUTE_TAG_SIZE))
		return;
	char *start = b->p + b->size, *p = start + n + 2;
	*start = '<';
	memcpy(start + 1, step->tag, ATTRIBUTE_TAG_SIZE); /* what follows the tag is overwritten */
	struct str text = at ? step->text(step->plan->style, step->a, at, p) : STR_NONE;
	if (!text.p || (step->may_escape && (text.n > ATTRIBUTE_TEXT_SIZE || !xml_is_plain(text)))) {
		write_xml_any(step, text, out);
		return;
	}
	if (text.p != p)
		memcpy(p, text.p, text.n);
	p += text.n;
	*p++ = '<';
	*p++ = '/';
	memcpy(p, step->tag, ATTRIBUTE_TAG_SIZE);
	b->size = (size_t) (p + n + 1 - b->p);
}

static void write_xml_tags(const struct attribute_step *step, const void *at, void *out)
{
	const struct attribute_style *style = step->plan->style;
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
	xml_open_named(x, name_of(step));
	for (size_t k = 0; k < tags->count; k++) {
		xml_open(x, style->item);
		xml_text(x, style->key, tags->at[k].key);
		xml_text(x, style->value, tags->at[k].value);
		xml_close(x, style->item);
	}
	xml_close_named(x, name_of(step));
}

static void write_xml_texts(const struct attribute_step *step, const void *at, void *out)
{
	const struct strs *texts = at;
	xml_open_named(out, name_of(step));
	for (size_t k = 0; texts && k < texts->count; k++)
		xml_text(out, step->plan->style->item, texts->at[k]);
	xml_close_named(out, name_of(step));
}

static void write_xml_list(const struct attribute_step *step, const void *at, void *out)
{
	const struct attribute_items *items = *(const struct attribute_items *const *) at;
	bool is_empty = !items || !items->count;
	if (step->a->flags & ATTRIBUTE_EMPTY_NONE && is_empty)
		xml_empty_named(out, name_of(step));
	if (step->a->flags & (ATTRIBUTE_OMIT_NONE | ATTRIBUTE_EMPTY_NONE) && is_empty)
		return;
	xml_open_named(out, name_of(step));
	for (size_t k = 0; items && k < items->count; k++) {
		xml_open(out, step->plan->style->item);
		write_members(attribute_item_at(items, k), out);
		xml_close(out, step->plan->style->item);
	}
	xml_close_named(out, name_of(step));
}

static void write_xml_object(const struct attribute_step *step, const void *at, void *out)
{
	if (!at) {
		write_none(step, out);
		return;
	}
	if (step->a->name)
		xml_open_named(out, name_of(step));
	write_members(at, out);
	if (step->a->name)
		xml_close_named(out, name_of(step));
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

/* at: the row, because the offset is 0. */
static void write_raw(const struct attribute_step *step, const void *at, void *out)
{
	step->a->get.write(step->plan->e, out, step->a->name, at);
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
	[ATTRIBUTE_OBJECT] = write_json_object, [ATTRIBUTE_RAW] = write_raw,
};

static write_step choose_xml(struct attribute_step *step)
{
	const struct attribute *a = step->a;
	if (xml_writers[a->form])
		return xml_writers[a->form];
	if (step->fixed || !step->text || a->name_size >= ATTRIBUTE_TAG_SIZE)
		return write_xml_text;
	memcpy(step->tag, a->name, a->name_size);
	step->tag[a->name_size] = '>';
	step->may_escape = a->form == ATTRIBUTE_TEXT || a->form == ATTRIBUTE_WORD || a->words;
	return write_xml_short;
}

static write_step choose_json(const struct attribute *a)
{
	bool is_text = !json_writers[a->form] || (a->form == ATTRIBUTE_BOOL && a->words);
	return is_text ? write_json_text : json_writers[a->form];
}

void attribute_choose_writer(struct attribute_step *step)
{
	const struct attribute_plan *plan = step->plan;
	const struct attribute *a = step->a;
	step->write = plan->style->is_xml ? choose_xml(step) : choose_json(a);
	step->is_ruled = a->flags & NONE_FLAGS;
	if (a->flags & ATTRIBUTE_OMIT_NONE_IN_READS)
		step->is_ruled = !plan->style->is_change(plan->e);
}

void attributes_write_xml(const struct attribute_item *item, struct xml *x)
{
	write_members(item, x);
}

void attributes_write_json(const struct attribute_item *item, struct json_writer *w)
{
	write_members(item, w);
}
