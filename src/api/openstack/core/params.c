/* SPDX-License-Identifier: Apache-2.0
 * The walker of parameter tables. Values come from three places; each row says from which, and from there on
 * a text is a text. What is filled in is copied to the arena, so that a body's JSON need not outlive it. */
#include "api/openstack/core/params.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/vec.h"
#include "engine/resolve.h"

struct reader {
	struct ctx *c;
	const struct os_request *request;
};

/* Every list of ours begins so. */
struct any_list {
	void *at;
	size_t count;
};

#define FAIL_VALUE(c, field, format, ...)                                                                    \
	ctx_fail_field((c), ERR_INVALID, (field), "Invalid input for field/attribute %" STR_FMT ". " format, \
		       STR_ARG(field), __VA_ARGS__)

static RESULT fail_value(struct ctx *c, struct str field, struct str value, const char *why)
{
	return FAIL_VALUE(c, field, "Value: %" STR_FMT ". %s", STR_ARG(str_slice(value, 0, 256)), why);
}

/* ---- ids ---- */

bool os_parse_id(struct str text, enum kind kind, struct ref *ret_ref)
{
	uuid id;
	if (kind == KIND_DOMAIN && str_is(text, "default"))
		id = DOMAIN_DEFAULT;
	else if (!result_is_ok(uuid_parse(text, &id)))
		return false;
	*ret_ref = (struct ref){.kind = kind, .prefix = id, .bits = 128, .text = text};
	return true;
}

/* ---- one text ---- */

static size_t count_characters(struct str s) /* of UTF-8 */
{
	size_t count = 0;
	for (size_t k = 0; k < s.n; k++)
		count += ((unsigned char) s.p[k] & 0xC0) != 0x80;
	return count;
}

/* Of words between bars. */
static bool is_one_of(const char *words, struct str value)
{
	struct str rest = str_from(words), word;
	if (str_is_empty(rest))
		return str_is_empty(value);
	while (str_split_next(&rest, '|', &word))
		if (str_equal(word, value))
			return true;
	return false;
}

static RESULT read_base64(struct ctx *c, const struct os_param *p, struct str field, struct str value,
			  struct str *out)
{
	struct result decoded = str_decode_base64(c->arena, value, out);
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	if (!result_is_ok(decoded))
		return fail_value(c, field, value, "It is not base64.");
	if (p->max && out->n > (size_t) p->max)
		return FAIL_VALUE(c, field, "It has %zu bytes, %" PRId64 " at most.", out->n, p->max);
	return OK;
}

static RESULT read_text(struct ctx *c, const struct os_param *p, struct str field, struct str value,
			struct str *out)
{
	if (p->flags & OS_BASE64)
		return read_base64(c, p, field, value, out);
	if (p->words && !is_one_of(p->words, value))
		return fail_value(c, field, value,
				  str_to_z(c->arena, str_print(c->arena, "It is not one of: %s.", p->words)));
	size_t count = count_characters(value), max = p->max ? (size_t) p->max : OS_TEXT_MAX;
	if (count < (size_t) p->min)
		return fail_value(c, field, value, "It is too short.");
	if (count > max)
		return FAIL_VALUE(c, field,
				  "Value: %" STR_FMT "... is too long: %zu characters, %zu at most.",
				  STR_ARG(str_slice(value, 0, 64)), count, max);
	*out = str_copy(c->arena, value);
	return out->n == value.n ? OK : ctx_no_memory(c);
}

static RESULT check_int(struct ctx *c, const struct os_param *p, struct str field, int64_t value,
			int64_t *out)
{
	bool is_bounded = p->min || p->max;
	if (is_bounded && value < p->min)
		return FAIL_VALUE(c, field, "Value: %" PRId64 ". It is less than the minimum of %" PRId64 ".",
				  value, p->min);
	if (is_bounded && value > p->max)
		return FAIL_VALUE(c, field,
				  "Value: %" PRId64 ". It is greater than the maximum of %" PRId64 ".", value,
				  p->max);
	*out = value;
	return OK;
}

static RESULT read_int(struct ctx *c, const struct os_param *p, struct str field, struct str value,
		       int64_t *out)
{
	int64_t number = 0;
	if (!result_is_ok(str_parse_int(value, &number)))
		return fail_value(c, field, value, "It is not a whole number.");
	return check_int(c, p, field, number, out);
}

/* As Python's strutils.bool_from_string reads them. */
static bool read_truth(struct str value, bool *ret_value)
{
	static const char *const yes[] = {"true", "1", "t", "on", "y", "yes"};
	static const char *const no[] = {"false", "0", "f", "off", "n", "no"};
	for (size_t k = 0; k < sizeof yes / sizeof yes[0]; k++) {
		if (str_equal_nocase(value, str_from(yes[k])) || str_equal_nocase(value, str_from(no[k]))) {
			*ret_value = str_equal_nocase(value, str_from(yes[k]));
			return true;
		}
	}
	return false;
}

static RESULT read_bool(struct ctx *c, struct str field, struct str value, bool *out)
{
	return read_truth(value, out) ? OK : fail_value(c, field, value, "It is not a boolean.");
}

static RESULT read_choice(struct ctx *c, const struct os_param *p, struct str field, struct str value,
			  enum choice *out)
{
	bool is_yes = false;
	if (!p->yes)
		TRY(read_bool(c, field, value, &is_yes));
	else if (str_is(value, p->yes))
		is_yes = true;
	else if (!str_is(value, p->no))
		return fail_value(
			c, field, value,
			str_to_z(c->arena, str_print(c->arena, "It is neither %s nor %s.", p->yes, p->no)));
	*out = is_yes ? CHOICE_YES : CHOICE_NO;
	return OK;
}

/* In a path what cannot be an id is the id of nothing. */
static RESULT read_id(struct ctx *c, const struct os_param *p, struct str field, struct str value,
		      struct ref *out)
{
	struct str text = str_copy(c->arena, value);
	if (text.n != value.n)
		return ctx_no_memory(c);
	if (os_parse_id(text, p->kind, out)) {
		out->field = field;
		return OK;
	}
	*out = (struct ref){.kind = p->kind, .text = text, .field = field};
	if (p->flags & OS_BY_NAME && count_characters(value) <= OS_TEXT_MAX)
		return OK;
	if (p->flags & OS_ID_OR_EMPTY && str_is_empty(value)) {
		*out = (struct ref){0};
		return OK;
	}
	if (p->place == OS_IN_PATH)
		return engine_fail_not_found(c, p->kind, out);
	return fail_value(c, field, value, "It is not a UUID.");
}

static RESULT read_ip(struct ctx *c, struct str field, struct str value, struct ip *out)
{
	return result_is_ok(ip_parse(value, out))
		       ? OK
		       : fail_value(c, field, value, "It is not a valid IP address.");
}

static RESULT read_cidr(struct ctx *c, struct str field, struct str value, struct cidr *out)
{
	return result_is_ok(cidr_parse(value, out)) ? OK
						    : fail_value(c, field, value, "It is not a valid CIDR.");
}

static RESULT read_mac(struct ctx *c, struct str field, struct str value, struct mac *out)
{
	return result_is_ok(mac_parse(value, out))
		       ? OK
		       : fail_value(c, field, value, "It is not a valid MAC address.");
}

static RESULT read_value(struct ctx *c, const struct os_param *p, struct str field, struct str value,
			 void *out)
{
	switch (p->type) {
	case OS_TEXT:
	case OS_TEXTS:
		return read_text(c, p, field, value, out);
	case OS_INT:
		return read_int(c, p, field, value, out);
	case OS_BOOL:
		return read_bool(c, field, value, out);
	case OS_CHOICE:
		return read_choice(c, p, field, value, out);
	case OS_ID:
	case OS_IDS:
		return read_id(c, p, field, value, out);
	case OS_IP:
		return read_ip(c, field, value, out);
	case OS_CIDR:
		return read_cidr(c, field, value, out);
	case OS_MAC:
		return read_mac(c, field, value, out);
	case OS_TAGS:
	case OS_OBJECT:
	case OS_LIST:
	case OS_JSON:
	case OS_NOT_BUILT:
		break;
	}
	return FAIL(INTERNAL); /* the caller takes care of those */
}

static size_t element_size(const struct os_param *p)
{
	return p->type == OS_LIST  ? p->sub->size
	       : p->type == OS_IDS ? sizeof(struct ref)
				   : sizeof(struct str);
}

/* Room for one more element of a list, zeroed; NULL: no memory. */
static void *add_element(struct ctx *c, const struct os_param *p, struct any_list *list, size_t *capacity)
{
	size_t size = element_size(p);
	if (!vec_reserve_one(c->arena, &list->at, capacity, list->count, size))
		return NULL;
	return memset((char *) list->at + list->count++ * size, 0, size);
}

static void note_presence(const struct os_param *p, char *out)
{
	if (p->given)
		*(bool *) (void *) (out + p->given - 1) = true;
}

/* ---- JSON ---- */

static RESULT read_members(struct reader *r, const struct os_params *table, const json_t *object,
			   struct str name, char *out);

static struct str text_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

static const char *type_words(enum os_param_type type)
{
	static const char *const words[] = {
		[OS_NOT_BUILT] = "anything",  [OS_TEXT] = "a string",
		[OS_INT] = "an integer",      [OS_BOOL] = "a boolean",
		[OS_CHOICE] = "a boolean",    [OS_ID] = "a UUID",
		[OS_IP] = "an IP address",    [OS_CIDR] = "a CIDR",
		[OS_MAC] = "a MAC address",   [OS_TEXTS] = "a list of strings",
		[OS_IDS] = "a list of UUIDs", [OS_TAGS] = "an object of strings",
		[OS_OBJECT] = "an object",    [OS_LIST] = "a list of objects",
		[OS_JSON] = "anything",
	};
	return words[type];
}

static RESULT fail_type(struct ctx *c, const struct os_param *p, struct str field)
{
	return FAIL_VALUE(c, field, "It is not %s.", type_words(p->type));
}

static RESULT read_json(struct ctx *c, const json_t *value, struct str *out)
{
	enum { FLAGS = JSON_COMPACT | JSON_ENCODE_ANY };
	size_t size = json_dumpb(value, NULL, 0, FLAGS);
	char *text = size ? arena_alloc(c->arena, size + 1) : NULL;
	if (!text || json_dumpb(value, text, size, FLAGS) != size)
		return ctx_no_memory(c);
	*out = (struct str){text, size};
	return OK;
}

/* Numbers and booleans may come as texts, texts as texts only. */
static RESULT read_scalar(struct ctx *c, const struct os_param *p, struct str field, const json_t *value,
			  void *out)
{
	if (json_is_string(value))
		return read_value(c, p, field, text_of(value), out);
	if (p->type == OS_INT && json_is_integer(value))
		return check_int(c, p, field, json_integer_value(value), out);
	if (json_is_boolean(value) && (p->type == OS_BOOL || (p->type == OS_CHOICE && !p->yes)))
		return read_value(c, p, field, json_is_true(value) ? STR("true") : STR("false"), out);
	bool may_be_number = (p->type == OS_ID && p->flags & OS_BY_NAME) || p->flags & OS_OR_NUMBER;
	if (may_be_number && json_is_integer(value)) /* a flavor called 1 */
		return read_value(c, p, field,
				  str_print(c->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value)),
				  out);
	return fail_type(c, p, field);
}

static int compare_tags(const void *a, const void *b)
{
	return str_compare(((const struct tag *) a)->key, ((const struct tag *) b)->key);
}

static RESULT read_tag(struct ctx *c, const struct os_param *p, struct str field, const char *key,
		       const json_t *value, struct tag *out)
{
	static const struct os_param name = {.type = OS_TEXT, .min = 1, .max = 255};
	static const struct os_param content = {.type = OS_TEXT, .max = 255};
	struct str at = str_print(c->arena, "%" STR_FMT ".%s", STR_ARG(field), key);
	if (!json_is_string(value))
		return fail_type(c, p, field);
	TRY(read_text(c, &name, field, str_from(key), &out->key));
	return read_text(c, &content, at, text_of(value), &out->value);
}

/* An object of texts; sorted, as rows have them. */
static RESULT read_tags(struct ctx *c, const struct os_param *p, struct str field, const json_t *value,
			struct tags *out)
{
	const char *key;
	json_t *member;
	size_t count = 0;
	if (!json_is_object(value))
		return fail_type(c, p, field);
	size_t size = json_object_size(value), max = p->max ? (size_t) p->max : OS_LIST_MAX;
	if (size < (size_t) p->min || size > max)
		return FAIL_VALUE(c, field, "It has %zu members, not %" PRId64 " to %zu.", size, p->min, max);
	struct tag *tags = arena_new_array(c->arena, struct tag, size);
	if (!tags)
		return ctx_no_memory(c);
	json_object_foreach ((json_t *) value, key, member)
		TRY(read_tag(c, p, field, key, member, &tags[count++]));
	if (count)
		qsort(tags, count, sizeof tags[0], compare_tags);
	*out = (struct tags){tags, count};
	return OK;
}

static RESULT read_list(struct reader *r, const struct os_param *p, struct str field, const json_t *value,
			char *out)
{
	struct any_list *list = (struct any_list *) (void *) out;
	size_t max = p->max && p->type == OS_LIST ? (size_t) p->max : OS_LIST_MAX, capacity = 0;
	if (!json_is_array(value))
		return fail_type(r->c, p, field);
	if (json_array_size(value) > max)
		return FAIL_VALUE(r->c, field, "It has %zu elements, %zu at most.", json_array_size(value),
				  max);
	*list = (struct any_list){0}; /* instead of what a patch finds there */
	for (size_t k = 0; k < json_array_size(value); k++) {
		const json_t *at = json_array_get(value, k);
		struct str name = str_print(r->c->arena, "%" STR_FMT ".%zu", STR_ARG(field), k);
		char *element = add_element(r->c, p, list, &capacity);
		if (!element)
			return ctx_no_memory(r->c);
		if (p->type == OS_LIST)
			TRY(read_members(r, p->sub, at, name, element));
		else if (json_is_string(at))
			TRY(read_value(r->c, p, name, text_of(at), element));
		else
			return fail_type(r->c, p, field);
	}
	return OK;
}

static RESULT refuse_unbuilt(struct ctx *c, const struct os_param *p, struct str field, struct str value)
{
	if (p->only && is_one_of(p->only, value))
		return OK;
	if (!p->only)
		return ctx_fail_field(c, ERR_UNSUPPORTED, field, "%" STR_FMT " is not supported here.",
				      STR_ARG(field));
	return ctx_fail_field(c, ERR_UNSUPPORTED, field,
			      "%" STR_FMT " is supported with the value '%s' only.", STR_ARG(field), p->only);
}

static RESULT refuse_unbuilt_json(struct ctx *c, const struct os_param *p, struct str field,
				  const json_t *value)
{
	struct str text = text_of(value);
	if (json_is_null(value))
		return OK;
	if (!json_is_string(value))
		TRY(read_json(c, value, &text));
	return refuse_unbuilt(c, p, field, text);
}

static RESULT read_member(struct reader *r, const struct os_param *p, struct str field, const json_t *value,
			  char *out)
{
	if (p->type == OS_NOT_BUILT)
		return refuse_unbuilt_json(r->c, p, field, value);
	if (json_is_null(value) && p->flags & OS_NULL_ABSENT)
		return OK;
	note_presence(p, out);
	char *at = out + p->offset;
	if (p->type == OS_JSON)
		return read_json(r->c, value, (struct str *) (void *) at);
	if (json_is_null(value) && !(p->flags & OS_NULLABLE))
		return fail_type(r->c, p, field);
	if (json_is_null(value))
		return p->absent ? read_value(r->c, p, field, str_from(p->absent), at) : OK;
	switch ((int) p->type) {
	case OS_TAGS:
		return read_tags(r->c, p, field, value, (struct tags *) (void *) at);
	case OS_OBJECT:
		return read_members(r, p->sub, value, field, at);
	case OS_LIST:
	case OS_TEXTS:
	case OS_IDS:
		return read_list(r, p, field, value, at);
	default:
		return read_scalar(r->c, p, field, value, at);
	}
}

RESULT os_param_read_json(struct ctx *c, const struct os_param *p, const json_t *value, struct str name,
			  void *out)
{
	static const struct os_request none;
	struct reader r = {c, &none};
	return read_member(&r, p, name, value, out);
}

/* ---- structs ---- */

static bool has_version(const struct os_param *p, int version)
{
	return (!p->since || version >= p->since) && (!p->until || version <= p->until);
}

static const struct os_param *find_param(const struct reader *r, const struct os_params *table,
					 enum os_param_place place, const char *name)
{
	for (size_t k = 0; k < table->count; k++)
		if (table->at[k].place == place && strcmp(table->at[k].wire, name) == 0 &&
		    has_version(&table->at[k], r->request->version))
			return &table->at[k];
	return NULL;
}

static struct str join_name(struct ctx *c, struct str outer, const char *name)
{
	return str_is_empty(outer) ? str_copy(c->arena, str_from(name))
				   : str_print(c->arena, "%" STR_FMT ".%s", STR_ARG(outer), name);
}

static RESULT fail_unknown(struct ctx *c, const char *name)
{
	struct str shown = str_slice(str_from(name), 0, 128);
	return ctx_fail_field(c, ERR_UNKNOWN, str_copy(c->arena, shown),
			      "Additional properties are not allowed ('%" STR_FMT "' was unexpected)",
			      STR_ARG(shown));
}

/* What was not sent: missing, or as its row says. */
static RESULT finish_place(struct reader *r, const struct os_params *table, const bool *seen,
			   enum os_param_place place, struct str name, char *out)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct os_param *p = &table->at[k];
		if (seen[k] || p->place != place || !has_version(p, r->request->version))
			continue;
		if (p->flags & OS_REQUIRED)
			return ctx_fail_field(r->c, ERR_MISSING, join_name(r->c, name, p->wire),
					      "'%s' is a required property", p->wire);
		if (p->absent)
			TRY(read_value(r->c, p, str_from(p->wire), str_from(p->absent), out + p->offset));
	}
	return OK;
}

/* Members that no row has, as an object; or an error. */
static RESULT keep_unknown(struct reader *r, const struct os_params *table, const json_t *object,
			   const bool *known, size_t unknown_count, char *out)
{
	size_t at = 0;
	const char *key;
	json_t *member;
	if (!table->members || !unknown_count)
		return OK;
	json_t *rest = json_object();
	bool is_whole = rest;
	json_object_foreach ((json_t *) object, key, member)
		if (!known[at++])
			is_whole = is_whole && json_object_set(rest, key, member) == 0;
	struct result result =
		is_whole ? read_json(r->c, rest, (struct str *) (void *) (out + table->members - 1))
			 : ctx_no_memory(r->c);
	json_decref(rest);
	return result;
}

static RESULT read_members(struct reader *r, const struct os_params *table, const json_t *object,
			   struct str name, char *out)
{
	bool seen[OS_TABLE_MAX] = {false};
	const char *key;
	json_t *member;
	size_t count = 0, unknown_count = 0;
	if (object && !json_is_object(object))
		return FAIL_VALUE(r->c, str_is_empty(name) ? STR("body") : name, "It is not %s.",
				  "an object");
	bool *known = arena_new_array(r->c->arena, bool, json_object_size(object));
	if (!known)
		return ctx_no_memory(r->c);
	json_object_foreach ((json_t *) object, key, member) {
		const struct os_param *p = find_param(r, table, OS_IN_BODY, key);
		known[count++] = p;
		if (p) {
			seen[p - table->at] = true;
			TRY(read_member(r, p, join_name(r->c, name, key), member, out));
		} else if (!table->is_open && !table->members) {
			return fail_unknown(r->c, key);
		} else {
			unknown_count++;
		}
	}
	TRY(keep_unknown(r, table, object, known, unknown_count, out));
	return finish_place(r, table, seen, OS_IN_BODY, name, out);
}

/* ---- path and query ---- */

static RESULT read_pair(struct reader *r, const struct os_param *p, const struct os_pair *pair,
			size_t *capacity, char *out)
{
	if (p->type == OS_NOT_BUILT)
		return refuse_unbuilt(r->c, p, pair->name, pair->value);
	note_presence(p, out);
	if (p->type != OS_TEXTS && p->type != OS_IDS)
		return read_value(r->c, p, pair->name, pair->value, out + p->offset);
	struct any_list *list = (struct any_list *) (void *) (out + p->offset);
	void *element = add_element(r->c, p, list, capacity);
	return element ? read_value(r->c, p, pair->name, pair->value, element) : ctx_no_memory(r->c);
}

static RESULT read_pairs(struct reader *r, const struct os_params *table, enum os_param_place place,
			 const struct os_pairs *pairs, bool is_strict, char *out)
{
	bool seen[OS_TABLE_MAX] = {false};
	size_t capacity[OS_TABLE_MAX] = {0};
	for (size_t k = 0; k < pairs->count; k++) {
		const struct os_param *p =
			find_param(r, table, place, str_to_z(r->c->arena, pairs->at[k].name));
		if (p) {
			seen[p - table->at] = true;
			TRY(read_pair(r, p, &pairs->at[k], &capacity[p - table->at], out));
		} else if (is_strict) {
			return fail_unknown(r->c, str_to_z(r->c->arena, pairs->at[k].name));
		}
	}
	return finish_place(r, table, seen, place, STR_NONE, out);
}

RESULT os_params_read(struct ctx *c, const struct os_params *table, const struct os_request *request,
		      void *out)
{
	struct reader r = {c, request};
	TRY(read_pairs(&r, table, OS_IN_PATH, &request->path, false, out));
	TRY(read_pairs(&r, table, OS_IN_QUERY, &request->query, request->is_query_strict, out));
	return read_members(&r, table, request->body, request->body_name, out);
}

/* ---- queries ---- */

RESULT os_query_parse(struct ctx *c, struct str query, struct os_pairs *ret_pairs)
{
	VEC(struct os_pair) pairs = {0};
	struct str piece;
	while (str_split_next(&query, '&', &piece)) {
		struct os_pair pair;
		size_t equals = str_find_char(piece, '=', 0);
		if (str_is_empty(piece))
			continue;
		if (!result_is_ok(str_decode_url(c->arena, str_slice(piece, 0, equals), &pair.name)) ||
		    !result_is_ok(
			    str_decode_url(c->arena, str_slice(piece, equals + 1, piece.n), &pair.value)) ||
		    !str_is_utf8(pair.name) || !str_is_utf8(pair.value))
			return ctx_fail(c, ERR_INVALID, "The query cannot be decoded");
		if (pairs.count == OS_QUERY_MAX)
			return ctx_fail(c, ERR_TOO_LARGE, "The query has more than %d parameters",
					OS_QUERY_MAX);
		if (!VEC_PUSH(c->arena, &pairs, pair))
			return ctx_no_memory(c);
	}
	*ret_pairs = (struct os_pairs){pairs.at, pairs.count};
	return OK;
}

struct str os_query_find(const struct os_pairs *pairs, const char *name)
{
	for (size_t k = 0; k < pairs->count; k++)
		if (str_is(pairs->at[k].name, name))
			return pairs->at[k].value;
	return STR_NONE;
}

RESULT os_parse_time(struct ctx *c, struct str text, const char *field, int64_t *ret_us)
{
	bool says_zone = str_ends_with(text, STR("Z")) || str_find_char(text, '+', 0) < text.n;
	struct str whole = says_zone ? text : str_print(c->arena, "%" STR_FMT "Z", STR_ARG(text));
	if (result_is_ok(clock_parse(whole, ret_us)))
		return OK;
	ctx_clear_problem(c);
	return ctx_fail_field(c, ERR_INVALID, str_from(field),
			      "Invalid input for field '%s': '%" STR_FMT "' is not a time.", field,
			      STR_ARG(str_slice(text, 0, 64)));
}

RESULT os_params_take_one(struct ctx *c, struct str members, struct str key, struct tags *ret_one)
{
	json_error_t error;
	json_t *body = json_loadb(members.p ? members.p : "", members.n, 0, &error);
	struct tag *tag = arena_new_object(c->arena, struct tag);
	struct str own = str_copy(c->arena, key);
	const json_t *value = tag && own.p ? json_object_get(body, own.p) : NULL;
	bool fits = json_object_size(body) == 1 && json_is_string(value);
	if (fits)
		*tag = (struct tag){own, str_copy(c->arena, str_from(json_string_value(value)))};
	json_decref(body);
	if (!fits)
		return ctx_fail_field(
			c, ERR_INVALID, STR("extra_specs"),
			"The request body must contain the one spec that the path names, a text.");
	*ret_one = (struct tags){tag, 1};
	return OK;
}
