/* SPDX-License-Identifier: Apache-2.0
 * Reads one parameter value from its text, and words the error if the value is invalid.
 */
#include "api/core/params.h"

#include "base/buf.h"
#include "base/uuid_asked.h"

enum { SHOWN_SIZE = 256, START_SIZE = 64, MESSAGE_CAP = 1024 * 1024 };

/* ---- faults ---- */

static const char *const type_words[] = {[PARAM_NOT_BUILT] = "anything",
					 [PARAM_TEXT] = "a string",
					 [PARAM_INT] = "an integer",
					 [PARAM_BOOL] = "a boolean",
					 [PARAM_CHOICE] = "a boolean",
					 [PARAM_ID] = "a UUID",
					 [PARAM_IP] = "an IP address",
					 [PARAM_CIDR] = "a CIDR",
					 [PARAM_MAC] = "a MAC address",
					 [PARAM_TEXTS] = "a list of strings",
					 [PARAM_IDS] = "a list of UUIDs",
					 [PARAM_IPS] = "a list of IP addresses",
					 [PARAM_TAGS] = "an object of strings",
					 [PARAM_STRUCT] = "an object",
					 [PARAM_STRUCTS] = "a list of objects",
					 [PARAM_JSON] = "anything",
					 [PARAM_PASSED_OVER] = "anything"};

#define INVALID "Value ({value}) for parameter {parameter} is invalid. "
#define NOT_WITHIN                                                                                           \
	"Value ( {number} ) for parameter {parameter} is invalid. Expecting a value of {min} to {max}."
#define NOT_SO_LONG "The value of parameter {parameter} has {number} characters. It must have {min} to {max}."

/* Messages of EC2, the default for protocols without messages of their own. */
static const char *const default_words[FAULT_KINDS] = {
	[FAULT_MISSING] = "The request must contain the parameter {parameter}",
	[FAULT_UNKNOWN] = "The parameter {field} is not recognized",
	[FAULT_UNBUILT] = "The parameter {field} is not supported",
	[FAULT_UNBUILT_ELSE] = "The parameter {field} is supported with the value '{only}' only",
	[FAULT_WORDS] = INVALID "It must be one of: {words}.",
	[FAULT_CHOICE] = INVALID "It must be {yes} or {no}.",
	[FAULT_BOOL] = INVALID "It must be true or false.",
	[FAULT_INT] = INVALID "It must be a whole number.",
	[FAULT_INT_BELOW] = NOT_WITHIN,
	[FAULT_INT_ABOVE] = NOT_WITHIN,
	[FAULT_TEXT_SHORT] = NOT_SO_LONG,
	[FAULT_TEXT_LONG] = NOT_SO_LONG,
	[FAULT_BASE64] = INVALID "It must be base64.",
	[FAULT_BYTES] = "{field} is limited to {max} bytes",
	[FAULT_IP] = INVALID "This is not a valid IPv4 address.",
	[FAULT_IPV6] = INVALID "This is not a valid IPv6 address.",
	[FAULT_CIDR] = INVALID "This is not a valid CIDR block.",
	[FAULT_INDEX] = "The parameter {field} must be numbered from {min} to {max}",
	[FAULT_COUNT] = "The parameter {name} may be given {max} times at most",
};

static enum err error_of(enum params_fault fault)
{
	bool is_unbuilt = fault == FAULT_UNBUILT || fault == FAULT_UNBUILT_ELSE;
	return fault == FAULT_MISSING   ? ERR_MISSING
	       : fault == FAULT_UNKNOWN ? ERR_UNKNOWN
	       : is_unbuilt             ? ERR_UNSUPPORTED
					: ERR_INVALID;
}

struct str params_small_name(struct arena *a, struct str name)
{
	char *small = arena_alloc(a, name.n);
	for (size_t k = 0; small && k < name.n; k++) {
		bool begins = k == 0 || name.p[k - 1] == '.';
		bool is_capital = name.p[k] >= 'A' && name.p[k] <= 'Z';
		small[k] = begins && is_capital ? (char) (name.p[k] - 'A' + 'a') : name.p[k];
	}
	return small ? (struct str){small, name.n} : name;
}

struct str params_member_name(struct arena *a, struct str name)
{
	struct str rest = params_small_name(a, name), part, out = STR_NONE;
	while (str_split_next(&rest, '.', &part)) {
		struct str number = STR_NONE;
		if (str_is(part, "member")) {
			bool is_numbered = str_split_next(&rest, '.', &number);
			if (!is_numbered || str_is_empty(rest))
				return out;
			out = str_print(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(out), STR_ARG(number));
		}
		out = str_is_empty(out) ? part
					: str_print(a, "%" STR_FMT ".%" STR_FMT, STR_ARG(out), STR_ARG(part));
	}
	return out;
}

static struct str shown_name(const struct params_reader *r, const struct params_value *v)
{
	unsigned rules = r->dialect->rules;
	return rules & MEMBER_NAMES  ? params_member_name(r->c->arena, v->field)
	       : rules & SMALL_NAMES ? params_small_name(r->c->arena, v->field)
				     : v->field;
}

static void add_words(struct buf *out, const char *words, const char *comma)
{
	for (; words && *words; words++)
		if (*words == '|')
			buf_add_str(out, str_from(comma));
		else
			buf_add_char(out, *words);
}

/* Replaces one {placeholder} of a dialect's message. */
static void add_place(struct buf *out, const struct params_reader *r, const struct params_value *v,
		      const int64_t numbers[static 3], struct str place)
{
	static const char *const number_places[] = {"number", "min", "max"};
	const struct param *p = v->p;
	const struct {
		const char *place;
		struct str text;
	} texts[] = {{"field", v->field},
		     {"name", str_from(p->wire)},
		     {"yes", str_from(param_yes(p))},
		     {"value", str_cut(v->text, SHOWN_SIZE)},
		     {"no", str_from(param_no(p))},
		     {"start", str_cut(v->text, START_SIZE)},
		     {"only", str_from(param_only(p))},
		     {"remark", str_from(param_remark(p))},
		     {"object", str_from(v->object)},
		     {"type", str_from(type_words[p->type])}};
	if (str_is(place, "words"))
		add_words(out, param_words(p), r->dialect->comma);
	if (str_is(place, "parameter"))
		buf_add_str(out, shown_name(r, v));
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++)
		if (str_is(place, texts[k].place))
			buf_add_str(out, texts[k].text);
	for (size_t k = 0; k < 3; k++)
		if (str_is(place, number_places[k]))
			buf_print(out, "%lld", (long long) numbers[k]);
}

static const char *words_of(const struct params_reader *r, enum params_fault fault,
			    const struct params_value *v)
{
	const char *words = r->dialect->words[fault];
	if (param_says(v->p) && v->text.n && (fault == FAULT_CIDR || fault == FAULT_WORDS))
		return param_says(v->p);
	return words ? words : default_words[fault];
}

RESULT params_fail_number(const struct params_reader *r, enum params_fault fault,
			  const struct params_value *v, int64_t number, int64_t min, int64_t max)
{
	const struct params_dialect *d = r->dialect;
	const int64_t numbers[] = {number, min, max};
	struct buf out;
	buf_init(&out, MESSAGE_CAP);
	if (fault == FAULT_TYPE && !d->words[fault])
		fault = FAULT_UNKNOWN;
	if (fault == FAULT_ELEMENT && !d->words[fault])
		fault = number < min ? FAULT_TEXT_SHORT : FAULT_TEXT_LONG;
	struct str rest = str_from(words_of(r, fault, v));
	while (rest.n) {
		size_t open = str_find_char(rest, '{', 0), close = str_find_char(rest, '}', open);
		buf_add_str(&out, str_slice(rest, 0, open));
		add_place(&out, r, v, numbers, str_slice(rest, open + 1, close));
		rest = str_slice(rest, close + 1, rest.n);
	}
	bool is_first = r->c->problem.err == ERR_NONE;
	struct result result =
		ctx_fail_field(r->c, error_of(fault), v->field, "%" STR_FMT, STR_ARG(buf_str(&out)));
	if (is_first && fault == FAULT_MISSING && v->p->type == PARAM_IDS)
		r->c->problem.kind = (int) v->p->kind; /* the error names the kind whose ids are missing */
	if (is_first)
		r->c->problem.subject = str_copy(r->c->arena, str_cut(v->text, SHOWN_SIZE));
	buf_done(&out);
	return result;
}

RESULT params_fail(const struct params_reader *r, enum params_fault fault, const struct params_value *v)
{
	return params_fail_number(r, fault, v, 0, 0, 0);
}

/* ---- types ---- */

size_t params_count_characters(struct str s)
{
	size_t count = 0;
	for (size_t k = 0; k < s.n; k++)
		count += ((unsigned char) s.p[k] & 0xC0) != 0x80;
	return count;
}

bool params_has_word(const char *words, struct str value)
{
	struct str rest = str_from(words), word;
	if (str_is_empty(rest))
		return str_is_empty(value);
	while (str_split_next(&rest, '|', &word))
		if (str_equal(word, value))
			return true;
	return false;
}

/* Finds the table's spelling of the text; false: the text is none of the words. */
static bool find_word(const struct params_reader *r, const char *words, struct str text, struct str *ret_word)
{
	struct str rest = str_from(words), word;
	*ret_word = text;
	if (params_has_word(words, text))
		return true;
	while (r->dialect->rules & WORDS_IN_ANY_CASE && str_split_next(&rest, '|', &word))
		if (str_equal_nocase(word, text)) {
			*ret_word = word;
			return true;
		}
	return false;
}

static RESULT read_base64(const struct params_reader *r, const struct params_value *v, struct str *out)
{
	struct result decoded = str_decode_base64(r->c->arena, v->text, out);
	int64_t max = v->p->max;
	if (arena_is_full(r->c->arena))
		return ctx_no_memory(r->c);
	if (!result_is_ok(decoded))
		return params_fail(r, FAULT_BASE64, v);
	if (max && out->n > (size_t) max)
		return params_fail_number(r, FAULT_BYTES, v, (int64_t) out->n, 0, max);
	return OK;
}

RESULT params_read_string(const struct params_reader *r, const struct params_value *v, struct str *out)
{
	const struct param *p = v->p;
	if (p->flags & BASE64)
		return read_base64(r, v, out);
	struct str text = v->text;
	if (param_words(p) && !find_word(r, param_words(p), v->text, &text))
		return params_fail(r, FAULT_WORDS, v);
	int64_t count = (int64_t) params_count_characters(v->text);
	int64_t max = p->max ? p->max : (int64_t) r->dialect->text_max;
	if (count < p->min || count > max)
		return params_fail_number(r,
					  p->type == PARAM_TEXTS ? FAULT_ELEMENT
					  : count < p->min       ? FAULT_TEXT_SHORT
								 : FAULT_TEXT_LONG,
					  v, count, p->min, max);
	*out = r->is_copied ? str_copy(r->c->arena, text) : text;
	return out->n == text.n ? OK : ctx_no_memory(r->c);
}

RESULT params_check_int(const struct params_reader *r, const struct params_value *v, int64_t number,
			int64_t *out)
{
	int64_t min = v->p->min, max = v->p->max;
	if ((min || max) && (number < min || number > max))
		return params_fail_number(r, number < min ? FAULT_INT_BELOW : FAULT_INT_ABOVE, v, number, min,
					  max);
	*out = number;
	return OK;
}

static RESULT read_int(const struct params_reader *r, const struct params_value *v, int64_t *out)
{
	int64_t number = 0;
	if (!result_is_ok(str_parse_int(v->text, &number)))
		return params_fail(r, FAULT_INT, v);
	return params_check_int(r, v, number, out);
}

static RESULT read_bool(const struct params_reader *r, const struct params_value *v, bool *out)
{
	bool is_one = r->dialect->parse_bool ? r->dialect->parse_bool(v->text, out)
					     : result_is_ok(str_parse_bool(v->text, out));
	*out ^= is_one && v->p->flags & OPPOSITE;
	return is_one ? OK : params_fail(r, FAULT_BOOL, v);
}

static RESULT read_mac(const struct params_reader *r, const struct params_value *v, struct mac *out)
{
	bool in_any_form = r->dialect->rules & MAC_IN_ANY_FORM;
	struct result read = in_any_form ? mac_parse_any(v->text, out) : mac_parse(v->text, out);
	return result_is_ok(read) ? OK : params_fail(r, FAULT_MAC, v);
}

static RESULT read_choice(const struct params_reader *r, const struct params_value *v, enum choice *out)
{
	bool is_yes = false;
	if (!param_yes(v->p)) /* OPPOSITE has been applied */
		TRY(read_bool(r, v, &is_yes));
	else if (str_is(v->text, param_yes(v->p)))
		is_yes = true;
	else if (!str_is(v->text, param_no(v->p)))
		return params_fail(r, FAULT_CHOICE, v);
	*out = is_yes ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static RESULT read_id(const struct params_reader *r, const struct params_value *v, struct ref *out)
{
	uuid id;
	if (r->dialect->read_id)
		return r->dialect->read_id(r, v, out);
	bool is_none = param_none(v->p) && str_is(v->text, param_none(v->p));
	if (is_none || v->p->flags & BY_NAME) {
		*out = (struct ref){.kind = v->p->kind, .field = v->field, .text = v->text};
		return OK;
	}
	if (v->text.n != UUID_TEXT_SIZE - 1 || !result_is_ok(uuid_parse_asked(v->text, &id)))
		return params_fail(r, FAULT_ID, v);
	*out = (struct ref){
		.kind = v->p->kind, .prefix = id, .bits = 8 * sizeof id, .field = v->field, .text = v->text};
	return OK;
}

static bool is_of_family(const struct params_reader *r, const struct params_value *v, struct ip ip)
{
	return r->dialect->rules & IP_OF_ANY_FAMILY || v->p->flags & ANY_FAMILY ||
	       ip.family == (v->p->flags & IPV6 ? IP_V6 : IP_V4);
}

static RESULT read_ip(const struct params_reader *r, const struct params_value *v, struct ip *out)
{
	bool fits = result_is_ok(ip_parse(v->text, out)) && is_of_family(r, v, *out);
	return fits ? OK : params_fail(r, v->p->flags & IPV6 ? FAULT_IPV6 : FAULT_IP, v);
}

static RESULT read_cidr(const struct params_reader *r, const struct params_value *v, struct cidr *out)
{
	bool fits = result_is_ok(cidr_parse(v->text, out)) && is_of_family(r, v, out->base);
	return fits ? OK : params_fail(r, FAULT_CIDR, v);
}

RESULT params_read_text(const struct params_reader *r, const struct params_value *v, void *out)
{
	switch (v->p->type) {
	case PARAM_TEXT:
	case PARAM_TEXTS:
		return params_read_string(r, v, out);
	case PARAM_INT:
		return read_int(r, v, out);
	case PARAM_BOOL:
		return read_bool(r, v, out);
	case PARAM_CHOICE:
		return read_choice(r, v, out);
	case PARAM_ID:
	case PARAM_IDS:
		return read_id(r, v, out);
	case PARAM_IP:
	case PARAM_IPS:
		return read_ip(r, v, out);
	case PARAM_CIDR:
		return read_cidr(r, v, out);
	case PARAM_MAC:
		return read_mac(r, v, out);
	case PARAM_TAGS:
	case PARAM_STRUCT:
	case PARAM_STRUCTS:
	case PARAM_JSON:
	case PARAM_NOT_BUILT:
	case PARAM_PASSED_OVER:
		break;
	}
	return FAIL(INTERNAL); /* read_member() handles these types */
}
