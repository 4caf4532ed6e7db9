/* SPDX-License-Identifier: Apache-2.0
 * Links to the data of templates and ISOs, and their downloads. A link is a ticket: nothing is stored for it. */
#include "api/cloudstack/upload/download.h"
#include "api/cloudstack/compute/os_types.h"
#include "api/cloudstack/core/cloudstack.h"
#include "api/core/image_data.h"
#include "auth/token/ticket.h"
#include "engine/resolve.h"
#include "engine/storage/image/image.h"
#include "model/image.h"

/* Data that were not uploaded are stored as qcow2. */
static struct str suffix_of(const struct image *image)
{
	return image->disk_format.n ? image->disk_format : STR("qcow2");
}

void cs_write_download_url(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct cs_call *call = cs_call_of(e);
	struct ticket ticket = {.image = row->id, .downloads = true, .by = call->token};
	struct str text;
	if (call->is_signed) {
		ticket.by = (struct token){.scope = IDENTITY_ACCOUNT, .user = e->c->who->user};
		if (!result_is_ok(token_issue(e->config->tokens, e->c, &ticket.by, &text)))
			return; /* no memory: the answer fails */
	}
	ticket.by.where = e->c->who->account;
	if (!result_is_ok(ticket_issue(e->config->tickets, e->c, &ticket, &text)))
		return;
	json_write_text(w, name,
			str_print(e->c->arena, "%" STR_FMT CS_DOWNLOAD_PREFIX "%" STR_FMT ".%" STR_FMT,
				  STR_ARG(api_base_url(e)), STR_ARG(text),
				  STR_ARG(suffix_of(image_of(row)))));
}

RESULT cs_prove_download(struct api_call *e, uuid *ret_image)
{
	struct str text = str_slice(e->call->path, strlen(CS_DOWNLOAD_PREFIX), e->call->path.n);
	struct ticket ticket;
	struct identity *who = NULL;
	text = str_slice(text, 0, str_find_char(text, '.', 0));
	struct result checked = ticket_check(e->config->tickets, e->c, text, &ticket, &who);
	if (!result_is_ok(checked) || !ticket.downloads) {
		ctx_clear_problem(e->c);
		return ctx_fail(e->c, ERR_UNAUTHENTICATED, "The link is not one of ours, or has expired.");
	}
	e->c->who = who;
	e->call->account_number = who->account_number;
	*ret_image = ticket.image;
	return OK;
}

RESULT cs_open_download(struct api_call *e, uuid id)
{
	const struct ref ref = cs_ref_of(e->c, KIND_IMAGE, id, "id");
	const struct image *image = NULL;
	TRY(engine_find_image(e->c, api_tables(e), &ref, &image));
	if (image->is_deactivated)
		return ctx_fail_kind(e->c, ERR_DENIED, KIND_IMAGE, "The image is deactivated.");
	TRY(api_open_image_data(e, image));
	return e->file ? OK : engine_fail_not_found(e->c, KIND_IMAGE, &ref);
}

const struct api_action cs_download = {
	.name = "download", .permit = "download_image", .doc = "Returns the data of a template or an ISO."};

/* ---- the commands that make links ---- */

struct extract_args {
	struct ref image, zone;
	struct str url, mode;
	bool is_iso;
};
#define P(wire, member, ...) PARAM(struct extract_args, wire, member, __VA_ARGS__)
static const struct param params[] = {
	P("id", image, .kind = KIND_IMAGE, .flags = REQUIRED, .doc = "The template or ISO."),
	P("mode", mode, .flags = REQUIRED, .words = "HTTP_DOWNLOAD|FTP_UPLOAD",
	  .doc = "HTTP_DOWNLOAD; FTP_UPLOAD is not supported."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "Zone that the answer shows: images are in every zone."),
	NOT_BUILT("url"),
};
#undef P

static RESULT prepare_template(struct cs_call *e, void *args)
{
	struct extract_args *a = args;
	e->zone = &a->zone;
	if (!str_is(a->mode, "HTTP_DOWNLOAD"))
		return ctx_fail_field(e->c, ERR_UNSUPPORTED, STR("mode"),
				      "The mode %" STR_FMT " is not supported", STR_ARG(a->mode));
	return OK;
}

static RESULT prepare_iso(struct cs_call *e, void *args)
{
	((struct extract_args *) args)->is_iso = true;
	return prepare_template(e, args);
}

/* A link works for its maker's account, so administrators cannot make links to private templates of other accounts. */
static RESULT check(struct op *op, void *args)
{
	const struct extract_args *a = args;
	const struct identity *who = op->ctx->who;
	const struct image *image = NULL;
	const struct tag *said = NULL;
	TRY(engine_find_own_image(op->ctx, op->head, &a->image, &image));
	if (engine_is_iso(image) != a->is_iso)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("id"),
				      a->is_iso ? "Unsupported format, could not extract the ISO"
						: "Unsupported format, could not extract the template");
	said = tags_find(image->properties, STR(CS_EXTRACTABLE_PROPERTY));
	if (!identity_is_admin(who) && !(said && str_is(said->value, "true")))
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("id"),
				      "Unable to extract template id=%" STR_FMT " as it's not extractable",
				      STR_ARG(a->image.text));
	if (engine_derive_image_state(op->head, image) != IMAGE_AVAILABLE)
		return ctx_fail_field(op->ctx, ERR_INVALID, STR("id"), "The %s has not been downloaded ",
				      a->is_iso ? "ISO" : "TEMPLATE");
	return image->is_public || uuid_is_none(image->account) || uuid_equal(image->account, who->account)
		       ? OK
		       : ctx_fail_field(op->ctx, ERR_DENIED, STR("id"),
					"The link is for the account that owns the template.");
}

static const struct member members[] = {
	MEMBER(struct image, "id", row.id),
	MEMBER(struct image, "name", name),
	MEMBER(struct image, "accountid", account),
	MEMBER_WRITTEN("zoneid", cs_write_any_zone, .also = "zonename"),
	MEMBER_FIXED("state", "\"DOWNLOAD_URL_CREATED\""),
	MEMBER_FIXED("extractMode", "\"HTTP_DOWNLOAD\""),
	MEMBER_WRITTEN("url", cs_write_download_url),
};
static const struct api_listing links = CS_LISTING(KIND_IMAGE, "template", members);

#define EXTRACT(word, prepares, text)                                                                        \
	{                                                                                                    \
		CS_ACTION(word, "download_image"),                                                           \
			.flags = API_WRITES, .args = PARAMS(struct extract_args, params),                    \
			.prepare = (prepares), .operation = check,                                           \
			CS_SUBJECT(struct extract_args, image.prefix), .shows = &links, CS_JOB(NOW),         \
			.doc = (text)                                                                        \
	}
static const struct cs_action actions[] = {
	EXTRACT("extractTemplate", prepare_template,
		"Makes a link, for ten minutes, to download a template."),
	EXTRACT("extractIso", prepare_iso, "Makes a link, for ten minutes, to download an ISO."),
};
const struct api_actions cs_download_actions = API_ACTIONS(actions);
