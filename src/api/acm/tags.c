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

static RESULT prepare(struct acm_call *e, void *args)
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

static RESULT answer_list(struct acm_call *e, const void *args, struct json_writer *w)
{
	const struct server_certificate *s = NULL;
	struct ref ref;
	TRY(acm_find(e, ((const struct tag_args *) args)->arn, &ref, &s));
	json_write_open_list(w, "Tags");
	for (size_t k = 0; k < s->tags.count; k++) {
		json_write_open(w, NULL);
		json_write_text(w, "Key", s->tags.at[k].key);
		json_write_text(w, "Value", s->tags.at[k].value);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

static const struct acm_action rows[] = {
	{{{ACM_ACTION("AddTagsToCertificate"), .flags = API_WRITES,
	   .args = PARAMS(struct tag_args, tag_params), .operation = engine_tag_acm_certificate_run,
	   .returns = API_RETURNS_NOTHING_STORED, .doc = "Sets tags on a certificate."}},
	 prepare,
	 NULL},
	{{{ACM_ACTION("RemoveTagsFromCertificate"), .flags = API_WRITES,
	   .args = PARAMS(struct tag_args, tag_params), .operation = engine_untag_acm_certificate_run,
	   .returns = API_RETURNS_NOTHING_STORED, .doc = "Removes tags from a certificate."}},
	 prepare,
	 NULL},
	{{{ACM_ACTION("ListTagsForCertificate"), .args = PARAMS(struct tag_args, list_params),
	   .doc = "Lists the tags of a certificate."}},
	 prepare,
	 answer_list},
};
const struct api_actions acm_tag_actions = API_ACTIONS(rows);
