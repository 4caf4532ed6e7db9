/* SPDX-License-Identifier: Apache-2.0
 * Answers in JSON: see json.h. */
#include "drivers/remote/json.h"

#include <string.h>

#include "base/clock.h"

enum { TEXT_MAX = 4096, MESSAGE_MAX = 512, BODY_MAX = 64 * 1024, PATH_PART_MAX = 64 };

void remote_json_release(struct remote_json *answer)
{
	json_decref(answer->root);
	answer->root = NULL;
}

/* Counts at least the values of the text, without parsing it. */
static size_t count_values(struct str text)
{
	size_t count = 1;
	for (size_t k = 0; k < text.n; k++)
		count += text.p[k] == ',' || text.p[k] == '[' || text.p[k] == '{';
	return count;
}

static RESULT parse(struct ctx *c, struct str text, bool takes_list, json_t **ret_root)
{
	if (count_values(text) > REMOTE_JSON_VALUES_MAX)
		return ctx_fail(c, ERR_IO, "The answer is not usable: it has more than %d values.",
				REMOTE_JSON_VALUES_MAX);
	json_t *root = json_loadb(text.p, text.n, 0, NULL);
	if (json_is_object(root) || (takes_list && json_is_array(root))) {
		*ret_root = root;
		return OK;
	}
	json_decref(root);
	return ctx_fail(c, ERR_IO, "The answer is not usable: it is no JSON object, or ends early.");
}

RESULT remote_parse_json(struct ctx *c, struct str text, json_t **ret_root)
{
	return parse(c, text, false, ret_root);
}

RESULT remote_parse_json_list(struct ctx *c, struct str text, json_t **ret_root)
{
	return parse(c, text, true, ret_root);
}

static RESULT read_answer(struct ctx *c, const struct remote_answer *http, bool takes_list,
			  struct remote_json *ret_answer)
{
	bool is_fine = http->status >= 200 && http->status < 300;
	struct str text = buf_str(&http->body);
	ret_answer->status = http->status;
	ret_answer->header = http->header;
	if (!text.n)
		return OK;
	struct result result = parse(c, text, takes_list, &ret_answer->root);
	if (result_is_ok(result) || is_fine)
		return result;
	ctx_clear_problem(c); /* an error page: the status alone decides */
	return OK;
}

RESULT remote_ask_json(struct ctx *c, struct remote *r, const struct remote_request *request,
		       struct remote_json *ret_answer)
{
	struct remote_answer http = {0};
	*ret_answer = (struct remote_json){0};
	struct result result = remote_send(c, r, request, &http);
	if (result_is_ok(result))
		result = read_answer(c, &http, request->takes_list, ret_answer);
	buf_done(&http.body);
	return result;
}

/* The text if it is an error of a token endpoint (RFC 6749, 5.2). */
static struct str find_oauth_error(struct str text)
{
	static const char *const errors[] = {"invalid_request",        "invalid_client",
					     "invalid_grant",          "unauthorized_client",
					     "unsupported_grant_type", "invalid_scope"};
	for (size_t k = 0; k < sizeof errors / sizeof errors[0]; k++)
		if (str_is(text, errors[k]))
			return text;
	return STR_NONE;
}

/* {"error": {"message": …}} of Keystone and Azure, {"itemNotFound": {"message": …}} of Nova,
 * {"listzonesresponse": {"errortext": …}} of CloudStack, {"description": …} of Gnocchi, and {"message": …, "title": …} of
 * Glance, whose text ends in tags of HTML. */
static struct str message_of(struct ctx *c, const json_t *root) /* may have several lines */
{
	const char *key = NULL;
	json_t *each = NULL;
	json_object_foreach ((json_t *) root, key, each) {
		struct str text = remote_json_text(c, each, "message");
		if (!text.n)
			text = remote_json_text(c, each, "errortext");
		if (text.n)
			return text;
	}
	static const char *const members[] = {"error_description", "description", "description/cause"};
	for (size_t k = 0; k < sizeof members / sizeof members[0]; k++) {
		struct str text = remote_json_text(c, root, members[k]);
		if (text.n)
			return text;
	}
	struct str text = remote_json_text(c, root, "message");
	if (text.n && json_object_get(root, "title")) /* gateways have a message alone */
		return str_trim(str_slice(text, 0, str_find_char(text, '<', 0)));
	return find_oauth_error(remote_json_text(c, root, "error")); /* OAuth 2.0 may omit the description */
}

/* A proxy before the API answers with statuses of its own, which say nothing about the credentials or an object. */
static bool is_the_clouds(enum err err)
{
	return err == ERR_NOT_FOUND || err == ERR_INVALID || err == ERR_STATE || err == ERR_UNAUTHENTICATED ||
	       err == ERR_DENIED;
}

RESULT remote_refuse(struct ctx *c, const struct remote *r, const struct remote_json *answer, enum err err)
{
	struct str message = message_of(c, answer->root);
	if (!message.n && is_the_clouds(err))
		err = ERR_IO;
	message = str_is_line(message) ? str_cut(message, MESSAGE_MAX) : STR_NONE;
	return ctx_fail(c, err, "Provider %" STR_FMT " answers with status %d%s%" STR_FMT, STR_ARG(r->name),
			answer->status, message.n ? ": " : ".", STR_ARG(message));
}

/* ---- members ---- */

static const json_t *step_into(const json_t *value, const char *part)
{
	int64_t at = 0;
	if (!json_is_array(value))
		return json_object_get(value, part);
	bool is_number = result_is_ok(str_parse_int(str_from(part), &at)) && at >= 0;
	return is_number ? json_array_get(value, (size_t) at) : NULL;
}

const json_t *remote_json_at(const json_t *root, const char *path)
{
	struct str rest = str_from(path), part;
	char name[PATH_PART_MAX];
	while (root && str_split_next(&rest, '/', &part)) {
		if (part.n >= sizeof name)
			return NULL;
		memcpy(name, part.p, part.n);
		name[part.n] = '\0';
		root = step_into(root, name);
	}
	return root;
}

struct str remote_json_text(struct ctx *c, const json_t *root, const char *path)
{
	const json_t *value = remote_json_at(root, path);
	if (json_is_integer(value))
		return str_print(c->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	if (!json_is_string(value))
		return STR_NONE;
	struct str text = {json_string_value(value), json_string_length(value)};
	return str_copy(c->arena, str_cut(text, TEXT_MAX));
}

/* OpenStack writes some times without a zone, which are of UTC, and CloudStack a zone without a colon. */
static int64_t time_of(struct ctx *c, struct str text)
{
	int64_t at_us = 0;
	size_t sign = text.n >= 5 ? text.n - 5 : 0;
	bool is_short = sign && (text.p[sign] == '+' || text.p[sign] == '-') && text.p[text.n - 3] != ':';
	if (is_short)
		text = str_print(c->arena, "%.*s:%.*s", (int) (text.n - 2), text.p, 2, text.p + text.n - 2);
	else if (text.n && !str_ends_with(text, STR("Z")) && str_find_char(text, '+', 0) == text.n)
		text = str_print(c->arena, "%" STR_FMT "Z", STR_ARG(text));
	return result_is_ok(clock_parse(text, &at_us)) ? at_us : 0;
}

int64_t remote_json_time(struct ctx *c, const json_t *root, const char *path)
{
	struct str text = remote_json_text(c, root, path);
	return text.n ? time_of(c, text) : 0;
}

static void read_place(struct ctx *c, const json_t *object, const struct remote_place *p,
		       struct machine_draft *d)
{
	struct str text = remote_json_text(c, object, p->path);
	void *at = (char *) d + p->offset;
	if (!text.n)
		return;
	switch (p->how) {
	case PLACE_TEXT:
		draft_put_text(at, text, p->most);
		break;
	case PLACE_TIME:
		*(int64_t *) at = time_of(c, text);
		break;
	case PLACE_INT:
		if (!result_is_ok(str_parse_int(text, at)) || *(int64_t *) at < 0 ||
		    *(int64_t *) at > (int64_t) p->most)
			*(int64_t *) at = 0;
		break;
	case PLACE_IP:
		draft_add_ip(at, text);
		break;
	case PLACE_ID:
		draft_add_id(at, text, p->most);
		break;
	}
}

void remote_read_places(struct ctx *c, const json_t *object, const struct remote_place *places, size_t count,
			struct machine_draft *d)
{
	for (size_t k = 0; k < count; k++)
		read_place(c, object, &places[k], d);
}

/* ---- bodies ---- */

void remote_body_begin(struct remote_body *b)
{
	buf_init(&b->text, BODY_MAX);
	json_write_begin(&b->json, &b->text);
}

RESULT remote_body_end(struct ctx *c, struct remote_body *b, struct str *ret_text)
{
	bool is_whole = result_is_ok(json_write_end(&b->json));
	*ret_text = is_whole ? str_copy(c->arena, buf_str(&b->text)) : STR_NONE;
	buf_done(&b->text);
	return ret_text->p ? OK : ctx_no_memory(c);
}
