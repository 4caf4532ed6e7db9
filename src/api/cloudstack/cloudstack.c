/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's protocol, as the core asks for it: a command and its parameters in the query or a form, signed
 * with an access key. Answers are JSON, whatever `response` asks for: every current client asks for that. */
#include "api/cloudstack/cloudstack.h"

#include "api/cloudstack/internal.h"
#include "auth/cloudstack_signature.h"
#include "auth/key_owner.h"
#include "base/clock.h"

/* A signature is tried in up to sixteen forms, and whoever knows a key's id may make us try: so a request's
 * parameters are short. User data of 32 KiB fit, which are the largest that CloudStack takes. */
enum { PARAMETERS_SIZE_MAX = 64 * 1024 };

static const struct pairs_rules pairs_rules = {.noun = "request",
					       .count_max = CLOUDSTACK_PARAMETERS_MAX,
					       .form = PAIRS_NEST | PAIRS_BRACKETS | PAIRS_IGNORE_CASE};

static const struct api_actions *const groups[] = {
	&cloudstack_zone_actions,
	&cloudstack_offering_actions,
	&cloudstack_machine_actions,
};
static const struct api_groups all_groups = {groups, sizeof groups / sizeof groups[0], .ignores_case = true};

bool cloudstack_has_path(struct str path)
{
	return str_is(path, "/client/api") || str_is(path, "/client/api/");
}

/* ---- who asks, and for what ---- */

static RESULT read_request(struct api_call *e)
{
	struct str form = e->call->method == HTTP_POST ? e->call->body : STR_NONE;
	if (form.n + e->call->query.n > PARAMETERS_SIZE_MAX)
		return ctx_fail(e->c, ERR_TOO_LARGE, "The request has more than %d bytes of parameters",
				PARAMETERS_SIZE_MAX);
	TRY(pairs_parse(e->c, &pairs_rules, e->call->query, form, &e->pairs));
	struct str key_id = cloudstack_find_value(&e->pairs, "apikey");
	return api_prove_key(e, key_id, cloudstack_check_signature, &e->pairs);
}

static RESULT find(struct api_call *e)
{
	struct result proved = read_request(e);
	struct str name = cloudstack_find_value(&e->pairs, "command");
	api_choose_action(e, api_find_action(&e->face->entries, name));
	TRY(api_check_limits(e, e->action, proved));
	if (e->action)
		return OK;
	return name.n ? ctx_fail(e->c, ERR_UNSUPPORTED, "Unknown API command: %" STR_FMT,
				 STR_ARG(str_slice(name, 0, 128)))
		      : ctx_fail(e->c, ERR_UNSUPPORTED, "Invalid request, no command sent");
}

/* ---- answers ---- */

/* As "2024-01-02T03:04:05+0000". */
static void write_time(struct json_writer *w, const char *name, int64_t time_us)
{
	char text[CLOCK_TEXT_SIZE + sizeof "+0000"];
	strcpy(strchr(clock_write_s(time_us, text), 'Z'), "+0000");
	json_write_z(w, name, text);
}

/* Both, or a size of -1 alone: all rows. The words are ours. */
static RESULT read_page(struct api_call *e, const struct cloudstack_list_args *asked,
			struct api_list_wish *wish)
{
	if (asked->page_size == -1 ? asked->page != 0 : !asked->page != !asked->page_size)
		return ctx_fail_field(e->c, ERR_INVALID, STR("pagesize"),
				      "\"page\" and \"pagesize\" must be specified together, or \"pagesize\" "
				      "-1 alone");
	wish->limit = asked->page_size > 0 ? (size_t) asked->page_size : 0;
	wish->offset = asked->page > 1 ? (size_t) (asked->page - 1) * wish->limit : 0;
	return OK;
}

void cloudstack_open_response(struct api_call *e, struct json_writer *w, const char *name)
{
	struct arena *a = e->c->arena;
	struct str text = str_print(a, "%" STR_FMT "response", STR_ARG(str_lower(a, str_from(name))));
	json_write_open(w, NULL);
	json_write_open(w, str_to_z(a, text));
}

/* "count" is that of all pages. An empty list has no member. */
static RESULT write_answer(struct api_call *e, struct buf *body)
{
	const struct cloudstack_list_args *asked = e->args;
	struct api_list_wish wish = {asked->id, asked->name, asked->keyword};
	struct query_page page;
	struct json_writer w;
	TRY(read_page(e, asked, &wish));
	TRY(api_list_rows(e, &wish, &page));
	json_write_begin(&w, body);
	cloudstack_open_response(e, &w, e->action->name);
	if (page.count) {
		json_write_int(&w, "count", (int64_t) page.count);
		api_list_write(e, &w, write_time, &wish, &page);
	}
	json_write_close(&w);
	json_write_close(&w);
	return json_write_end(&w);
}

const struct api_protocol cloudstack_protocol = {
	.name = "cloudstack",
	.content_type = "application/json;charset=UTF-8",
	.groups = &all_groups,
	.errors = &cloudstack_errors,
	.pairs = &pairs_rules,
	.dialect = &cloudstack_dialect,
	.find = find,
	.write = write_answer,
	.write_problem = cloudstack_write_problem,
};
