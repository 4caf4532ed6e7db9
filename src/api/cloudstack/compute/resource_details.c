/* SPDX-License-Identifier: Apache-2.0
 * Details of machines and templates: hardware, in registerTemplate's words. Other kinds have no details, and
 * none can be added. Source: API reference, "listResourceDetails", 4.18.
 */
#include "api/cloudstack/compute/templates.h"
#include "base/uuid_asked.h"
#include "engine/resolve.h"
#include "model/image.h"
#include "model/instance.h"
#include "model/licence.h"

/* ---- what there is ---- */

struct hardware {
	bool is_sata, is_e1000, is_uefi, is_secure;
	struct str licences;
};

static size_t tell(const struct hardware *h, struct tag at[static CS_DETAILS_MAX])
{
	size_t count = 0;
	if (h->is_sata)
		at[count++] = (struct tag){STR("rootDiskController"), STR("sata")};
	if (h->is_e1000)
		at[count++] = (struct tag){STR("nicAdapter"), STR("E1000")};
	if (h->is_uefi)
		at[count++] = (struct tag){STR("UEFI"), h->is_secure ? STR("SECURE") : STR("LEGACY")};
	if (h->licences.n)
		at[count++] = (struct tag){STR(CS_LICENCE_DETAIL), h->licences};
	return count;
}

size_t cs_details_of_template(struct arena *a, const struct image *i, struct tag at[static CS_DETAILS_MAX])
{
	const struct hardware h = {.is_sata = i->disk_bus == IMAGE_DISK_BUS_SATA,
				   .is_e1000 = i->nic_model == IMAGE_NIC_MODEL_E1000E,
				   .is_uefi = i->boot_mode == IMAGE_BOOT_MODE_UEFI,
				   .is_secure = i->secure_boot,
				   .licences = licence_write_all(a, i->licences)};
	return tell(&h, at);
}

size_t cs_details_of_machine(struct arena *a, const struct instance *i, struct tag at[static CS_DETAILS_MAX])
{
	const struct hardware h = {.is_sata = i->disk_bus == INSTANCE_DISK_BUS_SATA,
				   .is_e1000 = i->nic_model == INSTANCE_NIC_MODEL_E1000E,
				   .is_uefi = i->boot_mode == INSTANCE_BOOT_MODE_UEFI,
				   .is_secure = i->secure_boot,
				   .licences = licence_write_all(a, i->licences)};
	return tell(&h, at);
}

void cs_write_details(struct json_writer *w, const char *name, const struct tag *at, size_t count)
{
	json_write_open(w, name);
	for (size_t k = 0; k < count; k++) {
		json_write_key(w, at[k].key);
		json_write_text(w, NULL, at[k].value);
	}
	json_write_close(w);
}

/* ---- listResourceDetails ---- */

struct list_details {
	struct cs_list_args list;
	struct str type, id, key, value;
	struct ref project;
	enum kind kind;
};
#define P(wire, member, ...) PARAM(struct list_details, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_PAGE_PARAMS(struct list_details),
	CS_OWNER_PARAMS(struct list_details),
	CS_PROJECT_PARAM(struct list_details, project),
	P("resourcetype", type, .flags = REQUIRED, .doc = "Resource type: UserVm or Template."),
	P("resourceid", id, .doc = "Resource id."),
	P("key", key, .doc = "Name of the detail."),
	P("value", value, .doc = "Value of the detail."),
	NOT_BUILT("fordisplay", .only = "true"),
};
#undef P

static RESULT prepare(struct cs_call *e, void *args)
{
	struct list_details *a = args;
	if (str_equal_nocase(a->type, STR("ISO")))
		a->kind = KIND_IMAGE;
	for (unsigned k = 0; k < KIND_COUNT && !a->kind; k++)
		if (cs_tag_type((enum kind) k) &&
		    str_equal_nocase(a->type, str_from(cs_tag_type((enum kind) k))))
			a->kind = (enum kind) k;
	if (!a->kind)
		return cs_fail(e, "resourcetype", "Unable to retrieve resource type: %" STR_FMT,
			       STR_ARG(a->type));
	/* the sentence is a guess */
	return a->id.n ? OK
		       : cs_fail(e, "resourceid",
				 "Insufficient parameters passed for listing by resourceId OR key,value "
				 "pair. "
				 "Please check your params and try again.");
}

struct detail {
	const struct list_details *asked;
	struct tag tag;
};

static void write_detail(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct detail *d = item;
	(void) e;
	json_write_text(w, "key", d->tag.key);
	json_write_text(w, "value", d->tag.value);
	json_write_text(w, "resourcetype", d->asked->type);
	json_write_text(w, "resourceid", d->asked->id);
	json_write_bool(w, "fordisplay", true);
}

static RESULT list(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_details *a = args;
	struct ref ref = {
		.kind = a->kind, .bits = 8 * sizeof(uuid), .text = a->id, .field = STR("resourceid")};
	struct tag tags[CS_DETAILS_MAX];
	struct detail details[CS_DETAILS_MAX];
	const void *items[CS_DETAILS_MAX];
	const struct row *row = NULL;
	size_t count = 0, shown = 0;
	if (!result_is_ok(uuid_parse_asked(a->id, &ref.prefix)))
		return cs_fail_id(e, a->kind, "resourceid", a->id);
	TRY(engine_find(e->c, cs_tables(e), a->kind, &ref, &row));
	if (a->kind == KIND_IMAGE)
		count = cs_details_of_template(e->c->arena, image_of(row), tags);
	if (a->kind == KIND_INSTANCE)
		count = cs_details_of_machine(e->c->arena, instance_of(row), tags);
	for (size_t k = 0; k < count; k++) {
		bool is_asked = (!a->key.n || str_equal_nocase(a->key, tags[k].key)) &&
				(!a->value.n || str_equal_nocase(a->value, tags[k].value)) &&
				(!a->list.keyword.n || str_contains(tags[k].key, a->list.keyword));
		details[k] = (struct detail){a, tags[k]};
		if (is_asked)
			items[shown++] = &details[k];
	}
	return cs_write_items(e, w, &a->list, "resourcedetail", items, shown, write_detail);
}

static const struct cs_action actions[] = {
	{CS_ACTION("listResourceDetails", "ec2:DescribeTags"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_details, params), .prepare = prepare, .answer = list,
	 .says = "key|value|resourcetype|resourceid|fordisplay",
	 .doc = "Lists the details of a virtual machine or a template."},
};
const struct api_actions cs_resource_detail_actions = API_ACTIONS(actions);
