/* SPDX-License-Identifier: Apache-2.0
 * The protocol of EC2 and STS behind the callbacks of the core: signed query calls, answered in XML. */
#include "api/ec2/core/ec2.h"

#include "api/ec2/core/errors.h"
#include "api/ec2/core/face.h"
#include "api/ec2/core/list.h"
#include "api/query/query_call.h"
#include "engine/region/region.h"

enum { TAGS_ASKED_MAX = 50 };

/* Parameters that every call takes. */
static const char *const common_params[] = {"Action", "Version", "DryRun", 0};

/* ---- who may ---- */

/* Condition key whose value comes from a parameter; tags have their own code. */
static enum policy_known find_request_key(const void *arg, struct str key, struct strs *ret_values)
{
	const struct ec2_call *e = arg;
	struct str prefix = STR("aws:requesttag/");
	bool wants_keys = str_is(key, "aws:tagkeys");
	struct str *found = arena_new_array(e->c->arena, struct str, TAGS_ASKED_MAX);
	size_t count = 0;
	if (!found || (!wants_keys && !str_starts_with(key, prefix)))
		return POLICY_ABSENT;
	for (int n = 1; n <= TAGS_ASKED_MAX && count < TAGS_ASKED_MAX; n++) {
		struct str name =
			pairs_find(&e->pairs, str_to_z(e->c->arena, str_print(e->c->arena, "Tag.%d.Key", n)));
		struct str value = pairs_find(
			&e->pairs, str_to_z(e->c->arena, str_print(e->c->arena, "Tag.%d.Value", n)));
		if (name.p && wants_keys)
			found[count++] = name;
		else if (name.p && str_equal(name, str_slice(key, prefix.n, key.n)))
			found[count++] = value.p ? value : STR("");
	}
	*ret_values = (struct strs){found, count};
	return count ? POLICY_PRESENT : POLICY_ABSENT;
}

static RESULT describe_permission(struct api_call *core, struct guard_request *request)
{
	request->words = core->action->flags & EC2_OF_STS ? GUARD_OF_IAM : GUARD_OF_EC2;
	request->find = find_request_key;
	request->is_change &=
		!(core->action->flags & EC2_OF_STS); /* a spent code is no row of the request's */
	return OK;
}

static void describe_audit(struct api_call *core)
{
	if (core->action->flags & EC2_OF_STS)
		core->audit->record.texts[AUDIT_FACE] = STR("sts");
	request_add_subject(core->audit, &ec2_call_of(core)->pairs);
}

/* ---- parameters ---- */

static bool is_date(struct str s)
{
	static const char shape[] = "dddd-dd-dd";
	if (s.n != sizeof shape - 1)
		return false;
	for (size_t k = 0; k < s.n; k++)
		if (shape[k] == 'd' ? s.p[k] < '0' || s.p[k] > '9' : s.p[k] != '-')
			return false;
	int month = (s.p[5] - '0') * 10 + s.p[6] - '0', day = (s.p[8] - '0') * 10 + s.p[9] - '0';
	return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

static RESULT read_version(struct ec2_call *e)
{
	static const struct api_error no_such_version = {
		.err = ERR_INVALID, .status = 400, .code = "NoSuchVersion"};
	e->version = pairs_find(&e->pairs, "Version");
	if (str_is_empty(e->version))
		return ctx_fail_field(e->c, ERR_MISSING, STR("Version"),
				      "The request must contain the parameter Version");
	if (e->is_sts)
		return query_check_version(&e->core, "2011-06-15", false);
	e->error = &no_such_version; /* for the failure returned below */
	if (!is_date(e->version))
		return ctx_fail_field(e->c, ERR_INVALID, STR("Version"),
				      "Value (%" STR_FMT
				      ") for parameter Version is invalid. It is no API version.",
				      STR_ARG(str_slice(e->version, 0, 64)));
	e->error = NULL;
	return OK;
}

static RESULT read_dry_run(struct ec2_call *e)
{
	struct str dry_run = pairs_find(&e->pairs, "DryRun");
	if (dry_run.p && !e->is_sts && !result_is_ok(str_parse_bool(dry_run, &e->is_dry)))
		return ctx_fail_field(e->c, ERR_INVALID, STR("DryRun"),
				      "Value (%" STR_FMT
				      ") for parameter DryRun is invalid. It must be true or false.",
				      STR_ARG(str_slice(dry_run, 0, 64)));
	return OK;
}

static RESULT prepare(struct api_call *core)
{
	static const char *const not_in_digest[] = {"ClientToken", "DryRun", 0};
	struct ec2_call *e = ec2_call_of(core);
	const struct ec2_action *a = ec2_action_of(e);
	e->part = a->part;
	TRY(read_version(e));
	TRY(read_dry_run(e));
	TRY(api_new_args(core, 1, a->args.size));
	const struct params_dialect *dialect = e->is_sts ? &request_sts_dialect : &request_ec2_dialect;
	TRY(request_read(e->c, dialect, &a->args, common_params, &e->pairs, e->args));
	char *args = e->args;
	if (a->digest)
		*(struct str *) (void *) (args + a->digest - 1) =
			pairs_digest(e->c, &e->pairs, not_in_digest);
	if (a->prepare)
		TRY(a->prepare(e, e->args));
	if (!a->tag_type)
		return OK;
	return ec2_take_tags(e, (const struct ec2_tag_specs *) (void *) (args + a->tag_specs), a->tag_type,
			     a->tag_type, (struct tags *) (void *) (args + a->tags));
}

/* ---- answers ---- */

static RESULT write_members(struct ec2_call *e, struct xml *x)
{
	const struct ec2_action *a = ec2_action_of(e);
	if (a->list)
		return ec2_describe(e, a->list, e->args, x);
	if (a->answer)
		return a->answer(e, e->args, x);
	if (a->shows)
		return ec2_write_returned(e, a->shows,
					  *(const uuid *) (const void *) ((const char *) e->args + a->shown),
					  a->element, x);
	xml_z(x, "return", "true");
	return OK;
}

static RESULT write_ec2_answer(struct ec2_call *e, struct xml *x)
{
	const char *root = str_to_z(e->c->arena, str_print(e->c->arena, "%sResponse", e->action->name));
	xml_open_ns(
		x, root,
		str_print(e->c->arena, "http://ec2.amazonaws.com/doc/%" STR_FMT "/", STR_ARG(e->version)));
	xml_text(x, "requestId", e->c->request_id);
	TRY(write_members(e, x));
	xml_close(x, root);
	return OK;
}

static RESULT write_sts_result(struct api_call *core, struct xml *x)
{
	return write_members(ec2_call_of(core), x);
}

static RESULT write_sts_answer(struct ec2_call *e, struct xml *x)
{
	struct str name_space =
		str_print(e->c->arena, "https://sts.amazonaws.com/doc/%" STR_FMT "/", STR_ARG(e->version));
	return query_write_answer(&e->core, x, name_space, write_sts_result);
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct ec2_call *e = ec2_call_of(core);
	struct xml x;
	xml_begin(&x, body);
	TRY(e->action->flags & EC2_OF_STS ? write_sts_answer(e, &x) : write_ec2_answer(e, &x));
	return xml_end(&x);
}

static struct str digest(struct api_call *core)
{
	static const char *const none[] = {0};
	if (core->action->flags & (API_WRITES | API_OBSERVES | EC2_OF_STS | API_CHANGES_BY_TIME) ||
	    core->is_dry)
		return STR_NONE;
	return pairs_digest(core->c, &ec2_call_of(core)->pairs, none);
}

static void view_opened(struct api_call *core)
{
	struct ec2_call *e = ec2_call_of(core);
	e->domain = engine_get_domain_name(e->view.tables, e->c->arena);
	e->public_domain = engine_get_public_domain_name(e->view.tables, e->c->arena);
}

static bool send_gathered(struct api_call *core, struct buf *body, struct result *ret_result)
{
	struct ec2_call *e = ec2_call_of(core);
	const struct ec2_fragments fragments = {e->fragments.at, e->fragments.count};
	if (!fragments.count)
		return false;
	*ret_result = ec2_answer_gathered(e->call, core->protocol->content_type, body, &fragments,
					  e->cached.at, e->cached.count);
	if (result_is_ok(*ret_result))
		e->cached.count = 0; /* the answer releases them */
	return true;
}

static void end_answer(struct api_call *core)
{
	ec2_drop_cached(ec2_call_of(core));
}

const struct api_protocol ec2_protocol = {
	.name = "ec2",
	.content_type = "text/xml;charset=UTF-8",
	.face_size = sizeof(struct ec2_face),
	.call_size = sizeof(struct ec2_call),
	.groups = &ec2_action_groups,
	.errors = &ec2_errors,
	.open = ec2_open,
	.close = ec2_close,
	.begin = ec2_begin_call,
	.find = ec2_find,
	.describe_permission = describe_permission,
	.describe_audit = describe_audit,
	.prepare = prepare,
	.view_opened = view_opened,
	.digest = digest,
	.write = write_answer,
	.send = send_gathered,
	.end_answer = end_answer,
	.word_problem = ec2_word_problem,
	.write_problem = ec2_write_problem,
};
