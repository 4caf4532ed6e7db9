/* SPDX-License-Identifier: Apache-2.0
 * ARNs and names of ELBv2. */
#include "api/elb/internal.h"
#include "engine/people/credential/acm_certificate.h"
#include "engine/resolve.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/server_certificate.h"
#include "store/target_group.h"

/* ---- ARNs ---- */

struct str elb_arn(struct elb_call *e, enum kind kind, const struct row *row)
{
	return engine_write_balancing_arn(elb_tables(e), e->c->arena, e->config->region,
					  e->c->who->account_number, kind, row);
}

struct str elb_arn_of(struct elb_call *e, enum kind kind, uuid id)
{
	const struct row *row = tables_find(elb_tables(e), kind, id);
	return row ? elb_arn(e, kind, row) : STR_NONE;
}

/* Kinds with ARNs: the part behind the account, and the service's word. */
static const struct arn_form {
	enum kind kind;
	const char *part, *word;
} forms[] = {
	{KIND_ELASTIC_LOAD_BALANCER, "loadbalancer/", "load balancer"},
	{KIND_LISTENER, "listener/", "listener"},
	{KIND_LISTENER_RULE, "listener-rule/", "listener rule"},
	{KIND_TARGET_GROUP, "targetgroup/", "target group"},
};
enum { FORMS = sizeof forms / sizeof forms[0] };

/* The part behind the account; empty: it is no ARN of this service. */
static struct str part_of(struct str arn)
{
	struct str rest = arn, piece = STR_NONE;
	static const char *const begin[] = {"arn", "aws", "elasticloadbalancing"};
	for (size_t k = 0; k < 5; k++)
		if (!str_split_next(&rest, ':', &piece) || (k < 3 && !str_is(piece, begin[k])))
			return STR_NONE;
	return rest;
}

RESULT elb_find(struct elb_call *e, enum kind kind, struct str arn, const char *field, struct ref *ret_ref)
{
	size_t k = 0;
	while (k + 1 < FORMS && forms[k].kind != kind)
		k++;
	if (!str_starts_with(part_of(arn), str_from(forms[k].part)))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
				      "'%" STR_FMT "' is not a valid %s ARN", STR_ARG(arn), forms[k].word);
	*ret_ref =
		(struct ref){.kind = kind, .text = arn, .field = str_from(field), .bits = 8 * sizeof(uuid)};
	const struct row *row = engine_find_balancing_arn(elb_tables(e), e->c, e->config->region, kind, arn);
	if (!row)
		return engine_fail_not_found(e->c, kind, ret_ref);
	ret_ref->prefix = row->id;
	return OK;
}

RESULT elb_find_any(struct elb_call *e, struct str arn, const char *field, struct ref *ret_ref)
{
	struct str part = part_of(arn);
	size_t k = 0;
	while (k + 1 < FORMS && !str_starts_with(part, str_from(forms[k].part)))
		k++;
	if (!str_starts_with(part, str_from(forms[k].part)))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "'%" STR_FMT "' is not a valid ARN",
				      STR_ARG(arn));
	return elb_find(e, forms[k].kind, arn, field, ret_ref);
}

/* ---- certificates of IAM and ACM ---- */

struct str elb_certificate_arn(struct elb_call *e, uuid certificate)
{
	const struct server_certificate *s = server_certificate_find(elb_tables(e), certificate);
	return s ? engine_write_certificate_arn(e->c->arena, e->config->region, e->c->who->account_number, s)
		 : STR_NONE;
}

RESULT elb_find_certificate(struct elb_call *e, struct str arn, struct ref *ret_ref)
{
	const struct server_certificate *s = engine_find_acm_arn(elb_tables(e), e->c, e->config->region, arn);
	if (!s)
		s = server_certificate_first_by_account(elb_tables(e), e->c->who->account);
	while (s && (s->service == SERVER_CERTIFICATE_SERVICE_OCTAVIA ||
		     !str_equal(elb_certificate_arn(e, s->row.id), arn)))
		s = server_certificate_next_by_account(elb_tables(e), s);
	*ret_ref = (struct ref){.kind = KIND_SERVER_CERTIFICATE, .text = arn, .field = STR("Certificates")};
	if (!s)
		return engine_fail_not_found(e->c, KIND_SERVER_CERTIFICATE, ret_ref);
	ret_ref->prefix = s->row.id;
	ret_ref->bits = 8 * sizeof s->row.id;
	return OK;
}

/* ---- names ---- */

/* ELBv2 words the names of its two kinds of resources differently. */
static RESULT fail_name(struct elb_call *e, struct str name, bool is_group, const char *words)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("Name"), "%s name '%" STR_FMT "' %s",
			      is_group ? "Target group" : "The load balancer", STR_ARG(name), words);
}

RESULT elb_check_name(struct elb_call *e, struct str name, bool is_group)
{
	bool is_good = true;
	for (size_t k = 0; k < name.n; k++)
		is_good = is_good && (str_is_alphanumeric(name.p[k]) || name.p[k] == '-');
	if (name.n > BALANCING_NAME_MAX)
		return fail_name(e, name, is_group, "cannot be longer than '32' characters");
	if (!is_good)
		return fail_name(
			e, name, is_group,
			is_group
				? "can only contain characters that are alphanumeric characters or hyphens(-)"
				: "can only contain characters that are alphanumeric characters and "
				  "hyphens(-)");
	return name.p[0] == '-' || name.p[name.n - 1] == '-'
		       ? fail_name(e, name, is_group, "cannot begin or end with '-'")
		       : OK;
}
