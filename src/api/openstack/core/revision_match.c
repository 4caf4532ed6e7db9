/* SPDX-License-Identifier: Apache-2.0
 * Implements Neutron's If-Match: "revision_number=N" for PUT and DELETE. The change fails if the row
 * changed since the caller read it. The other services have no conditional headers. Source: Neutron,
 * check_request_for_revision_constraint(). */
#include "api/openstack/core/face.h"

static RESULT fail_format(struct os_call *e, const char *says)
{
	return ctx_fail_field(e->c, ERR_INVALID, STR("If-Match"), "Bad if-match request: %s.", says);
}

/* Takes the next entity tag without its quotes; a header without quotes is one tag. */
static bool next_tag(struct str *rest, struct str *ret_tag)
{
	size_t start = str_find_char(*rest, '"', 0), end = str_find_char(*rest, '"', start + 1);
	if (!rest->n)
		return false;
	bool is_quoted = start < rest->n && end < rest->n;
	*ret_tag = is_quoted ? str_slice(*rest, start + 1, end) : str_trim(*rest);
	*rest = is_quoted ? str_slice(*rest, end + 1, rest->n) : STR_NONE;
	return true;
}

/* Returns the path parameter of the row to change: the last one that is an id. */
static const struct param *find_subject(const struct os_action *a)
{
	const struct param *found = NULL;
	for (size_t k = 0; k < a->args.count; k++)
		if (a->args.at[k].place == IN_PATH && a->args.at[k].kind != KIND_NONE)
			found = &a->args.at[k];
	return found;
}

static RESULT check(struct os_call *e, const struct tables *t)
{
	const struct param *subject = find_subject(os_action_of(e));
	struct ref ref;
	if (!subject || !os_parse_id(pairs_find(&e->request.path, subject->wire), subject->kind, &ref))
		return OK;
	const struct row *row = tables_find(t, subject->kind, ref.prefix);
	if (!row || (int64_t) row->gen == e->revision || !engine_may_see(e->c, subject->kind, row))
		return OK; /* the operation reports absent and hidden rows */
	return ctx_fail_field(e->c, ERR_CONFLICT, STR("If-Match"),
			      "Constrained to %lld, but current revision is %llu", (long long) e->revision,
			      (unsigned long long) row->gen);
}

RESULT os_read_revision(struct os_call *e)
{
	enum http_method method = os_action_of(e)->method;
	struct str rest = call_header(e->call, "If-Match"), tag;
	if (e->service != OS_NETWORK || (method != HTTP_PUT && method != HTTP_DELETE))
		return OK;
	while (next_tag(&rest, &tag)) {
		if (!str_starts_with(tag, STR("revision_number=")))
			continue;
		if (e->has_revision)
			return fail_format(e, "Multiple revision_number etags are not supported");
		if (!result_is_ok(
			    str_parse_int(str_slice(tag, strlen("revision_number="), tag.n), &e->revision)))
			return fail_format(
				e, "Revision number etag must be in the format of revision_number=<int>");
		e->has_revision = true;
	}
	return e->has_revision ? check(e, os_tables(e)) : OK;
}

/* Checks again inside the change: another call may have changed the row after os_read_revision() looked. */
RESULT os_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred)
{
	struct os_call *e = os_call_of(core);
	(void) ret_is_deferred;
	return e->has_revision ? check(e, op->head) : OK;
}
