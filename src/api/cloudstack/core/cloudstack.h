/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's API: signed calls of /client/api, answered in JSON or XML. Source: Apache CloudStack's developer
 * guide and API reference, 4.18. */
#pragma once

#include "api/core/face.h"

/* The face's protocol, for api_face_new(). */
extern const struct api_protocol cloudstack_protocol;
extern const struct api_errors cloudstack_errors;

/* True if the path belongs to CloudStack's API, which shares a listener with other faces. */
bool cloudstack_has_path(struct str path);

/* The face that receives the data of templates (upload/). */
extern const struct api_protocol cloudstack_upload_protocol;
bool cloudstack_is_upload(struct str path);

/* Commands that are left out, "a|b", with the reason. */
struct cloudstack_left_out {
	const char *commands, *what, *why;
};
const struct cloudstack_left_out *cloudstack_list_left_out(size_t *ret_count);

/* All commands as JSON, for documentation and tests: {"actions": [{name, permit, writes, params: [{name, type, required,
 * built, doc}], doc}], "left_out": ["name"]}. */
void cloudstack_dump_actions(struct buf *out);
