/* SPDX-License-Identifier: Apache-2.0
 * Checks a template before deployment by sending each resource's PUT as a dry run (is_dry of
 * api/core/action.h). Failures are reported, unless they concern a resource that the template creates first.
 * Skips requests that depend on runtime expressions. Source: Azure Resource Manager, "Preflight validation"
 * and "Troubleshoot common Azure deployment errors", InvalidTemplateDeployment.
 */
#include "api/azure/deployments/deployments.h"

#include "api/azure/core/action.h"

static bool contains(struct str text, struct str part)
{
	for (size_t k = 0; part.n && k + part.n <= text.n; k++)
		if (str_equal_nocase(str_slice(text, k, k + part.n), part))
			return true;
	return false;
}

/* True if the failure names a resource that the template itself makes. */
static bool is_of_template(struct az_call *e, const struct deployment_wish *wish, struct str message)
{
	static const char mark[] = "/providers/";
	for (size_t k = 0; k < wish->step_count; k++) {
		const struct deployment_step *s = &wish->steps[k];
		const char *tail = memmem(s->target.p, s->target.n, mark, sizeof mark - 1);
		struct str named = tail ? str_from(str_to_z(e->c->arena, s->target) + (tail - s->target.p) +
						   sizeof mark - 1)
					: s->target;
		if (contains(message, s->target) || contains(message, named) ||
		    contains(message, str_print(e->c->arena, "'%" STR_FMT "'", STR_ARG(s->target_name))))
			return true;
	}
	return false;
}

static bool is_absence(struct str code)
{
	static const char *const codes[] = {"ResourceNotFound", "ParentResourceNotFound",
					    "InvalidResourceReference"};
	for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++)
		if (str_is(code, codes[k]))
			return true;
	return false;
}

static RESULT fail(struct az_call *e, const struct deployment_wish *wish, const struct deployment_step *s,
		   struct str code, struct str message)
{
	static const struct api_error invalid = {ERR_INVALID, 0, 400, "InvalidTemplateDeployment"};
	char tracking[UUID_TEXT_SIZE];
	e->error = &invalid;
	e->detail = str_to_z(e->c->arena, code);
	e->outer = str_print(
		e->c->arena,
		"The template deployment '%" STR_FMT
		"' is not valid according to the validation procedure. The tracking id is '%s'. See "
		"inner errors for details.",
		STR_ARG(wish->row.name), uuid_write(wish->row.correlation, tracking));
	return ctx_fail_field(e->c, ERR_INVALID, s->target, "%" STR_FMT, STR_ARG(message));
}

static RESULT try_one(struct az_call *e, const struct deployment_wish *wish, struct template *t, size_t k)
{
	const struct deployment_step *s = &wish->steps[k];
	json_t *made = NULL;
	json_auto_t *answer = NULL;
	struct str text = STR_NONE;
	int status = 0;
	TRY(template_make_body(t, k, true, &made));
	TRY(deployment_write_json(e->c, made, &text));
	if (str_contains(text, STR("\"["))) /* an expression that is evaluated later */
		return OK;
	TRY(deployer_try(e, s->target, s->version, text, &status, &answer));
	const json_t *error = template_get(answer, "error");
	struct str code = str_from(json_string_value(template_get(error, "code")));
	struct str message = str_from(json_string_value(template_get(error, "message")));
	const json_t *detail = json_array_get(template_get(error, "details"), 0);
	if (status < 400 || status >= 500 || status == 412 || status == 429 || !code.n ||
	    (is_absence(code) && is_of_template(e, wish, message)))
		return OK;
	if (detail) {
		code = str_from(json_string_value(template_get(detail, "code")));
		message = str_from(json_string_value(template_get(detail, "message")));
	}
	return fail(e, wish, s, code, str_copy(e->c->arena, message));
}

RESULT deployment_preflight(struct az_call *e, struct template *t, const struct deployment_wish *wish)
{
	for (size_t k = 0; k < wish->step_count; k++) {
		const struct deployment_step *s = &wish->steps[k];
		bool is_nested = str_equal_nocase(s->target_type, STR("Microsoft.Resources/deployments"));
		if (!s->is_left_out && s->act == DEPLOYMENT_OPERATION_ACT_CREATE && !is_nested)
			TRY(try_one(e, wish, t, k));
	}
	return OK;
}
