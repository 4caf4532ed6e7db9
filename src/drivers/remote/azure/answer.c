/* SPDX-License-Identifier: Apache-2.0
 * Answers of Azure Resource Manager. Sources: REST reference of Microsoft.Compute 2022-08-01 and of
 * Microsoft.Authorization 2022-04-01. */
#include "drivers/remote/azure/answer.h"

#include "drivers/remote/azure/resources.h"
#include "model/licence.h"

#include <string.h>

enum { STATUSES_MAX = 64, NICS_MAX = 16, DISKS_MAX = 63, PERMISSIONS_MAX = 1000 };
#define PROVIDER_PATH "/providers/microsoft.compute/virtualmachines/"

/* ---- ids ---- */

struct str azure_lower(struct ctx *c, struct str s)
{
	char *p = arena_alloc(c->arena, s.n + 1);
	for (size_t k = 0; p && k < s.n; k++)
		p[k] = s.p[k] >= 'A' && s.p[k] <= 'Z' ? (char) (s.p[k] - 'A' + 'a') : s.p[k];
	return p ? (struct str){p, s.n} : STR_NONE;
}

static bool is_name(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (!str_is_alphanumeric(s.p[k]) && !strchr("-_.()", s.p[k]))
			return false;
	return s.n >= 1 && s.n <= 90 && s.p[s.n - 1] != '.'; /* nor "..", which URLs give a meaning */
}

struct str azure_ref_of_id(struct ctx *c, struct str id, struct str subscription)
{
	struct str all = azure_lower(c, id);
	struct str head = azure_lower(
		c, str_print(c->arena, "/subscriptions/%" STR_FMT "/resourcegroups/", STR_ARG(subscription)));
	if (!head.n || !str_starts_with(all, head))
		return STR_NONE;
	struct str rest = str_slice(all, head.n, all.n);
	size_t slash = str_find_char(rest, '/', 0);
	struct str group = str_slice(rest, 0, slash), behind = str_slice(rest, slash, rest.n);
	struct str middle = STR(PROVIDER_PATH);
	struct str name = str_starts_with(behind, middle) ? str_slice(behind, middle.n, behind.n) : STR_NONE;
	return is_name(group) && is_name(name)
		       ? str_print(c->arena, "%" STR_FMT ":%" STR_FMT, STR_ARG(group), STR_ARG(name))
		       : STR_NONE;
}

struct str azure_path_of_ref(struct ctx *c, struct str ref, struct str subscription)
{
	size_t colon = str_find_char(ref, ':', 0);
	struct str group = str_slice(ref, 0, colon), name = str_slice(ref, colon + 1, ref.n);
	if (colon == ref.n || !is_name(group) || !is_name(name))
		return STR_NONE;
	return str_print(c->arena,
			 "/subscriptions/%" STR_FMT "/resourceGroups/%" STR_FMT
			 "/providers/Microsoft.Compute/virtualMachines/%" STR_FMT,
			 STR_ARG(subscription), STR_ARG(group), STR_ARG(name));
}

/* ---- machines ---- */

static enum remote_machine_power power_of(struct str code)
{
	static const struct {
		const char *code;
		enum remote_machine_power power;
	} powers[] = {{"PowerState/starting", REMOTE_MACHINE_POWER_PENDING},
		      {"PowerState/creating", REMOTE_MACHINE_POWER_PENDING},
		      {"PowerState/running", REMOTE_MACHINE_POWER_RUNNING},
		      {"PowerState/stopping", REMOTE_MACHINE_POWER_STOPPING},
		      {"PowerState/deallocating", REMOTE_MACHINE_POWER_STOPPING},
		      {"PowerState/stopped", REMOTE_MACHINE_POWER_STOPPED},
		      {"PowerState/deallocated", REMOTE_MACHINE_POWER_STOPPED}};
	for (size_t k = 0; k < sizeof powers / sizeof powers[0]; k++)
		if (str_is(code, powers[k].code))
			return powers[k].power;
	return REMOTE_MACHINE_POWER_UNKNOWN;
}

enum remote_machine_power azure_read_power(struct ctx *c, const json_t *vm)
{
	const json_t *statuses = remote_json_at(vm, "properties/instanceView/statuses");
	if (!statuses)
		statuses = remote_json_at(vm, "instanceView/statuses");
	if (str_is(remote_json_text(c, vm, "properties/provisioningState"), "Deleting"))
		return REMOTE_MACHINE_POWER_TERMINATING;
	for (size_t k = 0; k < json_array_size(statuses) && k < STATUSES_MAX; k++) {
		enum remote_machine_power power =
			power_of(remote_json_text(c, json_array_get(statuses, k), "code"));
		if (power != REMOTE_MACHINE_POWER_UNKNOWN)
			return power;
	}
	return REMOTE_MACHINE_POWER_UNKNOWN;
}

static const struct remote_place places[] = {
	PLACE("name", PLACE_TEXT, machine.name, DRAFT_ID_MAX),
	PLACE("location", PLACE_TEXT, machine.zone, DRAFT_WORD_MAX),
	PLACE("properties/hardwareProfile/vmSize", PLACE_TEXT, machine.type, DRAFT_WORD_MAX),
	PLACE("properties/storageProfile/osDisk/osType", PLACE_TEXT, machine.platform, DRAFT_WORD_MAX),
	PLACE("properties/provisioningState", PLACE_TEXT, machine.raw_state, DRAFT_WORD_MAX),
	PLACE("properties/timeCreated", PLACE_TIME, machine.launched_us, 0),
};

/* The last part of an id. */
static struct str name_in(struct ctx *c, const json_t *object, const char *path)
{
	struct str id = remote_json_text(c, object, path);
	size_t from = id.n;
	while (from && id.p[from - 1] != '/')
		from--;
	return str_slice(id, from, id.n);
}

static void read_disks(struct ctx *c, const json_t *vm, struct machine_draft *d)
{
	const json_t *disks = remote_json_at(vm, "properties/storageProfile/dataDisks");
	draft_add_id(&d->volumes, name_in(c, vm, "properties/storageProfile/osDisk/managedDisk/id"),
		     DRAFT_LIST_MAX);
	for (size_t k = 0; k < json_array_size(disks) && k < DISKS_MAX; k++)
		draft_add_id(&d->volumes, name_in(c, json_array_get(disks, k), "managedDisk/id"),
			     DRAFT_LIST_MAX);
}

static void read_tags(struct ctx *c, const json_t *tags, struct machine_draft *d)
{
	const char *key = NULL;
	json_t *value = NULL;
	json_object_foreach ((json_t *) tags, key, value)
		if (json_is_string(value))
			draft_add_tag(d, str_copy(c->arena, str_from(key)),
				      str_copy(c->arena, str_from(json_string_value(value))));
}

/* The name of a machine that was created from here is its token. */
static void name_created(struct machine_draft *d)
{
	for (size_t k = 0; k < d->tag_count; k++)
		if (str_is(d->tags[k].key, "Name") && d->tags[k].value.n &&
		    str_starts_with(d->machine.name, STR(AZURE_NAME_PREFIX)) &&
		    !uuid_is_none(d->machine.row.id))
			draft_put_text(&d->machine.name, d->tags[k].value, DRAFT_ID_MAX);
}

/* An image of the subscription as GROUP:NAME, one of the marketplace as PUBLISHER:OFFER:SKU:VERSION. */
static void read_image(struct ctx *c, const json_t *vm, struct str subscription, struct machine_draft *d)
{
	const json_t *image = remote_json_at(vm, "properties/storageProfile/imageReference");
	struct str id = remote_json_text(c, image, "id"), offer = remote_json_text(c, image, "offer");
	struct str ref = azure_ref_of_resource(c, id, subscription);
	if (!id.n && offer.n)
		ref = str_print(c->arena, "%" STR_FMT ":%" STR_FMT ":%" STR_FMT ":%" STR_FMT,
				STR_ARG(remote_json_text(c, image, "publisher")), STR_ARG(offer),
				STR_ARG(remote_json_text(c, image, "sku")),
				STR_ARG(remote_json_text(c, image, "version")));
	draft_put_text(&d->machine.image, ref.n ? ref : id, DRAFT_ID_MAX);
}

/* licenseType names a licence that was brought along. Machines without one that are made from a vendor's own
 * image, and Windows, pay for the licence by the hour. */
static void read_licence(struct ctx *c, const json_t *vm, struct machine_draft *d)
{
	static const struct {
		const char *publisher, *product;
	} vendors[] = {{"redhat", "rhel:"}, {"suse", "sles:"}, {"microsoftwindowsserver", "windows-server:"}};
	const json_t *image = remote_json_at(vm, "properties/storageProfile/imageReference");
	struct str publisher = azure_lower(c, remote_json_text(c, image, "publisher"));
	struct str offer = azure_lower(c, remote_json_text(c, image, "offer"));
	struct licence licence;
	if (licence_of_azure_type(remote_json_text(c, vm, "properties/licenseType"), &licence)) {
		d->operation = licence_write(c->arena, licence);
		return;
	}
	for (size_t k = 0; k < sizeof vendors / sizeof vendors[0]; k++)
		if (str_is(publisher, vendors[k].publisher))
			d->operation = str_print(c->arena, "%s%s", vendors[k].product,
						 str_contains(offer, STR("byos")) ? "byos" : "included");
}

RESULT azure_read_machine(struct ctx *c, const json_t *vm, struct str subscription,
			  const struct azure_addresses *addresses, struct remote_machines *list)
{
	struct machine_draft d = {.private_ips = addresses->private_ips, .public_ips = addresses->public_ips};
	remote_read_places(c, vm, places, sizeof places / sizeof places[0], &d);
	read_image(c, vm, subscription, &d);
	d.machine.ref = azure_ref_of_id(c, remote_json_text(c, vm, "id"), subscription);
	d.machine.power = azure_read_power(c, vm);
	read_disks(c, vm, &d);
	read_tags(c, remote_json_at(vm, "tags"), &d);
	read_licence(c, vm, &d);
	name_created(&d);
	return draft_end(c, &d, list);
}

/* ---- permissions ---- */

/* Patterns have '*' for any text, and are compared without case. */
static bool is_in(struct ctx *c, const json_t *patterns, const char *action)
{
	struct str wanted = azure_lower(c, str_from(action));
	for (size_t k = 0; k < json_array_size(patterns) && k < PERMISSIONS_MAX; k++) {
		const char *pattern = json_string_value(json_array_get(patterns, k));
		if (pattern && str_matches(wanted, azure_lower(c, str_from(pattern))))
			return true;
	}
	return false;
}

bool azure_may(struct ctx *c, const json_t *permissions, const char *action)
{
	for (size_t k = 0; k < json_array_size(permissions) && k < PERMISSIONS_MAX; k++) {
		const json_t *each = json_array_get(permissions, k);
		if (is_in(c, json_object_get(each, "actions"), action) &&
		    !is_in(c, json_object_get(each, "notActions"), action))
			return true;
	}
	return false;
}
