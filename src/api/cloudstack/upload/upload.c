/* SPDX-License-Identifier: Apache-2.0
 * POST of the data of an image or volume, and downloads by links (download.c). A face of its own: answers are plain text, and
 * headers authenticate the call. They are checked before the first byte of the file, which is streamed into
 * the image store.
 */
#include "api/cloudstack/upload/upload.h"

#include "api/cloudstack/core/cloudstack.h"
#include "api/cloudstack/upload/download.h"
#include "api/core/image_data.h"
#include "auth/token/ticket.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/multipart.h"
#include "base/uuid_asked.h"
#include "drivers/image/image_file.h"
#include "engine/quota.h"
#include "engine/resolve.h"
#include "engine/storage/sending.h"
#include "model/image.h"

enum { SHA1_SIZE = 20, FORM_SIZE_MAX = 64 * 1024 }; /* form fields beside the file */

const char *const cs_sending_words[] = {
	[IMAGE_SENDING_WAITING] = "NotUploaded",
	[IMAGE_SENDING_FAILED] = "UploadError",
	[IMAGE_SENDING_ABANDONED] = "UploadAbandoned",
};

bool cloudstack_is_upload(struct str path)
{
	return str_starts_with(path, STR(CS_UPLOAD_PREFIX)) || str_starts_with(path, STR(CS_DOWNLOAD_PREFIX));
}

/* ---- what proves one ---- */

static struct str make_url(struct api_call *e, struct str id)
{
	return str_print(e->c->arena, "%" STR_FMT CS_UPLOAD_PREFIX "%" STR_FMT, STR_ARG(api_base_url(e)),
			 STR_ARG(id));
}

static struct str sign(struct api_call *e, struct str metadata, struct str url, struct str expires)
{
	uint8_t key[SHA256_SIZE], sum[SHA1_SIZE];
	struct str said = str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "%" STR_FMT, STR_ARG(metadata),
				    STR_ARG(url), STR_ARG(expires));
	crypto_hmac_sha256(e->config->master_key, MASTER_KEY_SIZE, STR("cloudstack-upload"), key);
	crypto_hmac_sha1(key, sizeof key, said, sum);
	crypto_wipe(key, sizeof key);
	return said.p ? str_encode_base64(e->c->arena, (struct str){(const char *) sum, sizeof sum})
		      : STR_NONE;
}

RESULT cs_begin_upload(struct cs_call *e)
{
	struct str unused;
	struct identity *who = NULL;
	if (e->is_signed) {
		e->token = (struct token){.scope = IDENTITY_ACCOUNT, .user = e->c->who->user};
		e->token.where = e->c->who->account;
		TRY(token_issue(e->config->tokens, e->c, &e->token, &unused));
	}
	e->token.where = e->c->who->account;
	if (result_is_ok(token_weigh(e->config->tokens, e->c, &e->token, &who)))
		return OK;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_DENIED, STR("account"),
			      "Data are sent by who has a role in the account that they are for.");
}

/* metadata: the caller's ticket (auth/token/ticket.h), opaque to clients. expires: latest start of an upload.
 * signature: base64 HMAC-SHA1 over metadata, URL and expires. */
RESULT cs_write_upload(struct cs_call *e, uuid id, struct json_writer *w)
{
	char text[CLOCK_TEXT_SIZE];
	struct ticket ticket = {.image = id, .by = e->token};
	struct str metadata, name = uuid_to_str(e->c->arena, id);
	TRY(ticket_issue(e->config->tickets, e->c, &ticket, &metadata));
	struct str url = make_url(&e->core, name);
	struct str expires = str_copy(e->c->arena, str_from(clock_write_ms(ticket.expires_us, text)));
	struct str signature = sign(&e->core, metadata, url, expires);
	if (!url.p || !expires.p || !signature.p)
		return ctx_no_memory(e->c);
	json_write_open(w, "getuploadparams");
	json_write_text(w, "id", name);
	json_write_text(w, "postURL", url);
	json_write_text(w, "metadata", metadata);
	json_write_text(w, "expires", expires);
	json_write_text(w, "signature", signature);
	json_write_close(w);
	return OK;
}

/* ---- one that comes ---- */

struct upload_call {
	API_CALL_BASE;
	struct ticket ticket;
	uuid downloaded; /* image of a download's link */
};

static struct upload_call *upload_call_of(struct api_call *core)
{
	return (struct upload_call *) core;
}

struct upload_args {
	struct image_filling wish;
	struct call_sink sink;
	struct image_upload *upload; /* owned until sink.end() */
	struct call *call;
	struct str format;
	struct str problem; /* why the data are not a disk; empty: they are */
	struct multipart form;
};

static struct upload_args *args_of(struct call_sink *sink)
{
	return (struct upload_args *) (void *) ((char *) sink - offsetof(struct upload_args, sink));
}

/* Checks in the order, and with the messages, of the storage VM. */
static RESULT prove(struct upload_call *e)
{
	struct str id = str_slice(e->call->path, strlen(CS_UPLOAD_PREFIX), e->call->path.n);
	struct str metadata = call_header(e->call, "X-metadata"), expires = call_header(e->call, "X-expires"),
		   signature = call_header(e->call, "X-signature");
	struct identity *who = NULL;
	uuid image = UUID_NONE;
	int64_t size = 0;
	if (!signature.n || !metadata.n || !expires.n)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"signature, metadata and expires are compulsory fields.");
	if (!result_is_ok(str_parse_int(call_header(e->call, "Content-Length"), &size)) || size <= 0)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED,
				"content length is not set in the request or has invalid value.");
	struct str wanted = sign(&e->core, metadata, make_url(&e->core, id), expires);
	if (!wanted.p)
		return ctx_no_memory(e->c);
	if (wanted.n != signature.n || !crypto_equal(wanted.p, signature.p, wanted.n))
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "signature validation failed.");
	if (!result_is_ok(ticket_check(e->config->tickets, e->c, metadata, &e->ticket, &who))) {
		ctx_clear_problem(e->c);
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "request not valid anymore.");
	}
	if (!result_is_ok(uuid_parse_asked(id, &image)) || !uuid_equal(image, e->ticket.image) ||
	    e->ticket.downloads)
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "signature validation failed.");
	e->c->who = who;
	e->call->account_number = who->account_number;
	return OK;
}

static RESULT take_file(void *arg, struct str bytes)
{
	struct upload_args *a = arg;
	return image_upload_add(a->upload, &a->call->ctx, bytes);
}

static RESULT take_piece(struct call_sink *sink, struct call *call, struct str piece)
{
	struct upload_args *a = args_of(sink);
	struct result result = multipart_add(&a->form, piece, take_file, a);
	return result.code == ERR_INVALID
		       ? ctx_fail(&call->ctx, ERR_INVALID, "The form with the file is not whole.")
		       : result;
}

static void end_upload(struct call_sink *sink)
{
	image_upload_free(args_of(sink)->upload);
}

/* Runs when the headers are there. */
static RESULT prepare(struct api_call *core)
{
	struct upload_call *e = upload_call_of(core);
	struct awaited awaited;
	if (core->action == &cs_download)
		return cs_open_download(core, e->downloaded);
	if (e->call->method != HTTP_POST)
		return OK;
	TRY(api_new_args(core, 1, sizeof(struct upload_args)));
	struct upload_args *a = e->args;
	a->call = e->call;
	TRY(engine_find_awaited(e->c, api_tables(core), e->ticket.image, &awaited));
	a->wish.image = awaited.ref;
	a->format = awaited.format;
	if (!multipart_begin(&a->form, call_header(e->call, "Content-Type")))
		return ctx_fail(e->c, ERR_MISSING, "received entity is not a file");
	if (!e->config->reconciler)
		return ctx_fail(e->c, ERR_GONE, "there is no image store here");
	e->image = e->ticket.image;
	const struct disk_payer payer = engine_pay_disk(api_tables(core), e->c->who->account, KIND_IMAGE);
	TRY(image_upload_new(e->c, reconciler_image_directory(e->config->reconciler), &a->upload));
	image_upload_charge(a->upload, &payer);
	a->sink = (struct call_sink){
		.cap_size = IMAGE_DATA_MAX + FORM_SIZE_MAX, .take = take_piece, .end = end_upload};
	call_set_sink(e->call, &a->sink);
	return OK;
}

/* Runs when the data are there, on the image's worker thread. Data that are not a disk end the waiting
 * in run(). */
static RESULT keep(struct work_item *w)
{
	struct upload_args *a = ((struct api_call *) w->arg)->args;
	TRY(a->sink.result);
	if (!multipart_has_file(&a->form))
		return ctx_fail(w->ctx, ERR_MISSING, "received entity is not a file");
	struct result kept = api_keep_image_upload(w->ctx, a->upload, a->format, &a->wish);
	if (kept.code != ERR_INVALID && kept.code != ERR_UNSUPPORTED)
		return kept;
	a->problem = str_copy(w->ctx->arena, w->ctx->problem.message);
	ctx_clear_problem(w->ctx);
	return OK;
}

static void undo(struct work_item *w)
{
	struct api_call *e = w->arg;
	struct upload_args *a = e->args;
	reconciler_drop_upload(e->config->reconciler, a->upload);
}

static RESULT run(struct op *op, void *args)
{
	struct upload_args *a = args;
	struct sending_end end = {.kind = a->wish.image.kind, .id = a->wish.image.prefix, .failed = true};
	if (a->problem.n) {
		/* The ticket alone lets its bearer end the waiting, by data that are no disk. */
		engine_need_no_permission(op);
		return engine_end_sending(op, &end);
	}
	return a->wish.image.kind == KIND_VOLUME ? engine_fill_volume(op, &a->wish)
						 : engine_fill_image(op, &a->wish);
}

/* ---- the face ---- */

static const struct api_action action = {.name = "upload",
					 .permit = "upload_image",
					 .flags = API_WRITES,
					 .args = {.size = sizeof(struct upload_args)},
					 .work = keep,
					 .undo = undo,
					 .operation = run,
					 .returns = API_RETURNS_NOTHING_STORED,
					 .doc = "Accepts the data of a template, an ISO or a volume."};

/* CORS preflight, for pages of another origin such as CloudStack's UI. */
static const struct api_action preflight = {.name = "preflight",
					    .permit = "upload_image",
					    .flags = API_OPEN,
					    .doc = "Answers CORS preflight requests: any page may upload."};

static RESULT find_download(struct upload_call *e)
{
	const struct api_entry entry = api_entry_of(&cs_download);
	api_choose_action(&e->core, &entry);
	if (e->call->method != HTTP_GET)
		return api_check_limits(&e->core, &cs_download,
					ctx_fail(e->c, ERR_UNAUTHENTICATED, "only get requests are allowed"));
	return api_check_limits(&e->core, &cs_download, cs_prove_download(&e->core, &e->downloaded));
}

static RESULT find(struct api_call *core)
{
	struct upload_call *e = upload_call_of(core);
	if (str_starts_with(e->call->path, STR(CS_DOWNLOAD_PREFIX)))
		return find_download(e);
	bool is_preflight = str_is(e->call->method_name, "OPTIONS");
	const struct api_entry entry = api_entry_of(is_preflight ? &preflight : &action);
	api_choose_action(core, &entry);
	if (is_preflight)
		return api_check_limits(core, &preflight, OK);
	if (e->call->method != HTTP_POST)
		return api_check_limits(
			core, &action, ctx_fail(e->c, ERR_UNAUTHENTICATED, "only post requests are allowed"));
	return api_check_limits(core, &action, prove(e));
}

static bool is_upload(struct api_call *core)
{
	return core->action != &cs_download;
}

/* Headers of the storage VM. Any origin is allowed: a page cannot know the signed headers by itself. */
static void set_headers(struct api_call *core)
{
	if (core->has_headers)
		return;
	core->has_headers = true;
	call_set_answer_header(core->call, "Access-Control-Allow-Origin", STR("*"));
	call_set_answer_header(core->call, "Access-Control-Allow-Methods", STR("POST, OPTIONS"));
	call_set_answer_header(core->call, "Access-Control-Allow-Headers",
			       STR("x-requested-with, Content-Type, origin, authorization, accept, "
				   "client-security-token, x-signature, x-metadata, x-expires"));
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	const struct upload_args *a = core->action == &action ? core->args : NULL;
	if (a && a->problem.n)
		core->status = 400;
	if (a)
		buf_add_str(body, a->problem.n ? a->problem : STR("upload successful."));
	return body->failed ? FAIL(NO_MEMORY) : OK;
}

static RESULT write_problem(struct api_call *core, struct api_problem *p, struct buf *body)
{
	set_headers(core);
	buf_add_str(body, p->message);
	return body->failed ? FAIL(NO_MEMORY) : OK;
}

static const struct api_error rows[] = {
	{ERR_UNAUTHENTICATED, 0, 400, NULL}, {ERR_UNSUPPORTED, 0, 400, NULL},
	{ERR_STATE, 0, 400, NULL},           {ERR_NOT_FOUND, 0, 400, NULL},
	{ERR_INVALID, 0, 400, NULL},         {ERR_DENIED, 0, 400, NULL},
	{ERR_MISSING, 0, 422, NULL},         {ERR_TOO_LARGE, 0, 413, NULL},
	{ERR_THROTTLED, 0, 429, NULL},       {ERR_GONE, 0, 503, NULL},
	{ERR_CAPACITY, 0, 507, NULL},        {ERR_AGAIN, 0, 503, NULL},
	{ERR_QUOTA, 0, 400, NULL},           {ERR_INTERNAL, 0, 500, NULL},
};
static const struct api_errors errors =
	API_ERRORS(rows, .internal = "Internal Server Error",
		   .throttled = "The given user has reached his/her account api limit", .is_by_status = true);

const struct api_protocol cloudstack_upload_protocol = {
	.name = "cloudstack-upload",
	.content_type = "text/plain; charset=UTF-8",
	.call_size = sizeof(struct upload_call),
	.errors = &errors,
	.find = find,
	.prepare = prepare,
	.set_headers = set_headers,
	.write = write_answer,
	.write_problem = write_problem,
	.uploads_by = HTTP_POST,
	.is_upload = is_upload,
};
