/* SPDX-License-Identifier: Apache-2.0
 * Tags of certificates. Source: ACM API Reference. */
#include "api/acm/internal.h"
#include "engine/tag.h"

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .max = TAG_VALUE_MAX, .doc = "Tag value."),
};
const struct params acm_tag_params = PARAMS(struct tag, tag_rows);

struct tag_args {
	struct acm_tags wish;
	struct str arn;
	struct {
		struct tag *at;
		size_t count;
	} tags;
};
static const struct param tag_params[] = {
	ACM_ARN(struct tag_args, arn, .flags = REQUIRED, ),
	PARAM_LIST(struct tag_args, "Tags", tags, acm_tag_params, .flags = REQUIRED, .max = ACM_TAGS_MAX,
		   .doc = "Tags to set, or to remove; without a value a tag is removed whatever its value.")};
static const struct param list_params[] = {ACM_ARN(struct tag_args, arn, .flags = REQUIRED, )};

static RESULT prepare(struct target_call *e, void *args)
{
	struct tag_args *a = args;
	const struct server_certificate *s = NULL;
	if (e->action->args.count > 1)
		TRY(target_check_count(e->c, "tags", a->tags.count, ACM_TAGS_MAX));
	a->wish.tags = (struct tags){a->tags.at, a->tags.count};
	for (size_t k = 0; k < a->tags.count; k++)
		if (str_starts_with(a->tags.at[k].key, STR("aws:")))
			return ctx_fail_field(
				e->c, ERR_INVALID, STR("Tag.Key"),
				"Tag keys starting with 'aws:' are reserved for internal use: '%" STR_FMT
				"'.",
				STR_ARG(a->tags.at[k].key));
	return acm_find(e, a->arn, &a->wish.certificate, &s);
}

static RESULT answer_list(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct server_certificate *s = NULL;
	struct ref ref;
	TRY(acm_find(e, ((const struct tag_args *) args)->arn, &ref, &s));
	target_write_tags(w, "Tags", s->tags);
	return OK;
}

static const struct target_action rows[] = {
	{ACM_ACTION("AddTagsToCertificate"), .flags = API_WRITES, .args = PARAMS(struct tag_args, tag_params),
	 .operation = engine_tag_acm_certificate_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Sets tags on a certificate.", .prepare = prepare},
	{ACM_ACTION("RemoveTagsFromCertificate"), .flags = API_WRITES,
	 .args = PARAMS(struct tag_args, tag_params), .operation = engine_untag_acm_certificate_run,
	 .returns = API_RETURNS_NOTHING_STORED, .doc = "Removes tags from a certificate.",
	 .prepare = prepare},
	{ACM_ACTION("ListTagsForCertificate"), .args = PARAMS(struct tag_args, list_params),
	 .doc = "Lists the tags of a certificate.", .prepare = prepare, .answer = answer_list},
};
const struct api_actions acm_tag_actions = API_ACTIONS(rows);
