/* SPDX-License-Identifier: Apache-2.0
 * Implements ACM's protocol for api/core: one path, a header that names the action, JSON in and out. */
#include "api/acm/acm.h"

#include "api/acm/internal.h"
#include "api/core/dump.h"
#include "engine/resolve.h"

bool acm_has_call(const struct call *call)
{
	return target_is_for(call, "acm");
}

/* ---- ARNs ---- */

struct str acm_write_arn(struct target_call *e, const struct server_certificate *s)
{
	return engine_write_acm_arn(e->c->arena, e->config->region, e->c->who->account_number, &s->row);
}

/* "arn:aws:acm:REGION:ACCOUNT:certificate/ID", of any region and account. */
static bool is_arn(struct str arn)
{
	struct str part = STR_NONE, rest = arn;
	for (size_t k = 0; k < 5; k++) {
		if (!str_split_next(&rest, ':', &part))
			return false;
		if ((k == 0 && !str_is(part, "arn")) || (k == 2 && !str_is(part, "acm")))
			return false;
	}
	return str_starts_with(rest, STR("certificate/"));
}

RESULT acm_find(struct target_call *e, struct str arn, struct ref *ret_ref,
		const struct server_certificate **ret_certificate)
{
	const struct server_certificate *s = NULL;
	*ret_ref = (struct ref){.kind = KIND_SERVER_CERTIFICATE, .text = arn, .field = STR("CertificateArn")};
	if (!is_arn(arn)) {
		struct result failed = ctx_fail_kind(e->c, ERR_INVALID, KIND_SERVER_CERTIFICATE,
						     "Invalid Arn: %" STR_FMT, STR_ARG(arn));
		e->c->problem.field = STR("CertificateArn");
		return failed;
	}
	s = engine_find_acm_arn(target_tables(e), e->c, e->config->region, arn);
	if (!s)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SERVER_CERTIFICATE,
				     "Could not find certificate %" STR_FMT ".", STR_ARG(arn));
	TRY(engine_check_found(e->c, target_tables(e), KIND_SERVER_CERTIFICATE, &s->row));
	ret_ref->prefix = s->row.id;
	ret_ref->bits = 8 * sizeof s->row.id;
	*ret_certificate = s;
	return OK;
}

/* ---- from request to action ---- */

static const struct target_service service = {.prefix = "CertificateManager.",
					      .name = "AWS Certificate Manager"};

static RESULT find(struct api_call *core)
{
	return target_find(core, &service, &target_call_of(core)->body);
}

static const struct api_actions *const groups[] = {&acm_import_actions, &acm_certificate_actions,
						   &acm_list_actions, &acm_tag_actions};
static const struct api_groups action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol acm_protocol = {
	.name = "acm", .groups = &action_groups, .errors = &acm_errors, .find = find, TARGET_PROTOCOL};

/* ---- for the documentation ---- */

void acm_dump_actions(struct buf *out)
{
	target_dump_actions(out, "acm", &action_groups);
}

void acm_write_coverage(struct buf *out)
{
	api_write_coverage(out, &action_groups);
}
