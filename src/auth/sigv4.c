/* SPDX-License-Identifier: Apache-2.0
 * Checking a request's Signature Version 4, step by step: parse, scope, time, body, key, signature.
 * Each step either passes or says the fault, in the words AWS uses where they are known.
 *
 * Memory is looked at once, at the end: the call's arena keeps a mark when it is full. */
#include <inttypes.h>

#include "auth/inside.h"
#include "auth/key.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/vec.h"
#include "engine/resolve.h"
#include "engine/role.h"
#include "store/rows.h"

struct sigv4 {
	struct store *store;
	int64_t skew_us;
	char *region;
	uint8_t master_key[MASTER_KEY_SIZE];
	struct key_cache cache;
};

enum {
	SHOWN_MAX = 120,    /* of what a client sent, in a message to it */
	AMZ_DATE_SIZE = 16, /* 20150830T123600Z */
	EXPIRES_S_MAX = 604800,
	SKEW_US_ABSENT = 5 * 60 * 1000 * 1000,
};

RESULT sigv4_new(struct ctx *c, const struct sigv4_config *config, struct sigv4 **ret_sigv4)
{
	struct sigv4 *s = heap_new(struct sigv4);
	char *region = heap_alloc(config->region.n + 1);
	if (!s || !region) {
		heap_free(s);
		heap_free(region);
		return ctx_no_memory(c);
	}
	memcpy(region, config->region.p, config->region.n);
	s->region = region;
	s->store = config->store;
	s->skew_us = config->skew_us ? config->skew_us : SKEW_US_ABSENT;
	memcpy(s->master_key, config->master_key, sizeof s->master_key);
	cache_init(&s->cache);
	*ret_sigv4 = s;
	return OK;
}

void sigv4_free(struct sigv4 *s)
{
	if (!s)
		return;
	cache_done(&s->cache);
	crypto_wipe(s->master_key, sizeof s->master_key);
	heap_free(s->region);
	heap_free(s);
}

/* ---- one check ---- */

struct attempt {
	struct sigv4 *s;
	struct call *call;
	struct arena *arena;
	struct sigv4_answer *answer;
	VEC(struct sigv4_header) headers;
	bool is_presigned;
	struct str credential, signed_headers, signature, amz_date, expires;
	struct str key_id, terminator;
	struct sigv4_scope scope;
	int64_t time_us;
	uint8_t key[SHA256_SIZE];
	bool key_is_known, key_is_cached;
	unsigned rights;   /* of the key's user on the key's account */
	bool lacks_memory; /* outside the arena */
	uuid row;          /* the access key and its version, for the cache */
	uint64_t batch;
};

static enum sigv4_fault fault(struct attempt *at, enum sigv4_fault what, struct str message)
{
	at->answer->message = message;
	return what;
}

/* What a client sent, fit for a message: short, and characters of any protocol. */
static const char *shown(struct attempt *at, struct str sent)
{
	char *text = arena_alloc(at->arena, SHOWN_MAX + 4);
	size_t n = sent.n < SHOWN_MAX ? sent.n : SHOWN_MAX;
	if (!text)
		return "";
	for (size_t k = 0; k < n; k++)
		text[k] = sent.p[k] >= ' ' && sent.p[k] <= '~' ? sent.p[k] : '?';
	if (n < sent.n)
		memcpy(text + n, "...", 4);
	return text;
}

static RESULT note_header(void *arg, struct str name, struct str value)
{
	struct attempt *at = arg;
	struct sigv4_header header = {name, value};
	return VEC_PUSH(at->arena, &at->headers, header) ? OK : FAIL(NO_MEMORY);
}

/* ---- parsing ---- */

/* The value of a parameter of the raw query, decoded; empty when absent. */
static struct str query_value(struct attempt *at, const char *name)
{
	struct str rest = at->call->query, piece, value = STR_NONE;
	while (str_split_next(&rest, '&', &piece)) {
		size_t mark = str_find_char(piece, '=', 0);
		if (str_is(str_slice(piece, 0, mark), name)) {
			/* a broken escape reads as absent */
			IGNORE(str_decode_url(at->arena, str_slice(piece, mark + 1, piece.n), &value));
			return value;
		}
	}
	return STR_NONE;
}

/* The dead version 2 has its parts among the call's parameters. */
static bool is_signature_v2(const struct call *call)
{
	static const char *const marks[] = {"SignatureVersion=2", "AWSAccessKeyId="};
	for (size_t k = 0; k < 2; k++)
		if (str_contains(call->query, str_from(marks[k])) ||
		    str_contains(call->body, str_from(marks[k])))
			return true;
	return false;
}

/* "Credential=…, SignedHeaders=…, Signature=…", in any order. */
static void parse_parameters(struct attempt *at, struct str text)
{
	struct str piece;
	while (str_split_next(&text, ',', &piece)) {
		piece = str_trim(piece);
		size_t mark = str_find_char(piece, '=', 0);
		struct str name = str_slice(piece, 0, mark), value = str_slice(piece, mark + 1, piece.n);
		if (str_is(name, "Credential"))
			at->credential = value;
		else if (str_is(name, "SignedHeaders"))
			at->signed_headers = value;
		else if (str_is(name, "Signature"))
			at->signature = value;
	}
}

static enum sigv4_fault parse_header_date(struct attempt *at)
{
	int64_t time_us = 0;
	at->amz_date = call_header(at->call, "X-Amz-Date");
	if (!str_is_empty(at->amz_date))
		return SIGV4_FINE;
	struct str date = call_header(at->call, "Date");
	if (result_is_ok(clock_parse_http(date, &time_us)) || result_is_ok(clock_parse(date, &time_us))) {
		char basic[CLOCK_TEXT_SIZE];
		at->amz_date = str_copy(at->arena, str_from(clock_write_basic(time_us, basic)));
		return SIGV4_FINE;
	}
	return fault(
		at, SIGV4_INCOMPLETE,
		STR("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."));
}

static enum sigv4_fault parse_header(struct attempt *at, struct str authorization)
{
	static const struct str algorithm = {"AWS4-HMAC-SHA256", 16};
	size_t mark = str_find_char(authorization, ' ', 0);
	if (!str_equal(str_slice(authorization, 0, mark), algorithm))
		return fault(at, SIGV4_INCOMPLETE,
			     str_print(at->arena,
				       "Unsupported signing algorithm: '%s'. Use AWS4-HMAC-SHA256.",
				       shown(at, str_slice(authorization, 0, mark))));
	parse_parameters(at, str_slice(authorization, mark, authorization.n));
	if (at->credential.n && at->signed_headers.n && at->signature.n)
		return parse_header_date(at);
	return fault(
		at, SIGV4_INCOMPLETE,
		str_print(at->arena, "%s%s%sAuthorization=%s",
			  at->credential.n ? "" : "Authorization header requires 'Credential' parameter. ",
			  at->signature.n ? "" : "Authorization header requires 'Signature' parameter. ",
			  at->signed_headers.n ? ""
					       : "Authorization header requires 'SignedHeaders' parameter. ",
			  shown(at, str_slice(authorization, 0, mark))));
}

static enum sigv4_fault parse_query(struct attempt *at, struct str algorithm)
{
	at->is_presigned = true;
	at->credential = query_value(at, "X-Amz-Credential");
	at->amz_date = query_value(at, "X-Amz-Date");
	at->expires = query_value(at, "X-Amz-Expires");
	at->signed_headers = query_value(at, "X-Amz-SignedHeaders");
	at->signature = query_value(at, "X-Amz-Signature");
	if (!str_is(algorithm, "AWS4-HMAC-SHA256"))
		return fault(at, SIGV4_INCOMPLETE,
			     str_print(at->arena,
				       "Unsupported signing algorithm: '%s'. Use AWS4-HMAC-SHA256.",
				       shown(at, algorithm)));
	const struct {
		const char *name;
		struct str value;
	} needed[] = {{"X-Amz-Credential", at->credential},
		      {"X-Amz-Date", at->amz_date},
		      {"X-Amz-Expires", at->expires},
		      {"X-Amz-SignedHeaders", at->signed_headers},
		      {"X-Amz-Signature", at->signature}};
	for (size_t k = 0; k < sizeof needed / sizeof needed[0]; k++)
		if (str_is_empty(needed[k].value))
			return fault(at, SIGV4_INCOMPLETE,
				     str_print(at->arena, "AWS query-string parameters must include '%s'.",
					       needed[k].name));
	return SIGV4_FINE;
}

static enum sigv4_fault parse(struct attempt *at)
{
	struct str authorization = call_header(at->call, "Authorization");
	struct str algorithm = query_value(at, "X-Amz-Algorithm");
	if (str_is_empty(authorization) && str_is_empty(algorithm))
		return is_signature_v2(at->call) ? fault(at, SIGV4_INCOMPLETE,
							 STR("Signature Version 2 is not supported; sign "
							     "with AWS4-HMAC-SHA256."))
						 : fault(at, SIGV4_NO_CREDENTIALS,
							 STR("Request is missing Authentication Token"));
	enum sigv4_fault f = authorization.n ? parse_header(at, authorization) : parse_query(at, algorithm);
	if (f)
		return f;
	struct str rest = at->credential, more = STR_NONE;
	struct str *const parts[] = {&at->key_id, &at->scope.date, &at->scope.region, &at->scope.service,
				     &at->terminator};
	bool whole = true;
	for (size_t k = 0; k < 5; k++)
		whole = str_split_next(&rest, '/', parts[k]) && !str_is_empty(*parts[k]) && whole;
	if (!whole || str_split_next(&rest, '/', &more))
		return fault(at, SIGV4_INCOMPLETE,
			     str_print(at->arena,
				       "Credential must have exactly 5 slash-delimited elements, e.g. "
				       "keyid/date/region/service/term, got '%s'",
				       shown(at, at->credential)));
	at->scope.text = str_slice(at->credential, at->key_id.n + 1, at->credential.n);
	at->answer->service = at->scope.service;
	return SIGV4_FINE;
}

/* ---- scope and time ---- */

static bool accepts_region(const struct attempt *at)
{
	bool is_global = str_is(at->scope.service, "iam") || str_is(at->scope.service, "sts");
	return str_is(at->scope.region, at->s->region) ||
	       (is_global && str_is(at->scope.region, "us-east-1"));
}

static enum sigv4_fault check_scope(struct attempt *at)
{
	if (!str_is(at->terminator, "aws4_request"))
		return fault(at, SIGV4_SCOPE,
			     str_print(at->arena,
				       "Credential should be scoped with a valid terminator: 'aws4_request', "
				       "not '%s'.",
				       shown(at, at->terminator)));
	if (!accepts_region(at))
		return fault(at, SIGV4_SCOPE,
			     str_print(at->arena, "Credential should be scoped to a valid region, not '%s'.",
				       shown(at, at->scope.region)));
	bool is_basic =
		at->amz_date.n == AMZ_DATE_SIZE && at->amz_date.p[8] == 'T' && at->amz_date.p[15] == 'Z';
	if (!is_basic || !result_is_ok(clock_parse(at->amz_date, &at->time_us)))
		return fault(at, SIGV4_INCOMPLETE,
			     str_print(at->arena, "Date must be in ISO-8601 'basic format'. Got '%s'.",
				       shown(at, at->amz_date)));
	if (!str_equal(at->scope.date, str_slice(at->amz_date, 0, 8)))
		return fault(
			at, SIGV4_SCOPE,
			str_print(at->arena,
				  "Date in Credential scope does not match YYYYMMDD from ISO-8601 version "
				  "of date from HTTP: '%s' != '%.8s', from '%s'.",
				  shown(at, at->scope.date), at->amz_date.p, shown(at, at->amz_date)));
	return SIGV4_FINE;
}

/* How long after its date the request holds; 0 when its expiry is no good. */
static int64_t lifetime_us(const struct attempt *at)
{
	int64_t expires_s = 0;
	if (!at->is_presigned)
		return at->s->skew_us;
	if (!result_is_ok(str_parse_int(at->expires, &expires_s)) || expires_s < 1 ||
	    expires_s > EXPIRES_S_MAX)
		return 0;
	return expires_s * SECOND;
}

static enum sigv4_fault check_time(struct attempt *at)
{
	char now[CLOCK_TEXT_SIZE], limit[CLOCK_TEXT_SIZE];
	int64_t now_us = clock_now_us(), lasts_us = lifetime_us(at), skew_us = at->s->skew_us;
	if (lasts_us == 0)
		return fault(at, SIGV4_INCOMPLETE,
			     str_print(at->arena, "X-Amz-Expires must be from 1 to %d seconds, not '%s'.",
				       EXPIRES_S_MAX, shown(at, at->expires)));
	clock_write_basic(now_us, now);
	if (at->time_us > now_us + skew_us)
		return fault(
			at, SIGV4_SKEWED,
			str_print(at->arena,
				  "Signature not yet current: %.16s is still later than %s (%s + %" PRId64
				  " min.)",
				  at->amz_date.p, clock_write_basic(now_us + skew_us, limit), now,
				  skew_us / MINUTE));
	if (at->time_us >= now_us - lasts_us)
		return SIGV4_FINE;
	return fault(at, SIGV4_SKEWED,
		     at->is_presigned
			     ? str_print(at->arena,
					 "Signature expired: %.16s + %" PRId64 " s is now earlier than %s",
					 at->amz_date.p, lasts_us / SECOND, now)
			     : str_print(at->arena,
					 "Signature expired: %.16s is now earlier than %s (%s - %" PRId64
					 " min.)",
					 at->amz_date.p, clock_write_basic(now_us - skew_us, limit), now,
					 skew_us / MINUTE));
}

/* ---- the key ---- */

static struct identity *make_identity(struct attempt *at, const struct account *account,
				      const struct user *user)
{
	struct identity *who = arena_new_object(at->arena, struct identity);
	if (!who)
		return NULL;
	who->scope = IDENTITY_ACCOUNT;
	who->rights = at->rights;
	who->account = account->row.id;
	who->domain = account->domain;
	who->user = user->row.id;
	who->is_owner = user->is_owner;
	who->account_number = str_copy(at->arena, account->number);
	who->user_name = str_copy(at->arena, user->name);
	who->user_path = str_copy(at->arena, user->path);
	who->access_key_id = str_copy(at->arena, at->key_id);
	return who;
}

/* The signing key and who it belongs to. */
static RESULT find_key(struct attempt *at)
{
	struct sigv4 *s = at->s;
	struct str secret = STR_NONE;
	AUTO_VIEW v;
	view_open(s->store, &v);
	const struct access_key *row = access_key_find_by_key_id(v.tables, at->key_id);
	const struct user *user = row ? user_find(v.tables, row->user) : NULL;
	const struct account *account = row ? account_find(v.tables, row->account) : NULL;
	bool is_open = row && row->enabled && engine_is_user_open(v.tables, user) &&
		       engine_is_account_open(v.tables, account);
	struct roles roles = {0};
	if (is_open)
		engine_find_roles(v.tables, user->row.id, IDENTITY_ACCOUNT, account->row.id, &roles);
	view_stop_walking(&v);
	if (!row)
		return OK;
	if (!is_open) {
		cache_forget(&s->cache, row->row.id);
		return OK;
	}
	at->key_is_cached = cache_find(&s->cache, row->row.id, row->row.batch, at->scope.text, at->key);
	if (!at->key_is_cached) {
		if (!result_is_ok(key_open_secret(&at->call->ctx, s->master_key, row, &secret))) {
			ctx_clear_problem(&at->call->ctx);
			return ctx_fail(&at->call->ctx, ERR_INTERNAL,
					"the master key does not open the secret of access key %s",
					shown(at, at->key_id));
		}
		sigv4_derive_key(secret, &at->scope, at->key);
		crypto_wipe((void *) secret.p, secret.n); /* ours, in the arena */
	}
	at->rights = roles.rights & ~RIGHT(ADMIN); /* a key is for its account and reaches into no other */
	at->answer->who = make_identity(at, account, user);
	at->key_is_known = true;
	at->row = row->row.id;
	at->batch = row->row.batch;
	return OK;
}

/* ---- the signature ---- */

static enum sigv4_fault check_signed_headers(struct attempt *at)
{
	struct str rest = at->signed_headers, name;
	while (str_split_next(&rest, ';', &name))
		if (str_equal_nocase(name, STR("host")))
			return SIGV4_FINE;
	return fault(at, SIGV4_MISMATCH, STR("'Host' must be a 'SignedHeader' in the AWS Authorization."));
}

/* With an unknown key there is nothing to work out, and the answer says that it is unknown: strangers
 * don't make us digest their bodies. */
static enum sigv4_fault check_signature(struct attempt *at)
{
	if (!at->key_is_known)
		return fault(at, SIGV4_UNKNOWN_KEY,
			     STR("The security token included in the request is invalid."));
	struct str body_hash = sigv4_hash_hex(at->arena, at->call->body);
	struct str told_hash = call_header(at->call, "x-amz-content-sha256");
	if (told_hash.n && !str_equal_nocase(told_hash, body_hash))
		return fault(
			at, SIGV4_MISMATCH,
			STR("The provided 'x-amz-content-sha256' header does not match what was computed."));
	const struct sigv4_request request = {
		.method = at->call->method_name,
		.path = at->call->path,
		.query = at->call->query,
		.headers = at->headers.at,
		.header_count = at->headers.count,
		.signed_headers = at->signed_headers,
		.payload_hash = body_hash,
	};
	struct str signature = sigv4_make_signature(at->arena, at->key, at->amz_date, at->scope.text,
						    sigv4_make_canonical(at->arena, &request));
	at->lacks_memory = !signature.p;
	bool is_right = at->signature.n == SIGNATURE_HEX_SIZE && signature.n == SIGNATURE_HEX_SIZE &&
			crypto_equal(signature.p, at->signature.p, SIGNATURE_HEX_SIZE);
	if (!is_right)
		return fault(
			at, SIGV4_MISMATCH,
			STR("The request signature we calculated does not match the signature you provided. "
			    "Check your AWS Secret Access Key and signing method. Consult the service "
			    "documentation for details."));
	if (!at->key_is_cached)
		cache_put(&at->s->cache, at->row, at->batch, at->scope.text, at->key);
	cache_note_use(&at->s->cache, at->row, at->scope.text, clock_now_us());
	return SIGV4_FINE;
}

/* Temporary keys don't exist yet, so every session token is unknown. */
static enum sigv4_fault check_token(struct attempt *at)
{
	if (call_header(at->call, "X-Amz-Security-Token").n || query_value(at, "X-Amz-Security-Token").n)
		return fault(at, SIGV4_UNKNOWN_KEY,
			     STR("The security token included in the request is invalid."));
	return SIGV4_FINE;
}

bool sigv4_find_use(struct sigv4 *s, struct arena *a, uuid access_key, struct sigv4_use *ret_use)
{
	struct str scope = STR_NONE, date;
	struct sigv4_use use = {0};
	if (!cache_find_use(&s->cache, a, access_key, &use.at_us, &scope))
		return false;
	(void) (str_split_next(&scope, '/', &date) && str_split_next(&scope, '/', &use.region) &&
		str_split_next(&scope, '/', &use.service));
	*ret_use = use;
	return true;
}

RESULT sigv4_check(struct sigv4 *s, struct call *call, struct sigv4_answer *ret_answer)
{
	static enum sigv4_fault (*const steps[])(struct attempt *) = {parse, check_scope, check_time,
								      check_token, check_signed_headers};
	struct sigv4_answer answer = {.fault = SIGV4_FINE};
	struct attempt at = {.s = s, .call = call, .arena = call->ctx.arena, .answer = &answer};
	TRY(call_each_header(call, note_header, &at));
	for (size_t k = 0; k < sizeof steps / sizeof steps[0] && !answer.fault; k++)
		answer.fault = steps[k](&at);
	if (!answer.fault) {
		struct result r = find_key(&at);
		if (!result_is_ok(r))
			return r;
		answer.fault = check_signature(&at);
	}
	crypto_wipe(at.key, sizeof at.key);
	if (at.lacks_memory || arena_is_full(call->ctx.arena))
		return ctx_no_memory(&call->ctx);
	if (answer.fault) {
		answer.who = NULL;
	} else {
		call->ctx.who = answer.who;
		call->account_number = answer.who->account_number;
	}
	*ret_answer = answer;
	return OK;
}
