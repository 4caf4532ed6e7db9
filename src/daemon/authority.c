/* SPDX-License-Identifier: Apache-2.0
 * Manages the authority's files. */
#include "daemon/authority.h"

#include <jansson.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/crypto_issue.h"
#include "base/exec.h"
#include "base/file.h"
#include "base/heap.h"
#include "base/log.h"

enum { FILE_CAP = 64 * 1024, NAME_MAX_SIZE = 200, AUTHORITY_YEARS = 10 };
/* A certificate is renewed months ahead, so the interval does not matter. */
static const int64_t DAY_US = 24 * HOUR, LOOK_US = 6 * HOUR;
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void unlock(pthread_mutex_t **lock)
{
	(void) pthread_mutex_unlock(*lock);
}

/* Holds the lock until the end of the scope. */
#define ALONE                                                                                                \
	__attribute__((cleanup(unlock))) pthread_mutex_t *alone = &one_at_a_time;                            \
	(void) pthread_mutex_lock(alone)

const char *authority_path(struct arena *a, const struct settings *s, const char *name)
{
	return settings_path(a, s, str_print(a, "libvirt/%s", name).p);
}

struct str authority_client_name(struct arena *a, const struct settings *s)
{
	return str_print(a, "dari %" STR_FMT, STR_ARG(s->region_id));
}

static RESULT read_file(struct ctx *c, const struct settings *s, const char *name, struct str *ret_text)
{
	return file_read(c, authority_path(c->arena, s, name), FILE_CAP, ret_text);
}

static RESULT write_file(struct ctx *c, const struct settings *s, const char *name, struct str text)
{
	return file_write_synced(c, authority_path(c->arena, s, name), text, 0600);
}

static bool has_file(struct ctx *c, const struct settings *s, const char *name)
{
	return file_exists(authority_path(c->arena, s, name));
}

static RESULT delete_file(struct ctx *c, const struct settings *s, const char *name)
{
	return file_delete(c, authority_path(c->arena, s, name));
}

/* Creates the authority. The key is written first: a certificate without its key would never be replaced.
 * Deleting ca.pem means that old.pem and next.pem are unwanted too. */
static RESULT make_authority(struct ctx *c, const struct settings *s)
{
	struct str name = str_print(c->arena, "dari CA %" STR_FMT, STR_ARG(s->region_id));
	struct str cert = STR_NONE, key = STR_NONE;
	if (has_file(c, s, "ca.pem"))
		return OK;
	TRY(file_make_directory(c, authority_path(c->arena, s, "client"), 0700));
	TRY(file_make_directory(c, authority_path(c->arena, s, "hosts"), 0700));
	TRY(crypto_make_authority(c, name, AUTHORITY_YEARS * 365 * DAY_US, &cert, &key));
	TRY(delete_file(c, s, "old.pem"));
	TRY(delete_file(c, s, "next.pem"));
	TRY(write_file(c, s, "ca.key", key));
	return write_file(c, s, "ca.pem", cert);
}

static RESULT read_authority(struct ctx *c, const struct settings *s, struct crypto_issue *issue)
{
	issue->valid_us = AUTHORITY_LEAF_DAYS * DAY_US;
	TRY(read_file(c, s, "ca.pem", &issue->ca_cert_pem));
	return read_file(c, s, "ca.key", &issue->ca_key_pem);
}

/* Reads both trusted certificates, always in the same order. So in every stage except the last the result is
 * identical to the previous stage's. */
RESULT authority_read_trusted(struct ctx *c, const struct settings *s, struct str *ret_pem)
{
	struct str first = STR_NONE, second = STR_NONE;
	bool has_old = has_file(c, s, "old.pem"), has_next = has_file(c, s, "next.pem");
	TRY(read_file(c, s, has_old ? "old.pem" : "ca.pem", &first));
	if (has_old || has_next)
		TRY(read_file(c, s, has_next ? "next.pem" : "ca.pem", &second));
	*ret_pem = str_print(c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(first), STR_ARG(second));
	return ret_pem->p ? OK : ctx_no_memory(c);
}

/* True if the certificate was issued by the current authority, its trust file is up to date, and expiry is
 * far off. */
static bool is_good_for_long(struct ctx *c, const struct settings *s)
{
	struct str pem = STR_NONE, ca = STR_NONE, trusted = STR_NONE, own = STR_NONE;
	int64_t from_us = 0, until_us = 0;
	bool is_good = has_file(c, s, "client/clientkey.pem") &&
		       result_is_ok(read_file(c, s, "ca.pem", &ca)) &&
		       result_is_ok(authority_read_trusted(c, s, &trusted)) &&
		       result_is_ok(read_file(c, s, "client/cacert.pem", &own)) && str_equal(trusted, own) &&
		       result_is_ok(read_file(c, s, "client/clientcert.pem", &pem)) &&
		       crypto_is_issued_by(pem, ca) &&
		       result_is_ok(crypto_read_validity(c, pem, &from_us, &until_us)) &&
		       until_us - clock_now_us() > AUTHORITY_RENEW_DAYS * DAY_US;
	ctx_clear_problem(c);
	return is_good;
}

/* Renews the certificate but keeps its key: only one file changes then, so a connection opened at that moment
 * still finds a matching pair. */
static RESULT keep_client(struct ctx *c, const struct settings *s)
{
	struct crypto_issue issue = {.common_name = authority_client_name(c->arena, s), .for_client = true};
	struct str cert = STR_NONE, key = STR_NONE, trusted = STR_NONE;
	if (is_good_for_long(c, s))
		return OK;
	TRY(read_authority(c, s, &issue));
	TRY(authority_read_trusted(c, s, &trusted));
	if (has_file(c, s, "client/clientkey.pem"))
		TRY(read_file(c, s, "client/clientkey.pem", &issue.key_pem));
	TRY(crypto_issue_certificate(c, &issue, &cert, &key));
	if (!issue.key_pem.n)
		TRY(write_file(c, s, "client/clientkey.pem", key));
	TRY(write_file(c, s, "client/clientcert.pem", cert));
	return write_file(c, s, "client/cacert.pem", trusted);
}

/* Makes next the current authority once old.pem records the previous one; resumes after an interruption at
 * any point. */
static RESULT end_turn(struct ctx *c, const struct settings *s)
{
	struct str key = STR_NONE, cert = STR_NONE;
	if (!has_file(c, s, "old.pem"))
		return OK;
	if (has_file(c, s, "next.pem")) {
		TRY(read_file(c, s, "next.key", &key));
		TRY(read_file(c, s, "next.pem", &cert));
		TRY(write_file(c, s, "ca.key", key));
		TRY(write_file(c, s, "ca.pem", cert));
		TRY(delete_file(c, s, "next.pem"));
	}
	return delete_file(c, s, "next.key");
}

static RESULT keep(struct ctx *c, const struct settings *s)
{
	TRY(make_authority(c, s));
	TRY(end_turn(c, s));
	return keep_client(c, s);
}

RESULT authority_keep(struct ctx *c, const struct settings *s)
{
	ALONE;
	return keep(c, s);
}

RESULT authority_read_certificate(struct ctx *c, const struct settings *s, struct str *ret_pem)
{
	return read_file(c, s, "ca.pem", ret_pem);
}

/* ---- dari's own certificate, while the server runs */

struct keeper {
	struct job job;
	struct actor *actor;
	const struct settings *settings;
};

static void look(struct job *job)
{
	struct keeper *k = (struct keeper *) job;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct ctx c;
	ctx_init(&c, arena);
	if (arena && has_file(&c, k->settings, "ca.pem") && !result_is_ok(authority_keep(&c, k->settings)))
		log_event(LOG_ERROR, "certificate-not-renewed", "message=%s", log_quote(c.problem.message));
	actor_post_at(k->actor, &k->job, clock_now_us() + LOOK_US);
}

RESULT authority_start(struct daemon *d)
{
	struct keeper *k = arena_new_object(d->arena, struct keeper);
	if (!k)
		return ctx_no_memory(&d->ctx);
	k->job.run = look;
	k->settings = &d->settings;
	k->actor = actor_new(d->executor, "authority");
	if (!k->actor)
		return ctx_no_memory(&d->ctx);
	d->authority = k;
	actor_post(k->actor, &k->job);
	return OK;
}

void authority_stop(struct daemon *d)
{
	if (d->authority)
		actor_free(d->authority->actor);
}

/* ---- hosts */

static bool is_name(struct str name)
{
	for (size_t k = 0; k < name.n; k++)
		if (!str_is_alphanumeric(name.p[k]) && (k == 0 || !memchr("-._", name.p[k], 3)))
			return false;
	return name.n > 0 && name.n <= NAME_MAX_SIZE;
}

static RESULT sign_one(struct ctx *c, struct crypto_issue issue, struct str request, struct str *ret_pem)
{
	struct str key = STR_NONE;
	if (!result_is_ok(str_decode_base64(c->arena, request, &issue.request)) || !issue.request.n)
		return ctx_fail(c, ERR_INVALID, "a request is PKCS #10 in base64");
	return crypto_issue_certificate(c, &issue, ret_pem, &key);
}

RESULT authority_sign(struct ctx *c, const struct settings *s, struct authority_request *request)
{
	struct ip ip = {0};
	if (!is_name(request->host))
		return ctx_fail(c, ERR_INVALID, "'%" STR_FMT "' cannot name a host", STR_ARG(request->host));
	if (!result_is_ok(ip_parse(request->address, &ip)))
		return ctx_fail(c, ERR_INVALID, "'%" STR_FMT "' is no IP address", STR_ARG(request->address));
	TRY(authority_keep(c, s));
	struct crypto_issue issue = {.common_name = request->host,
				     .names = str_print(c->arena, "%" STR_FMT ",%" STR_FMT,
							STR_ARG(request->address), STR_ARG(request->host)),
				     .for_server = true};
	TRY(read_authority(c, s, &issue));
	TRY(sign_one(c, issue, request->libvirt, &request->libvirt_pem));
	issue.for_client = true; /* for guest migration, where each host is client and server */
	return sign_one(c, issue, request->qemu, &request->qemu_pem);
}

static RESULT name_file(struct ctx *c, struct str host, const char **ret_name)
{
	if (!is_name(host))
		return ctx_fail(c, ERR_NOT_FOUND, "no such host");
	*ret_name = str_print(c->arena, "hosts/%" STR_FMT ".json", STR_ARG(host)).p;
	return *ret_name ? OK : ctx_no_memory(c);
}

static struct str digest(struct ctx *c, struct str pem)
{
	uint8_t sum[SHA256_SIZE];
	crypto_sha256(str_trim(pem), sum);
	return str_encode_hex(c->arena, sum, sizeof sum);
}

/* Finds the authority that issued the certificate; empty: none of ours. */
static struct str find_issuer(struct ctx *c, const struct settings *s, struct str cert)
{
	static const char *const names[] = {"ca.pem", "old.pem"};
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		struct str pem = STR_NONE;
		if (has_file(c, s, names[k]) && result_is_ok(read_file(c, s, names[k], &pem)) &&
		    crypto_is_issued_by(cert, pem))
			return digest(c, pem);
	}
	ctx_clear_problem(c);
	return STR("");
}

RESULT authority_note_host(struct ctx *c, const struct settings *s, const struct authority_host *host)
{
	const char *name = NULL;
	TRY(name_file(c, host->name, &name));
	struct str issuer = find_issuer(c, s, host->installed), trusted = digest(c, host->trusted);
	if (!issuer.p || !trusted.p)
		return ctx_no_memory(c);
	json_t *root = json_pack("{s:s%, s:s%, s:I, s:s%, s:s%}", "ssh", host->ssh.p ? host->ssh.p : "",
				 host->ssh.n, "address", host->address.p ? host->address.p : "",
				 host->address.n, "until_us", (json_int_t) host->until_us, "issuer", issuer.p,
				 issuer.n, "trusted", trusted.p, trusted.n);
	char *text = root ? json_dumps(root, JSON_COMPACT) : NULL;
	struct result result = text ? write_file(c, s, name, str_from(text)) : ctx_no_memory(c);
	heap_free(text);
	json_decref(root);
	return result;
}

RESULT authority_forget_host(struct ctx *c, const struct settings *s, struct str host)
{
	const char *name = NULL;
	TRY(name_file(c, host, &name));
	return file_delete(c, authority_path(c->arena, s, name));
}

/* Before the first replacement nothing is recorded about trust: all hosts trust the only authority. */
static bool is_behind(struct ctx *c, const struct settings *s, const json_t *noted)
{
	enum authority_stage stage = authority_stage(c, s);
	struct str ca = STR_NONE, trusted = STR_NONE;
	const json_t *issuer = json_object_get(noted, "issuer"), *all = json_object_get(noted, "trusted");
	if (!issuer || !all)
		return stage != AUTHORITY_STEADY;
	bool is_read = result_is_ok(read_file(c, s, "ca.pem", &ca)) &&
		       result_is_ok(authority_read_trusted(c, s, &trusted));
	ctx_clear_problem(c);
	return is_read && (!str_is(digest(c, trusted), json_string_value(all)) ||
			   !str_is(digest(c, ca), json_string_value(issuer)));
}

RESULT authority_find_host(struct ctx *c, const struct settings *s, struct str host,
			   struct authority_host *ret_host)
{
	const char *name = NULL;
	struct str text = STR_NONE;
	TRY(name_file(c, host, &name));
	TRY(read_file(c, s, name, &text));
	json_error_t where;
	json_t *root = json_loadb(text.p, text.n, 0, &where);
	json_t *ssh = json_object_get(root, "ssh"), *address = json_object_get(root, "address");
	*ret_host = (struct authority_host){
		.name = host,
		.ssh = str_copy(c->arena, (struct str){json_string_value(ssh), json_string_length(ssh)}),
		.address = str_copy(c->arena,
				    (struct str){json_string_value(address), json_string_length(address)}),
		.until_us = json_integer_value(json_object_get(root, "until_us")),
		.is_behind = is_behind(c, s, root)};
	json_decref(root);
	return ret_host->ssh.n ? OK : ctx_fail(c, ERR_IO, "%s cannot be read", name);
}

bool authority_is_due(const struct authority_host *host)
{
	return host->is_behind || host->until_us - clock_now_us() <= AUTHORITY_RENEW_DAYS * DAY_US;
}

/* ---- another authority in the place of this one */

enum authority_stage authority_stage(struct ctx *c, const struct settings *s)
{
	if (has_file(c, s, "old.pem"))
		return AUTHORITY_CHANGED;
	return has_file(c, s, "next.pem") ? AUTHORITY_ANNOUNCED : AUTHORITY_STEADY;
}

/* Adds the time to the name: some verifiers accept the first authority of the same name as the issuer. */
RESULT authority_replace(struct ctx *c, const struct settings *s)
{
	ALONE;
	struct str name = str_print(c->arena, "dari CA %" STR_FMT " %lld", STR_ARG(s->region_id),
				    (long long) (clock_now_us() / SECOND));
	struct str cert = STR_NONE, key = STR_NONE;
	TRY(keep(c, s));
	if (authority_stage(c, s) != AUTHORITY_STEADY)
		return ctx_fail(c, ERR_STATE, "the authority is being replaced already");
	TRY(crypto_make_authority(c, name, AUTHORITY_YEARS * 365 * DAY_US, &cert, &key));
	TRY(write_file(c, s, "next.key", key));
	TRY(write_file(c, s, "next.pem", cert));
	return keep(c, s);
}

static RESULT find_behind(struct ctx *c, const struct settings *s, struct strs hosts, struct str *ret_name)
{
	struct authority_host host = {0};
	for (size_t k = 0; k < hosts.count; k++) {
		struct result found = authority_find_host(c, s, hosts.at[k], &host);
		if (!result_is_ok(found) && found.code != ERR_NOT_FOUND)
			return found;
		ctx_clear_problem(c);
		if (result_is_ok(found) && host.is_behind) {
			*ret_name = hosts.at[k];
			return OK;
		}
	}
	*ret_name = STR_NONE;
	return OK;
}

RESULT authority_go_on(struct ctx *c, const struct settings *s, struct strs hosts, struct str *ret_waits_for)
{
	ALONE;
	*ret_waits_for = STR_NONE;
	for (enum authority_stage stage; (stage = authority_stage(c, s)) != AUTHORITY_STEADY;) {
		struct str ca = STR_NONE;
		TRY(find_behind(c, s, hosts, ret_waits_for));
		if (ret_waits_for->n)
			return OK;
		TRY(read_file(c, s, "ca.pem", &ca));
		if (stage == AUTHORITY_ANNOUNCED)
			TRY(write_file(c, s, "old.pem", ca));
		else
			TRY(delete_file(c, s, "old.pem"));
		TRY(keep(c, s));
	}
	return OK;
}
