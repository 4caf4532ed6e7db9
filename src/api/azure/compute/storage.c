/* SPDX-License-Identifier: Apache-2.0
 * Shared by disks and machines: storage SKUs and numbered zones. Source: Azure REST API reference, "Disks",
 * DiskSku; "Azure managed disk types".
 */
#include "api/azure/compute/compute.h"

#include "engine/resolve.h"
#include "store/volume.h"
#include "store/zone.h"

/* SKUs and volume types. The first row of a type is the SKU that is shown. */
static const struct {
	const char *sku, *tier, *type;
} skus[] = {
	{"Standard_LRS", "Standard", "standard"}, {"StandardSSD_LRS", "Standard", "gp2"},
	{"Premium_LRS", "Premium", "gp3"},        {"PremiumV2_LRS", "Premium", "io2"},
	{"StandardSSD_ZRS", "Standard", "gp2"},   {"Premium_ZRS", "Premium", "gp3"},
};
enum { SKU_COUNT = sizeof skus / sizeof skus[0] };

static const struct param sku_rows[] = {
	PARAM(struct az_sku, "name", name, .doc = "Name of the SKU."),
	AZ_READ_ONLY("tier"),
};
const struct params az_sku_params = PARAMS(struct az_sku, sku_rows, .object = "DiskSku");

static const struct param encryption_rows[] = {
	PARAM(struct az_encryption, "type", type, .words = "EncryptionAtRestWithPlatformKey",
	      .doc = "Type; only EncryptionAtRestWithPlatformKey, because customer-managed keys are not "
		     "implemented."),
	NOT_BUILT("diskEncryptionSetId"),
};
const struct params az_encryption_params =
	PARAMS(struct az_encryption, encryption_rows, .object = "Encryption");

struct str az_type_of_sku(struct str sku)
{
	for (size_t k = 0; k < SKU_COUNT; k++)
		if (str_equal_nocase(sku, str_from(skus[k].sku)))
			return str_from(skus[k].type);
	return sku;
}

struct str az_sku_of_type(struct str type)
{
	for (size_t k = 0; k < SKU_COUNT; k++)
		if (str_is(type, skus[k].type))
			return str_from(skus[k].sku);
	return type;
}

const char *az_tier_of_type(struct str type)
{
	for (size_t k = 0; k < SKU_COUNT; k++)
		if (str_is(type, skus[k].type))
			return skus[k].tier;
	return "Standard";
}

/* ---- LUNs ---- */

struct str az_device_of(struct az_call *e, int64_t lun)
{
	return str_print(e->c->arena, "/dev/sd%c", (char) ('c' + lun));
}

int64_t az_lun_of(const struct volume *v)
{
	struct str prefix = STR("/dev/sd");
	char letter =
		v->device.n == prefix.n + 1 && str_starts_with(v->device, prefix) ? v->device.p[prefix.n] : 0;
	return letter >= 'c' && letter <= 'z' ? letter - 'c' : v->device_slot - 1;
}

/* ---- zones ---- */

/* Number of the zone, counted from 1 by name. */
static int64_t number_of_zone(const struct tables *t, const struct zone *zone)
{
	int64_t number = 1;
	for (const struct zone *z = zone_first(t); z; z = zone_next(t, z))
		number += str_compare(z->name, zone->name) < 0;
	return number;
}

static RESULT fail_zone(struct az_call *e, struct str text)
{
	return az_fail(e, "zones",
		       "The zone(s) '%" STR_FMT
		       "' for the resource is not supported. The supported zones for location '%" STR_FMT
		       "' are 1 to %zu.",
		       STR_ARG(str_slice(text, 0, 32)), STR_ARG(az_location(e)),
		       tables_count(az_tables(e), KIND_ZONE));
}

RESULT az_find_zone(struct az_call *e, const struct strs *zones, struct ref *ret_zone)
{
	int64_t wanted = 1;
	const struct tables *t = az_tables(e);
	const struct zone *zone = zone_first(t);
	if (zones->count > 1)
		return az_fail(e, "zones", "A resource is in one zone at most.");
	if (zones->count && (!result_is_ok(str_parse_int(zones->at[0], &wanted)) || wanted < 1))
		return fail_zone(e, zones->at[0]);
	while (zone && number_of_zone(t, zone) != wanted)
		zone = zone_next(t, zone);
	if (!zone)
		return fail_zone(e, zones->count ? zones->at[0] : STR(""));
	*ret_zone = ref_by_id(KIND_ZONE, zone->row.id);
	ret_zone->field = STR("zones");
	return OK;
}

void az_form_zones(struct api_call *core, struct json_writer *w, const struct member *m, const void *at)
{
	const struct tables *t = api_tables(core);
	const struct row *row = at;
	const struct zone *z = zone_find(t, *(const uuid *) (const void *) ((const char *) at + m->of));
	if (!z || !json_object_get(az_said(az_call_of(core), row->id), m->name))
		return;
	json_write_open_list(w, m->name);
	json_write_text(w, NULL, str_print(core->c->arena, "%lld", (long long) number_of_zone(t, z)));
	json_write_close_list(w);
}
