/* SPDX-License-Identifier: Apache-2.0
 * ListCertificates: filters and pages. Source: ACM API Reference. */
#include <inttypes.h>
#include <stdlib.h>

#include "api/acm/internal.h"
#include "base/vec.h"

enum { LIST_MAX = 1000 };

/* A page begins behind a certificate, which its token names by time and id. */
struct list_args {
	struct strs statuses, key_types, key_usages, purposes;
	struct str token, sort_by, sort_order;
	int64_t limit;
	int64_t after_us; /* made of the token */
	struct str after;
};
#define KEY_TYPES "RSA_1024|RSA_2048|RSA_3072|RSA_4096|EC_prime256v1|EC_secp384r1|EC_secp521r1"
/* The table fills the same struct. */
static const struct param include_rows[] = {
	PARAM(struct list_args, "keyTypes", key_types, .words = KEY_TYPES,
	      .doc = "Type of key; by default RSA_1024 and RSA_2048."),
	PARAM(struct list_args, "keyUsage", key_usages,
	      .words = "DIGITAL_SIGNATURE|NON_REPUDIATION|KEY_ENCIPHERMENT|DATA_ENCIPHERMENT|KEY_AGREEMENT|"
		       "CERTIFICATE_SIGNING|CRL_SIGNING|ENCIPHER_ONLY|DECIPHER_ONLY|ANY|CUSTOM",
	      .doc = "Key usage: a certificate needs one of them."),
	PARAM(struct list_args, "extendedKeyUsage", purposes,
	      .words = "TLS_WEB_SERVER_AUTHENTICATION|TLS_WEB_CLIENT_AUTHENTICATION|CODE_SIGNING|"
		       "EMAIL_PROTECTION|TIME_STAMPING|OCSP_SIGNING|IPSEC_END_SYSTEM|IPSEC_TUNNEL|IPSEC_USER|"
		       "ANY|NONE|CUSTOM",
	      .doc = "Extended key usage: a certificate needs one of them."),
	NOT_BUILT("exportOption|managedBy"),
};
static const struct params include_table = PARAMS(struct list_args, include_rows);
static const struct param list_params[] = {
	PARAM(struct list_args, "CertificateStatuses", statuses,
	      .words = "PENDING_VALIDATION|ISSUED|INACTIVE|EXPIRED|VALIDATION_TIMED_OUT|REVOKED|FAILED",
	      .doc = "Status."),
	{.wire = "Includes",
	 .type = PARAM_STRUCT,
	 .sub = &include_table,
	 .doc = "Certificates to list, by what is in them."},
	PARAM(struct list_args, "SortBy", sort_by, .words = "CREATED_AT", .doc = "Member to sort by."),
	PARAM(struct list_args, "SortOrder", sort_order, .words = "ASCENDING|DESCENDING",
	      .doc = "Order of the list."),
	PARAM(struct list_args, "MaxItems", limit, .min = 1, .max = LIST_MAX, .absent = "1000",
	      .doc = "Maximum number of results in one page."),
	PARAM(struct list_args, "NextToken", token, .min = 1, .max = 10000,
	      .doc = "Token of the next page, from the previous answer."),
};

/* A token is "MICROSECONDS ID", in base64url. */
static RESULT prepare(struct target_call *e, void *args)
{
	struct list_args *a = args;
	struct str plain = STR_NONE, time = STR_NONE;
	if (a->sort_by.n != 0 && !a->sort_order.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("SortOrder"),
				      "SortOrder must be specified if SortBy is specified.");
	if (!a->sort_by.n && a->sort_order.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("SortBy"),
				      "SortBy must be specified if SortOrder is specified.");
	if (!a->token.n)
		return OK;
	if (result_is_ok(str_decode_base64url(e->c->arena, a->token, &plain)) &&
	    str_split_next(&plain, ' ', &time) && result_is_ok(str_parse_int(time, &a->after_us)) &&
	    plain.n) {
		a->after = plain;
		return OK;
	}
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("NextToken"), "Invalid NextToken.");
}

/* ---- filters ---- */

static bool has(const struct strs *words, const char *word)
{
	for (size_t k = 0; k < words->count; k++)
		if (str_is(words->at[k], word))
			return true;
	return false;
}

static bool has_usage(const struct strs *words, const struct crypto_certificate *f)
{
	if (!words->count || has(words, "ANY"))
		return true;
	for (size_t k = 0; k < CRYPTO_KEY_USAGES; k++)
		if ((f->key_usages & 1u << k) && has(words, acm_name_key_usage(k)))
			return true;
	return false;
}

static bool has_purpose(const struct strs *words, const struct crypto_certificate *f)
{
	if (!words->count || has(words, "ANY") || (!f->purposes.count && has(words, "NONE")))
		return true;
	for (size_t k = 0; k < f->purposes.count; k++)
		if (has(words, acm_name_purpose(f->purposes.at[k])))
			return true;
	return false;
}

/* Without a filter ACM lists RSA keys of 1,024 and 2,048 bits alone. */
static bool has_key_type(const struct strs *words, enum crypto_key_type type)
{
	if (!words->count)
		return type == CRYPTO_KEY_RSA_1024 || type == CRYPTO_KEY_RSA_2048;
	return type != CRYPTO_KEY_OTHER && has(words, acm_name_key_type(type));
}

static bool fits(const struct list_args *a, const struct acm_shown *shown)
{
	return (!a->statuses.count || has(&a->statuses, shown->is_expired ? "EXPIRED" : "ISSUED")) &&
	       has_key_type(&a->key_types, shown->fields.key_type) &&
	       has_usage(&a->key_usages, &shown->fields) && has_purpose(&a->purposes, &shown->fields);
}

/* ---- order and pages ---- */

static int compare(int64_t a_us, struct str a, int64_t b_us, struct str b)
{
	return a_us != b_us ? (a_us < b_us ? -1 : 1) : str_compare(a, b);
}

static int compare_rows(const void *a, const void *b)
{
	const struct server_certificate *x = *(const struct server_certificate *const *) a,
					*y = *(const struct server_certificate *const *) b;
	return compare(x->row.created_us, x->name, y->row.created_us, y->name);
}

/* The account's certificates, oldest first. */
static RESULT gather(struct target_call *e, const struct server_certificate ***ret_at, size_t *ret_count)
{
	VEC(const struct server_certificate *) rows = {0};
	const struct server_certificate *s =
		server_certificate_first_by_account(target_tables(e), e->c->who->account);
	for (; s; s = server_certificate_next_by_account(target_tables(e), s))
		if (s->service == SERVER_CERTIFICATE_SERVICE_ACM && !VEC_PUSH(e->c->arena, &rows, s))
			return ctx_no_memory(e->c);
	if (rows.count)
		qsort(rows.at, rows.count, sizeof rows.at[0], compare_rows);
	*ret_at = rows.at;
	*ret_count = rows.count;
	return OK;
}

static bool is_shown_already(const struct list_args *a, const struct server_certificate *s, bool descends)
{
	if (!a->after.n)
		return false;
	int order = compare(s->row.created_us, s->name, a->after_us, a->after);
	return descends ? order >= 0 : order <= 0;
}

static void write_token(struct target_call *e, struct json_writer *w, const struct server_certificate *last)
{
	json_write_text(
		w, "NextToken",
		str_encode_base64url(e->c->arena, str_print(e->c->arena, "%" PRId64 " %" STR_FMT,
							    last->row.created_us, STR_ARG(last->name))));
}

static RESULT answer(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	const struct server_certificate **at = NULL, *last = NULL;
	struct uuids used = {0};
	size_t total = 0;
	int64_t count = 0;
	bool descends = str_is(a->sort_order, "DESCENDING"), has_more = false;
	TRY(gather(e, &at, &total));
	TRY(acm_find_used(e, &used));
	json_write_open_list(w, "CertificateSummaryList");
	for (size_t k = 0; k < total && !has_more; k++) {
		const struct server_certificate *s = at[descends ? total - 1 - k : k];
		struct acm_shown shown;
		if (is_shown_already(a, s, descends))
			continue;
		TRY(acm_read(e, s, &used, &shown));
		if (!fits(a, &shown))
			continue;
		has_more = count++ == a->limit;
		if (has_more)
			continue;
		last = s;
		acm_write_summary(e, w, &shown);
	}
	json_write_close_list(w);
	if (has_more)
		write_token(e, w, last);
	return OK;
}

static const struct target_action rows[] = {
	{ACM_ACTION("ListCertificates"), .args = PARAMS(struct list_args, list_params),
	 .flags = API_CHANGES_BY_TIME, .doc = "Lists the account's certificates.", .prepare = prepare,
	 .answer = answer},
};
const struct api_actions acm_list_actions = API_ACTIONS(rows);
