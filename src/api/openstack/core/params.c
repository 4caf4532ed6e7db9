/* SPDX-License-Identifier: Apache-2.0
 * Defines OpenStack's parameter dialect: queries, messages for invalid parameters, and ids. Texts of a body
 * are copied to the arena, so the JSON may be freed after reading. */
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

/* Reads an id. A path variable that cannot be an id is answered as not found. */
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

/* Accepts the words of Python's strutils.bool_from_string. */
bool os_parse_bool(struct str value, bool *ret_value)
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
	.rules = UNKNOWN_BY_OWN_NAME | IP_OF_ANY_FAMILY | MAC_IN_ANY_FORM,
	.text_max = OS_TEXT_MAX,
	.parse_bool = os_parse_bool,
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
						  true, /* os_check_query_names() checks names that no row
						         * reads */
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

/* ---- times ---- */

/* Copies `least` to `most` digits from the front of rest to out, padded with zeros on the left. */
static bool take_digits(struct str *rest, size_t least, size_t most, char *out)
{
	size_t n = 0;
	while (n < most && n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9')
		n++;
	if (n < least)
		return false;
	memset(out, '0', most - n);
	memcpy(out + most - n, rest->p, n);
	*rest = str_slice(*rest, n, rest->n);
	return true;
}

static bool take_char(struct str *rest, const char *any)
{
	bool is_there = rest->n && strchr(any, rest->p[0]) != NULL;
	if (is_there)
		*rest = str_slice(*rest, 1, rest->n);
	return is_there;
}

/* Takes a month or a day: "-1", "-01", or "01". */
static bool take_date_part(struct str *rest, char *out)
{
	return take_char(rest, "-") ? take_digits(rest, 1, 2, out) : take_digits(rest, 2, 2, out);
}

/* Takes the fraction of a second, cut to the six digits that clock_parse() expects. */
static bool take_fraction(struct str *rest, char *out)
{
	size_t n = 0;
	memset(out, '0', 6);
	if (!take_char(rest, ".,"))
		return true;
	for (; n < rest->n && rest->p[n] >= '0' && rest->p[n] <= '9'; n++)
		if (n < 6)
			out[n] = rest->p[n];
	*rest = str_slice(*rest, n, rest->n);
	return n > 0;
}

/* Takes the hour, then optionally minute and second, with or without colons. */
static bool take_clock(struct str *rest, char *hour, char *minute, char *second, char *fraction)
{
	if (!take_digits(rest, 2, 2, hour))
		return false;
	bool has_colon = take_char(rest, ":");
	if (!take_digits(rest, 2, 2, minute))
		return !has_colon;
	has_colon = take_char(rest, ":");
	return take_digits(rest, 1, 2, second) ? take_fraction(rest, fraction) : !has_colon;
}

/* Takes "Z", "+02", "+0200", "+02:00", or nothing. */
static bool take_offset(struct str *rest, char out[static 6])
{
	if (!rest->n || take_char(rest, "Z"))
		return true;
	out[0] = rest->p[0];
	if (!take_char(rest, "+-") || !take_digits(rest, 2, 2, out + 1))
		return false;
	bool has_colon = take_char(rest, ":");
	return take_digits(rest, 2, 2, out + 4) || !has_colon;
}

bool os_read_time(struct str text, int64_t *ret_us)
{
	char whole[] = "0000-01-01T00:00:00.000000+00:00";
	struct str rest = text;
	if (!take_digits(&rest, 4, 4, whole))
		return false;
	bool is_compact = rest.n == 2; /* "202001" is ambiguous: YYYYMM or YYMMDD */
	if (rest.n && (is_compact || !take_date_part(&rest, whole + 5)))
		return false;
	if (rest.n && !take_date_part(&rest, whole + 8))
		return false;
	if (rest.n &&
	    !(take_char(&rest, " T") && take_clock(&rest, whole + 11, whole + 14, whole + 17, whole + 20) &&
	      take_offset(&rest, whole + 26)))
		return false;
	return rest.n == 0 && result_is_ok(clock_parse(str_from(whole), ret_us));
}

RESULT os_parse_time(struct ctx *c, struct str text, const char *field, int64_t *ret_us)
{
	if (os_read_time(text, ret_us))
		return OK;
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
