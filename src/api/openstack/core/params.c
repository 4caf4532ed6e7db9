/* SPDX-License-Identifier: Apache-2.0
 * How OpenStack differs from other APIs: its queries, its words for parameters at fault, its ids. A body's texts
 * are copied to the arena, so that its JSON need not outlive the reading. */
#include "api/openstack/core/params.h"

#include "base/clock.h"
#include "base/uuid_asked.h"
#include "engine/resolve.h"

/* ---- ids ---- */

bool os_parse_id(struct str text, enum kind kind, struct ref *ret_ref)
{
	uuid id;
	if (kind == KIND_DOMAIN && str_is(text, "default"))
		id = DOMAIN_DEFAULT;
	else if (!result_is_ok(uuid_parse_asked(text, &id)))
		return false;
	*ret_ref = (struct ref){.kind = kind, .prefix = id, .bits = 128, .text = text};
	return true;
}

/* In a path what cannot be an id is the id of nothing. */
static RESULT read_id(const struct params_reader *r, const struct params_value *v, struct ref *out)
{
	struct str own = r->is_copied ? str_copy(r->c->arena, v->text) : v->text;
	if (own.n != v->text.n)
		return ctx_no_memory(r->c);
	if (os_parse_id(own, v->p->kind, out)) {
		out->field = v->field;
		return OK;
	}
	*out = (struct ref){.kind = v->p->kind, .text = own, .field = v->field};
	if (v->p->flags & BY_NAME && params_count_characters(v->text) <= OS_TEXT_MAX)
		return OK;
	if (v->p->flags & ID_OR_EMPTY && str_is_empty(v->text)) {
		*out = (struct ref){0};
		return OK;
	}
	if (v->p->place == IN_PATH)
		return engine_fail_not_found(r->c, v->p->kind, out);
	return params_fail(r, FAULT_ID, v);
}

/* ---- the dialect ---- */

/* As Python's strutils.bool_from_string reads them. */
static bool parse_bool(struct str value, bool *ret_value)
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

#define INVALID "Invalid input for field/attribute {field}. "
#define VALUE INVALID "Value: {value}. "

static const struct params_dialect dialect = {
	.words =
		{
			[FAULT_MISSING] = "'{name}' is a required property",
			[FAULT_UNKNOWN] = "Additional properties are not allowed ('{name}' was unexpected)",
			[FAULT_UNBUILT] = "{field} is not supported here.",
			[FAULT_UNBUILT_ELSE] = "{field} is supported with the value '{only}' only.",
			[FAULT_TYPE] = INVALID "It is not {type}.",
			[FAULT_WORDS] = VALUE "It is not one of: {words}.",
			[FAULT_CHOICE] = VALUE "It is neither {yes} nor {no}.",
			[FAULT_BOOL] = VALUE "It is not a boolean.",
			[FAULT_INT] = VALUE "It is not a whole number.",
			[FAULT_INT_BELOW] = INVALID "Value: {number}. It is less than the minimum of {min}.",
			[FAULT_INT_ABOVE] =
				INVALID "Value: {number}. It is greater than the maximum of {max}.",
			[FAULT_TEXT_SHORT] = VALUE "It is too short.",
			[FAULT_TEXT_LONG] =
				INVALID "Value: {start}... is too long: {number} characters, {max} at most.",
			[FAULT_BASE64] = VALUE "It is not base64.",
			[FAULT_BYTES] = INVALID "It has {number} bytes, {max} at most.",
			[FAULT_IP] = VALUE "It is not a valid IP address.",
			[FAULT_CIDR] = VALUE "It is not a valid CIDR.",
			[FAULT_MAC] = VALUE "It is not a valid MAC address.",
			[FAULT_ID] = VALUE "It is not a UUID.",
			[FAULT_COUNT] = INVALID "It has {number} elements, {max} at most.",
			[FAULT_MEMBERS] = INVALID "It has {number} members, not {min} to {max}.",
		},
	.comma = "|",
	.rules = UNKNOWN_BY_OWN_NAME | IP_OF_ANY_FAMILY,
	.text_max = OS_TEXT_MAX,
	.parse_bool = parse_bool,
	.read_id = read_id,
};

RESULT os_params_read(struct ctx *c, const struct params *table, const struct os_request *request, void *out)
{
	struct params_dialect own = dialect;
	if (request->is_body_open)
		own.rules |= UNKNOWN_IS_IGNORED;
	if (request->unknown)
		own.words[FAULT_UNKNOWN] = request->unknown;
	const struct params_request of = {.dialect = &own,
					  .version = request->version,
					  .path = document_of_pairs(&request->path, PAIRS_FLAT),
					  .query = document_of_pairs(&request->query, PAIRS_FLAT),
					  .is_query_open =
						  true, /* os_check_query_names() sees to the others */
					  .body = document_of_json(request->body)};
	return params_fill(c, table, &of, out);
}

RESULT os_param_read_json(struct ctx *c, const struct param *p, const json_t *value, struct str name,
			  void *out)
{
	const struct document of = document_of_json(value);
	return params_fill_one(c, &dialect, p, &of, name, out);
}

/* ---- queries ---- */

static const char not_decoded[] = "The query cannot be decoded";

static RESULT check_pair(struct ctx *c, const struct pair *pair, bool *ret_is_left_out)
{
	*ret_is_left_out = false;
	return str_is_utf8(pair->name) && str_is_utf8(pair->value)
		       ? OK
		       : ctx_fail(c, ERR_INVALID, "%s", not_decoded);
}

static const struct pairs_rules query_rules = {
	.noun = "query", .broken = not_decoded, .count_max = OS_QUERY_MAX, .check = check_pair};

RESULT os_query_parse(struct ctx *c, struct str query, struct pairs *ret_pairs)
{
	return pairs_parse(c, &query_rules, query, STR_NONE, ret_pairs);
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
