/* SPDX-License-Identifier: Apache-2.0
 * Secrets. Sources: Key Manager API v1, "Secrets"; Barbican's controllers. */
#include <inttypes.h>
#include <stdlib.h>

#include "api/openstack/key_manager/key_manager.h"
#include "auth/key/key.h"
#include "base/clock.h"
#include "store/secret.h"

/* ---- what all resources share ---- */

struct str os_km_ref(struct os_call *e, const char *collection, uuid id)
{
	return str_print(e->c->arena, "%" STR_FMT "/v1/%s/%" STR_FMT,
			 STR_ARG(os_service_url(e, OS_KEY_MANAGER)), collection,
			 STR_ARG(uuid_to_str(e->c->arena, id)));
}

bool os_km_read_ref(struct str text, const char *collection, enum kind kind, struct ref *ret_ref)
{
	struct str rest = text, piece = STR_NONE, part = STR_NONE, before = STR_NONE;
	while (str_split_next(&rest, '/', &piece)) {
		before = part;
		part = piece;
	}
	return (!before.n || str_is(before, collection)) && os_parse_id(part, kind, ret_ref);
}

RESULT os_km_find_secret(struct os_call *e, const struct ref *ref, const struct secret **ret_secret)
{
	const struct row *row = NULL;
	TRY(os_find(e, KIND_SECRET, ref, &row));
	const struct secret *secret = secret_of(row);
	if (!engine_may_read_secret(e->c, secret))
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_SECRET,
				     "Secret retrieval attempt not allowed - please review your user/project "
				     "privileges");
	if (secret->expires_us && secret->expires_us <= clock_now_us())
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_SECRET, "The secret has expired.");
	*ret_secret = secret;
	return OK;
}

void os_km_write_common(struct json_writer *w, const struct row *row, struct str name, uuid creator)
{
	json_write_text_or_null(w, "name", name);
	json_write_z(w, "status", "ACTIVE");
	os_write_time_us(w, "created", row->created_us);
	os_write_time_us(w, "updated", row->updated_us ? row->updated_us : row->created_us);
	os_write_hex(w, "creator_id", creator);
}

int os_km_compare(const void *a, const void *b)
{
	const struct row *x = *(const struct row *const *) a, *y = *(const struct row *const *) b;
	if (x->created_us != y->created_us)
		return x->created_us < y->created_us ? -1 : 1;
	return memcmp(x->id.b, y->id.b, sizeof x->id.b);
}

/* Barbican's links repeat limit and offset alone. */
static void write_link(struct os_call *e, struct json_writer *w, const char *name, int64_t limit,
		       int64_t offset)
{
	json_write_text(w, name,
			str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "?limit=%" PRId64 "&offset=%" PRId64,
				  STR_ARG(os_service_url(e, OS_KEY_MANAGER)), STR_ARG(e->path), limit,
				  offset));
}

void os_km_write_page(struct os_call *e, struct json_writer *w, const struct os_km_page *page, size_t total)
{
	int64_t before = page->offset > page->limit ? page->offset - page->limit : 0;
	json_write_int(w, "total", (int64_t) total);
	if (page->offset + page->limit < (int64_t) total)
		write_link(e, w, "next", page->limit, page->offset + page->limit);
	if (page->offset)
		write_link(e, w, "previous", page->limit, before);
}

/* ---- showing ---- */

static const char *const types[] = {
	[SECRET_TYPE_OPAQUE] = "opaque",         [SECRET_TYPE_SYMMETRIC] = "symmetric",
	[SECRET_TYPE_PUBLIC] = "public",         [SECRET_TYPE_PRIVATE] = "private",
	[SECRET_TYPE_PASSPHRASE] = "passphrase", [SECRET_TYPE_CERTIFICATE] = "certificate",
};
#define TYPES "opaque|symmetric|public|private|passphrase|certificate"

static void write_secret(struct os_call *e, struct json_writer *w, const struct secret *s)
{
	os_km_write_common(w, &s->row, s->name, s->creator);
	json_write_z(w, "secret_type", types[s->type]);
	json_write_text_or_null(w, "algorithm", s->algorithm);
	json_write_text_or_null(w, "mode", s->mode);
	if (s->bit_length)
		json_write_int(w, "bit_length", s->bit_length);
	else
		json_write_null(w, "bit_length");
	os_write_time_us(w, "expiration", s->expires_us);
	if (s->content_type.n) {
		json_write_open(w, "content_types");
		json_write_text(w, "default", s->content_type);
		json_write_close(w);
	}
	json_write_text(w, "secret_ref", os_km_ref(e, "secrets", s->row.id));
}

/* ---- payloads ---- */

static bool is_text(struct str type)
{
	return str_equal_nocase(type, STR("text/plain")) ||
	       str_equal_nocase(type, STR("text/plain;charset=utf-8")) ||
	       str_equal_nocase(type, STR("text/plain; charset=utf-8"));
}

/* The type as it is stored and shown; empty: it is not supported. */
static struct str find_type(struct str type)
{
	static const char *const binary[] = {"application/octet-stream", "application/pkcs8",
					     "application/pkix-cert"};
	if (is_text(type))
		return STR("text/plain");
	for (size_t k = 0; k < sizeof binary / sizeof binary[0]; k++)
		if (str_equal_nocase(type, str_from(binary[k])))
			return str_from(binary[k]);
	return STR_NONE;
}

static RESULT check_size(struct os_call *e, struct str payload)
{
	return payload.n <= SECRET_PAYLOAD_MAX ? OK
					       : ctx_fail_field(e->c, ERR_TOO_LARGE, STR("payload"),
								"Provided information too large to process");
}

/* Decodes and seals a payload. */
static RESULT take_payload(struct os_call *e, uuid id, struct str payload, struct str type,
			   struct str encoding, struct str *ret_type, struct str *ret_sealed)
{
	*ret_type = find_type(type);
	if (!ret_type->n)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("payload_content_type"),
				      "Provided payload_content_type '%" STR_FMT "' is not supported.",
				      STR_ARG(str_slice(type, 0, 64)));
	if (encoding.n && !str_equal_nocase(encoding, STR("base64")))
		return ctx_fail_field(e->c, ERR_INVALID, STR("payload_content_encoding"),
				      "The payload_content_encoding '%" STR_FMT "' is not supported.",
				      STR_ARG(str_slice(encoding, 0, 64)));
	if (encoding.n && !result_is_ok(str_decode_base64(e->c->arena, payload, &payload))) {
		ctx_clear_problem(e->c);
		return ctx_fail_field(e->c, ERR_INVALID, STR("payload"),
				      "Unable to decode request body: the payload is not base64.");
	}
	TRY(check_size(e, payload));
	return key_seal(e->c, e->config->master_key, id, payload, ret_sealed);
}

/* ---- new secrets ---- */

struct os_km_create {
	struct secret_wish wish;
	struct str type, expires, payload, content_type, encoding;
	bool has_payload;
};
#define P(wire, member, ...) OS_BODY(struct os_km_create, wire, member, .flags = NULL_ABSENT, __VA_ARGS__)
static const struct param create_params[] = {
	P("name", wish.row.name, .max = 255, .doc = "Name; need not be unique."),
	P("secret_type", type, .words = TYPES, .doc = "Type; opaque by default."),
	P("algorithm", wish.row.algorithm, .max = 255, .doc = "Algorithm of the key, for information."),
	P("bit_length", wish.row.bit_length, .min = 1, .max = 32767,
	  .doc = "Length of the key in bits, for information."),
	P("mode", wish.row.mode, .max = 255, .doc = "Mode of the algorithm, for information."),
	P("expiration", expires, .max = 64, .doc = "Time after which the secret is not shown any more."),
	P("payload", payload, .max = 2 * SECRET_PAYLOAD_MAX,
	  .given = offsetof(struct os_km_create, has_payload) + 1, .doc = "The secret itself."),
	P("payload_content_type", content_type, .max = 64, .doc = "Media type of the payload."),
	P("payload_content_encoding", encoding, .max = 64, .doc = "base64, for payloads that are no text."),
};
#undef P

static RESULT check_payload(struct os_call *e, const struct os_km_create *a)
{
	if (a->has_payload && !a->payload.n)
		return ctx_fail_field(e->c, ERR_INVALID, STR("payload"),
				      "If 'payload' specified, must be non empty.");
	if (a->payload.n && !a->content_type.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("payload_content_type"),
				      "If 'payload' is supplied, 'payload_content_type' must also be "
				      "supplied.");
	if (!a->payload.n && a->content_type.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("payload"),
				      "payload must be provided when payload_content_type is supplied.");
	if (a->payload.n && !is_text(a->content_type) && find_type(a->content_type).n && !a->encoding.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("payload_content_encoding"),
				      "payload_content_encoding must be specified when payload_content_type "
				      "is application/octet-stream.");
	return OK;
}

static RESULT prepare_create(struct os_call *e, void *args)
{
	struct os_km_create *a = args;
	struct secret *row = &a->wish.row;
	TRY(check_payload(e, a));
	for (size_t k = 0; k < sizeof types / sizeof types[0]; k++)
		if (str_is(a->type, types[k]))
			row->type = (enum secret_type) k;
	if (a->expires.n)
		TRY(os_parse_time(e->c, a->expires, "expiration", &row->expires_us));
	if (a->expires.n && row->expires_us <= clock_now_us())
		return ctx_fail_field(e->c, ERR_INVALID, STR("expiration"),
				      "'expiration' is before current time");
	row->row.id = id_new(KIND_SECRET);
	return a->payload.n ? take_payload(e, row->row.id, a->payload, a->content_type, a->encoding,
					   &row->content_type, &row->payload)
			    : OK;
}

static RESULT answer_create(struct os_call *e, const void *args, struct json_writer *w)
{
	struct str ref = os_km_ref(e, "secrets", ((const struct os_km_create *) args)->wish.row.row.id);
	call_set_answer_header(e->call, "Location", ref);
	json_write_text(w, "secret_ref", ref);
	return OK;
}

/* ---- lists ---- */

struct os_km_list {
	struct os_km_page page;
	struct str name, algorithm, mode, type;
	int64_t bits;
};
#define Q(wire, member, ...) OS_QUERY(struct os_km_list, wire, member, __VA_ARGS__)
static const struct param list_params[] = {
	OS_KM_PAGE(struct os_km_list),
	Q("name", name, .doc = "Name."),
	Q("alg", algorithm, .doc = "Algorithm."),
	Q("mode", mode, .doc = "Mode of the algorithm."),
	Q("bits", bits, .min = 0, .max = 32767, .doc = "Length of the key in bits; 0: any."),
	Q("secret_type", type, .words = TYPES, .doc = "Type."),
	OS_UNBUILT("acl_only|created|updated|expiration|sort"),
};
#undef Q

static bool fits(struct os_call *e, const struct os_km_list *a, const struct secret *s)
{
	return engine_may_read_secret(e->c, s) && (!s->expires_us || s->expires_us > clock_now_us()) &&
	       (!a->name.n || str_equal(a->name, s->name)) &&
	       (!a->algorithm.n || str_equal(a->algorithm, s->algorithm)) &&
	       (!a->mode.n || str_equal(a->mode, s->mode)) &&
	       (!a->type.n || str_is(a->type, types[s->type])) && (!a->bits || a->bits == s->bit_length);
}

static RESULT list_secrets(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_km_list *a = args;
	VEC(const struct secret *) rows = {0};
	const struct secret *s = secret_first_by_account(os_tables(e), e->c->who->account);
	for (; s; s = secret_next_by_account(os_tables(e), s))
		if (fits(e, a, s) && !VEC_PUSH(e->c->arena, &rows, s))
			return ctx_no_memory(e->c);
	if (rows.count)
		qsort(rows.at, rows.count, sizeof rows.at[0], os_km_compare);
	json_write_open_list(w, "secrets");
	for (size_t k = (size_t) a->page.offset;
	     k < rows.count && k < (size_t) (a->page.offset + a->page.limit); k++) {
		json_write_open(w, NULL);
		write_secret(e, w, rows.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	os_km_write_page(e, w, &a->page, rows.count);
	return OK;
}

/* ---- one secret ---- */

struct os_km_secret {
	struct secret_target wish;
};
#define PATH(T, member) OS_PATH(T, "secret_id", member, .kind = KIND_SECRET, .doc = "The secret.")
static const struct param secret_params[] = {PATH(struct os_km_secret, wish.secret)};

static RESULT show_secret(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct secret *s = NULL;
	TRY(os_km_find_secret(e, &((const struct os_km_secret *) args)->wish.secret, &s));
	write_secret(e, w, s);
	return OK;
}

/* "*" in Accept stands for any type. */
static bool accepts(struct str accept, struct str type)
{
	struct str part;
	struct str family = str_slice(type, 0, str_find_char(type, '/', 0) + 1);
	if (!accept.n)
		return true;
	while (str_split_next(&accept, ',', &part)) {
		struct str name = STR_NONE, rest = str_trim(part);
		(void) str_split_next(&rest, ';', &name);
		name = str_trim(name);
		if (str_is(name, "*/*") || str_equal_nocase(name, type) ||
		    (str_ends_with(name, STR("/*")) && str_starts_with(name, family)))
			return true;
	}
	return false;
}

static RESULT show_payload(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct secret *s = NULL;
	struct str payload = STR_NONE;
	TRY(os_km_find_secret(e, &((const struct os_km_secret *) args)->wish.secret, &s));
	if (!s->content_type.n)
		return ctx_fail(e->c, ERR_NOT_FOUND, "Not Found. Sorry but your secret has no payload.");
	if (!accepts(call_header(e->call, "Accept"), s->content_type))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Accept"),
				      "Requested content type not supported: the payload is %" STR_FMT ".",
				      STR_ARG(s->content_type));
	TRY(key_open(e->c, e->config->master_key, s->row.id, s->payload, &payload));
	e->content_type = str_to_z(e->c->arena, s->content_type);
	buf_add_str(w->out, payload);
	return OK;
}

struct os_km_put {
	struct secret_payload wish;
};
static const struct param put_params[] = {PATH(struct os_km_put, wish.secret)};

static RESULT prepare_put(struct os_call *e, void *args)
{
	struct os_km_put *a = args;
	const struct secret *s = NULL;
	struct str type = call_header(e->call, "Content-Type");
	struct str encoding = call_header(e->call, "Content-Encoding");
	TRY(os_km_find_secret(e, &a->wish.secret, &s));
	if (!find_type(type).n)
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("Content-Type"),
				      "Content-Type of '%" STR_FMT "' is not supported for PUT.",
				      STR_ARG(str_slice(type, 0, 64)));
	if (!e->call->body.n)
		return ctx_fail_field(e->c, ERR_MISSING, STR("payload"), "No data supplied to process.");
	return take_payload(e, s->row.id, e->call->body, type, encoding, &a->wish.content_type,
			    &a->wish.payload);
}

#define ONE "/v1/secrets/{secret_id}"
static const struct os_action actions[] = {
	{HTTP_POST, "/v1/secrets", .permit = "secrets:post", .flags = API_WRITES, .status = 201,
	 .args = OS_PARAMS(struct os_km_create, create_params), .prepare = prepare_create,
	 .operation = engine_create_secret_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = answer_create, .doc = "Stores a secret, with or without its payload."},
	{HTTP_GET, "/v1/secrets", .permit = "secrets:get", .flags = OS_FILTERS | API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_km_list, list_params), .answer = list_secrets,
	 .doc = "Lists the project's secrets, without payloads."},
	{HTTP_GET, ONE, .permit = "secret:get", .flags = API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_km_secret, secret_params), .answer = show_secret,
	 .doc = "Shows a secret, without its payload."},
	{HTTP_GET, ONE "/payload", .permit = "secret:decrypt", .flags = OS_IN_PLACE | API_CHANGES_BY_TIME,
	 .args = OS_PARAMS(struct os_km_secret, secret_params), .answer = show_payload,
	 .doc = "Returns the payload."},
	{HTTP_PUT, ONE, .permit = "secret:put", .flags = API_WRITES | OS_RAW_BODY, .status = 204,
	 .args = OS_PARAMS(struct os_km_put, put_params), .prepare = prepare_put,
	 .operation = engine_put_secret_payload_run, .doc = "Gives a secret its payload, once."},
	{HTTP_DELETE, ONE, .permit = "secret:delete", .flags = API_WRITES, .status = 204,
	 .args = OS_PARAMS(struct os_km_secret, secret_params), .operation = engine_delete_secret_run,
	 .doc = "Deletes a secret."},
};
const struct os_actions os_key_manager_secret_actions = OS_ACTIONS(OS_KEY_MANAGER, actions);
