/* SPDX-License-Identifier: Apache-2.0
 * Credential report: a CSV table of the account's users with the state of their passwords, access keys and signing
 * certificates. GenerateCredentialReport makes it at once and keeps it for four hours, as AWS does; until then it
 * answers COMPLETE and changes nothing. Source of the columns: IAM User Guide, "Getting credential reports". The
 * guide's column additional_credentials_info is for users with more than two keys or certificates; AWS's reports
 * have 22 columns as here. */
#include <stdlib.h>

#include "api/iam/internal.h"
#include "base/clock.h"
#include "base/vec.h"
#include "engine/people/credential/credential_report.h"
#include "engine/people/credential/password_policy.h"
#include "store/access_key.h"
#include "store/credential_report.h"
#include "store/public_credential.h"
#include "store/user.h"

enum { KEYS_SHOWN = 2, CERTIFICATES_SHOWN = 2 };

static const char columns[] =
	"user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,"
	"password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,"
	"access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,"
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
	"access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,"
	"cert_2_active,cert_2_last_rotated";

static void add_time(struct buf *b, int64_t time_us, const char *none)
{
	char text[CLOCK_TEXT_SIZE];
	if (!time_us) {
		buf_print(b, ",%s", none);
		return;
	}
	buf_print(b, ",%s", clock_write_s(time_us, text));
}

/* Quotes a text that CSV would split: names may contain commas, and paths quotation marks. */
static void add_text(struct buf *b, struct str text)
{
	bool is_plain = true;
	for (size_t k = 0; k < text.n; k++)
		is_plain = is_plain && !strchr(",\"\r\n", text.p[k]);
	if (is_plain) {
		buf_add_str(b, text);
		return;
	}
	buf_add_char(b, '"');
	for (size_t k = 0; k < text.n; k++) {
		if (text.p[k] == '"')
			buf_add_char(b, '"');
		buf_add_char(b, text.p[k]);
	}
	buf_add_char(b, '"');
}

static void add_key(struct iam_call *e, struct buf *b, const struct access_key *key)
{
	const struct last_use stored = {.id = key ? key->row.id : UUID_NONE,
					.at_us = key ? key->last_used_us : 0,
					.service = key ? key->last_used_service : STR_NONE,
					.region = key ? key->last_used_region : STR_NONE};
	struct last_use use = key ? last_used_find(e->config->uses, e->c->arena, &stored) : stored;
	buf_print(b, ",%s", key && key->enabled ? "true" : "false");
	add_time(b, key ? key->row.created_us : 0, "N/A");
	add_time(b, use.at_us, "N/A");
	if (use.at_us)
		buf_print(b, ",%" STR_FMT ",%" STR_FMT, STR_ARG(use.region), STR_ARG(use.service));
	else
		buf_print(b, ",N/A,N/A");
}

/* Adds the user's keys for this account; other accounts may have issued keys to the user as well. */
static void add_keys(struct iam_call *e, struct buf *b, const struct user *user)
{
	const struct access_key *k = access_key_first_by_user(iam_tables(e), user->row.id);
	for (int shown = 0; shown < KEYS_SHOWN; shown++) {
		while (k && !(row_is_live(&k->row) && uuid_equal(k->account, e->c->who->account)))
			k = access_key_next_by_user(iam_tables(e), k);
		add_key(e, b, k);
		k = k ? access_key_next_by_user(iam_tables(e), k) : NULL;
	}
}

/* Adds the user's signing certificates, the oldest first. */
static void add_certificates(struct iam_call *e, struct buf *b, const struct user *user)
{
	const struct public_credential *shown[CERTIFICATES_SHOWN] = {0};
	const struct public_credential *p = public_credential_first_by_user(iam_tables(e), user->row.id);
	for (; p; p = public_credential_next_by_user(iam_tables(e), p)) {
		if (p->type != PUBLIC_CREDENTIAL_TYPE_CERTIFICATE)
			continue;
		bool is_first = !shown[0] || p->row.created_us < shown[0]->row.created_us;
		shown[1] = is_first ? shown[0] : p;
		shown[0] = is_first ? p : shown[0];
	}
	for (size_t k = 0; k < CERTIFICATES_SHOWN; k++) {
		buf_print(b, ",%s", shown[k] && shown[k]->enabled ? "true" : "false");
		add_time(b, shown[k] ? shown[k]->row.created_us : 0, "N/A");
	}
}

static void add_user(struct iam_call *e, struct buf *b, const struct user *user)
{
	bool has_password = user->password_hash.n > 0;
	const struct last_use stored = {.id = user->row.id, .at_us = user->password_used_us};
	const struct last_use use = last_used_find(e->config->uses, e->c->arena, &stored);
	struct str root =
		str_print(e->c->arena, "arn:aws:iam::%" STR_FMT ":root", STR_ARG(e->c->who->account_number));
	struct str name = user->is_owner ? STR("<root_account>") : user->name;
	struct str arn = user->is_owner ? root : iam_arn(e, KIND_USER, &user->row);
	buf_add_char(b, '\n');
	add_text(b, name);
	buf_add_char(b, ',');
	add_text(b, arn);
	add_time(b, user->row.created_us, "N/A");
	buf_print(b, ",%s", has_password ? "true" : "false");
	/* AWS's root user always has a password: audits read "no_information" or a time in its row, never "N/A". */
	add_time(b, has_password ? use.at_us : 0, has_password || user->is_owner ? "no_information" : "N/A");
	int64_t changed_us = user->password_changed_us ? user->password_changed_us : user->password_set_us;
	add_time(b, has_password ? changed_us : 0, "N/A");
	add_time(b, user->is_owner ? 0 : engine_password_expiry(iam_tables(e), user),
		 user->is_owner ? "not_supported" : "N/A");
	buf_print(b, ",%s", user_usage(user)->second_factors ? "true" : "false");
	add_keys(e, b, user);
	add_certificates(e, b, user);
}

/* The root user first, the others by name in any letter case. */
static int compare_users(const void *a, const void *b)
{
	const struct user *x = *(const struct user *const *) a, *y = *(const struct user *const *) b;
	return x->is_owner != y->is_owner ? y->is_owner - x->is_owner : str_compare_nocase(x->name, y->name);
}

static RESULT write_report(struct iam_call *e, struct str *ret_report)
{
	VEC(const struct user *) users = {0};
	struct buf report;
	const struct user *u = user_first_by_owner(iam_tables(e), e->c->who->account);
	for (; u; u = user_next_by_owner(iam_tables(e), u))
		if (row_is_live(&u->row) && !VEC_PUSH(e->c->arena, &users, u))
			return ctx_no_memory(e->c);
	if (users.count)
		qsort(users.at, users.count, sizeof users.at[0], compare_users);
	buf_init(&report, BUF_ANSWER_CAP);
	buf_print(&report, "%s", columns);
	for (size_t k = 0; k < users.count; k++)
		add_user(e, &report, users.at[k]);
	struct result result = buf_finish(&report);
	*ret_report = result_is_ok(result) ? str_copy(e->c->arena, buf_str(&report)) : STR_NONE;
	buf_done(&report);
	if (result_is_ok(result) && !ret_report->p)
		return ctx_no_memory(e->c);
	return result;
}

static const struct credential_report *find_report(struct iam_call *e)
{
	return credential_report_first_by_account(iam_tables(e), e->c->who->account);
}

static bool is_old(const struct credential_report *report)
{
	return clock_now_us() - report->made_us >= CREDENTIAL_REPORT_US;
}

static RESULT prepare_report(struct iam_call *e, void *args)
{
	struct credential_report_wish *wish = args;
	const struct credential_report *report = find_report(e);
	return report && !is_old(report) ? OK : write_report(e, &wish->report);
}

static RESULT show_state(struct iam_call *e, const void *args, struct xml *x)
{
	bool is_new = ((const struct credential_report_wish *) args)->is_new;
	(void) e;
	xml_z(x, "State", is_new ? "STARTED" : "COMPLETE");
	if (is_new)
		xml_z(x, "Description", "No report exists. Starting a new report generation task");
	return OK;
}

static RESULT get(struct iam_call *e, const void *args, struct xml *x)
{
	const struct credential_report *report = find_report(e);
	(void) args;
	/* both texts are guesses */
	if (!report)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_CREDENTIAL_REPORT,
				     "No report exists. Generate a credential report first.");
	if (is_old(report))
		return ctx_fail_kind(
			e->c, ERR_EXPIRED, KIND_CREDENTIAL_REPORT,
			"The report is older than four hours. Generate a credential report again.");
	struct str text = str_encode_base64(e->c->arena, report->report);
	if (!text.p)
		return ctx_no_memory(e->c);
	xml_text(x, "Content", text);
	xml_z(x, "ReportFormat", "text/csv");
	iam_write_time(x, "GeneratedTime", report->made_us);
	return OK;
}

struct no_args {
	bool unused;
};
static const struct iam_action actions[] = {
	{IAM_ACTION("GenerateCredentialReport"), .flags = API_WRITES,
	 .args = {0, 0, sizeof(struct credential_report_wish)}, .prepare = prepare_report,
	 .operation = engine_put_credential_report_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = show_state, .doc = "Generates the credential report if it is older than four hours."},
	{IAM_ACTION("GetCredentialReport"), .flags = API_CHANGES_BY_TIME,
	 .args = {0, 0, sizeof(struct no_args)}, .answer = get,
	 .doc = "Returns the credential report: the account's users with the state of their passwords and "
		"keys, as CSV."},
};
const struct api_actions iam_report_actions = API_ACTIONS(actions);
