/* SPDX-License-Identifier: Apache-2.0
 * Templates and ISOs: images. Every image is available in every zone.
 */
#include "api/cloudstack/compute/templates.h"
#include "api/cloudstack/compute/os_types.h"
#include "api/cloudstack/region/annotations.h"
#include "api/cloudstack/upload/upload.h"
#include "engine/resolve.h"
#include "engine/storage/image/image.h"
#include "model/states.h"
#include "model/user_data.h"
#include "store/condition.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/zone.h"

struct list_templates {
	struct cs_list_args list;
	struct str filter, hypervisor;
	struct ref zone, project;
	enum choice is_ready, is_public;
	struct strs details;
};
#define P(wire, member, ...) PARAM(struct list_templates, wire, member, __VA_ARGS__)
#define FILTERS "featured|self|selfexecutable|sharedexecutable|executable|community|all"
#define WHOSE                                                                                                \
	"Which templates to list: featured, self, selfexecutable, sharedexecutable, executable, community "  \
	"or all."
#define LIST_PARAMS                                                                                          \
	CS_LIST_PARAMS(struct list_templates, KIND_IMAGE), CS_NAME_PARAM(struct list_templates),             \
		CS_OWNER_PARAMS(struct list_templates), CS_PROJECT_PARAM(struct list_templates, project),    \
		CS_TAGS_PARAM(struct list_templates),                                                        \
		P("zoneid", zone, .kind = KIND_ZONE, .doc = "Ignored: images are in every zone."),           \
		P("hypervisor", hypervisor, .doc = "Hypervisor; only KVM."),                                 \
		P("isready", is_ready, .doc = "Whether the template or ISO is ready.")
static const struct param iso_params[] = {
	LIST_PARAMS,
	P("isofilter", filter, .words = FILTERS, .absent = "selfexecutable", .doc = WHOSE),
	P("ispublic", is_public, .doc = "Whether all accounts may use it."),
	NOT_BUILT("arch|imagestoreid|oscategoryid|storageid"),
	NOT_BUILT("bootable", .only = "true"),
	NOT_BUILT("showicon|showremoved|showunique", .only = "false"),
};
static const struct param params[] = {
	LIST_PARAMS,
	CS_IDS_PARAM(struct list_templates, KIND_IMAGE),
	P("templatefilter", filter, .flags = REQUIRED, .words = FILTERS, .doc = WHOSE),
	P("details", details, .doc = "Ignored: all details are shown."),
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

static bool is_said(const struct image *i, const char *property)
{
	const struct tag *said = tags_find(i->properties, str_from(property));
	return said && str_is(said->value, "true");
}

static bool is_featured(const struct image *i)
{
	return uuid_is_none(i->account) || (i->is_public && is_said(i, CS_FEATURED_PROPERTY));
}

/* Featured: the operator's public images and those featured by root administrators. Community: other
 * accounts' public images. */
static bool passes_filter(struct api_call *e, struct str filter, const struct row *row)
{
	const struct image *i = image_of(row);
	if (str_is(filter, "featured"))
		return is_featured(i);
	if (str_is(filter, "self"))
		return is_own(e, i);
	if (str_is(filter, "selfexecutable"))
		return is_own(e, i) && is_ready(e, row);
	if (str_is(filter, "sharedexecutable"))
		return !is_own(e, i) && uuids_have(&i->launchers, e->c->who->account) && is_ready(e, row);
	if (str_is(filter, "community"))
		return !is_own(e, i) && !is_featured(i) && (i->is_public || i->is_community);
	return str_is(filter, "all") || is_ready(e, row);
}

/* An id selects regardless of the filter (QueryManagerImpl.searchForTemplatesInternal(), 4.18). */
static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_templates *a = args;
	return engine_is_iso(image_of(row)) == (e->action->listing == &cs_isos) &&
	       (ref_is_given(&a->list.id) || passes_filter(e, a->filter, row)) &&
	       (a->is_public == CHOICE_DEFAULT || (a->is_public == CHOICE_YES) == image_of(row)->is_public) &&
	       (!a->hypervisor.n || str_equal_nocase(a->hypervisor, STR("KVM"))) &&
	       (a->is_ready == CHOICE_DEFAULT || (a->is_ready == CHOICE_YES) == is_ready(e, row));
}

static void write_state(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	bool ready = is_ready(e, row);
	enum image_sending sending = image_of(row)->sending;
	const struct condition *why = condition_first_by_subject(api_tables(e), row->id);
	json_write_bool(w, name, ready);
	json_write_text(w, "status",
			ready     ? str_from(engine_is_iso(image_of(row)) ? "Successfully Installed"
									  : "Download Complete")
			: why     ? why->message
			: sending ? str_from(cs_sending_words[sending])
				  : STR("Not downloaded"));
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
	const struct image *i = image_of(row);
	(void) e;
	json_write_bool(w, name, uuid_is_none(i->account) || is_said(i, CS_FEATURED_PROPERTY));
	json_write_z(w, "templatetype", uuid_is_none(i->account) ? "BUILTIN" : "USER");
	json_write_bool(w, "isextractable", is_said(i, CS_EXTRACTABLE_PROPERTY));
}

/* Writes the zone that the request names, or the first zone: every image is in all zones, and clients read the
 * zone of each template. */
static void write_zone(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct list_templates *a = e->args;
	const struct ref *asked = cs_call_of(e)->zone;
	const struct zone *zone = NULL;
	if (e->action->listing && e->action->listing->kind == KIND_IMAGE)
		asked = &a->zone;
	if (!asked || !ref_is_given(asked) || !asked->bits) {
		cs_write_any_zone(e, w, name, row);
		return;
	}
	if (!result_is_ok(engine_find_zone(e->c, api_tables(e), asked, &zone)))
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, zone->row.id));
	json_write_text(w, "zonename", zone->name);
}

static void write_os_type(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct cs_os_type *type = cs_os_type_of(image_of(row));
	json_write_text(w, name, cs_os_type_id(e->c->arena, type));
	json_write_z(w, "ostypename", type->name);
}

static const struct {
	const char *ours, *theirs;
} formats[] = {{"qcow2", "QCOW2"}, {"raw", "RAW"},   {"vhd", "VHD"},
	       {"vhdx", "VHDX"},   {"vmdk", "VMDK"}, {"iso", "ISO"}};
enum { FORMATS = sizeof formats / sizeof *formats };

/* Data that were not uploaded are stored as QCOW2. */
static struct str get_format(struct api_call *e, const struct row *row)
{
	size_t k = FORMATS;
	(void) e;
	while (k-- > 1)
		if (str_is(image_of(row)->disk_format, formats[k].ours))
			break;
	return str_from(formats[k].theirs);
}

struct str cs_read_format(struct str format)
{
	for (size_t k = 0; k < FORMATS; k++)
		if (str_equal_nocase(format, str_from(formats[k].theirs)))
			return str_from(formats[k].ours);
	return STR_NONE;
}

/* True if the image supports user data. */
bool cs_takes_password(const struct image *image)
{
	const struct tag *said = tags_find(image->properties, STR(CS_PASSWORD_PROPERTY));
	return said && str_is(said->value, "true");
}

void cs_write_takes_password(struct api_call *e, struct json_writer *w, const char *name,
			     const struct row *row)
{
	(void) e;
	json_write_bool(w, name, cs_takes_password(image_of(row)));
}

static void write_policy(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct image *i = image_of(row);
	bool denies = i->user_data_policy == IMAGE_USER_DATA_POLICY_DENY_OVERRIDE;
	(void) e;
	if (!uuid_is_none(i->user_data))
		json_write_z(w, name, denies ? "DENYOVERRIDE" : "ALLOWOVERRIDE");
}

/* Writes the root disk's size once it is known. */
static void write_size(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct image_device *d = image_device_first_by_image(api_tables(e), row->id);
	if (d)
		json_write_int(w, name, d->size);
}

static void write_details(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	struct tag details[CS_DETAILS_MAX];
	cs_write_details(w, name, details, cs_details_of_template(e->c->arena, image_of(row), details));
}

static const struct member members[] = {
	MEMBER(struct image, "id", row.id),
	MEMBER(struct image, "name", name),
	MEMBER(struct image, "displaytext", description, .instead = FITS(image, name)),
	MEMBER(struct image, "ispublic", is_public),
	MEMBER_AS(struct image, TIME, "created", row.created_us),
	MEMBER_WRITTEN("isready", write_state, .also = "status"),
	MEMBER_WRITTEN("passwordenabled", cs_write_takes_password),
	MEMBER_TEXT("format", get_format),
	MEMBER_FIXED("arch", "\"x86_64\""),
	MEMBER_WRITTEN("ostypeid", write_os_type, .also = "ostypename"),
	MEMBER_WRITTEN("details", write_details),
	MEMBER(struct image, "userdataid", user_data),
	MEMBER(struct user_data, "userdataname", name, .path = {JOIN_ONE(KIND_USER_DATA, image, user_data)}),
	MEMBER_WRITTEN("userdatapolicy", write_policy),
	MEMBER(struct image, "url", fetch_url, .is_optional = true),
	MEMBER_FIXED("bootable", "true"),
	MEMBER_WRITTEN("isfeatured", write_featured, .also = "templatetype|isextractable"),
	MEMBER_FIXED("crossZones", "true"),
	MEMBER_WRITTEN("account", write_owner, .also = "accountid|domainid|domain"),
	MEMBER_WRITTEN("zoneid", write_zone, .also = "zonename"),
	MEMBER_WRITTEN("size", write_size),
	MEMBER(struct image, "physicalsize", data_size),
	MEMBER(struct image, "checksum", data_md5, .is_optional = true),
	MEMBER_FIXED("hypervisor", "\"KVM\""),
	MEMBER_FIXED("bits", "64"),
	MEMBER_FIXED("isdynamicallyscalable|sshkeyenabled|directdownload|deployasis", "false"),
	MEMBER_FIXED("requireshvm", "true"),
	CS_HAS_ANNOTATIONS,
	MEMBER_WRITTEN("tags", cs_write_tags),
};
#define LISTING(what)                                                                                        \
	{                                                                                                    \
		.kind = KIND_IMAGE, .name = offsetof(struct image, name), .item = (what),                    \
		.public_index = IMAGE_INDEX_PUBLIC, .matches = matches, .members = MEMBERS(members)          \
	}
const struct api_listing cs_templates = LISTING("template"), cs_isos = LISTING("iso");

static const struct cs_action actions[] = {
	{CS_ACTION("listTemplates", "ec2:DescribeImages"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_templates, params), .listing = &cs_templates, .doc = "Lists templates."},
	{CS_ACTION("listIsos", "ec2:DescribeImages"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_templates, iso_params), .listing = &cs_isos, .doc = "Lists ISOs."},
};
const struct api_actions cs_template_actions = API_ACTIONS(actions);
