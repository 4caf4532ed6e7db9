/* SPDX-License-Identifier: Apache-2.0
 * The audit log, newest record first. For administrators. Records are read from SQL, so on a lane.
 * `dari log audit` prints the log in its order, and verifies its chain.
 */
#include "api/native/write.h"

#include "base/vec.h"
#include "store/audit.h"

enum { RECORDS = 100, RECORDS_MAX = 1000, SCANNED_MAX = 20000 };

struct log_args {
	struct str account, user, action, outcome;
	int64_t from_us, to_us, before, limit;
	/* results: */
	VEC(struct audit_record) found;
	struct ctx *c;
	size_t scanned;
	int64_t last; /* number of the last scanned record */
	bool is_over; /* no older record can match */
};
#define Q(name, member, ...) PARAM(struct log_args, name, member, .place = IN_QUERY, __VA_ARGS__)
static const struct param log_params[] = {
	Q("account", account, .max = 64, .doc = "Number of the caller's account."),
	Q("user", user, .max = 255, .doc = "The caller: name, or id of 32 digits."),
	Q("action", action, .max = 255,
	  .doc = "iam:CreateAccessKey, or a permission such as access_key.create; * stands for any "
		 "characters."),
	Q("outcome", outcome, .max = 255,
	  .doc = "Outcome: ok, failed, DENIED and such, or the code of the answer."),
	Q("from", from_us, .min = 0, .max = INT64_MAX, .doc = "From this time on, in microseconds."),
	Q("to", to_us, .min = 0, .max = INT64_MAX, .doc = "Before this time."),
	Q("before", before, .min = 1, .max = INT64_MAX, .doc = "Position from the previous page."),
	Q("limit", limit, .min = 1, .max = RECORDS_MAX, .doc = "Maximum number of records; absent: 100."),
};

/* True if either text is the wanted one, or none is wanted. */
static bool is_either(struct str wanted, struct str one, struct str other)
{
	return !wanted.n || str_equal_nocase(wanted, one) || str_equal_nocase(wanted, other) ||
	       str_matches(one, wanted) || str_matches(other, wanted);
}

static bool has_outcome(struct str wanted, const struct audit_record *r)
{
	struct str outcome = r->texts[AUDIT_OUTCOME];
	return str_is(wanted, "failed") ? !str_is(outcome, "ok")
					: is_either(wanted, outcome, r->texts[AUDIT_CODE]);
}

static bool is_wanted(const struct log_args *a, const struct audit_record *r)
{
	return (!a->to_us || r->at_us < a->to_us) &&
	       is_either(a->account, r->texts[AUDIT_ACCOUNT], r->texts[AUDIT_ACCOUNT]) &&
	       is_either(a->user, r->texts[AUDIT_USER_NAME], r->texts[AUDIT_USER]) &&
	       is_either(a->action, r->texts[AUDIT_ACTION], r->texts[AUDIT_PERMISSION]) &&
	       has_outcome(a->outcome, r);
}

/* FAIL(CONFLICT) ends the reading: the page is full, or the times are over. */
static RESULT take_record(void *arg, const struct audit_record *r)
{
	struct log_args *a = arg;
	struct audit_record copy = *r;
	a->is_over = r->at_us < a->from_us;
	if (a->is_over || a->found.count == (size_t) a->limit)
		return FAIL(CONFLICT);
	a->scanned++;
	a->last = r->seq;
	if (!is_wanted(a, r))
		return OK;
	for (int n = 0; n < AUDIT_TEXT_COUNT; n++)
		copy.texts[n] = str_copy(a->c->arena, r->texts[n]);
	return VEC_PUSH(a->c->arena, &a->found, copy) ? OK : ctx_no_memory(a->c);
}

static RESULT read_log(struct work_item *w)
{
	struct native_call *e = w->arg;
	struct log_args *a = e->args;
	a->c = e->c;
	a->limit = a->limit ? a->limit : RECORDS;
	struct result result = store_read_audit_back(
		e->config->store, e->c, a->before ? a->before : INT64_MAX, SCANNED_MAX, take_record, a);
	bool is_full = result.code == ERR_CONFLICT;
	a->is_over = a->is_over || (!is_full && a->scanned < SCANNED_MAX);
	return is_full ? OK : result;
}

static RESULT answer_log(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct log_args *a = args;
	(void) e;
	json_write_open_list(w, "items");
	for (size_t k = 0; k < a->found.count; k++) {
		const struct audit_record *r = &a->found.at[k];
		json_write_open(w, NULL);
		json_write_int(w, "seq", r->seq);
		json_write_int(w, "at_us", r->at_us);
		json_write_int(w, "count", r->count);
		for (int n = 0; n < AUDIT_TEXT_COUNT; n++)
			if (r->texts[n].n)
				json_write_text(w, audit_names[n], r->texts[n]);
		json_write_close(w);
	}
	json_write_close_list(w);
	if (!a->is_over)
		json_write_int(w, "next", a->last);
	return OK;
}

static const struct native_action actions[] = {
	{HTTP_GET, "/audit-log", .name = "ListAuditLog", .permit = "cloudtrail:LookupEvents",
	 .flags = NATIVE_ADMIN | NATIVE_UNSCOPED, .args = PARAMS(struct log_args, log_params),
	 .work = read_log, .answer = answer_log,
	 .doc = "Lists the audit log: calls that read or change secrets, or change permissions; newest "
		"first."},
};
const struct api_actions native_audit_log_actions = API_ACTIONS(actions);
