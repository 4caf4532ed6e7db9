/* SPDX-License-Identifier: Apache-2.0
 * Copies of templates and ISOs to other zones. An image is in every zone, so there is nothing to copy: as
 * CloudStack where a zone has the template already, the command checks its parameters and shows the template.
 * Source: CopyTemplateCmd and TemplateManagerImpl.copyTemplate of 4.18.
 */
#include "api/cloudstack/compute/templates.h"
#include "engine/resolve.h"
#include "engine/storage/image/image.h"
#include "model/image.h"

struct copy_args {
	struct ref image, from, to;
	struct refs more;
	bool is_iso;
};
static const struct param params[] = {
	PARAM(struct copy_args, "id", image, .kind = KIND_IMAGE, .flags = REQUIRED,
	      .doc = "The template or ISO."),
	PARAM(struct copy_args, "sourcezoneid", from, .kind = KIND_ZONE, .doc = "Zone of the source."),
	PARAM(struct copy_args, "destzoneid", to, .kind = KIND_ZONE, .doc = "Target zone."),
	PARAM(struct copy_args, "destzoneids", more, .kind = KIND_ZONE, .max = CS_PAGE_MAX,
	      .doc = "Target zones, instead of one."),
};

static RESULT check_zone(struct cs_call *e, const struct copy_args *a, const struct ref *zone,
			 const char *problem)
{
	const struct row *row = tables_find(cs_tables(e), KIND_ZONE, zone->prefix);
	if (ref_is_given(zone) && !(row && row_is_live(row)))
		return cs_fail(e, "destzoneid", "%s", problem);
	bool is_same = zone != &a->from && ref_is_given(zone) && ref_is_given(&a->from) &&
		       uuid_equal(zone->prefix, a->from.prefix);
	return is_same ? cs_fail(e, "destzoneid", "Please specify different source and destination zones.")
		       : OK;
}

static RESULT prepare_template(struct cs_call *e, void *args)
{
	const struct copy_args *a = args;
	bool has_one = ref_is_given(&a->to);
	e->zone = a->more.count ? &a->more.at[0] : &a->to;
	if (!has_one && !a->more.count)
		return cs_fail(e, "destzoneid",
			       "Either destzoneid or destzoneids parameters have to be specified.");
	if (has_one && a->more.count)
		return cs_fail(e, "destzoneid",
			       "Both destzoneid and destzoneids cannot be specified at the same time.");
	TRY(check_zone(e, a, &a->from, "Please specify a valid source zone."));
	TRY(check_zone(e, a, &a->to, "Please specify a valid destination zone."));
	for (size_t k = 0; k < a->more.count; k++)
		TRY(check_zone(e, a, &a->more.at[k], "Please specify a valid destination zone."));
	return OK;
}

static RESULT prepare_iso(struct cs_call *e, void *args)
{
	((struct copy_args *) args)->is_iso = true;
	return prepare_template(e, args);
}

/* Only its owner copies a template. */
static RESULT find(struct op *op, void *args)
{
	const struct copy_args *a = args;
	const struct image *image = NULL;
	TRY(engine_find_own_image(op->ctx, op->head, &a->image, &image));
	return engine_is_iso(image) == a->is_iso ? OK : engine_fail_not_found(op->ctx, KIND_IMAGE, &a->image);
}

#define COPY(word, prepares, list, text)                                                                     \
	{                                                                                                    \
		CS_ACTION(word, "ec2:CopyImage"),                                                            \
			.flags = API_WRITES, .args = PARAMS(struct copy_args, params),                       \
			.prepare = (prepares), .operation = find,                                            \
			CS_SUBJECT(struct copy_args, image.prefix), .shows = (list), CS_JOB(NOW),            \
			.doc = (text)                                                                        \
	}
static const struct cs_action actions[] = {
	COPY("copyTemplate", prepare_template, &cs_templates,
	     "Changes nothing: templates are in every zone already."),
	COPY("copyIso", prepare_iso, &cs_isos, "Changes nothing: ISOs are in every zone already."),
};
const struct api_actions cs_template_copy_actions = API_ACTIONS(actions);
