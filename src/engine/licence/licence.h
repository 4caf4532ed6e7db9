/* SPDX-License-Identifier: Apache-2.0
 * Licences of images and instances (model/licence.h): their source, who may set it, and their placement
 * requirements. An instance inherits its image's licences unless the launch overrides them; a conversion to
 * another source applies from that moment on. Accounts cannot set "included" for a product that the image
 * does not include and the region does not sell, and cannot remove an included one. */
#pragma once

#include "engine/operation.h"
#include "model/licence.h"

struct instance;
struct entitlement;

/* Changes to existing licences. Zero: none. */
struct licences_wish {
	bool sets_all; /* sets all existing ones to `source` */
	bool may_lack; /* allows an empty list; otherwise that is ERR_INVALID */
	enum licence_source source;
	struct strs licences; /* then applies these: each replaces the licence of its product, or is added */
};

/* Parses a user's text: "byos" for all existing licences, or a list "rhel:byos,…". Empty: no change.
 * ERR_NO_MEMORY. */
RESULT engine_read_licences(struct ctx *c, struct str word, struct licences_wish *ret_wish);

/* ---- products ---- */

/* A product as in its row, or a known product. */
struct product_seen {
	struct str name, title, vendor;
	enum product_metric metric;
	bool is_sold;
};
/* False: there is no such product. Any thread that reads tables. */
bool engine_find_product(const struct tables *t, struct str name, struct product_seen *ret_product);

struct product_wish {
	struct str name;
	struct str title, vendor; /* empty: no change */
	bool sets_metric;
	enum product_metric metric;
	enum choice is_sold;
};
/* Creates the product's row, or changes it. Requires the operator or an administrator of the system. */
OPERATION(engine_set_product, product_wish)

/* An instance's software, for example to route a ticket: from its licences, or else from its image's
 * properties. product: such as "rhel"; without a licence any value of Glance's os_distro. source: "included",
 * "byos", "spla", or "" without a licence. Borrowed from the tables. False: unknown. */
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
	bool sets_metric;           /* otherwise the product's metric */
	enum product_metric metric;
	int64_t quantity;
	bool needs_dedicated;
	int64_t from_us, until_us; /* 0: now; 0: unlimited */
	struct str reference;
	/* result: */
	uuid entitlement;
};
OPERATION(engine_add_entitlement, entitlement_wish)
struct entitlement_end {
	struct ref entitlement;
};
/* Ends the entitlement now. */
OPERATION(engine_end_entitlement, entitlement_end)

/* The next entitlement valid at that time for guests of the account: the account's own, else those of its
 * domain, else the operator's. Only the first of these levels that has any for the product and source counts.
 * after NULL: the first. */
const struct entitlement *engine_next_entitlement(const struct tables *t, uuid account, struct str product,
						  enum licence_source source, int64_t now_us,
						  const struct entitlement *after);

/* ---- images and instances ---- */

/* Replaces all licences of an image. */
struct image_licensing {
	struct ref image;
	struct strs licences;
};
OPERATION(engine_license_image, image_licensing)

/* Changes the source of an instance's licences, running or not. ERR_STATE: they require a dedicated host, and
 * the instance has none. No change if nothing differs. */
struct licence_conversion {
	struct ref instance;
	struct licences_wish licences;
};
OPERATION(engine_convert_licences, licence_conversion)
