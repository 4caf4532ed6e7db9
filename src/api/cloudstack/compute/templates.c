/* SPDX-License-Identifier: Apache-2.0
 * Templates: images. All are there in every zone. */
#include "api/cloudstack/core/action.h"
#include "engine/resolve.h"
#include "engine/storage/image.h"
#include "model/states.h"
#include "store/image.h"

struct list_templates {
	struct cs_list_args list;
	struct str filter, hypervisor;
	struct ref zone, project;
	enum choice is_ready;
	struct strs details;
};
#define P(wire, member, ...) PARAM(struct list_templates, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_LIST_PARAMS(struct list_templates, KIND_IMAGE),
	CS_NAME_PARAM(struct list_templates),
	CS_IDS_PARAM(struct list_templates, KIND_IMAGE),
	CS_OWNER_PARAMS(struct list_templates),
	CS_PROJECT_PARAM(struct list_templates, project),
	CS_TAGS_PARAM(struct list_templates),
	P("templatefilter", filter, .flags = REQUIRED,
	  .words = "featured|self|selfexecutable|sharedexecutable|executable|community|all",
	  .doc = "Whose: the operator's, one's own, those shared with oneself, all that can be used."),
	P("zoneid", zone, .kind = KIND_ZONE, .doc = "In this zone: all are in each."),
	P("hypervisor", hypervisor, .doc = "KVM is the only one."),
	P("isready", is_ready, .doc = "Whether it can be used."),
	P("details", details, .doc = "Which parts are shown; all are."),
	NOT_BUILT("arch|extensionid|imagestoreid|oscategoryid|parenttemplateid|storageid|templatetype|forcks|"
		  "isvnf"),
	NOT_BUILT("showicon|showremoved|showunique", .only = "false"),
};
#undef P

static bool is_ready(struct api_call *e, const struct row *row)
{
	return engine_derive_image_state(api_tables(e), image_of(row)) == IMAGE_AVAILABLE;
}

static bool is_own(const struct api_call *e, const struct image *i)
{
	return uuid_equal(i->account, e->c->who->account);
}

/* Of what the caller sees: the operator's public ones are featured, other accounts' public ones the community's. */
static bool passes_filter(struct api_call *e, struct str filter, const struct row *row)
{
	const struct image *i = image_of(row);
	bool is_operators = uuid_is_none(i->account);
	if (str_is(filter, "featured"))
		return is_operators;
	if (str_is(filter, "self"))
		return is_own(e, i);
	if (str_is(filter, "selfexecutable"))
		return is_own(e, i) && is_ready(e, row);
	if (str_is(filter, "sharedexecutable"))
		return !is_own(e, i) && uuids_have(&i->launchers, e->c->who->account) && is_ready(e, row);
	if (str_is(filter, "community"))
		return !is_own(e, i) && !is_operators && (i->is_public || i->is_community);
	return str_is(filter, "all") || is_ready(e, row);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_templates *a = args;
	return passes_filter(e, a->filter, row) &&
	       (!a->hypervisor.n || str_equal_nocase(a->hypervisor, STR("KVM"))) &&
	       (a->is_ready == CHOICE_DEFAULT || (a->is_ready == CHOICE_YES) == is_ready(e, row));
}

static void write_state(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	bool ready = is_ready(e, row);
	json_write_bool(w, name, ready);
	json_write_z(w, "status", ready ? "Download Complete" : "Not downloaded");
}

static void write_owner(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct row *owner = tables_find(api_tables(e), KIND_ACCOUNT, image_of(row)->account);
	if (owner) {
		json_write_text(w, "accountid", uuid_to_str(e->c->arena, owner->id));
		cs_write_owner(e, w, name, owner);
		return;
	}
	json_write_z(w, name, "system");
	json_write_text(w, "domainid", uuid_to_str(e->c->arena, DOMAIN_DEFAULT));
	json_write_z(w, "domain", "ROOT");
}

static void write_featured(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	bool is_operators = uuid_is_none(image_of(row)->account);
	(void) e;
	json_write_bool(w, name, is_operators);
	json_write_z(w, "templatetype", is_operators ? "BUILTIN" : "USER");
}

/* Of the zone that was asked for. */
static void write_zone(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct list_templates *a = e->args;
	const struct zone *zone = NULL;
	(void) row;
	if (strcmp(e->action->name, "listTemplates") != 0 || !ref_is_given(&a->zone) ||
	    !result_is_ok(engine_find_zone(e->c, api_tables(e), &a->zone, &zone)))
		return;
	json_write_text(w, name, a->zone.text);
}

CS_WRITE_TAGS(write_tags, KIND_IMAGE)

static const struct member members[] = {
	MEMBER(struct image, "id", row.id),
	MEMBER(struct image, "name", name),
	MEMBER(struct image, "displaytext", description, .instead = FITS(image, name)),
	MEMBER(struct image, "ispublic", is_public),
	MEMBER_AS(struct image, TIME, "created", row.created_us),
	MEMBER_WRITTEN("isready", write_state, .also = "status"),
	MEMBER_FIXED("passwordenabled", "false"),
	MEMBER_FIXED("format", "\"QCOW2\""),
	MEMBER_FIXED("bootable", "true"),
	MEMBER_WRITTEN("isfeatured", write_featured, .also = "templatetype"),
	MEMBER_FIXED("crossZones", "true"),
	MEMBER_WRITTEN("account", write_owner, .also = "accountid|domainid|domain"),
	MEMBER_WRITTEN("zoneid", write_zone),
	MEMBER(struct image, "size", min_disk),
	MEMBER(struct image, "physicalsize", data_size),
	MEMBER(struct image, "checksum", data_md5, .is_optional = true),
	MEMBER_FIXED("hypervisor", "\"KVM\""),
	MEMBER_FIXED("bits", "64"),
	MEMBER_FIXED("isextractable|isdynamicallyscalable|sshkeyenabled|directdownload|deployasis", "false"),
	MEMBER_FIXED("requireshvm", "true"),
	MEMBER_WRITTEN("tags", write_tags),
};
static const struct api_listing templates = {.kind = KIND_IMAGE,
					     .name = offsetof(struct image, name),
					     .item = "template",
					     .public_index = IMAGE_INDEX_PUBLIC,
					     .matches = matches,
					     .members = MEMBERS(members)};

static const struct cs_action actions[] = {
	{.name = "listTemplates",
	 .permit = "ec2:DescribeImages",
	 .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_templates, params),
	 .listing = &templates,
	 .doc = "Templates."},
};
const struct api_actions cs_template_actions = API_ACTIONS(actions);
