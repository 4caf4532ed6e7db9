/* SPDX-License-Identifier: Apache-2.0
 * Launch templates and their versions. */
#include "engine/instance/launch/launch_template.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/client_token_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/tag_internal.h"
#include "store/launch_template.h"
#include "store/launch_template_version.h"

/* ---- checks ---- */

static RESULT check_name(struct op *op, struct str name)
{
	bool is_good = name.n >= LAUNCH_TEMPLATE_NAME_MIN && name.n <= LAUNCH_TEMPLATE_NAME_MAX;
	for (size_t n = 0; is_good && n < name.n; n++)
		is_good = memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789().-/_",
				 name.p[n], 68) != NULL;
	if (is_good)
		return OK;
	return ENGINE_FAIL(op, ERR_MALFORMED, KIND_LAUNCH_TEMPLATE, STR("LaunchTemplateName"),
			   "The launch template name '%" STR_FMT "' must have %d to %d characters: letters, "
			   "digits, and these: ( ) . - / _",
			   STR_ARG(str_slice(name, 0, LAUNCH_TEMPLATE_NAME_MAX)), LAUNCH_TEMPLATE_NAME_MIN,
			   LAUNCH_TEMPLATE_NAME_MAX);
}

static RESULT check_version(struct op *op, struct str description, struct str data)
{
	if (description.n > LAUNCH_TEMPLATE_WORDS_MAX || !str_is_xml_text(description))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_LAUNCH_TEMPLATE, STR("VersionDescription"),
				   "A version's description has up to %d characters.",
				   LAUNCH_TEMPLATE_WORDS_MAX);
	if (data.n > LAUNCH_TEMPLATE_DATA_MAX)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_LAUNCH_TEMPLATE, STR("LaunchTemplateData"),
				   "A launch template says up to %d bytes.", LAUNCH_TEMPLATE_DATA_MAX);
	return OK;
}

static RESULT check_new(struct op *op, const struct launch_template_wish *wish, uuid account)
{
	TRY(check_name(op, wish->name));
	TRY(check_version(op, wish->description, wish->data));
	TRY(limit_check(op, LIMIT_LAUNCH_TEMPLATE_VERSIONS, account, 1, STR("LaunchTemplateData")));
	if (launch_template_find_by_account(op->head, account, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_LAUNCH_TEMPLATE, STR("LaunchTemplateName"),
				   "Launch template name already in use.");
	return limit_check(op, LIMIT_LAUNCH_TEMPLATES, account, 1, STR("LaunchTemplateName"));
}

/* ---- versions ---- */

/* The template's id with the last four bytes replaced by the number, so that versions are listed in order. */
static uuid version_id(const struct launch_template *template, int64_t number)
{
	uuid id = template->row.id;
	for (size_t n = 0; n < 4; n++)
		id.b[sizeof id.b - 1 - n] = (uint8_t) (number >> (8 * n));
	return id;
}

static RESULT write_version(struct op *op, const struct launch_template *template, int64_t number,
			    struct str description, struct str data, uuid *ret_version)
{
	struct launch_template_version version = {.row.id = version_id(template, number),
						  .row.gen = 1,
						  .account = template->account,
						  .template = template->row.id,
						  .number = number,
						  .description = description,
						  .data = data};
	TRY(launch_template_version_put(op, &version));
	*ret_version = version.row.id;
	return OK;
}

RESULT engine_find_launch_template_version(struct ctx *c, const struct tables *t,
					   const struct launch_template *template, struct str text,
					   struct str field,
					   const struct launch_template_version **ret_version)
{
	int64_t number = template->default_version;
	if (str_is(text, "$Latest"))
		number = template->latest_version;
	else if (!str_is_empty(text) && !str_is(text, "$Default") &&
		 (!result_is_ok(str_parse_int(text, &number)) || number < 1))
		return engine_fail_with(
			c, field,
			ctx_fail_kind(c, ERR_INVALID, KIND_LAUNCH_TEMPLATE_VERSION,
				      "The launch template version '%" STR_FMT
				      "' is no number, $Latest or $Default.",
				      STR_ARG(str_slice(text, 0, LAUNCH_TEMPLATE_WORDS_MAX))));
	*ret_version = launch_template_version_find_by_template(t, template->row.id, number);
	if (*ret_version)
		return OK;
	const struct ref about = {.text = str_print(c->arena, "%" PRId64, number), .field = field};
	return engine_fail_about(
		c, &about,
		ctx_fail_kind(c, ERR_NOT_FOUND, KIND_LAUNCH_TEMPLATE_VERSION,
			      "Could not find the specified version %" PRId64
			      " for the launch template with ID %" STR_FMT ".",
			      number, STR_ARG(engine_id_to_text(c, KIND_LAUNCH_TEMPLATE, template->row.id))));
}

/* ---- operations ---- */

RESULT engine_create_launch_template(struct op *op, struct launch_template_wish *wish)
{
	uuid account = UUID_NONE;
	uuid version;
	TRY(engine_find_acting_id(op, &account));
	TRY(client_token_find_made(op, account, wish->client_token, wish->digest, KIND_LAUNCH_TEMPLATE,
				   &wish->launch_template));
	if (!uuid_is_none(wish->launch_template))
		return OK;
	TRY(check_new(op, wish, account));
	struct launch_template template = {.row.id = engine_new_id(op, KIND_LAUNCH_TEMPLATE),
					   .row.gen = 1,
					   .account = account,
					   .name = wish->name,
					   .default_version = 1,
					   .latest_version = 1,
					   .last_number = 1};
	TRY(tag_normalize(op, wish->tags, &template.tags));
	TRY(engine_permit_new(op, "launch_template.create", KIND_LAUNCH_TEMPLATE, &template.row));
	TRY(launch_template_put(op, &template));
	TRY(write_version(op, &template, 1, wish->description, wish->data, &version));
	wish->launch_template = template.row.id;
	TRY(engine_log_event(op, KIND_LAUNCH_TEMPLATE, &template.row, "created",
			     "Launch template %" STR_FMT ".", STR_ARG(template.name)));
	return client_token_write(op, account, wish->client_token, wish->digest, template.row.id);
}

RESULT engine_create_launch_template_version(struct op *op, struct launch_template_version_wish *wish)
{
	const struct launch_template *template = NULL;
	TRY(engine_find_own_launch_template(op->ctx, op->head, &wish->launch_template, &template));
	TRY(client_token_find_made(op, template->account, wish->client_token, wish->digest,
				   KIND_LAUNCH_TEMPLATE_VERSION, &wish->version));
	if (!uuid_is_none(wish->version))
		return OK;
	TRY(check_version(op, wish->description, wish->data));
	TRY(limit_check(op, LIMIT_LAUNCH_TEMPLATE_VERSIONS, template->account, 1, STR("LaunchTemplateData")));
	TRY(engine_permit(op, "launch_template.add_version", KIND_LAUNCH_TEMPLATE, &template->row));
	struct launch_template next = *template;
	next.latest_version = ++next.last_number;
	next.row.gen++;
	TRY(launch_template_put(op, &next));
	TRY(write_version(op, &next, next.latest_version, wish->description, wish->data, &wish->version));
	TRY(engine_log_event(op, KIND_LAUNCH_TEMPLATE, &next.row, "changed", "Version %" PRId64 ".",
			     next.latest_version));
	return client_token_write(op, next.account, wish->client_token, wish->digest, wish->version);
}

RESULT engine_update_launch_template(struct op *op, struct launch_template_settings *wish)
{
	const struct launch_template *template = NULL;
	const struct launch_template_version *version = NULL;
	TRY(engine_find_own_launch_template(op->ctx, op->head, &wish->launch_template, &template));
	TRY(engine_find_launch_template_version(op->ctx, op->head, template, wish->default_version,
						STR("SetDefaultVersion"), &version));
	TRY(engine_permit(op, "launch_template.update", KIND_LAUNCH_TEMPLATE, &template->row));
	struct launch_template next = *template;
	next.default_version = version->number;
	next.row.gen++;
	wish->changed = next.row.id;
	TRY(launch_template_put(op, &next));
	return engine_log_event(op, KIND_LAUNCH_TEMPLATE, &next.row, "changed",
				"Its default is version %" PRId64 ".", next.default_version);
}

RESULT engine_delete_launch_template(struct op *op, struct launch_template_target *wish)
{
	const struct launch_template *template = NULL;
	TRY(engine_permit_launch_template(op, &wish->launch_template, "launch_template.delete", &template));
	TRY(engine_log_event(op, KIND_LAUNCH_TEMPLATE, &template->row, "deleted",
			     "Launch template %" STR_FMT ".", STR_ARG(template->name)));
	wish->deleted = *template;
	wish->deleted.name = str_copy(op->ctx->arena, template->name);
	wish->deleted.tags = (struct tags){0};
	return launch_template_forget(op, template->row.id);
}

static RESULT remove_version(struct op *op, const struct launch_template *template,
			     struct launch_template_removal *removal)
{
	const struct launch_template_version *version =
		launch_template_version_find_by_template(op->head, template->row.id, removal->number);
	removal->what = REMOVAL_DONE;
	if (!version)
		removal->what = REMOVAL_ABSENT;
	else if (removal->number == template->default_version)
		removal->what = REMOVAL_OF_DEFAULT;
	return removal->what == REMOVAL_DONE ? launch_template_version_forget(op, version->row.id) : OK;
}

/* Updates latest_version after a deletion. The default version cannot be deleted, so one always remains. */
static RESULT update_latest(struct op *op, const struct launch_template *template)
{
	struct launch_template next = *template;
	const struct launch_template_version *v =
		launch_template_version_first_by_template(op->head, template->row.id);
	next.latest_version = 0;
	for (; v; v = launch_template_version_next_by_template(op->head, v))
		if (v->number > next.latest_version)
			next.latest_version = v->number;
	next.row.gen++;
	return next.latest_version == template->latest_version ? OK : launch_template_put(op, &next);
}

RESULT engine_delete_launch_template_versions(struct op *op, struct launch_template_removals *wish)
{
	const struct launch_template *template = NULL;
	struct launch_template_removal *removals =
		arena_new_array(op->ctx->arena, struct launch_template_removal, wish->count + 1);
	if (!removals)
		return ctx_no_memory(op->ctx);
	TRY(engine_permit_launch_template(op, &wish->launch_template, "launch_template.delete_versions",
					  &template));
	wish->id = template->row.id;
	wish->name = str_copy(op->ctx->arena, template->name);
	for (size_t n = 0; n < wish->count; n++) {
		removals[n].number = wish->numbers[n];
		TRY(remove_version(op, template, &removals[n]));
	}
	wish->removals = removals;
	TRY(update_latest(op, template));
	return engine_log_event(op, KIND_LAUNCH_TEMPLATE, &template->row, "changed",
				"%zu versions were to go.", wish->count);
}

/* ---- launches ---- */

RESULT launch_template_add_tags(struct op *op, uuid id, struct tags *tags)
{
	const struct launch_template_version *version = launch_template_version_find(op->head, id);
	const struct launch_template *template =
		version ? launch_template_find(op->head, version->template) : NULL;
	if (!template || !engine_is_own(op->ctx, KIND_LAUNCH_TEMPLATE, &template->row))
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_LAUNCH_TEMPLATE_VERSION, STR("LaunchTemplate"),
				   "The launch template's version has just been deleted.");
	TRY(engine_permit(op, "instance.create", KIND_LAUNCH_TEMPLATE, &template->row));
	const struct tag added[] = {
		{STR("aws:ec2launchtemplate:id"),
		 id_to_ec2(op->ctx->arena, KIND_LAUNCH_TEMPLATE, template->row.id)},
		{STR("aws:ec2launchtemplate:version"),
		 str_print(op->ctx->arena, "%" PRId64, version->number)},
	};
	return tag_add_reserved(op, (struct tags){added, 2}, tags);
}
