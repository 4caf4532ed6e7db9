/* SPDX-License-Identifier: Apache-2.0
 * Converts a command's parameters to the body of an /api/v1 call. */
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/ip.h"
#include "daemon/client/ask.h"

enum { FILE_CAP = 1 << 20, KEYRING_CAP = 4096, COUNT_MAX = 1 << 30 };

static RESULT carry_count(struct asking *a, const struct carried *c, struct str text, json_t **ret)
{
	int64_t count = 0;
	bool is_mib = c->how == CARRY_MIB;
	int64_t least = c->how == CARRY_COUNT;
	if (!result_is_ok(str_parse_int(text, &count)) || count < least || count > COUNT_MAX)
		return ctx_fail_field(a->c, ERR_INVALID, str_from(c->param),
				      "--%s wants a number from %d to %d, not %" STR_FMT, c->param,
				      (int) least, COUNT_MAX, STR_ARG(text));
	*ret = json_integer(is_mib ? count << 20 : count);
	return OK;
}

static json_t *split(struct str text, char separator, const char *none)
{
	json_t *list = json_array();
	struct str rest = text, one;
	while (!(none && str_is(text, none)) && str_split_next(&rest, separator, &one))
		if (one.n)
			(void) json_array_append_new(list, asking_json(one));
	return list;
}

static RESULT carry_pairs(struct asking *a, const struct carried *c, struct str text, json_t **ret)
{
	struct str rest = text, line;
	*ret = json_object();
	while (!str_is(text, "none") && str_split_next(&rest, '\n', &line)) {
		size_t sign = str_find_char(line, '=', 0);
		if (sign == line.n)
			return ctx_fail_field(a->c, ERR_INVALID, str_from(c->param),
					      "--%s wants NAME=VALUE, not %" STR_FMT, c->param,
					      STR_ARG(line));
		const char *name = str_to_z(a->c->arena, str_slice(line, 0, sign));
		(void) json_object_set_new(*ret, name, asking_json(str_slice(line, sign + 1, line.n)));
	}
	return OK;
}

/* For a block, all addresses except its first and last. */
static bool read_run(struct str text, struct ip *ret_first, struct ip *ret_last)
{
	struct cidr block = {0};
	struct str rest = text, first = STR_NONE;
	if (result_is_ok(cidr_parse(text, &block)) && block.bits <= 30) {
		*ret_first = ip_add(cidr_canonical(block).base, 1);
		*ret_last = ip_add(cidr_last(block), (uint64_t) -1);
		return true;
	}
	return str_split_next(&rest, '-', &first) && result_is_ok(ip_parse(first, ret_first)) &&
	       result_is_ok(ip_parse(rest, ret_last)) && ret_first->family == ret_last->family &&
	       ip_compare(*ret_first, *ret_last) <= 0;
}

static RESULT carry_run(struct asking *a, const struct carried *c, struct str text, json_t *body)
{
	struct str last_name = str_from(c->member), first_name;
	struct ip first = {0}, last = {0};
	char ip[IP_TEXT_SIZE];
	if (!read_run(text, &first, &last))
		return ctx_fail_field(a->c, ERR_INVALID, str_from(c->param),
				      "--%s wants FIRST-LAST or a block, not %" STR_FMT, c->param,
				      STR_ARG(text));
	(void) str_split_next(&last_name, '|', &first_name);
	(void) json_object_set_new(body, str_to_z(a->c->arena, first_name), json_string(ip_write(first, ip)));
	(void) json_object_set_new(body, str_to_z(a->c->arena, last_name), json_string(ip_write(last, ip)));
	return OK;
}

/* Finds "key = …" among other lines, or a single line. */
static struct str find_key(struct str text)
{
	struct str rest = str_trim(text), line, key = STR_NONE;
	while (str_split_next(&rest, '\n', &line)) {
		struct str value = str_trim(line), word = STR_NONE;
		bool is_named = str_starts_with(value, STR("key")) &&
				str_find_char(value, '=', 0) < value.n &&
				str_is(str_trim(str_slice(value, 3, 4)), "");
		if (is_named)
			(void) str_split_next(&value, '=', &word);
		if (is_named || !key.n)
			key = str_trim(value);
	}
	return key;
}

static RESULT carry_file(struct asking *a, const struct carried *c, struct str path, json_t **ret)
{
	struct str text = STR_NONE;
	bool is_keyring = c->how == CARRY_KEYRING;
	TRY(file_read(a->c, str_to_z(a->c->arena, path), is_keyring ? KEYRING_CAP : FILE_CAP, &text));
	struct str said = is_keyring ? find_key(text) : c->how == CARRY_SECRET ? str_trim(text) : text;
	if (is_keyring && !said.n)
		return ctx_fail_field(a->c, ERR_INVALID, str_from(c->param), "the key file has no key");
	*ret = asking_json(said);
	crypto_wipe((void *) text.p, text.n); /* writable: our copy in the arena */
	return *ret ? OK
		    : ctx_fail_field(a->c, ERR_INVALID, str_from(c->param), "%" STR_FMT " is not UTF-8",
				     STR_ARG(path));
}

static RESULT carry_time(struct asking *a, const struct carried *c, struct str text, json_t **ret)
{
	int64_t us = clock_now_us();
	if (!str_is(text, "now") && !result_is_ok(clock_parse(text, &us)))
		return ctx_fail_field(a->c, ERR_INVALID, str_from(c->param),
				      "--%s wants a time such as 2030-01-31T22:00:00Z, or now", c->param);
	*ret = json_integer(us);
	return OK;
}

static RESULT carry_choice(struct asking *a, const struct carried *c, struct str text, json_t **ret)
{
	if (!str_is(text, "yes") && !str_is(text, "no"))
		return ctx_fail_field(a->c, ERR_INVALID, str_from(c->param),
				      "--%s is yes or no, not %" STR_FMT, c->param, STR_ARG(text));
	*ret = json_boolean(str_is(text, "yes"));
	return OK;
}

static RESULT carry_text(struct asking *a, const struct carried *c, struct str text, json_t *body,
			 json_t **ret)
{
	switch (c->how) {
	case CARRY_COUNT:
	case CARRY_NUMBER:
	case CARRY_MIB:
		return carry_count(a, c, text, ret);
	case CARRY_LINES:
		*ret = split(text, '\n', "all");
		return OK;
	case CARRY_COMMAS:
		*ret = split(text, ',', NULL);
		return OK;
	case CARRY_PAIRS:
		return carry_pairs(a, c, text, ret);
	case CARRY_RUN:
		return carry_run(a, c, text, body);
	case CARRY_FILE:
	case CARRY_SECRET:
	case CARRY_KEYRING:
		return carry_file(a, c, text, ret);
	case CARRY_TIME:
		return carry_time(a, c, text, ret);
	case CARRY_CHOICE:
		return carry_choice(a, c, text, ret);
	case CARRY:
	case CARRY_FALSE:
		break;
	}
	*ret = asking_json(text);
	return OK;
}

RESULT asking_carry(struct asking *a, const struct carried *c, json_t *body)
{
	const json_t *said = json_object_get(a->args, c->param);
	struct str text = asking_arg(a, c->param);
	json_t *value = NULL;
	if (!said || (json_is_string(said) && c->constant && str_is(text, c->constant)))
		return OK;
	struct result result = OK;
	if (json_is_string(said))
		result = carry_text(a, c, text, body, &value);
	else
		value = c->constant ? json_string(c->constant) : json_boolean(c->how != CARRY_FALSE);
	if (value)
		(void) json_object_set_new(body, c->member, value);
	return result;
}

RESULT asking_carry_all(struct asking *a, const struct carried *members, size_t count, json_t *body)
{
	for (size_t k = 0; k < count; k++)
		TRY(asking_carry(a, &members[k], body));
	return OK;
}
