/* SPDX-License-Identifier: Apache-2.0
 * SCIM 2.0 (RFC 7643, 7644) at /scim/v2: an identity provider such as Okta or Entra ID provisions the users and groups of one
 * domain. The caller proves an access key of a user who is an administrator of the user's own domain; nothing of another domain
 * can be reached. */
#pragma once

#include "api/core/face.h"

extern const struct api_protocol scim_protocol;

/* True for "/scim/v2" and everything below. */
bool scim_has_path(struct str path);
void scim_write_coverage(struct buf *out);
void scim_dump_actions(struct buf *out);
