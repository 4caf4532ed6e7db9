/* SPDX-License-Identifier: Apache-2.0
 * CloudStack's API: signed calls of /client/api, answered in JSON or XML. Source: Apache CloudStack's developer
 * guide and API reference, 4.18. */
#pragma once

#include "api/core/face.h"

/* For api_face_new(). */
extern const struct api_protocol cloudstack_protocol;
extern const struct api_errors cloudstack_errors;

/* Whether a path is CloudStack's: the listener is shared with other faces. */
bool cloudstack_has_path(struct str path);

/* Where data of templates are sent: a face of its own (upload/). */
extern const struct api_protocol cloudstack_upload_protocol;
bool cloudstack_is_upload(struct str path);

/* Commands that are left out, and why: "a|b". */
struct cloudstack_left_out {
	const char *commands, *what, *why;
};
const struct cloudstack_left_out *cloudstack_list_left_out(size_t *ret_count);

/* All commands as JSON, for documentation and tests: {"actions": [{name, permit, writes, params: [{name, type, required,
 * built, doc}], doc}], "left_out": ["name"]}. */
void cloudstack_dump_actions(struct buf *out);
