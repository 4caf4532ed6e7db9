/* SPDX-License-Identifier: Apache-2.0
 * Licences of images and instances (model/licence.h): where they come from, who may say so, and what they ask of a place. An
 * instance has those of its image, unless its launch says otherwise; a change from one source to another holds from then on. What an
 * account may not say: that something is included which its image does not include and the region does not sell; that
 * something included is not there. */
#pragma once

#include "engine/operation.h"
#include "model/instance.h"
#include "model/licence.h"

struct image;
struct entitlement;
struct product;

/* What is said of licences besides what is there already. Zero: nothing. */
struct licences_wish {
	bool sets_all; /* each that is there is from `source` */
	bool may_lack; /* there may be none; else that is ERR_INVALID */
	enum licence_source source;
	struct strs licences; /* then these, each instead of the one of its product or added */
};

/* From a user's word: "byos" of all that is there, or "rhel:byos" with commas between. Empty: nothing. ERR_NO_MEMORY. */
RESULT engine_read_licences(struct ctx *c, struct str word, struct licences_wish *ret_wish);

/* ---- products ---- */

/* What a product is, by its row or as it is known. */
struct product_seen {
	struct str name, title, vendor;
	enum product_metric metric;
	bool is_sold;
};
/* False: there is no such product. Any thread that reads tables. */
bool engine_find_product(const struct tables *t, struct str name, struct product_seen *ret_product);

struct product_wish {
	struct str name;
	struct str title, vendor; /* empty: as they are */
	bool sets_metric;
	enum product_metric metric;
	enum choice is_sold;
};
/* Makes the product's row, or changes it. The operator's, and the system's administrators'. */
OPERATION(engine_set_product, product_wish)

/* What an instance runs, for whoever sorts by it (whom a ticket goes to): by its licences, else by what its image is said to
 * be. product: such as "rhel"; without a licence that may be any word of Glance's os_distro. source: "included", "byos", "spla", or
 * "" where it has no licence. Borrowed from the tables. False: nothing is known. */
struct software {
	struct str product, title, vendor;
	struct str source;
};
bool engine_find_software(const struct tables *t, const struct instance *instance,
			  struct software *ret_software);

/* ---- entitlements ---- */

struct entitlement_wish {
	struct ref account, domain; /* kind none, both: for everybody */
	struct str product;
	enum licence_source source; /* byos or spla */
	bool sets_metric;           /* else the product's */
	enum product_metric metric;
	int64_t quantity;
	bool needs_dedicated;
	int64_t from_us, until_us; /* 0: now; for good */
	struct str reference;
	/* made: */
	uuid entitlement;
};
OPERATION(engine_add_entitlement, entitlement_wish)
struct entitlement_end {
	struct ref entitlement;
};
/* It holds until now. */
OPERATION(engine_end_entitlement, entitlement_end)

/* The next entitlement that holds at that time for guests of the account: the account's own, those of its domain, and the
 * operator's. Of each of these three, if it has any of the product and source, the others do not count. after NULL: the first. */
const struct entitlement *engine_next_entitlement(const struct tables *t, uuid account, struct str product,
						  enum licence_source source, int64_t now_us,
						  const struct entitlement *after);

/* ---- images and instances ---- */

/* Says all licences of an image anew. */
struct image_licensing {
	struct ref image;
	struct strs licences;
};
OPERATION(engine_license_image, image_licensing)

/* Changes where an instance's licences come from, whether it is on or off. ERR_STATE: they want a dedicated host, and it is on
 * none. Nothing is different: nothing happens. */
struct licence_conversion {
	struct ref instance;
	struct licences_wish licences;
};
OPERATION(engine_convert_licences, licence_conversion)
