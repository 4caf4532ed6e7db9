/* SPDX-License-Identifier: Apache-2.0
 * Changes of one row or, in bulk, of many rows that succeed or fail separately. Handles If-Match (change
 * only if gen is unchanged) and ?dry=1 (try without changing).
 */
#include "api/native/dry.h"
#include "api/native/rows.h"

#include "base/vec.h"

/* ---- reading the request ---- */

static void *at(void *args, uint16_t offset)
{
	return (char *) args + offset - 1;
}

static void set_target(const struct native_action *a, struct ref *ref, void *args)
{
	if (a->target)
		*(struct ref *) at(args, a->target) = *ref;
	if (a->targets)
		*(struct refs *) at(args, a->targets) = (struct refs){ref, 1};
}

/* Reads the arguments of a change of one row. The id may be a name, which the operation resolves. */
static RESULT read_one(struct native_call *e, const struct params_request *request)
{
	const struct native_action *a = native_action_of(e);
	TRY(api_new_args(&e->core, 1, a->args.size));
	TRY(params_fill(e->c, &a->args, request, e->args)); /* an empty table refuses all parameters */
	if (a->kind != KIND_NONE)
		e->target = native_read_ref(pairs_find(&e->path, "id"), a->kind, STR("id"));
	set_target(a, &e->target, e->args);
	return a->prepare ? a->prepare(e, e->args) : OK;
}

static RESULT read_ids(struct native_call *e, struct native_bulk *bulk)
{
	const json_t *ids = json_object_get(e->body, "ids"), *id;
	size_t k;
	bulk->count = json_array_size(ids);
	if (!json_is_array(ids) || !bulk->count)
		return ctx_fail_field(e->c, ERR_MISSING, STR("ids"),
				      "ids must be a list of one id at least.");
	if (bulk->count > NATIVE_PARTS_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("ids"), "ids has more than %d.",
				      NATIVE_PARTS_MAX);
	bulk->at = arena_new_array(e->c->arena, struct native_part, bulk->count);
	if (!bulk->at)
		return ctx_no_memory(e->c);
	json_array_foreach (ids, k, id) {
		struct str text = str_copy(e->c->arena, str_from(json_string_value(id)));
		if (!text.n)
			return ctx_fail_field(e->c, ERR_INVALID, STR("ids"),
					      "ids holds something that is no id.");
		bulk->at[k].ref = native_read_ref(text, native_action_of(e)->kind, STR("ids"));
	}
	return OK;
}

static RESULT read_many(struct native_call *e, const struct params_request *asked)
{
	static const char *const common[] = {"ids", NULL};
	const struct native_action *a = native_action_of(e);
	struct params_request request = *asked;
	e->bulk = arena_new_object(e->c->arena, struct native_bulk);
	if (!e->bulk)
		return ctx_no_memory(e->c);
	TRY(read_ids(e, e->bulk));
	TRY(api_new_args(&e->core, e->bulk->count, a->args.size));
	request.common = common;
	for (size_t k = 0; k < e->bulk->count; k++) {
		struct native_part *part = &e->bulk->at[k];
		part->args = (char *) e->args + k * e->arg_size;
		TRY(params_fill(e->c, &a->args, &request, part->args));
		set_target(a, &part->ref, part->args);
		e->target = part->ref;
		if (a->prepare)
			TRY(a->prepare(e, part->args));
	}
	return OK;
}

RESULT native_read_flag(struct native_call *e, const char *name, bool *ret_is_set)
{
	struct str said = pairs_find(&e->query, name);
	*ret_is_set = str_is(said, "1") || str_is(said, "true");
	if (said.p && !*ret_is_set && !str_is(said, "0") && !str_is(said, "false"))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(name), "%s must be 1 or 0.", name);
	return OK;
}

/* True if the call changes one row, so that If-Match has a gen to compare with. */
static bool compares_row(const struct native_action *a)
{
	return a->kind != KIND_NONE && a->operation && !(a->flags & NATIVE_MANY);
}

static RESULT read_match(struct native_call *e)
{
	struct str said = str_trim(call_header(e->call, "If-Match"));
	if (said.n > 2 && said.p[0] == '"' && said.p[said.n - 1] == '"')
		said = str_slice(said, 1, said.n - 1);
	int64_t gen = 0;
	if (call_header(e->call, "If-None-Match").n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("If-None-Match"),
				      "A change takes no If-None-Match.");
	if (said.n && !compares_row(native_action_of(e)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("If-Match"),
				      "There is no row that If-Match could be compared with.");
	if (!said.n || str_is(said, "*"))
		return OK;
	if (!result_is_ok(str_parse_int(said, &gen)) || gen < 0)
		return ctx_fail_field(e->c, ERR_INVALID, STR("If-Match"), "If-Match must be a row's gen.");
	e->match = said;
	return OK;
}

static bool is_word(struct str words, struct str name)
{
	struct str word;
	while (str_split_next(&words, '|', &word))
		if (str_equal(word, name))
			return true;
	return false;
}

/* Refuses unknown query parameters. Otherwise the typo "?dri=1" would make the change. */
static RESULT check_query(struct native_call *e, struct str more)
{
	const struct params *rows = &e->action->args;
	for (size_t k = 0; k < e->query.count; k++) {
		struct str name = e->query.at[k].name;
		bool is_read = is_word(more, name);
		for (size_t n = 0; n < rows->count && !is_read; n++)
			is_read = rows->at[n].place == IN_QUERY && str_is(name, rows->at[n].wire);
		if (!is_read)
			return ctx_fail_field(e->c, ERR_UNKNOWN, name, "There is no parameter %" STR_FMT ".",
					      STR_ARG(name));
	}
	return OK;
}

RESULT native_check_read(struct native_call *e)
{
	const struct native_action *a = native_action_of(e);
	if (call_header(e->call, "If-Match").n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("If-Match"), "A read takes no If-Match.");
	if (a->method != HTTP_GET && call_header(e->call, "If-None-Match").n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("If-None-Match"),
				      "This call takes no If-None-Match.");
	return a->flags & (API_OPEN | NATIVE_LISTS | NATIVE_STREAMS) /* these actions check their own names */
		       ? OK
		       : check_query(e, str_from(a->query));
}

RESULT native_prepare_change(struct native_call *e, const struct params_request *request)
{
	bool is_dry = false;
	TRY(check_query(e, STR("dry")));
	TRY(read_match(e));
	TRY(native_read_flag(e, "dry", &is_dry));
	if (is_dry && !e->action->operation)
		return ctx_fail_field(e->c, ERR_INVALID, STR("dry"),
				      "This cannot be tried without doing it.");
	if (is_dry)
		TRY(dry_begin(e));
	if (!e->status)
		e->status = 202;
	return e->action->flags & NATIVE_MANY ? read_many(e, request) : read_one(e, request);
}

/* ---- on the committer ---- */

static RESULT check_match(struct native_call *e, struct op *op)
{
	const struct row *row = NULL;
	int64_t gen = 0;
	if (!e->match.n || e->target.kind == KIND_NONE)
		return OK;
	TRY(engine_find(op->ctx, op->head, e->target.kind, &e->target, &row));
	TRY(str_parse_int(e->match, &gen));
	if ((uint64_t) gen == row->gen)
		return OK;
	e->target = ref_by_id(e->target.kind, row->id);
	return ctx_fail_field(op->ctx, ERR_CONFLICT, STR("If-Match"),
			      "Somebody has changed it meanwhile: it is at gen %llu.",
			      (unsigned long long) row->gen);
}

/* Runs each part separately: rolls a failed part back and keeps the others. */
static RESULT run_many(struct native_call *e, struct op *op)
{
	for (size_t k = 0; k < e->bulk->count; k++) {
		struct native_part *part = &e->bulk->at[k];
		struct op_place place = op_place_now(op);
		part->result = e->action->operation(op, part->args);
		if (result_is_ok(part->result))
			continue;
		if (part->result.code == ERR_NO_MEMORY || part->result.code == ERR_INTERNAL)
			return part->result;
		op_go_back(op, place);
		part->problem = op->ctx->problem;
		ctx_clear_problem(op->ctx);
		guard_drop_refusal(op->ctx);
	}
	return OK;
}

RESULT native_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred)
{
	struct native_call *e = native_call_of(core);
	TRY(check_match(e, op));
	if (e->dry)
		TRY(dry_look_before(e, op));
	if (!e->bulk)
		return OK;
	*ret_is_deferred = true; /* run_many() has run the operations */
	TRY(run_many(e, op));
	return e->dry ? native_end_change(core, op) : OK;
}

RESULT native_end_change(struct api_call *core, struct op *op)
{
	struct native_call *e = native_call_of(core);
	if (!e->dry)
		return OK;
	TRY(guard_check_made(op));
	TRY(guard_check_rest(op->ctx));
	TRY(dry_look_after(e, op));
	return ctx_fail(op->ctx, ERR_DRY_RUN, "It would be done.");
}

/* ---- answers ---- */

static void write_rows(struct native_call *e, struct json_writer *w)
{
	const struct rows *rows = &e->change.returned;
	struct row_choice all;
	const struct row_writer rw = {.arena = e->c->arena,
				      .tables = native_tables(e),
				      .kind = e->change.returns,
				      .choice = &all,
				      .batch = e->view.commit};
	json_write_open_list(w, "items");
	if (rows->count)
		row_choose_all(rw.kind, &all);
	for (size_t k = 0; k < rows->count; k++)
		row_write(&rw, w, NULL, rows->at[k], row_class(e->c, rw.kind, rows->at[k]));
	json_write_close_list(w);
}

static void write_failed(struct native_call *e, struct json_writer *w, const struct native_part *part)
{
	const struct problem *said = &part->problem;
	enum err err = said->err ? said->err : part->result.code;
	const struct api_error *row = api_find_error(e->errors, 0, err, said->kind, said->field);
	const struct api_problem problem = {.error = row,
					    .err = err,
					    .status = row->status,
					    .message = said->message.n ? said->message
								       : str_from(err_meaning(err))};
	json_write_open(w, NULL);
	json_write_text(w, "id", part->ref.text);
	json_write_open(w, "error");
	native_write_problem_members(w, e->c, &problem, said);
	json_write_close(w);
	json_write_close(w);
}

static void write_parts(struct native_call *e, struct json_writer *w)
{
	json_write_open_list(w, "done");
	for (size_t k = 0; k < e->bulk->count; k++)
		if (result_is_ok(e->bulk->at[k].result))
			json_write_text(w, NULL, e->bulk->at[k].ref.text);
	json_write_close_list(w);
	json_write_open_list(w, "failed");
	for (size_t k = 0; k < e->bulk->count; k++)
		if (!result_is_ok(e->bulk->at[k].result))
			write_failed(e, w, &e->bulk->at[k]);
	json_write_close_list(w);
}

RESULT native_answer_change(struct native_call *e, struct json_writer *w)
{
	(void) native_tables(e);
	json_write_int(w, "batch", (int64_t) e->view.commit);
	if (e->bulk)
		write_parts(e, w);
	write_rows(e, w);
	if (native_action_of(e)->tell)
		native_action_of(e)->tell(e, e->args, w);
	return OK;
}

void native_write_present(struct native_call *e, struct json_writer *w)
{
	const struct row *row = tables_find(native_tables(e), e->target.kind, e->target.prefix);
	if (row && native_sees(e->c, native_tables(e), e->target.kind, row))
		native_write_row(e, w, "row", e->target.kind, row);
	view_close(&e->view);
	e->view = (struct view){0};
}
