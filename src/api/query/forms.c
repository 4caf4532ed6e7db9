/* SPDX-License-Identifier: Apache-2.0
 * Answers in the three forms. CBOR maps and lists have indefinite length, so that members need not be counted
 * beforehand. */
#include "api/query/forms.h"

#include <stdio.h>
#include <string.h>

#include "api/core/cbor.h"
#include "base/clock.h"

enum {
	CBOR_MAP = 0xbf,
	CBOR_LIST = 0x9f,
	CBOR_BREAK = 0xff,
	CBOR_EPOCH_TIME = 0xc1,
	CBOR_DOUBLE = 0xfb,
	CBOR_FALSE = 0xf4,
	CBOR_TRUE = 0xf5
};

enum query_form forms_find(const struct call *call)
{
	return str_is(call_header(call, "Smithy-Protocol"), "rpc-v2-cbor") ? FORM_CBOR
	       : call_header(call, "X-Amz-Target").n                       ? FORM_JSON
									   : FORM_QUERY;
}

const char *forms_content_type(enum query_form form)
{
	return form == FORM_CBOR   ? "application/cbor"
	       : form == FORM_JSON ? "application/x-amz-json-1.0"
				   : "text/xml";
}

/* ---- CBOR ---- */

static void add_byte(struct forms_writer *w, int byte)
{
	buf_add_char(w->out, (char) byte);
}

static void add_cbor_double(struct forms_writer *w, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	add_byte(w, CBOR_DOUBLE);
	for (int k = 7; k >= 0; k--)
		add_byte(w, (int) (bits >> (8 * k) & 0xff));
}

/* ---- all three ---- */

static bool is_in_list(const struct forms_writer *w)
{
	return w->depth && w->is_list[w->depth - 1];
}

/* List element in the form's spelling: in XML an element is a "member". */
static const char *name_of(struct forms_writer *w, const char *name)
{
	if (is_in_list(w))
		return w->form != FORM_QUERY       ? NULL
		       : w->elements[w->depth - 1] ? w->elements[w->depth - 1]
						   : "member";
	if (w->form == FORM_CBOR && name)
		cbor_add_text(w->out, str_from(name));
	return name;
}

static void open_one(struct forms_writer *w, const char *name, bool is_list)
{
	const char *shown = name_of(w, name);
	w->names[w->depth] = shown;
	w->elements[w->depth] = w->keys[w->depth] = NULL;
	w->is_list[w->depth++] = is_list;
	if (w->form == FORM_QUERY)
		xml_open(w->xml, shown);
	else if (w->form == FORM_CBOR)
		add_byte(w, is_list ? CBOR_LIST : CBOR_MAP);
	else if (is_list)
		json_write_open_list(&w->json, shown);
	else
		json_write_open(&w->json, shown);
}

void forms_begin(struct forms_writer *w, enum query_form form, struct buf *out, struct xml *xml)
{
	*w = (struct forms_writer){.form = form, .out = out, .xml = xml};
	if (form == FORM_JSON)
		json_write_begin(&w->json, out);
	if (form != FORM_QUERY)
		open_one(w, NULL, false);
}

void forms_open(struct forms_writer *w, const char *name)
{
	open_one(w, name, false);
}

void forms_open_list(struct forms_writer *w, const char *name)
{
	open_one(w, name, true);
}

void forms_close(struct forms_writer *w)
{
	w->depth--;
	if (w->form == FORM_QUERY && w->elements[w->depth])
		return; /* nothing is around its elements */
	if (w->form == FORM_QUERY)
		xml_close(w->xml, w->names[w->depth]);
	else if (w->form == FORM_CBOR)
		add_byte(w, CBOR_BREAK);
	else if (w->is_list[w->depth])
		json_write_close_list(&w->json);
	else
		json_write_close(&w->json);
}

/* ---- flat lists, and maps ---- */

static void open_flat(struct forms_writer *w, const char *name, bool is_list, const char *element,
		      const char *key)
{
	if (w->form != FORM_QUERY) {
		open_one(w, name, is_list);
		return;
	}
	w->names[w->depth] = name;
	w->elements[w->depth] = element;
	w->keys[w->depth] = key;
	w->is_list[w->depth++] = is_list;
}

void forms_open_flat_list(struct forms_writer *w, const char *name, const char *element)
{
	open_flat(w, name, true, element, NULL);
}

void forms_open_map(struct forms_writer *w, const char *name, const char *element, const char *key)
{
	open_flat(w, name, false, element, key);
}

void forms_map_text(struct forms_writer *w, struct str key, struct str value)
{
	if (w->form == FORM_QUERY) {
		xml_open(w->xml, w->elements[w->depth - 1]);
		xml_text(w->xml, w->keys[w->depth - 1], key);
		xml_text(w->xml, "Value", value);
		xml_close(w->xml, w->elements[w->depth - 1]);
	} else if (w->form == FORM_CBOR) {
		cbor_add_text(w->out, key);
		cbor_add_text(w->out, value);
	} else {
		json_write_key(&w->json, key);
		json_write_text(&w->json, NULL, value);
	}
}

void forms_open_value(struct forms_writer *w, struct str key)
{
	if (w->form == FORM_QUERY) {
		xml_open(w->xml, w->elements[w->depth - 1]);
		xml_text(w->xml, w->keys[w->depth - 1], key);
	} else if (w->form == FORM_CBOR) {
		cbor_add_text(w->out, key);
	} else {
		json_write_key(&w->json, key);
	}
	open_one(w, w->form == FORM_QUERY ? "Value" : NULL, false);
}

void forms_close_value(struct forms_writer *w)
{
	forms_close(w);
	if (w->form == FORM_QUERY)
		xml_close(w->xml, w->elements[w->depth - 1]);
}

/* ---- values ---- */

void forms_text(struct forms_writer *w, const char *name, struct str text)
{
	const char *shown = name_of(w, name);
	if (w->form == FORM_QUERY)
		xml_text(w->xml, shown, text);
	else if (w->form == FORM_CBOR)
		cbor_add_text(w->out, text);
	else
		json_write_text(&w->json, shown, text);
}

void forms_int(struct forms_writer *w, const char *name, int64_t value)
{
	const char *shown = name_of(w, name);
	if (w->form == FORM_QUERY)
		xml_int(w->xml, shown, value);
	else if (w->form == FORM_CBOR)
		cbor_add_int(w->out, value);
	else
		json_write_int(&w->json, shown, value);
}

void forms_bool(struct forms_writer *w, const char *name, bool value)
{
	const char *shown = name_of(w, name);
	if (w->form == FORM_QUERY)
		xml_bool(w->xml, shown, value);
	else if (w->form == FORM_CBOR)
		add_byte(w, value ? CBOR_TRUE : CBOR_FALSE);
	else
		json_write_bool(&w->json, shown, value);
}

void forms_number(struct forms_writer *w, const char *name, double value)
{
	char text[32];
	const char *shown = name_of(w, name);
	(void) snprintf(text, sizeof text, "%.15g", value);
	if (w->form == FORM_QUERY)
		xml_z(w->xml, shown, text);
	else if (w->form == FORM_CBOR)
		add_cbor_double(w, value);
	else
		json_write_raw(&w->json, shown, str_from(text));
}

/* Writes a time in whole seconds, which all figures have. */
void forms_time(struct forms_writer *w, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE];
	const char *shown = name_of(w, name);
	if (w->form == FORM_QUERY) {
		xml_z(w->xml, shown, clock_write_s(time_us, text));
	} else if (w->form == FORM_CBOR) {
		add_byte(w, CBOR_EPOCH_TIME);
		add_cbor_double(w, (double) (time_us / SECOND));
	} else {
		json_write_int(&w->json, shown, time_us / SECOND);
	}
}

RESULT forms_end(struct forms_writer *w)
{
	forms_close(w);
	if (w->form == FORM_JSON)
		return json_write_end(&w->json);
	return w->out->failed ? FAIL(NO_MEMORY) : OK;
}
