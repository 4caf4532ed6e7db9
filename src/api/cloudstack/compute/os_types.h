/* SPDX-License-Identifier: Apache-2.0
 * Private to api/cloudstack/compute/: guest operating systems by CloudStack's names. Dari
 * distinguishes only Windows from others; the name is stored with the image and shown. */
#pragma once

#include "api/cloudstack/core/action.h"

struct image;

/* Properties of images; the first is "true" for an image whose guests take their password from the password server. */
#define CS_PASSWORD_PROPERTY "cloudstack_password_enabled"
#define CS_FEATURED_PROPERTY "cloudstack_featured"
#define CS_EXTRACTABLE_PROPERTY "cloudstack_extractable"
#define CS_OS_TYPE_PROPERTY "cloudstack_os_type"

struct cs_os_type {
	const char *name, *category;
};

/* NULL: no type has that id. */
const struct cs_os_type *cs_find_os_type(struct str id);
/* The type that was set for the image, else a general one for its platform. */
const struct cs_os_type *cs_os_type_of(const struct image *image);
struct str cs_os_type_id(struct arena *a, const struct cs_os_type *type);
bool cs_os_type_is_windows(const struct cs_os_type *type);
