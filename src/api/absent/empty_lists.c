/* SPDX-License-Identifier: Apache-2.0
 * Empty lists of absent services, for tools that audit a whole account. The signature is checked as for any list of AWS's. Parameters are
 * not read: nothing is ever created, so no filter could select anything. */
#include "api/absent/internal.h"
#include "base/json_write.h"
#include "base/xml.h"

struct empty_list {
	const char *service, *key, *version, *member;
};
static const struct empty_list lists[] = {
#define EMPTY(service, key, version, member) {service, key, version, member},
#include "api/absent/empty_lists.def"
#undef EMPTY
};

/* ---- which list ---- */

/* Value of a parameter of the query or of a form's body. */
static struct str find_parameter(const struct call *call, const char *name)
{
	const struct str texts[] = {call->query, call->body};
	for (size_t k = 0; k < sizeof texts / sizeof texts[0]; k++) {
		struct str rest = texts[k], pair;
		while (str_split_next(&rest, '&', &pair)) {
			size_t gap = str_find_char(pair, '=', 0);
			if (str_is(str_slice(pair, 0, gap), name))
				return str_slice(pair, gap + (gap < pair.n), pair.n);
		}
	}
	return STR_NONE;
}

/* "CloudTrail_20131101.DescribeTrails" → "DescribeTrails" */
static struct str behind_dot(struct str target)
{
	size_t at = target.n;
	while (at && target.p[at - 1] != '.')
		at--;
	return str_slice(target, at, target.n);
}

/* "GET /2015-03-31/functions": a slash at the end is not said. */
static struct str method_and_path(struct absent_call *e)
{
	struct str path = e->call->path;
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	return str_print(e->c->arena, "%" STR_FMT " %" STR_FMT, STR_ARG(e->call->method_name), STR_ARG(path));
}

const struct empty_list *absent_find_list(struct absent_call *e)
{
	struct str target = call_header(e->call, "X-Amz-Target"), version = STR_NONE;
	if (e->form == CBOR || e->form == REST_XML) /* no list of the table has these forms */
		return NULL;
	if (e->form == QUERY) {
		e->operation = find_parameter(e->call, "Action");
		version = find_parameter(e->call, "Version");
	} else {
		e->operation = target.n ? behind_dot(target) : method_and_path(e);
	}
	for (size_t k = 0; k < sizeof lists / sizeof lists[0]; k++)
		if (str_is(e->service, lists[k].service) && str_is(e->operation, lists[k].key) &&
		    (!lists[k].version || e->form != QUERY || str_is(version, lists[k].version)))
			return &lists[k];
	return NULL;
}

/* ---- the answer ---- */

static RESULT write_query(struct absent_call *e, struct buf *body)
{
	struct str name = e->operation, name_space = str_from(e->row ? e->row->name_space : "");
	const char *response =
		str_to_z(e->c->arena, str_print(e->c->arena, "%" STR_FMT "Response", STR_ARG(name)));
	const char *result =
		str_to_z(e->c->arena, str_print(e->c->arena, "%" STR_FMT "Result", STR_ARG(name)));
	struct xml x;
	if (!response || !result)
		return ctx_no_memory(e->c);
	if (e->list->version) /* "…/doc/2012-06-01/" */
		name_space = str_print(e->c->arena, "http://%" STR_FMT ".amazonaws.com/doc/%s/",
				       STR_ARG(e->service), e->list->version);
	xml_begin(&x, body);
	xml_open_ns(&x, response, name_space);
	xml_open(&x, result);
	if (*e->list->member) {
		xml_open(&x, e->list->member);
		xml_close(&x, e->list->member);
	}
	xml_close(&x, result);
	xml_open(&x, "ResponseMetadata");
	xml_text(&x, "RequestId", e->c->request_id);
	xml_close(&x, "ResponseMetadata");
	xml_close(&x, response);
	return xml_end(&x);
}

static RESULT write_buckets(struct absent_call *e, struct buf *body)
{
	struct xml x;
	xml_begin(&x, body);
	xml_open_ns(&x, "ListAllMyBucketsResult", STR("http://s3.amazonaws.com/doc/2006-03-01/"));
	xml_open(&x, "Owner");
	xml_text(&x, "ID", e->c->who->account_number);
	xml_close(&x, "Owner");
	xml_open(&x, e->list->member);
	xml_close(&x, e->list->member);
	xml_close(&x, "ListAllMyBucketsResult");
	return xml_end(&x);
}

static RESULT write_json(struct absent_call *e, struct buf *body)
{
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	if (*e->list->member) {
		json_write_open_list(&w, e->list->member);
		json_write_close_list(&w);
	}
	json_write_close(&w);
	return json_write_end(&w);
}

RESULT absent_write_list(struct absent_call *e, struct buf *body)
{
	return e->form == QUERY ? write_query(e, body)
	       : e->form == S3  ? write_buckets(e, body)
				: write_json(e, body);
}
