/* SPDX-License-Identifier: Apache-2.0
 * Compares codes_known.def and left_out.def with the table of errors. */
#include "api/ec2/core/codes.h"

#include "api/ec2/core/errors.h"

static const struct ec2_code codes[] = {
#define CODE(code, actions) {code, actions, KIND_NONE},
#define CODE_OF(code, kind) {code, NULL, KIND_##kind},
#include "api/ec2/core/codes_known.def"
#undef CODE
#undef CODE_OF
};

enum { CODE_COUNT = sizeof codes / sizeof codes[0] };

static const struct {
	const char *pattern, *why;
} left_out[] = {
#define LEFT_OUT(pattern, what, why)
#define LEFT_OUT_CODE(pattern, why) {pattern, why},
#include "api/ec2/core/left_out.def"
#undef LEFT_OUT
#undef LEFT_OUT_CODE
};

enum { LEFT_OUT_COUNT = sizeof left_out / sizeof left_out[0] };

/* Codes that no row of the table has: those of a query whose action was not found, and those of a single
 * item in an answer. */
static const char elsewhere[] =
	"ExistingVpcEndpointConnections|InstanceCreditSpecification.NotSupported|InvalidAction|"
	"InvalidVpcEndpoint.NotFound|InvalidVpcEndpointService.NotFound|"
	"MalformedQueryString|MissingAction|NoSuchVersion";

const struct ec2_code *ec2_list_codes(size_t *ret_count)
{
	*ret_count = CODE_COUNT;
	return codes;
}

bool ec2_is_answered_code(const char *code)
{
	for (size_t k = 0; k < ec2_errors.count; k++)
		if (strcmp(ec2_errors.at[k].code, code) == 0)
			return true;
	for (int fault = SIGV4_FINE + 1; fault <= SIGV4_SCOPE; fault++)
		if (strcmp(ec2_faults[fault].code, code) == 0)
			return true;
	return params_has_word(elsewhere, str_from(code));
}

const char *ec2_why_no_code(const char *code)
{
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++)
		if (str_matches(str_from(code), str_from(left_out[k].pattern)))
			return left_out[k].why;
	return NULL;
}

static bool takes_kind(const struct params *table, enum kind kind)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		bool is_id = (p->type == PARAM_ID || p->type == PARAM_IDS) && !param_prefix(p);
		if ((is_id && (p->kind == kind || p->flags & ANY_KIND)) ||
		    (param_sub(p) && takes_kind(param_sub(p), kind)))
			return true;
	}
	return false;
}

bool ec2_concerns_code(const struct ec2_action *action, const struct ec2_code *code)
{
	if (action->flags & EC2_OF_STS)
		return false;
	if (!code->actions)
		return takes_kind(&action->args, code->kind);
	struct str rest = str_from(code->actions), pattern;
	while (str_split_next(&rest, '|', &pattern))
		if (str_matches(str_from(action->name), pattern))
			return true;
	return false;
}

static bool is_common(const struct ec2_code *code)
{
	return code->actions && strcmp(code->actions, "*") == 0;
}

static void dump_some(struct json_writer *w, const char *key, const struct ec2_action *action, bool answered)
{
	json_write_open_list(w, key);
	for (size_t k = 0; k < CODE_COUNT; k++) {
		bool concerns = action ? !is_common(&codes[k]) && ec2_concerns_code(action, &codes[k])
				       : is_common(&codes[k]);
		if (concerns && ec2_is_answered_code(codes[k].code) == answered)
			json_write_z(w, NULL, codes[k].code);
	}
	json_write_close_list(w);
}

void ec2_dump_codes(struct json_writer *w, const struct ec2_action *action)
{
	dump_some(w, "codes", action, true);
	dump_some(w, "codes_left_out", action, false);
}

void ec2_dump_left_out_codes(struct json_writer *w)
{
	json_write_open_list(w, "left_out_codes");
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++) {
		if (k && strcmp(left_out[k - 1].why, left_out[k].why) == 0)
			continue; /* another pattern of the same reason */
		json_write_open(w, NULL);
		json_write_z(w, "why", left_out[k].why);
		json_write_open_list(w, "codes");
		for (size_t n = 0; n < CODE_COUNT; n++) {
			const char *why =
				ec2_is_answered_code(codes[n].code) ? NULL : ec2_why_no_code(codes[n].code);
			if (why && strcmp(why, left_out[k].why) == 0)
				json_write_z(w, NULL, codes[n].code);
		}
		json_write_close_list(w);
		json_write_close(w);
	}
	json_write_close_list(w);
}
