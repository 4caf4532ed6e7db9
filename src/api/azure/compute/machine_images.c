/* SPDX-License-Identifier: Apache-2.0
 * Marketplace images: the operator's and other accounts' public images, by publisher, offer, SKU and
 * version. Tags give these names; without tags the publisher is "dari", the offer the image's family or
 * name, the SKU "default" and the version the image's own or 1.0.0. Source: Azure REST API reference,
 * "Virtual Machine Images".
 */
#include "api/azure/compute/compute.h"

#include <stdlib.h>

#include "base/vec.h"
#include "engine/resolve.h"
#include "engine/storage/image/image.h"
#include "store/image.h"

#define PUBLISHER "dari"

/* ---- names ---- */

/* Keeps letters, digits, '.', '_' and '-'; replaces each run of other characters by a dash. */
static struct str squeeze(struct az_call *e, struct str text)
{
	struct str out = str_copy(e->c->arena, text);
	char *at = (char *) out.p; /* the arena's copy belongs to this call */
	size_t n = 0;
	for (size_t k = 0; k < out.n; k++) {
		bool is_good = str_is_alphanumeric(out.p[k]) || strchr("._-", out.p[k]);
		if (is_good || (n && at[n - 1] != '-'))
			at[n++] = is_good ? out.p[k] : '-';
	}
	return (struct str){out.p, n};
}

static struct str tag_or(const struct image *i, const char *key, struct str otherwise)
{
	const struct tag *tag = tags_find(i->tags, str_from(key));
	return tag && tag->value.n ? tag->value : otherwise;
}

struct az_image_names az_image_names_of(struct az_call *e, const struct image *i)
{
	return (struct az_image_names){
		.publisher = tag_or(i, "publisher", STR(PUBLISHER)),
		.offer = tag_or(i, "offer", squeeze(e, i->family.n ? i->family : i->name)),
		.sku = tag_or(i, "sku", STR("default")),
		.version = tag_or(i, "version", i->version.n ? i->version : STR("1.0.0")),
	};
}

static bool is_for_all(struct az_call *e, const struct image *i)
{
	return row_is_live(&i->row) && (uuid_is_none(i->account) || i->is_public) && !engine_is_iso(i) &&
	       engine_derive_image_state(az_tables(e), i) == IMAGE_AVAILABLE;
}

static bool is_offered(struct az_call *e, const struct image *i)
{
	return is_for_all(e, i) && engine_may_see(e->c, KIND_IMAGE, &i->row);
}

static bool is_named(struct str name, struct str wanted)
{
	return !wanted.n || str_equal_nocase(name, wanted);
}

/* True if the image has all names that the reference gives. */
static bool fits(const struct az_image_names *n, const struct az_image_reference *wanted)
{
	return is_named(n->publisher, wanted->publisher) && is_named(n->offer, wanted->offer) &&
	       is_named(n->sku, wanted->sku) &&
	       (is_named(n->version, wanted->version) || str_equal_nocase(wanted->version, STR("latest")));
}

/* Newest matching image; NULL: none matches. */
static const struct image *find_newest(struct az_call *e, const struct az_image_reference *wanted,
				       bool (*is_good)(struct az_call *e, const struct image *i))
{
	const struct image *newest = NULL;
	for (const struct image *i = image_first(az_tables(e)); i; i = image_next(az_tables(e), i)) {
		struct az_image_names names = {0};
		if (!is_good(e, i) || (newest && i->row.created_us < newest->row.created_us))
			continue;
		names = az_image_names_of(e, i);
		if (fits(&names, wanted))
			newest = i;
	}
	return newest;
}

/* ---- references in bodies ---- */

static const struct param reference_rows[] = {
	PARAM(struct az_image_reference, "id", id, .doc = "Image of the subscription, by id."),
	PARAM(struct az_image_reference, "publisher", publisher, .doc = "Publisher of a marketplace image."),
	PARAM(struct az_image_reference, "offer", offer, .doc = "Offer of a marketplace image."),
	PARAM(struct az_image_reference, "sku", sku, .doc = "SKU of a marketplace image."),
	PARAM(struct az_image_reference, "version", version,
	      .doc = "Version of a marketplace image, or latest."),
	NOT_BUILT("sharedGalleryImageId|communityGalleryImageId"),
	AZ_READ_ONLY("exactVersion"),
};
const struct params az_image_reference_params =
	PARAMS(struct az_image_reference, reference_rows, .object = "ImageReference");

static const struct api_error no_image = {ERR_NOT_FOUND, 0, 404, "PlatformImageNotFound"};

RESULT az_find_image(struct az_call *e, const char *field, const struct az_image_reference *said,
		     const struct image **ret_image)
{
	const struct row *row = NULL;
	if (said->id.n) {
		TRY(az_find_id(e, field, said->id, AZ_IMAGES, KIND_IMAGE, &row));
		*ret_image = image_of(row);
		return OK;
	}
	if (!said->publisher.n || !said->offer.n || !said->sku.n || !said->version.n)
		return az_fail(
			e, field,
			"The imageReference needs an id, or a publisher, an offer, a sku and a version.");
	*ret_image = find_newest(e, said, is_offered);
	if (*ret_image)
		return engine_check_found(e->c, az_tables(e), KIND_IMAGE, &(*ret_image)->row);
	e->error = &no_image;
	return ctx_fail_field(
		e->c, ERR_NOT_FOUND, STR("imageReference"),
		"The platform image '%" STR_FMT ":%" STR_FMT ":%" STR_FMT ":%" STR_FMT
		"' is not available. Verify that all fields in the storage profile are correct. For "
		"more details about storage profile information, please refer to "
		"https://aka.ms/storageprofile",
		STR_ARG(str_slice(said->publisher, 0, 128)), STR_ARG(str_slice(said->offer, 0, 128)),
		STR_ARG(str_slice(said->sku, 0, 128)), STR_ARG(str_slice(said->version, 0, 128)));
}

/* ---- lists: each level of the four ---- */

#define IMAGES_AT AZ_SUBSCRIPTION AZ_COMPUTE "/locations/{location}/publishers"
#define OF_PUBLISHER "/{publisherName}/artifacttypes/vmimage/offers"
#define OF_OFFER OF_PUBLISHER "/{offer}/skus"
#define OF_SKU OF_OFFER "/{skus}/versions"

static struct az_image_reference said_in_path(struct az_call *e)
{
	return (struct az_image_reference){.publisher = az_path_value(e, "publisherName"),
					   .offer = az_path_value(e, "offer"),
					   .sku = az_path_value(e, "skus"),
					   .version = az_path_value(e, "version")};
}

/* Name of the image at the level below the path. */
static struct str level_of(const struct az_image_reference *said, const struct az_image_names *n)
{
	return !said->publisher.n ? n->publisher
	       : !said->offer.n   ? n->offer
	       : !said->sku.n     ? n->sku
				  : n->version;
}

static void write_level(struct az_call *e, struct json_writer *w, struct str name)
{
	json_write_open(w, NULL);
	json_write_text(w, "location", az_location(e));
	json_write_text(w, "name", name);
	json_write_text(
		w, "id",
		str_print(e->c->arena, "%" STR_FMT "/%" STR_FMT, STR_ARG(e->call->path), STR_ARG(name)));
	json_write_close(w);
}

/* True if an earlier image has the same name at this level. */
static bool was_written(struct az_call *e, const struct az_image_reference *said, const struct image *until,
			struct str name)
{
	for (const struct image *i = image_first(az_tables(e)); i && i != until;
	     i = image_next(az_tables(e), i)) {
		if (!is_offered(e, i))
			continue;
		struct az_image_names names = az_image_names_of(e, i);
		if (fits(&names, said) && str_equal_nocase(level_of(said, &names), name))
			return true;
	}
	return false;
}

struct level {
	struct str name;
	int64_t made_us;
};

static int compare_newest_first(const void *a, const void *b)
{
	const struct level *x = a, *y = b;
	return (x->made_us < y->made_us) - (x->made_us > y->made_us);
}

/* Lists a level. az asks ?$top=1&$orderby=name desc for the latest version; our order is by creation. */
static RESULT list_level(struct az_call *e, const void *args, struct json_writer *w)
{
	struct az_image_reference said = said_in_path(e);
	struct str order = az_query_value(e, "$orderby"), top = az_query_value(e, "$top");
	VEC(struct level) levels = {0};
	int64_t count = INT64_MAX;
	(void) args;
	if (top.n && (!result_is_ok(str_parse_int(top, &count)) || count < 1))
		return az_fail(e, "$top", "The value of parameter $top is invalid.");
	for (const struct image *i = image_first(az_tables(e)); i; i = image_next(az_tables(e), i)) {
		if (!is_offered(e, i))
			continue;
		struct az_image_names names = az_image_names_of(e, i);
		struct level level = {level_of(&said, &names), i->row.created_us};
		if (fits(&names, &said) && !was_written(e, &said, i, level.name) &&
		    !VEC_PUSH(e->c->arena, &levels, level))
			return ctx_no_memory(e->c);
	}
	if (str_ends_with(str_lower(e->c->arena, order), STR(" desc")) && levels.count)
		qsort(levels.at, levels.count, sizeof levels.at[0], compare_newest_first);
	json_write_open_list(w, NULL);
	for (size_t k = 0; k < levels.count && (int64_t) k < count; k++)
		write_level(e, w, levels.at[k].name);
	json_write_close_list(w);
	return OK;
}

static RESULT show_version(struct az_call *e, const void *args, struct json_writer *w)
{
	struct az_image_reference said = said_in_path(e);
	const struct image *i = NULL;
	(void) args;
	TRY(az_find_image(e, "version", &said, &i));
	struct az_image_names names = az_image_names_of(e, i);
	json_write_text(w, "location", az_location(e));
	json_write_text(w, "name", names.version);
	json_write_text(w, "id", e->call->path);
	json_write_open(w, "properties");
	json_write_z(w, "hyperVGeneration", i->boot_mode == IMAGE_BOOT_MODE_UEFI ? "V2" : "V1");
	json_write_z(w, "architecture", i->arch == IMAGE_ARCH_ARM64 ? "Arm64" : "x64");
	json_write_open(w, "osDiskImage");
	json_write_z(w, "operatingSystem", i->platform == IMAGE_PLATFORM_WINDOWS ? "Windows" : "Linux");
	json_write_close(w);
	json_write_open_list(w, "dataDiskImages");
	json_write_close_list(w);
	json_write_close(w);
	return OK;
}

/* ---- aliases, which az knows images by: for everybody, before any sign-in ---- */

static void write_aliases(struct az_call *e, struct json_writer *w, const char *name,
			  enum image_platform platform)
{
	json_write_open(w, name);
	for (const struct image *i = image_first(az_tables(e)); i; i = image_next(az_tables(e), i)) {
		if (!is_for_all(e, i) ||
		    (i->platform == IMAGE_PLATFORM_WINDOWS) != (platform == IMAGE_PLATFORM_WINDOWS))
			continue;
		struct az_image_names names = az_image_names_of(e, i);
		struct az_image_reference said = {.publisher = names.publisher,
						  .offer = names.offer,
						  .sku = names.sku,
						  .version = STR("latest")};
		if (find_newest(e, &said, is_for_all) != i) /* a newer version has the same name */
			continue;
		json_write_key(w, names.offer);
		json_write_open(w, NULL);
		json_write_text(w, "publisher", names.publisher);
		json_write_text(w, "offer", names.offer);
		json_write_text(w, "sku", names.sku);
		json_write_z(w, "version", "latest");
		json_write_z(w, "architecture", i->arch == IMAGE_ARCH_ARM64 ? "Arm64" : "x64");
		json_write_close(w);
	}
	json_write_close(w);
}

static RESULT show_aliases(struct az_call *e, const void *args, struct json_writer *w)
{
	(void) args;
	json_write_z(w, "$schema",
		     "http://schema.management.azure.com/schemas/2015-01-01/deploymentTemplate.json");
	json_write_z(w, "contentVersion", "1.0.0.0");
	json_write_open(w, "parameters");
	json_write_close(w);
	json_write_open(w, "variables");
	json_write_close(w);
	json_write_open_list(w, "resources");
	json_write_close_list(w);
	json_write_open(w, "outputs");
	json_write_open(w, "aliases");
	json_write_z(w, "type", "object");
	json_write_open(w, "value");
	write_aliases(e, w, "Linux", IMAGE_PLATFORM_LINUX);
	write_aliases(e, w, "Windows", IMAGE_PLATFORM_WINDOWS);
	json_write_close(w);
	json_write_close(w);
	json_write_close(w);
	return OK;
}

#define LEVEL(path, word, what)                                                                              \
	{                                                                                                    \
		HTTP_GET, path, .name = (word), .permit = "ec2:DescribeImages", .flags = AZ_IN_PLACE,        \
				.type = AZ_PUBLISHERS, .answer = list_level,                                 \
				.query = "$top|$orderby=name,name asc,name desc|$expand=properties",         \
				.doc = (what)                                                                \
	}
static const struct az_action actions[] = {
	LEVEL(IMAGES_AT, "VirtualMachineImages_ListPublishers", "Lists publishers of images."),
	LEVEL(IMAGES_AT OF_PUBLISHER, "VirtualMachineImages_ListOffers", "Lists the offers of a publisher."),
	LEVEL(IMAGES_AT OF_OFFER, "VirtualMachineImages_ListSkus", "Lists the SKUs of an offer."),
	LEVEL(IMAGES_AT OF_SKU, "VirtualMachineImages_List", "Lists the versions of a SKU."),
	{HTTP_GET, IMAGES_AT OF_SKU "/{version}", .name = "VirtualMachineImages_Get",
	 .permit = "ec2:DescribeImages", .type = AZ_PUBLISHERS, .answer = show_version,
	 .doc = "Gets one version of a marketplace image."},
	{HTTP_GET, "/aliases.json", .name = "Aliases", .permit = "ec2:DescribeImages",
	 .flags = API_OPEN | API_FOR_ALL | AZ_SIGNED, .answer = show_aliases,
	 .doc = "Returns the short names of public images, which az requests."},
};
const struct api_actions az_machine_image_actions = API_ACTIONS(actions);
