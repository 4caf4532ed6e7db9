/* SPDX-License-Identifier: Apache-2.0
 * Licences: which software in a guest needs one, and who brings it. Images and instances have them as texts,
 * "PRODUCT:SOURCE", such as "rhel:byos"; here are their rules, and the words of each face for them. Pure; any thread. */
#pragma once

#include "base/arena.h"
#include "base/str.h"
#include "model/product.h"

enum {
	LICENCES_MAX = 8,
	PRODUCT_NAME_MAX = 64,
	LICENCE_BAND_SMALL = 4 /* vCPUs; more are the band "large" */
};

/* included: the region's price has it. byos: somebody's own subscription. spla: by an agreement of a service provider's,
 * who reports it. */
enum licence_source { LICENCE_INCLUDED, LICENCE_BYOS, LICENCE_SPLA, LICENCE_SOURCES };
extern const char *const licence_source_words[LICENCE_SOURCES + 1];

struct licence {
	struct str product;
	enum licence_source source;
};

/* What is known of a product without a row. */
struct product_info {
	const char *name, *title, *vendor;
	enum product_metric metric;
	uint32_t ec2_included, ec2_own;
	const char *ec2_code, *ec2_own_code, *azure_own, *azure_included, *distro;
};
extern const struct product_info product_infos[];
extern const size_t product_info_count;
const struct product_info *product_info_find(struct str name); /* NULL: none */

/* Letters, digits, dashes and points, so that it may stand in a meter. */
bool licence_is_product_name(struct str name);
bool licence_parse_source(struct str word, enum licence_source *ret_source);
/* False: it is no licence. The product is borrowed from the text. */
bool licence_read(struct str text, struct licence *ret_licence);
struct str licence_write(struct arena *a, struct licence licence);
/* The licence of that product among them; false: none. */
bool licence_find(struct strs licences, struct str product, struct licence *ret_licence);

/* By how many vCPUs the guest has: "small" or "large". */
const char *licence_band(int64_t vcpus);

/* ---- meters ---- */

/* What begins so is no price's affair: "software:PRODUCT:SOURCE:HOST", whose level is the guest's vCPUs while it is on there. */
#define LICENCE_USE_PREFIX "software:"

/* ---- EC2's words ---- */

/* "RunInstances:0010", and "Red Hat Enterprise Linux". Windows without a licence is its owner's own. They give out. */
enum { LICENCE_EC2_SIZE = 80 };
const char *licence_ec2_operation(struct strs licences, bool is_windows, char out[static LICENCE_EC2_SIZE]);
const char *licence_ec2_platform(struct strs licences, bool is_windows, char out[static LICENCE_EC2_SIZE]);
/* The code in billingProducts; NULL: it has none. */
const char *licence_ec2_code(struct licence licence);
/* Which licence that code stands for; false: none. */
bool licence_of_ec2_code(struct str code, struct licence *ret_licence);

/* ---- Azure's ---- */

/* licenseType of one's own licences; "": they are included, or there are none. */
const char *licence_azure_type(struct strs licences);
/* What the word makes of the machine's licences; false: it is none of Azure's. "None" includes all. */
bool licence_of_azure_type(struct str word, struct licence *ret_licence);

/* ---- words that users write ---- */

/* The product of systems that Glance calls so, or whose name begins like its title; NULL: it needs no licence. */
const struct product_info *product_info_of_distro(struct str distro);
const struct product_info *product_info_of_title(struct str name);
/* "byos" is that source of the product; all else are licences with commas between, which the engine checks. A source without
 * a product stays as it is, which is no licence. In the arena; false: it is full. */
bool licence_read_word(struct arena *a, struct str word, const struct product_info *product,
		       struct strs *ret_licences);
/* All of them, with commas between. */
struct str licence_write_all(struct arena *a, struct strs licences);
