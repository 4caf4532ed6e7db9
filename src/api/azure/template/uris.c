/* SPDX-License-Identifier: Apache-2.0
 * Functions of URIs. Source: "String functions" of Azure's documentation. */
#include "api/azure/template/internal.h"

#define RUN(name) static RESULT run_##name(struct template *t, const struct template_call *call, json_t **ret)

/* uri('http://a.org/x/y', 'z') is 'http://a.org/x/z': behind the base's last slash. */
RUN(uri)
{
	struct str base, relative;
	TRY(function_text(t, call, 0, &base));
	TRY(function_text(t, call, 1, &relative));
	size_t authority = 0, end = base.n;
	while (authority < base.n && !str_starts_with(str_slice(base, authority, base.n), STR("://")))
		authority++;
	if (authority == base.n)
		return function_fail(t, call, "'%" STR_FMT "' is not a valid absolute URI", /* guessed */
				     STR_ARG(str_slice(base, 0, 128)));
	authority += 3;
	while (end > authority && base.p[end - 1] != '/')
		end--;
	if (relative.n && relative.p[0] == '/')
		relative = str_slice(relative, 1, relative.n);
	bool has_path = end > authority;
	const struct str parts[] = {str_slice(base, 0, has_path ? end : base.n),
				    has_path ? STR_NONE : STR("/"), relative};
	return template_keep_text(t, str_join(t->c->arena, parts, 3), ret);
}

RUN(dataUri)
{
	struct str text;
	TRY(template_to_text(t, call->args[0], &text));
	const struct str parts[] = {STR("data:text/plain;charset=utf8;base64,"),
				    str_encode_base64(t->c->arena, text)};
	return template_keep_text(t, str_join(t->c->arena, parts, 2), ret);
}

RUN(dataUriToString)
{
	struct str text, plain = STR_NONE;
	TRY(function_text(t, call, 0, &text));
	size_t comma = str_find_char(text, ',', 0);
	struct str head = str_slice(text, 0, comma), data = str_slice(text, comma + 1, text.n);
	bool is_one = str_starts_with(text, STR("data:")) && comma < text.n;
	if (is_one && str_ends_with(head, STR(";base64")))
		is_one = result_is_ok(str_decode_base64(t->c->arena, data, &plain));
	else if (is_one)
		is_one = result_is_ok(str_decode_url(t->c->arena, data, &plain));
	if (!is_one || !str_is_utf8(plain))
		return function_fail(t, call, "the argument is not a data URI of a text"); /* guessed */
	return template_keep_text(t, plain, ret);
}

static const struct template_function rows[] = {
	{"uri", 2, 2, run_uri, 0},
	{"dataUri", 1, 1, run_dataUri, 0},
	{"dataUriToString", 1, 1, run_dataUriToString, 0},
};
const struct template_functions template_uris = {rows, sizeof rows / sizeof rows[0]};
