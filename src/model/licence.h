/* SPDX-License-Identifier: Apache-2.0
 * Licences: guest software that requires one, and who provides it. Images and instances list them as texts,
 * "PRODUCT:SOURCE", such as "rhel:byos". Contains their rules and each face's words. Pure; any thread. */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "model/product_words.h"

enum {
	LICENCES_MAX = 8,
	PRODUCT_NAME_MAX = 64,
	LICENCE_BAND_SMALL = 4 /* vCPUs; above that the band is "large" */
};

/* included: in the region's price. byos: the customer's own subscription. spla: by a service provider's
 * agreement, which the provider reports. */
enum licence_source { LICENCE_INCLUDED, LICENCE_BYOS, LICENCE_SPLA, LICENCE_SOURCES };
extern const char *const licence_source_words[LICENCE_SOURCES + 1];

struct licence {
	struct str product;
	enum licence_source source;
};

/* Built-in data of a product, without a row. */
struct product_info {
	const char *name, *title, *vendor;
	enum product_metric metric;
	uint32_t ec2_included, ec2_own;
	const char *ec2_code, *ec2_own_code, *azure_own, *azure_included, *distro;
};
extern const struct product_info product_infos[];
extern const size_t product_info_count;
const struct product_info *product_info_find(struct str name); /* NULL: none */

/* Letters, digits, dashes and dots, so that it can be part of a meter's name. */
bool licence_is_product_name(struct str name);
bool licence_parse_source(struct str word, enum licence_source *ret_source);
/* False: not a licence. The product is borrowed from the text. */
bool licence_read(struct str text, struct licence *ret_licence);
struct str licence_write(struct arena *a, struct licence licence);
/* Finds the licence of that product; false: none. */
bool licence_find(struct strs licences, struct str product, struct licence *ret_licence);

/* "small" or "large", by the guest's vCPUs. */
const char *licence_band(int64_t vcpus);

/* ---- meters ---- */

/* Meters without prices: "software:PRODUCT:SOURCE:HOST", whose level is the guest's vCPUs while it runs
 * there. */
#define LICENCE_USE_PREFIX "software:"

/* ---- EC2's words ---- */

/* "RunInstances:0010", and "Red Hat Enterprise Linux". Windows without a licence counts as the owner's own.
 * out is the buffer for the result. */
enum { LICENCE_EC2_SIZE = 80 };
const char *licence_ec2_operation(struct strs licences, bool is_windows, char out[static LICENCE_EC2_SIZE]);
const char *licence_ec2_platform(struct strs licences, bool is_windows, char out[static LICENCE_EC2_SIZE]);
/* The licences of an operation such as RunInstances:0010, in the arena; at most LICENCES_MAX. False: it has none. */
bool licence_of_ec2_operation(struct arena *a, struct str operation, struct strs *ret_licences);
/* The code for billingProducts; NULL: none. */
const char *licence_ec2_code(struct licence licence);
/* The licence of that code; false: none. */
bool licence_of_ec2_code(struct str code, struct licence *ret_licence);

/* ---- Azure's ---- */

/* licenseType for customers' own licences; "": included, or none. */
const char *licence_azure_type(struct strs licences);
/* Applies the word to the machine's licences; false: not one of Azure's. "None" makes all included. */
bool licence_of_azure_type(struct str word, struct licence *ret_licence);

/* ---- words that users write ---- */

/* The product of an operating system by Glance's os_distro, or by a name starting like its title; NULL: none
 * needed. */
const struct product_info *product_info_of_distro(struct str distro);
const struct product_info *product_info_of_title(struct str name);
/* Parses "byos" as that source of the product; otherwise comma-separated licences, for the engine to check.
 * "byos" without a product is kept unchanged, which is not a valid licence. In the arena; false: out of
 * memory. */
bool licence_read_word(struct arena *a, struct str word, const struct product_info *product,
		       struct strs *ret_licences);
/* All licences, comma-separated. */
struct str licence_write_all(struct arena *a, struct strs licences);
