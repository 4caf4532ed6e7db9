/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's words for failures. Source of the codes: ApiErrorCode and CSExceptionErrorCode of 4.18. The
 * sentence about an id that there is not is the one that clients look for. The sentences about other parameters
 * are ours. */
#include "api/cloudstack/internal.h"
#include "base/log.h"

struct cloudstack_error {
	enum err err;
	int status, cs_code; /* the errorcode, which is the HTTP status too; cserrorcode */
};

static const struct cloudstack_error errors[] = {
	{ERR_INVALID, 431, 4350},   {ERR_MISSING, 431, 9999},     {ERR_MALFORMED, 431, 4350},
	{ERR_RANGE, 431, 4350},     {ERR_NOT_FOUND, 431, 4350},   {ERR_STATE, 431, 4350},
	{ERR_TOO_LARGE, 431, 4350}, {ERR_UNSUPPORTED, 432, 4555}, {ERR_UNAUTHENTICATED, 401, 9999},
	{ERR_DENIED, 531, 4365},    {ERR_THROTTLED, 429, 4545},   {ERR_QUOTA, 532, 4280},
	{ERR_CAPACITY, 533, 4325},  {ERR_IN_USE, 536, 4375},      {ERR_CONFLICT, 537, 4360},
	{ERR_INTERNAL, 530, 4250},
};

static const struct cloudstack_error *find_error(enum err err)
{
	const struct cloudstack_error *last = &errors[sizeof errors / sizeof errors[0] - 1];
	const struct cloudstack_error *e = errors;
	while (e < last && e->err != err)
		e++;
	return e;
}

static void answer_error(struct call *call, struct str command, const struct cloudstack_error *error,
			 struct str message)
{
	struct arena *a = call->ctx.arena;
	struct str name = str_lower(a, command.n ? command : STR("error"));
	struct json_writer w;
	struct buf body;
	buf_init(&body, BUF_ANSWER_CAP);
	json_write_begin(&w, &body);
	json_write_open(&w, NULL);
	json_write_open(&w, str_to_z(a, str_print(a, "%" STR_FMT "response", STR_ARG(name))));
	json_write_open_list(&w, "uuidList");
	json_write_close_list(&w);
	json_write_int(&w, "errorcode", error->status);
	json_write_int(&w, "cserrorcode", error->cs_code);
	json_write_text(&w, "errortext", message);
	json_write_close(&w);
	json_write_close(&w);
	IGNORE(json_write_end(&w)); /* without memory for these few bytes an empty body must do */
	call_answer(call, error->status, "application/json;charset=UTF-8", &body);
}

static enum err problem_of(const struct api_call *core, struct result result)
{
	return core->c->problem.err ? core->c->problem.err : result.code;
}

void cloudstack_answer_problem(struct api_call *core, struct result result)
{
	struct cloudstack_call *e = cloudstack_call_of(core);
	enum err err = problem_of(core, result);
	const struct cloudstack_error *error = find_error(err);
	struct str message = e->c->problem.message.n ? e->c->problem.message : str_from(err_meaning(err));
	if (err == ERR_DENIED)
		(void) guard_explain_refusal(e->c);
	if (error->err == ERR_INTERNAL) {
		log_event(LOG_ERROR, "internal-error",
			  "face=cloudstack request=%s action=%s error=%s message=%s",
			  log_quote(e->c->request_id), e->call->action ? e->call->action : "-", err_name(err),
			  log_quote(message));
		message = STR("Internal error executing command, please contact your system administrator");
	}
	/* a command that was not recognised has no response of its own */
	answer_error(e->call, e->action ? e->command : STR_NONE, error, message);
}

struct str cloudstack_find_code(struct api_call *core, struct result result)
{
	return str_print(core->c->arena, "%d", find_error(problem_of(core, result))->status);
}

void cloudstack_reject(void *self, struct call *call, int status, enum err why)
{
	const struct cloudstack_error error = {why, status, 9999};
	(void) self;
	answer_error(call, STR_NONE, &error, str_from(err_meaning(why)));
}

/* ---- parameters ---- */

static RESULT read_id(const struct params_reader *r, const struct params_value *v, struct ref *out)
{
	uuid id;
	if (v->text.n != 36 || !result_is_ok(uuid_parse(v->text, &id)))
		return params_fail(r, FAULT_ID, v);
	*out = (struct ref){
		.kind = v->p->kind, .prefix = id, .bits = 128, .field = v->field, .text = v->text};
	return OK;
}

static bool parse_bool(struct str text, bool *ret_value)
{
	*ret_value = str_equal_nocase(text, STR("true"));
	return *ret_value || str_equal_nocase(text, STR("false"));
}

#define UNABLE "Unable to execute API command due to invalid value. "
/* Behind the value. */
#define NO_ENTITY                                                                                            \
	" due to incorrect long value format, or entity does not exist or due to incorrect parameter "       \
	"annotation for the field in api cmd class."
const struct params_dialect cloudstack_dialect = {
	.words = {[FAULT_MISSING] = "Unable to execute API command due to missing parameter {field}",
		  [FAULT_UNBUILT] = "The parameter {field} is not supported here",
		  [FAULT_UNBUILT_ELSE] = "The parameter {field} is not supported here but for {only}",
		  [FAULT_TYPE] = UNABLE "Invalid parameter {field}: it is not {type}",
		  [FAULT_WORDS] = UNABLE "Invalid parameter {field} value={value}: it is none of {words}",
		  [FAULT_BOOL] = UNABLE "Invalid parameter {field} value={value}: it is not true or false",
		  [FAULT_INT] = UNABLE "Invalid parameter {field} value={value}: it is not a number",
		  [FAULT_INT_BELOW] = UNABLE "Invalid parameter {field} value={value}: it is less than {min}",
		  [FAULT_INT_ABOVE] = UNABLE "Invalid parameter {field} value={value}: it is more than {max}",
		  [FAULT_TEXT_LONG] = UNABLE "Value greater than max allowed length {max} for param: {field}",
		  [FAULT_ID] = UNABLE "Invalid parameter {field} value={value}" NO_ENTITY,
		  [FAULT_COUNT] = UNABLE "Invalid parameter {field}: it has more than {max} elements"},
	.comma = ", ",
	.rules = ABSENT_IF_EMPTY | UNKNOWN_IS_IGNORED,
	.text_max = 255,
	.separator = ',',
	.parse_bool = parse_bool,
	.read_id = read_id,
};

RESULT cloudstack_fail_absent(struct cloudstack_call *e, const char *name, const struct ref *ref)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(name),
			      UNABLE "Invalid parameter %s value=%" STR_FMT NO_ENTITY, name,
			      STR_ARG(uuid_to_str(e->c->arena, ref->prefix)));
}
