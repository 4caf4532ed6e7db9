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

/* Adds a text under a name, unless the text is empty. False: out of memory. */
static bool add_text(struct template *t, json_t *object, const char *name, struct str text)
{
	return !text.n || !json_object_set_new(object, name, json_string(str_to_z(t->c->arena, text)));
}

struct uri {
	struct str scheme, host, path, query;
	int64_t port;
	bool has_port;
};

static bool split_authority(struct str authority, struct uri *uri)
{
	size_t bracket = str_find_char(authority, ']', 0);
	size_t gap = str_find_char(authority, ':', bracket < authority.n ? bracket : 0);
	uri->host = str_slice(authority, 0, gap);
	uri->has_port = gap < authority.n;
	if (!uri->has_port)
		return uri->host.n > 0;
	return uri->host.n &&
	       result_is_ok(str_parse_int(str_slice(authority, gap + 1, authority.n), &uri->port)) &&
	       uri->port >= 0 && uri->port <= UINT16_MAX;
}

/* False: the text is no absolute URI. Drops the fragment after '#'. */
static bool split_uri(struct str text, struct uri *ret_uri)
{
	size_t colon = str_find_char(text, ':', 0), end = 3;
	struct str rest = str_slice(text, colon, text.n);
	*ret_uri = (struct uri){.scheme = str_slice(text, 0, colon)};
	if (!colon || !str_starts_with(rest, STR("://")))
		return false;
	while (end < rest.n && !strchr("/?#", rest.p[end]))
		end++;
	struct str path = str_slice(rest, end, rest.n);
	path = str_slice(path, 0, str_find_char(path, '#', 0));
	size_t question = str_find_char(path, '?', 0);
	ret_uri->path = str_slice(path, 0, question);
	ret_uri->query = str_slice(path, question + 1, path.n);
	return split_authority(str_slice(rest, 3, end), ret_uri);
}

/* parseUri('https://a.org:81/x?q=1') is {scheme, host, port, path, query}; what the URI does not say is left out. The members' exact
 * forms are guessed: the path has its slash, the query has no question mark. */
RUN(parseUri)
{
	struct str text;
	struct uri uri;
	TRY(function_text(t, call, 0, &text));
	if (!split_uri(text, &uri))
		return function_fail(t, call, "'%" STR_FMT "' is not a valid absolute URI", /* guessed */
				     STR_ARG(str_slice(text, 0, 128)));
	json_t *made = json_object();
	bool is_made = made && add_text(t, made, "scheme", uri.scheme) &&
		       add_text(t, made, "host", uri.host) &&
		       (!uri.has_port || !json_object_set_new(made, "port", json_integer(uri.port))) &&
		       add_text(t, made, "path", uri.path) && add_text(t, made, "query", uri.query);
	if (!is_made) {
		json_decref(made);
		return ctx_no_memory(t->c);
	}
	return template_keep(t, made, ret);
}

/* The reverse of parseUri(); scheme and host have to be there. */
RUN(buildUri)
{
	const json_t *from = call->args[0], *port = json_object_get(from, "port");
	struct str scheme = template_text_of(json_object_get(from, "scheme"));
	struct str host = template_text_of(json_object_get(from, "host"));
	struct str path = template_text_of(json_object_get(from, "path"));
	struct str query = template_text_of(json_object_get(from, "query"));
	if (!scheme.n || !host.n || (port && !json_is_integer(port)))
		return function_fail(
			t, call,
			"the components need a scheme and a host, and a port is a number"); /* guessed */
	if (query.n && query.p[0] == '?')
		query = str_slice(query, 1, query.n);
	const struct str parts[] = {
		scheme,
		STR("://"),
		host,
		port ? str_print(t->c->arena, ":%lld", (long long) json_integer_value(port)) : STR_NONE,
		path.n && path.p[0] != '/' ? STR("/") : STR_NONE,
		path,
		query.n ? STR("?") : STR_NONE,
		query};
	return template_keep_text(t, str_join(t->c->arena, parts, sizeof parts / sizeof parts[0]), ret);
}

static const struct template_function rows[] = {
	{"parseUri", 1, 1, run_parseUri, 0},
	{"buildUri", 1, 1, run_buildUri, 0},
	{"uri", 2, 2, run_uri, 0},
	{"dataUri", 1, 1, run_dataUri, 0},
	{"dataUriToString", 1, 1, run_dataUriToString, 0},
};
const struct template_functions template_uris = {rows, sizeof rows / sizeof rows[0]};
