/* SPDX-License-Identifier: Apache-2.0
 * Implements TMF621's protocol for api/core: a bearer token identifies the desk, path and method select the call,
 * and bodies are JSON. */
#include "api/tmf/tmf.h"

#include "api/core/path.h"
#include "api/tmf/internal.h"
#include "base/crypto.h"
#include "store/account.h"
#include "store/desk.h"

#define BASE_PATH "/tmf-api/troubleTicket/"
enum { QUERY_PAIRS_MAX = 32 };
static const struct pairs_rules query_rules = {.noun = "query", .count_max = QUERY_PAIRS_MAX};

bool tmf_has_path(struct str path)
{
	return str_starts_with(path, STR(BASE_PATH));
}

struct str tmf_path_value(const struct tmf_call *e, const char *name)
{
	return pairs_find(&e->path, name);
}

struct str tmf_query_value(const struct tmf_call *e, const char *name)
{
	return pairs_find(&e->query, name);
}

/* ---- who asks ---- */

static RESULT fail_token(struct tmf_call *e)
{
	return ctx_fail(e->c, ERR_UNAUTHENTICATED, "The token is no desk's.");
}

/* Acts in the account that the desk opens tickets for, and otherwise through its links alone. */
static RESULT take_identity(struct tmf_call *e, const struct desk *desk)
{
	struct identity *who = arena_new_object(e->c->arena, struct identity);
	const struct account *account =
		uuid_is_none(desk->opens_for) ? NULL : account_find(tmf_tables(e), desk->opens_for);
	if (!who)
		return ctx_no_memory(e->c);
	who->rights = RIGHTS_OF_MEMBER;
	if (account) {
		who->scope = IDENTITY_ACCOUNT;
		who->account = account->row.id;
		who->domain = account->domain;
		who->account_number = str_copy(e->c->arena, account->number);
	}
	who->user_name = e->desk_name;
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

static RESULT take_desk(struct tmf_call *e, const struct desk *desk)
{
	e->desk = desk->row.id;
	e->desk_name = str_copy(e->c->arena, desk->name);
	return take_identity(e, desk);
}

static RESULT authenticate(struct tmf_call *e)
{
	struct str header = call_header(e->call, "Authorization"), word = STR_NONE;
	uint8_t digest[SHA256_SIZE];
	if (!str_split_next(&header, ' ', &word) || !str_equal_nocase(word, STR("Bearer")) ||
	    !str_trim(header).n)
		return fail_token(e);
	crypto_sha256(str_trim(header), digest);
	struct str hex = str_encode_hex(e->c->arena, digest, sizeof digest);
	const struct desk *desk = desk_first_by_inbound(tmf_tables(e), hex);
	struct result result = desk && !desk->is_off ? take_desk(e, desk) : fail_token(e);
	view_close(&e->view); /* also of a stranger's: the limits behind it open their own */
	e->view = (struct view){0};
	return result;
}

/* ---- which call ---- */

static const struct api_actions *const groups[] = {&tmf_ticket_actions};
static const struct rest_table actions = {groups, sizeof groups / sizeof groups[0]};

/* "v4/troubleTicket/t-1" without the version; false: it has none of ours. */
static bool cut_version(struct tmf_call *e, struct str *path)
{
	struct str version = STR_NONE;
	*path = str_slice(e->call->path, strlen(BASE_PATH), e->call->path.n);
	if (!path_next_segment(path, &version))
		return false;
	e->is_v5 = str_is(version, "v5");
	return e->is_v5 || str_is(version, "v4");
}

/* "hub", "hub/{id}": a listener that was registered, and never called, would wait in vain. */
static bool is_hub(struct str path)
{
	struct str first = STR_NONE;
	return path_next_segment(&path, &first) && str_is(first, "hub");
}

static RESULT read_body(struct tmf_call *e)
{
	struct str text = str_trim(e->call->body), type = call_header(e->call, "Content-Type");
	json_error_t error;
	if (e->call->method != HTTP_POST && e->call->method != HTTP_PATCH)
		return OK;
	bool is_patch = e->call->method == HTTP_PATCH && str_contains(type, STR("json-patch"));
	if (is_patch && str_contains(type, STR("json-patch-query")))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Content-Type"),
				      "A trouble ticket is patched by application/merge-patch+json or "
				      "application/json-patch+json.");
	e->body = json_loadb(text.n ? text.p : "", text.n, JSON_REJECT_DUPLICATES, &error);
	if (is_patch)
		return tmf_take_json_patch(e);
	return json_is_object(e->body) ? OK : ctx_fail(e->c, ERR_MALFORMED, "The body is no JSON object.");
}

static RESULT find(struct api_call *core)
{
	struct tmf_call *e = tmf_call_of(core);
	bool has_path = false;
	struct str path = STR_NONE;
	bool has_version = cut_version(e, &path);
	const struct rest_action *row =
		has_version ? rest_find_action(e->c, &actions, e->call->method, path, &e->path, &has_path)
			    : NULL;
	struct result proved = authenticate(e);
	TRY(api_check_limits(core, row ? &row->core : NULL, proved));
	if (!row && is_hub(path))
		return ctx_fail_field(
			e->c, ERR_UNSUPPORTED, STR("method"),
			"No event is sent here, so that nobody is registered for them: ask for the "
			"tickets by GET.");
	if (!row && has_path)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("method"),
				      "The method is not allowed here.");
	if (!row)
		return ctx_fail(e->c, ERR_NOT_FOUND, "There is no such path in TMF621 here.");
	const struct api_entry entry = api_entry_of(&row->core);
	api_choose_action(core, &entry);
	TRY(pairs_parse(e->c, &query_rules, e->call->query, STR_NONE, &e->query));
	return read_body(e);
}

static RESULT prepare(struct api_call *core)
{
	struct tmf_call *e = tmf_call_of(core);
	const struct tmf_action *a = tmf_row_of(e->action);
	TRY(api_new_args(core, 1, a->args.size ? a->args.size : 1));
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static void end_request(struct api_call *core)
{
	struct tmf_call *e = tmf_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct tmf_call *e = tmf_call_of(core);
	const struct tmf_action *a = tmf_row_of(e->action);
	struct json_writer w;
	if (!a->answer) {
		e->status = 204;
		e->has_no_body = true;
		return OK;
	}
	json_write_begin(&w, body);
	TRY(a->answer(e, e->args, &w));
	return json_write_end(&w);
}

/* ---- failures: TMF630's Error ---- */

/* clang-format off */
static const struct api_error rows[] = {
	{ERR_UNSUPPORTED, 0, 405, "61", "method"}, {ERR_UNSUPPORTED, 0, 415, "68", "Content-Type"},
	{ERR_UNAUTHENTICATED, 0, 401, "41"}, {ERR_DENIED, 0, 403, "53"}, {ERR_NOT_FOUND, 0, 404, "60"},
	{ERR_MISSING, 0, 400, "27"}, {ERR_INVALID, 0, 400, "28"}, {ERR_MALFORMED, 0, 400, "22"}, {ERR_UNKNOWN, 0, 400, "28"},
	{ERR_CONFLICT, 0, 412, "63"}, {ERR_STATE, 0, 409, "63"}, {ERR_EXISTS, 0, 409, "63"}, {ERR_QUOTA, 0, 409, "63"},
	{ERR_TOO_LARGE, 0, 413, "64"}, {ERR_THROTTLED, 0, 429, "5"}, {ERR_AGAIN, 0, 503, "5"}, {ERR_NO_MEMORY, 0, 503, "5"},
	{ERR_INTERNAL, 0, 500, "1"},
};
/* clang-format on */
static const struct api_errors errors = API_ERRORS(rows, .internal = "An internal error has occurred.",
						   .throttled = "Too many requests.", .is_by_status = true);

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	struct json_writer w;
	char status[8];
	(void) core;
	snprintf(status, sizeof status, "%d", p->status);
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	json_write_z(&w, "code", p->error->code);
	json_write_text(&w, "reason", p->message);
	json_write_text(&w, "message", p->message);
	json_write_z(&w, "status", status);
	json_write_z(&w, "@type", "Error");
	json_write_close(&w);
	if (p->status == 401)
		call_set_answer_header(core->call, "WWW-Authenticate", STR("Bearer"));
	return json_write_end(&w);
}

const struct api_protocol tmf_protocol = {
	.name = "tmf621",
	.content_type = "application/json;charset=utf-8",
	.call_size = sizeof(struct tmf_call),
	.errors = &errors,
	.find = find,
	.prepare = prepare,
	.end_request = end_request,
	.write = write_answer,
	.write_problem = write_problem,
};

void tmf_write_coverage(struct buf *out)
{
	rest_write_coverage(&actions, out);
}
