/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: guest operating systems by CloudStack's names. Here a guest is Windows or it is not;
 * the name is kept with the image, for those who ask for it. */
#pragma once

#include "api/cloudstack/core/action.h"

struct image;

/* The property of an image that has the name. */
/* A property of an image whose guests set the password that they are told: "true". */
#define CS_PASSWORD_PROPERTY "cloudstack_password_enabled"
#define CS_FEATURED_PROPERTY "cloudstack_featured"
#define CS_EXTRACTABLE_PROPERTY "cloudstack_extractable"
#define CS_OS_TYPE_PROPERTY "cloudstack_os_type"

struct cs_os_type {
	const char *name, *category;
};

/* By its id; NULL: there is none such. */
const struct cs_os_type *cs_find_os_type(struct str id);
/* As it was said of the image, else what fits its platform. */
const struct cs_os_type *cs_os_type_of(const struct image *image);
struct str cs_os_type_id(struct arena *a, const struct cs_os_type *type);
bool cs_os_type_is_windows(const struct cs_os_type *type);
