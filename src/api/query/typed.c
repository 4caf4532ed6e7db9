/* SPDX-License-Identifier: Apache-2.0
 * Converts JSON and CBOR requests into the pairs of the query protocol, which the parameter tables read. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api/query/forms.h"
#include "api/query/query_call.h"
#include "base/clock.h"

enum { DEPTH_MAX = 12, MEMBERS_MAX = 4 * REQUEST_PAIRS_MANY, PATH_SIZE = 512, NUMBER_SIZE = CLOCK_TEXT_SIZE };

struct reading {
	struct ctx *c;
	const struct typed_service *service;
	struct str operation;
	struct buf form;
	char path[PATH_SIZE]; /* "MetricDataQueries.member.1.Id" */
	size_t path_n;
	unsigned depth, count;   /* of values */
	unsigned members;        /* of lists and maps, those without a value among them */
	const uint8_t *at, *end; /* what is left of CBOR */
};

static RESULT fail_document(struct reading *r)
{
	return ctx_fail(r->c, ERR_MALFORMED, "The request's document cannot be read.");
}

/* ---- what both become ---- */

static RESULT push(struct reading *r, struct str name, size_t *ret_before)
{
	*ret_before = r->path_n;
	if (++r->depth > DEPTH_MAX || r->path_n + 1 + name.n >= PATH_SIZE)
		return ctx_fail(r->c, ERR_TOO_LARGE, "The request is nested too deep.");
	if (++r->members > MEMBERS_MAX)
		return ctx_fail(r->c, ERR_TOO_LARGE, "The request has more than %d members.", MEMBERS_MAX);
	if (r->path_n)
		r->path[r->path_n++] = '.';
	memcpy(r->path + r->path_n, name.p, name.n);
	r->path_n += name.n;
	return OK;
}

static void pop(struct reading *r, size_t before)
{
	r->depth--;
	r->path_n = before;
}

static RESULT push_member(struct reading *r, size_t number, size_t *ret_before)
{
	char name[32];
	(void) snprintf(name, sizeof name, "%s%zu", r->service->element, number);
	return push(r, str_from(name), ret_before);
}

static RESULT add_text(struct reading *r, struct str text)
{
	struct str path = {r->path, r->path_n};
	if (++r->count > REQUEST_PAIRS_MANY)
		return ctx_fail(r->c, ERR_TOO_LARGE, "The request has more than %d values.",
				REQUEST_PAIRS_MANY);
	struct str name = str_encode_url(r->c->arena, path, false),
		   value = str_encode_url(r->c->arena, text, false);
	if (!name.p || !value.p)
		return ctx_no_memory(r->c);
	buf_print(&r->form, "&%" STR_FMT "=%" STR_FMT, STR_ARG(name), STR_ARG(value));
	return OK;
}

/* Times are seconds since 1970. */
static RESULT add_number(struct reading *r, double value)
{
	char text[NUMBER_SIZE];
	struct str path = {r->path, r->path_n};
	bool is_time = r->service->is_time && r->service->is_time(path);
	if (!isfinite(value) ||
	    (is_time && fabs(value) > 253402300799.0)) /* the last second of the year 9999 */
		return fail_document(r);
	if (is_time)
		(void) clock_write_ms((int64_t) (value * 1000.0) * (SECOND / 1000), text);
	else
		(void) snprintf(text, sizeof text, "%.17g", value);
	return add_text(r, str_from(text));
}

/* ---- JSON ---- */

static RESULT add_json(struct reading *r, const json_t *value);

static const struct typed_name *find_name(const struct reading *r, struct str typed)
{
	for (const struct typed_name *n = r->service->names; n && n->typed; n++)
		if (str_is(typed, n->typed))
			return n;
	return NULL;
}

static struct str translate(const struct reading *r, const struct typed_name *name, struct str typed)
{
	if (!name)
		return typed;
	return name->query ? str_from(name->query)
			   : str_print(r->c->arena, "%" STR_FMT "RequestEntry", STR_ARG(r->operation));
}

static RESULT add_json_part(struct reading *r, const char *name, const json_t *value)
{
	size_t before;
	TRY(push(r, str_from(name), &before));
	TRY(add_json(r, value));
	pop(r, before);
	return OK;
}

/* A map: entries with a key and a Value, in a list. */
static RESULT add_json_entries(struct reading *r, const char *key_name, const json_t *map)
{
	const char *key;
	json_t *value;
	size_t before, count = 0, inner;
	json_object_foreach ((json_t *) map, key, value) {
		TRY(push_member(r, ++count, &before));
		TRY(push(r, str_from(key_name), &inner));
		TRY(add_text(r, str_from(key)));
		pop(r, inner);
		TRY(add_json_part(r, "Value", value));
		pop(r, before);
	}
	return OK;
}

static RESULT add_json_members(struct reading *r, const json_t *value)
{
	const char *key;
	json_t *member;
	size_t index, before;
	if (json_is_array(value)) {
		json_array_foreach (value, index, member) {
			TRY(push_member(r, index + 1, &before));
			TRY(add_json(r, member));
			pop(r, before);
		}
		return OK;
	}
	json_object_foreach ((json_t *) value, key, member) {
		const struct typed_name *name = find_name(r, str_from(key));
		TRY(push(r, translate(r, name, str_from(key)), &before));
		if (name && name->key && json_is_object(member))
			TRY(add_json_entries(r, name->key, member));
		else
			TRY(add_json(r, member));
		pop(r, before);
	}
	return OK;
}

static RESULT add_json(struct reading *r, const json_t *value)
{
	if (json_is_array(value) || json_is_object(value))
		return add_json_members(r, value);
	if (json_is_number(value))
		return add_number(r, json_number_value(value));
	if (json_is_string(value))
		return add_text(r, (struct str){json_string_value(value), json_string_length(value)});
	if (json_is_boolean(value))
		return add_text(r, json_is_true(value) ? STR("true") : STR("false"));
	return OK; /* null: nothing was said */
}

static RESULT read_json(struct reading *r, struct str text)
{
	json_error_t error;
	if (!text.n)
		return OK;
	json_t *document = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &error);
	struct result result = json_is_object(document) ? add_json(r, document) : fail_document(r);
	json_decref(document);
	return result;
}

/* ---- CBOR ---- */

enum major {
	CBOR_UNSIGNED,
	CBOR_NEGATIVE,
	CBOR_BYTES,
	CBOR_TEXT,
	CBOR_LIST,
	CBOR_MAP,
	CBOR_TAG,
	CBOR_SIMPLE
};
enum {
	INFO_INDEFINITE = 31,
	SIMPLE_FALSE = 20,
	SIMPLE_TRUE = 21,
	SIMPLE_NULL = 22,
	SIMPLE_UNDEFINED = 23,
	SIMPLE_FLOAT = 26,
	SIMPLE_DOUBLE = 27,
	BREAK = 0xff
};

struct head {
	enum major major;
	unsigned info;
	uint64_t value;
};

/* Reads the head of a CBOR item (RFC 8949, 3): three bits say the type, five bits the value. 24 to 27 say that the value follows
 * in one, two, four or eight bytes, big-endian; 28 to 30 are reserved. */
static RESULT read_head(struct reading *r, struct head *ret)
{
	if (r->at == r->end)
		return fail_document(r);
	*ret = (struct head){.major = *r->at >> 5, .info = *r->at & 0x1f};
	r->at++;
	size_t bytes = ret->info >= 24 && ret->info <= 27 ? (size_t) 1 << (ret->info - 24) : 0;
	ret->value = ret->info;
	if (ret->info > 27 && ret->info != INFO_INDEFINITE)
		return fail_document(r);
	if ((size_t) (r->end - r->at) < bytes)
		return fail_document(r);
	for (size_t k = 0; k < bytes; k++)
		ret->value = (k ? ret->value << 8 : 0) | *r->at++;
	return OK;
}

static RESULT take_text(struct reading *r, const struct head *head, struct str *ret)
{
	if (head->major != CBOR_TEXT || head->info == INFO_INDEFINITE ||
	    (uint64_t) (r->end - r->at) < head->value)
		return fail_document(r);
	*ret = (struct str){(const char *) r->at, (size_t) head->value};
	r->at += head->value;
	return OK;
}

static RESULT add_cbor(struct reading *r);

/* True if the next item of a list or map is there: by count, or until a break. */
static bool has_next(struct reading *r, const struct head *head, uint64_t index)
{
	if (head->info != INFO_INDEFINITE)
		return index < head->value;
	bool ends = r->at < r->end && *r->at == BREAK;
	r->at += ends;
	return !ends;
}

static RESULT add_cbor_members(struct reading *r, const struct head *head)
{
	size_t before;
	for (uint64_t k = 0; has_next(r, head, k); k++) {
		struct head key;
		struct str name = STR_NONE;
		if (head->major == CBOR_MAP) {
			TRY(read_head(r, &key));
			TRY(take_text(r, &key, &name));
			TRY(push(r, name, &before));
		} else {
			TRY(push_member(r, (size_t) k + 1, &before));
		}
		TRY(add_cbor(r));
		pop(r, before);
	}
	return OK;
}

static RESULT add_cbor_simple(struct reading *r, const struct head *head)
{
	uint32_t low = (uint32_t) head->value;
	float small;
	double large;
	memcpy(&small, &low, sizeof small);
	memcpy(&large, &head->value, sizeof large);
	switch (head->info) {
	case SIMPLE_FALSE:
	case SIMPLE_TRUE:
		return add_text(r, head->info == SIMPLE_TRUE ? STR("true") : STR("false"));
	case SIMPLE_NULL:
	case SIMPLE_UNDEFINED:
		return OK;
	case SIMPLE_FLOAT:
		return add_number(r, (double) small);
	case SIMPLE_DOUBLE:
		return add_number(r, large);
	default:
		return fail_document(r);
	}
}

static RESULT add_cbor(struct reading *r)
{
	struct head head;
	struct str text;
	TRY(read_head(r, &head));
	while (head.major == CBOR_TAG &&
	       head.info != INFO_INDEFINITE) /* a tag, such as of a time; its value follows */
		TRY(read_head(r, &head));
	switch (head.major) {
	case CBOR_UNSIGNED:
	case CBOR_NEGATIVE:
		if (head.info == INFO_INDEFINITE)
			return fail_document(r);
		return add_number(r, head.major == CBOR_UNSIGNED ? (double) head.value
								 : -1.0 - (double) head.value);
	case CBOR_TEXT:
		TRY(take_text(r, &head, &text));
		return add_text(r, text);
	case CBOR_LIST:
	case CBOR_MAP:
		return add_cbor_members(r, &head);
	case CBOR_SIMPLE:
		return add_cbor_simple(r, &head);
	case CBOR_BYTES:
	case CBOR_TAG:
		break;
	}
	return fail_document(r);
}

static RESULT read_cbor(struct reading *r, struct str bytes)
{
	r->at = (const uint8_t *) bytes.p;
	r->end = r->at + bytes.n;
	if (!bytes.n)
		return OK;
	if (*r->at >> 5 != CBOR_MAP)
		return fail_document(r);
	TRY(add_cbor(r));
	return r->at == r->end ? OK : fail_document(r);
}

/* ---- the call ---- */

static struct str operation_of(struct ctx *c, const struct call *call, const struct typed_service *service,
			       enum query_form form)
{
	bool is_path = form == FORM_CBOR;
	struct str word = is_path ? call->path : call_header(call, "X-Amz-Target");
	struct str start = str_print(c->arena, is_path ? "/service/%s/operation/" : "%s.", service->name);
	return start.n && str_starts_with(word, start) ? str_slice(word, start.n, word.n) : STR_NONE;
}

RESULT query_read_typed(struct ctx *c, const struct call *call, const struct typed_service *service,
			struct str body, enum query_form form, struct str *ret_form)
{
	struct reading r = {.c = c, .service = service, .operation = operation_of(c, call, service, form)};
	if (call->method != HTTP_POST || !r.operation.n)
		return ctx_fail(c, ERR_UNSUPPORTED, "The request names no operation of the service.");
	buf_init(&r.form, BUF_ANSWER_CAP);
	buf_print(&r.form, "Version=%s&Action=%" STR_FMT, service->version,
		  STR_ARG(str_encode_url(c->arena, r.operation, false)));
	struct result result = form == FORM_CBOR ? read_cbor(&r, body) : read_json(&r, body);
	if (result_is_ok(result))
		result = buf_finish(&r.form);
	if (result_is_ok(result))
		*ret_form = str_copy(c->arena, buf_str(&r.form));
	buf_done(&r.form);
	return result_is_ok(result) && !ret_form->p ? ctx_no_memory(c) : result;
}

RESULT query_find_typed_action(struct api_call *e, const struct typed_service *service, enum query_form kind)
{
	struct str form = STR_NONE, query = e->call->query, body = STR_NONE;
	struct result read = query_read_body(e->c, e->call, &body);
	if (kind == FORM_QUERY) {
		form = e->call->method == HTTP_POST ? body : STR_NONE;
	} else if (result_is_ok(read)) {
		query = STR_NONE;
		read = query_read_typed(e->c, e->call, service, body, kind, &form);
	}
	if (result_is_ok(read))
		read = request_parse_many(e->c, query, form, &e->pairs);
	const struct api_entry *entry = query_find_entry(e, 0, 0);
	read = api_check_limits(e, entry ? entry->action : NULL, read);
	api_choose_action(e, entry);
	return read;
}

RESULT forms_write_problem(struct api_call *e, enum query_form form, struct api_problem *p,
			   const char *prefix, const char *shape, struct buf *body)
{
	struct forms_writer w;
	const char *side = p->status >= 500 ? "Receiver" : "Sender";
	p->content_type = forms_content_type(form);
	call_set_answer_header(e->call, "x-amzn-query-error",
			       str_print(e->c->arena, "%s;%s", p->error->code, side));
	forms_begin(&w, form, body, NULL);
	forms_text(&w, "__type", str_print(e->c->arena, "%s%s", prefix, shape));
	forms_text(&w, "message", p->message);
	return forms_end(&w);
}
