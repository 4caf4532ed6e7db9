/* SPDX-License-Identifier: Apache-2.0
 * Verifies a request's Signature Version 4 in steps: parse, scope, time, token, key, body, signature. A step
 * either passes or sets a fault, with AWS's message where it is known.
 *
 * Memory is checked once, at the end: a full arena remembers it. */
#include <inttypes.h>

#include "auth/internal.h"
#include "auth/key/key.h"
#include "auth/key/key_owner.h"
#include "auth/key/last_used.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/vec.h"
#include "engine/people/account/domain.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/access_key.h"
#include "store/account.h"
#include "store/iam_role.h"
#include "store/user.h"

struct sigv4 {
	struct store *store;
	int64_t skew_us;
	char *region;
	uint8_t master_key[MASTER_KEY_SIZE];
	struct session_keys sessions;
	struct key_cache cache;
	struct last_used *uses;
};

enum {
	SHOWN_MAX = 120,    /* characters of client input quoted in a message */
	AMZ_DATE_SIZE = 16, /* for example 20150830T123600Z */
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
	s->uses = config->uses;
	s->skew_us = config->skew_us ? config->skew_us : SKEW_US_ABSENT;
	memcpy(s->master_key, config->master_key, sizeof s->master_key);
	session_derive_keys(config->master_key, &s->sessions);
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
	crypto_wipe(&s->sessions, sizeof s->sessions);
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
	struct str key_id, terminator, token;
	struct session *session; /* session of the token; NULL: none */
	struct sigv4_scope scope;
	int64_t time_us;
	uint8_t key[SHA256_SIZE];
	bool key_is_known, key_is_cached;
	bool lacks_memory; /* an allocation outside the arena failed */
	uuid row;          /* id and version of the access key, for the cache */
	uint64_t commit;
};

static enum sigv4_fault fault(struct attempt *at, enum sigv4_fault what, struct str message)
{
	at->answer->message = message;
	return what;
}

/* Client input made fit for a message: shortened, printable ASCII only. */
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

/* Decoded value of a query parameter; empty: absent. */
static struct str query_value(struct attempt *at, const char *name)
{
	struct str rest = at->call->query, piece, value = STR_NONE;
	while (str_split_next(&rest, '&', &piece)) {
		size_t mark = str_find_char(piece, '=', 0);
		if (str_is(str_slice(piece, 0, mark), name)) {
			/* an invalid escape counts as absent */
			IGNORE(str_decode_url(at->arena, str_slice(piece, mark + 1, piece.n), &value));
			return value;
		}
	}
	return STR_NONE;
}

/* True for Signature Version 2, which puts its parts into the parameters. */
static bool is_signature_v2(const struct call *call)
{
	static const char *const marks[] = {"SignatureVersion=2", "AWSAccessKeyId="};
	for (size_t k = 0; k < 2; k++)
		if (str_contains(call->query, str_from(marks[k])) ||
		    str_contains(call->body, str_from(marks[k])))
			return true;
	return false;
}

/* Parses "Credential=…, SignedHeaders=…, Signature=…", in any order. */
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

/* SDKs sign global IAM and STS requests for us-east-1, or for "aws-global", a pseudo-region of botocore and
 * the SDK for Java. */
static bool is_of_all_regions(struct str region)
{
	return str_is(region, "us-east-1") || str_is(region, "aws-global");
}

static bool accepts_region(const struct attempt *at)
{
	bool is_global = str_is(at->scope.service, "iam") || str_is(at->scope.service, "sts");
	return str_is(at->scope.region, at->s->region) || (is_global && is_of_all_regions(at->scope.region));
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

/* Validity after the request's date; 0: invalid X-Amz-Expires. */
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

/* Identity of a role session: its rights come from policies alone. */
static struct identity *make_role_identity(struct arena *a, const struct account *account,
					   const struct iam_role *role, struct session *session,
					   struct str key_id)
{
	struct identity *who = arena_new_object(a, struct identity);
	if (!who)
		return NULL;
	session->role_name = str_copy(a, role->name);
	session->role_path = str_copy(a, role->path);
	*who = (struct identity){.scope = IDENTITY_ACCOUNT,
				 .account = account->row.id,
				 .domain = account->domain,
				 .iam_role = role->row.id,
				 .session = session,
				 .tags = key_copy_tags(a, role->tags, session->tags),
				 .account_number = str_copy(a, account->number),
				 .access_key_id = str_copy(a, key_id)};
	return who;
}

static bool is_of_account(const struct iam_role *role, const struct account *account)
{
	return role && account && uuid_equal(role->account, account->row.id);
}

/* A federated session of the root user has all rights that its session policies give, but is not exempt from them as the root
 * user is. No federated session changes credentials. */
static void narrow_to_federated(struct identity *who)
{
	if (who->is_owner)
		who->rights |= RIGHTS_OF_MEMBER | RIGHT(MANAGER);
	who->is_owner = false;
	who->is_restricted = true;
}

/* Owner of temporary credentials, valid as long as user or role and account are enabled. NULL: not valid, or
 * the arena is full. */
static struct identity *find_session_owner(struct sigv4 *s, struct ctx *c, struct session *session,
					   struct str key_id)
{
	bool is_of_role = !uuid_is_none(session->iam_role);
	struct roles roles = {0};
	AUTO_VIEW v;
	view_open(s->store, &v);
	const struct account *account = account_find(v.tables, session->account);
	const struct iam_role *role = is_of_role ? iam_role_find(v.tables, session->iam_role) : NULL;
	const struct user *user = is_of_role ? NULL : user_find(v.tables, session->user);
	bool is_open = engine_is_account_open(v.tables, account) &&
		       (is_of_role ? is_of_account(role, account) : engine_is_user_open(v.tables, user));
	if (is_open && user)
		engine_find_roles(v.tables, user->row.id, IDENTITY_ACCOUNT, account->row.id, &roles);
	struct uuids above =
		engine_list_domains_above(c->arena, v.tables, account ? account->domain : UUID_NONE);
	view_end_read(&v);
	if (!is_open)
		return NULL;
	struct identity *who =
		is_of_role ? make_role_identity(c->arena, account, role, session, key_id)
			   : key_make_identity(c->arena, account, user, roles.rights, above, key_id);
	if (who) {
		if (session_is_federated(session)) {
			narrow_to_federated(who);
			who->tags = key_copy_tags(c->arena, who->tags, session->tags);
		}
		who->domains_above = above;
		who->session = session;
		who->factor_us = session->factor_us;
		who->proof = session->factor_us ? PROOF_BY_FACTOR : PROOF_BY_KEY;
	}
	return who;
}

/* Finds the signing key of temporary credentials. */
static RESULT find_session_key(struct attempt *at)
{
	struct sigv4 *s = at->s;
	uint8_t digest[SHA256_SIZE];
	struct identity *who = find_session_owner(s, &at->call->ctx, at->session, at->key_id);
	if (!who)
		return arena_is_full(at->arena) ? ctx_no_memory(&at->call->ctx) : OK;
	crypto_sha256(at->token, digest);
	memcpy(at->row.b, digest, sizeof at->row.b);
	at->commit = 1; /* a token never changes */
	at->key_is_cached = cache_find(&s->cache, at->row, at->commit, at->scope.text, at->key);
	if (!at->key_is_cached) {
		struct str secret = session_derive_secret(at->arena, &s->sessions, at->token);
		if (!secret.p)
			return ctx_no_memory(&at->call->ctx);
		sigv4_derive_key(secret, &at->scope, at->key);
		crypto_wipe((void *) secret.p, secret.n); /* the copy in our arena */
	}
	at->answer->who = who;
	at->key_is_known = true;
	return OK;
}

static RESULT derive_key(void *arg, struct str secret)
{
	struct attempt *at = arg;
	sigv4_derive_key(secret, &at->scope, at->key);
	return OK;
}

/* Finds the signing key and its owner. */
static RESULT find_key(struct attempt *at)
{
	struct sigv4 *s = at->s;
	if (at->session)
		return find_session_key(at);
	AUTO_VIEW v;
	view_open(s->store, &v);
	struct key_owner owner = {0};
	TRY(key_find_owner(&at->call->ctx, &v, at->key_id, &owner));
	const struct access_key *row = owner.key;
	if (!row)
		return OK;
	if (!owner.who) {
		cache_forget(&s->cache, row->row.id);
		return OK;
	}
	at->key_is_cached = cache_find(&s->cache, row->row.id, row->row.commit, at->scope.text, at->key);
	if (!at->key_is_cached)
		TRY(key_use_secret(&at->call->ctx, s->master_key, row, derive_key, at));
	at->answer->who = owner.who;
	at->key_is_known = true;
	at->row = row->row.id;
	at->commit = row->row.commit;
	return OK;
}

/* ---- the signature ---- */

static bool signs_header(const struct attempt *at, struct str header)
{
	struct str rest = at->signed_headers, name;
	while (str_split_next(&rest, ';', &name))
		if (str_equal_nocase(name, header))
			return true;
	return false;
}

static enum sigv4_fault check_signed_headers(struct attempt *at)
{
	return signs_header(at, STR("host"))
		       ? SIGV4_FINE
		       : fault(at, SIGV4_MISMATCH,
			       STR("'Host' must be a 'SignedHeader' in the AWS Authorization."));
}

/* A role's session counts as a use of the role; a user's session is recorded nowhere. */
static void note_use(const struct attempt *at)
{
	const struct sigv4_scope *scope = &at->scope;
	struct str region = str_is(scope->region, "aws-global") ? str_from(at->s->region) : scope->region;
	if (!at->session)
		last_used_note(at->s->uses, KIND_ACCESS_KEY, at->row, scope->service, region);
	else if (!uuid_is_none(at->session->iam_role))
		last_used_note(at->s->uses, KIND_IAM_ROLE, at->session->iam_role, scope->service, region);
}

/* PutSnapshotBlock of EBS may leave its body out of the signature: its checksum, which must be a signed header, covers the
 * body, and the face compares it. No other call may, whatever service its scope names. Source: botocore's model,
 * "v4-unsigned-body". */
#define UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

static bool may_leave_body_unsigned(const struct attempt *at)
{
	return str_is(at->scope.service, "ebs") && at->call->method == HTTP_PUT &&
	       str_starts_with(at->call->path, STR("/snapshots/")) && signs_header(at, STR("x-amz-checksum"));
}

/* Checks the key first: an unknown key is refused before the body is hashed, so that strangers cannot make us
 * hash large bodies. */
static enum sigv4_fault check_signature(struct attempt *at)
{
	if (!at->key_is_known)
		return fault(at, SIGV4_UNKNOWN_KEY,
			     STR("The security token included in the request is invalid."));
	struct str claimed_hash = call_header(at->call, "x-amz-content-sha256");
	bool is_unsigned = str_is(claimed_hash, UNSIGNED_PAYLOAD) && may_leave_body_unsigned(at);
	struct str body_hash = is_unsigned ? claimed_hash : sigv4_hash_hex(at->arena, at->call->body);
	if (claimed_hash.n && !str_equal_nocase(claimed_hash, body_hash))
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
		cache_put(&at->s->cache, at->row, at->commit, at->scope.text, at->key);
	note_use(at);
	return SIGV4_FINE;
}

/* ---- session tokens ---- */

static bool names_account(struct sigv4 *s, struct str key_id)
{
	char number[ACCOUNT_NUMBER_SIZE];
	if (!session_read_number(&s->sessions, key_id, number))
		return false;
	AUTO_VIEW v;
	view_open(s->store, &v);
	bool is_there = account_find_by_number(v.tables, (struct str){number, sizeof number});
	view_end_read(&v);
	return is_there;
}

/* Temporary credentials require a token; others must not have one. */
static enum sigv4_fault check_token(struct attempt *at)
{
	static const char invalid[] = "The security token included in the request is invalid.";
	bool is_temporary = session_is_key_id(at->key_id);
	at->token = call_header(at->call, "X-Amz-Security-Token");
	if (at->is_presigned && !at->token.n)
		at->token = query_value(at, "X-Amz-Security-Token");
	if (!is_temporary && !at->token.n)
		return SIGV4_FINE;
	struct session *session = arena_new_object(at->arena, struct session);
	if (!is_temporary || !at->token.n || !session || !names_account(at->s, at->key_id) ||
	    !session_open(&at->call->ctx, &at->s->sessions, at->key_id, at->token, session))
		return fault(at, SIGV4_UNKNOWN_KEY, str_from(invalid));
	if (session->expires_us <= clock_now_us())
		return fault(at, SIGV4_EXPIRED, STR("The security token included in the request is expired"));
	at->session = session;
	return SIGV4_FINE;
}

RESULT sigv4_issue_session(struct sigv4 *s, struct ctx *c, const struct session *session, struct str number,
			   struct session_credentials *ret_credentials)
{
	return session_issue(c, &s->sessions, session, number, ret_credentials);
}

struct identity *sigv4_find_session_owner(struct sigv4 *s, struct ctx *c, struct str key_id, struct str token)
{
	struct session *session = arena_new_object(c->arena, struct session);
	if (!session || !session_is_key_id(key_id) || !names_account(s, key_id) ||
	    !session_open(c, &s->sessions, key_id, token, session) || session->expires_us <= clock_now_us())
		return NULL;
	return find_session_owner(s, c, session, key_id);
}

bool sigv4_read_number(const struct sigv4 *s, struct str key_id, char ret_number[static ACCOUNT_NUMBER_SIZE])
{
	return session_read_number(&s->sessions, key_id, ret_number);
}

struct str sigv4_find_claimed_key(const struct call *call)
{
	static const char *const marks[] = {"Credential=", "X-Amz-Credential="};
	const struct str places[] = {call_header(call, "Authorization"), call->query};
	for (size_t k = 0; k < sizeof marks / sizeof marks[0]; k++) {
		struct str mark = str_from(marks[k]), rest = places[k];
		while (rest.n >= mark.n && !str_starts_with(rest, mark))
			rest = str_slice(rest, 1, rest.n);
		size_t n = 0;
		rest = rest.n > mark.n ? str_slice(rest, mark.n, rest.n) : STR_NONE;
		while (n < rest.n && str_is_alphanumeric(rest.p[n]))
			n++;
		if (n && n <= CLAIMED_KEY_MAX)
			return str_slice(rest, 0, n);
	}
	return STR_NONE;
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
