/* SPDX-License-Identifier: Apache-2.0
 * The instance metadata service's HTTP: the listener identifies the router and the source address the port, which
 * anti-spoofing makes trustworthy; no content of a request is trusted. IMDSv2 issues a token by PUT. The answer's
 * IP TTL is the instance's hop limit, so that the token cannot leave the guest through a forwarder. IMDSv1 works
 * while the instance does not require tokens. */
#include "api/metadata/imds.h"

#include "api/core/park.h"
#include "api/metadata/azure.h"
#include "api/metadata/internal.h"
#include "engine/instance/instance.h"
#include "model/account.h"
#include "model/instance.h"

enum {
	PATH_PARTS_MAX = 12,
	ROUTER_HOPS = 1, /* the VPC's router decrements the TTL once; on the link nothing does */
};

static const char *const versions[] = {
	"1.0",        "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01",
	"2008-09-01", "2009-04-04", "2011-01-01", "2011-05-01", "2012-01-12", "2014-02-25", "2014-11-05",
	"2015-10-20", "2016-04-19", "2016-06-30", "2016-09-02", "2018-03-28", "2018-08-17", "2018-09-24",
	"2019-10-01", "2020-10-27", "2021-01-03", "2021-03-23", "latest",
};
enum { VERSION_COUNT = sizeof versions / sizeof *versions };

static const char text_plain[] = "text/plain";
#define WIRE_WORD STR("/wire")

static void answer_text(struct call *call, int status, const char *words)
{
	struct buf body;
	buf_init(&body, 4096);
	buf_add_str(&body, str_from(words));
	call_answer(call, status, text_plain, &body);
}

/* ---- paths ---- */

/* Decodes %XX; nothing else is special in a path. */
static struct str decode_part(struct arena *a, struct str part)
{
	if (str_find_char(part, '%', 0) == part.n)
		return part;
	char *p = arena_alloc(a, part.n);
	size_t n = 0;
	for (size_t k = 0; p && k < part.n; k++) {
		if (part.p[k] == '%' && result_is_ok(str_decode_hex(str_slice(part, k + 1, k + 3), &p[n], 1)))
			k += 2;
		else
			p[n] = part.p[k];
		n++;
	}
	return p ? (struct str){p, n} : STR_NONE;
}

/* Splits the path; ignores empty parts. False: too many parts. */
static bool split_path(struct call *call, struct strs *ret_path)
{
	struct str *parts = arena_new_array(call->ctx.arena, struct str, PATH_PARTS_MAX);
	struct str rest = call->path, part = STR_NONE;
	size_t count = 0;
	while (parts && str_split_next(&rest, '/', &part)) {
		if (str_is_empty(part))
			continue;
		if (count == PATH_PARTS_MAX)
			return false;
		parts[count++] = decode_part(call->ctx.arena, part);
	}
	*ret_path = (struct strs){parts, count};
	return parts != NULL;
}

static bool is_version(struct str part)
{
	for (size_t k = 0; k < VERSION_COUNT; k++)
		if (str_is(part, versions[k]))
			return true;
	return false;
}

static bool is_token_path(const struct strs *path)
{
	return path->count == 3 && str_is(path->at[0], "latest") && str_is(path->at[1], "api") &&
	       str_is(path->at[2], "token");
}

/* ---- PUT /latest/api/token ---- */

static void put_token(struct metadata *m, struct call *call, const struct instance *i)
{
	const struct place *place = call->tag;
	int router_hops = place && place->is_on_link ? 0 : ROUTER_HOPS;
	int64_t ttl_s = 0;
	struct str wanted = call_header(call, "X-aws-ec2-metadata-token-ttl-seconds");
	call->action = "token";
	if (call_header(call, "X-Forwarded-For").p) {
		answer_text(call, 403, "403 - Forbidden");
		return;
	}
	if (!result_is_ok(str_parse_int(str_trim(wanted), &ttl_s)) || ttl_s < 1 || ttl_s > TOKEN_TTL_MAX_S) {
		answer_text(call, 400, "400 - Bad Request");
		return;
	}
	struct str token = imds_make_token(call->ctx.arena, m->config.token_key, i->row.id, ttl_s);
	int64_t hops = i->metadata_hop_limit < 1    ? 1
		       : i->metadata_hop_limit > 64 ? 64
						    : i->metadata_hop_limit;
	if (str_is_empty(token) || !call_set_hop_limit(call, (int) hops + router_hops)) {
		answer_text(call, 500, "500 - Internal Server Error");
		return;
	}
	call_set_answer_header(call, "X-aws-ec2-metadata-token-ttl-seconds",
			       str_print(call->ctx.arena, "%lld", (long long) ttl_s));
	struct buf body;
	buf_init(&body, 4096);
	buf_add_str(&body, token);
	call_answer(call, 200, text_plain, &body);
}

/* ---- GET ---- */

/* Checks the IMDSv2 token; false: it has answered, because the token is bad or missing. */
static bool check_token(struct metadata *m, struct call *call, const struct instance *i)
{
	struct str token = str_trim(call_header(call, "X-aws-ec2-metadata-token"));
	if (str_is_empty(token) && !i->metadata_tokens_required)
		return true;
	int64_t left_s = imds_check_token(call->ctx.arena, m->config.token_key, i->row.id, token);
	if (left_s <= 0) {
		answer_text(call, 401, "401 - Unauthorized");
		return false;
	}
	call_set_answer_header(call, "X-aws-ec2-metadata-token-ttl-seconds",
			       str_print(call->ctx.arena, "%lld", (long long) left_s));
	return true;
}

static void answer_versions(struct call *call)
{
	struct buf body;
	buf_init(&body, 4096);
	for (size_t k = 0; k < VERSION_COUNT; k++)
		buf_print(&body, "%s%s", k ? "\n" : "", versions[k]);
	call_answer(call, 200, text_plain, &body);
}

static RESULT write_path(struct imds_facts *s, const struct strs *path, struct buf *out, bool *ret_is_binary)
{
	struct strs below = {path->at + 1, path->count - 1};
	if (str_is(path->at[0], "openstack"))
		return imds_write_openstack(s, &below, out, ret_is_binary);
	return is_version(path->at[0]) ? imds_write_path(s, &below, out, ret_is_binary) : FAIL(NOT_FOUND);
}

/* New credentials of the instance's role. The guest and later callers get them only after the audit
 * record is written. */
struct issuing {
	struct metadata *m;
	const struct imds_issued *issued;
	const char *content_type;
};

static void fail_issued(struct call *call, struct result result)
{
	(void) result; /* the failure is logged */
	answer_text(call, 500, "500 - Internal Server Error");
}

static void issued_written(struct audit_call *a, struct result written)
{
	const struct issuing *g = a->call->face_data;
	if (!result_is_ok(written)) {
		buf_done(&a->body);
		fail_issued(a->call, written);
		return;
	}
	imds_keep_issued(g->m->roles, g->issued);
	call_answer(a->call, 200, g->content_type, &a->body);
}

static void answer_issued(struct metadata *m, struct call *call, const struct imds_issued *issued,
			  const char *content_type, struct buf *body)
{
	struct arena *arena = call->ctx.arena;
	struct issuing *g = arena_new_object(arena, struct issuing);
	struct audit_call *a =
		audit_begin(call, audited_find_recorded("metadata:security-credentials"), "metadata");
	if (!g || !a) {
		buf_done(body);
		fail_issued(call, FAIL(NO_MEMORY));
		return;
	}
	*g = (struct issuing){m, issued, content_type};
	call->face_data = g;
	a->record.texts[AUDIT_ACCOUNT] = issued->account_number;
	a->record.texts[AUDIT_SESSION] = str_print(arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(issued->role),
						   STR_ARG(issued->instance_id));
	a->record.texts[AUDIT_CREDENTIAL] = STR("instance");
	a->record.texts[AUDIT_AS] = str_print(arena, "access-key:%" STR_FMT, STR_ARG(issued->key_id));
	a->record.texts[AUDIT_KIND] = STR("instance");
	a->record.texts[AUDIT_ID] = str_encode_hex(arena, issued->instance.b, sizeof issued->instance.b);
	audit_add_subject(a, "InstanceId", issued->instance_id);
	a->body = *body;
	(void) api_record(a, m->config.store, OK, STR_NONE,
			  issued_written); /* always true: there is no record yet */
}

void imds_answer_secret(struct metadata *m, struct call *call, const struct imds_issued *issued,
			const char *content_type, struct buf *body)
{
	if (issued && issued->is_new)
		answer_issued(m, call, issued, content_type, body);
	else
		call_answer(call, 200, content_type, body);
}

static void get_path(struct metadata *m, struct call *call, struct imds_facts *s, const struct strs *path)
{
	if (path->count == 0) {
		if (!imds_answer_password(m, call, s))
			answer_versions(call);
		return;
	}
	struct buf body;
	bool is_binary = false;
	buf_init(&body, BUF_ANSWER_CAP);
	call->action = path->count > 1 ? "get" : "list";
	struct result result = write_path(s, path, &body, &is_binary);
	if (result_is_ok(result)) {
		imds_answer_secret(m, call, s->issued, is_binary ? "application/octet-stream" : text_plain,
				   &body);
		return;
	}
	buf_done(&body);
	answer_text(call, 404, "404 - Not Found");
}

/* ---- POST /openstack/latest/password ---- */

struct password_report {
	struct metadata *m;
	struct guest_password_report wish;
	struct api_change change;
};

static void answer_password(struct call *call, struct result result)
{
	if (result_is_ok(result))
		answer_text(call, 200, "");
	else if (result.code == ERR_EXISTS)
		answer_text(call, 409, "409 - Conflict");
	else if (result.code == ERR_INVALID)
		answer_text(call, 400, "400 - Bad Request");
	else
		answer_text(call, 500, "500 - Internal Server Error");
}

static void answer_recorded(struct audit_call *a, struct result written)
{
	(void) written; /* the failure is logged */
	answer_password(a->call, a->result);
}

static void answer_told(struct call *call, struct result result)
{
	struct password_report *t = call->face_data;
	if (!api_record(t->change.audit, t->m->config.store, result, str_from(err_name(result.code)),
			answer_recorded))
		answer_password(call, result);
}

/* Stores the password once; only the owner can clear it, so a later intruder in the guest cannot replace
 * it. */
static void post_password(struct metadata *m, struct call *call, const struct instance *i)
{
	struct password_report *t = arena_new_object(call->ctx.arena, struct password_report);
	struct audit_call *a = audit_begin(call, audited_find_recorded("metadata:password"), "metadata");
	call->action = "password";
	if (!t || !a) {
		answer_text(call, 500, "500 - Internal Server Error");
		return;
	}
	a->record.texts[AUDIT_ACCOUNT] = call->account_number;
	a->record.texts[AUDIT_CREDENTIAL] = STR("instance");
	audit_add_subject(a, "InstanceId", id_to_ec2(call->ctx.arena, KIND_INSTANCE, i->row.id));
	*t = (struct password_report){.m = m, .wish = {.instance = i->row.id, .password = call->body}};
	t->change = (struct api_change){.action = "metadata:password",
					.run = engine_report_guest_password_run,
					.wish = &t->wish,
					.audit = a};
	call->face_data = t;
	api_commit(call, m->config.store, &t->change, answer_told);
}

/* True for Azure's paths, which no other personality has. */
static bool is_azure_path(const struct imds_facts *s, const struct strs *path)
{
	return s->instance->personality == INSTANCE_PERSONALITY_AZURE && path->count > 0 &&
	       str_equal_nocase(path->at[0], STR("metadata"));
}

/* Serves Azure's paths. They do not bypass an instance's token requirement. */
static void get_azure(struct metadata *m, struct call *call, struct imds_facts *s, const struct strs *path)
{
	const struct strs below = {path->at + 1, path->count - 1};
	if (check_token(m, call, s->instance))
		azure_answer_metadata(m, call, s, &below);
}

static void handle_known(struct metadata *m, struct call *call, struct imds_facts *s, const struct strs *path)
{
	bool is_token = is_token_path(path), is_read = call->method == HTTP_GET || call->method == HTTP_HEAD;
	bool is_open = call->peer.family != IP_V6 || s->instance->metadata_ipv6;
	if (!s->instance->metadata_enabled || !is_open) {
		answer_text(call, 403, "403 - Forbidden");
	} else if (is_token && call->method == HTTP_PUT) {
		put_token(m, call, s->instance);
	} else if (is_azure_path(s, path)) {
		get_azure(m, call, s, path);
	} else if (call->method == HTTP_POST && imds_takes_password(path)) {
		if (check_token(m, call, s->instance))
			post_password(m, call, s->instance);
	} else if (is_token || !is_read) {
		call_set_answer_header(call, "Allow", is_token ? STR("PUT") : STR("GET, HEAD"));
		answer_text(call, 405, "405 - Method Not Allowed");
	} else if (check_token(m, call, s->instance)) {
		get_path(m, call, s, path);
	}
}

/* Identifies the guest by listener and source address. */
static RESULT see_guest(const struct tables *t, struct call *call, struct imds_facts *ret_facts)
{
	const struct place *place = call->tag;
	if (place->is_on_link)
		return imds_gather_facts_on_link(t, call->ctx.arena, place->router, call->peer, ret_facts);
	return imds_gather_facts(t, call->ctx.arena, place->router, call->peer, ret_facts);
}

/* Identifies the guest by the path, which begins with the instance's id. */
static RESULT see_named(const struct tables *t, struct call *call, struct imds_facts *ret_facts)
{
	struct ref ref = {0};
	size_t end = str_find_char(call->path, '/', 1);
	TRY(id_parse_ec2(str_slice(call->path, 1, end), KIND_INSTANCE, &ref));
	const struct row *row = tables_find_prefix(t, KIND_INSTANCE, ref.prefix, ref.bits);
	if (!row)
		return FAIL(NOT_FOUND);
	TRY(imds_gather_facts_of(t, call->ctx.arena, row->id, ret_facts));
	call->path = str_slice(call->path, end, call->path.n);
	return ret_facts->nic_count ? OK : FAIL(NOT_FOUND);
}

typedef RESULT see_function(const struct tables *t, struct call *call, struct imds_facts *ret_facts);

/* Serves the metadata service or, with is_wire, the WireServer. */
static void handle(struct metadata *m, struct call *call, see_function *see, bool is_wire)
{
	struct imds_facts facts = {0};
	struct strs path = {0};
	AUTO_VIEW view = {0};
	view_open(m->config.store, &view);
	struct result r = see(view.tables, call, &facts);
	view_end_read(&view);
	if (result_is_ok(r))
		r = connect_keys_list(m->config.connect_keys, call->ctx.arena, facts.instance->row.id,
				      &facts.keys);
	facts.roles = m->roles;
	facts.issued = arena_new_object(call->ctx.arena, struct imds_issued);
	if (result_is_ok(r) && facts.account)
		call->account_number = str_copy(call->ctx.arena, facts.account->number);
	bool is_azure = result_is_ok(r) && facts.instance->personality == INSTANCE_PERSONALITY_AZURE;
	if (r.code == ERR_NO_MEMORY || !facts.issued)
		answer_text(call, 500, "500 - Internal Server Error");
	else if (!result_is_ok(r) || (is_wire && !is_azure) || !split_path(call, &path))
		answer_text(call, 404, "404 - Not Found");
	else if (is_wire)
		azure_answer_wire(m, call, &facts);
	else
		handle_known(m, call, &facts, &path);
}

void imds_handle(void *self, struct call *call)
{
	handle(self, call, see_guest, false);
}

void imds_handle_wire(void *self, struct call *call)
{
	handle(self, call, see_guest, true);
}

/* "/i-…/wire/machine" stands for a request to 168.63.129.16. */
static RESULT see_named_wire(const struct tables *t, struct call *call, struct imds_facts *ret_facts)
{
	TRY(see_named(t, call, ret_facts));
	call->path = str_slice(call->path, WIRE_WORD.n, call->path.n);
	return OK;
}

void imds_handle_named(void *self, struct call *call)
{
	size_t end = str_find_char(call->path, '/', 1);
	bool is_wire = str_starts_with(str_slice(call->path, end, call->path.n), WIRE_WORD);
	handle(self, call, is_wire ? see_named_wire : see_named, is_wire);
}
