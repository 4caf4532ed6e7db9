/* SPDX-License-Identifier: Apache-2.0
 * Azure Resource Manager's API, and the sign-in that its clients use: JSON over paths like
 * /subscriptions/{id}/resourceGroups/{name}/providers/Microsoft.Compute/virtualMachines/{name}. Sources: Azure REST API
 * reference; "Azure Resource Manager REST API" (common parameters, asynchronous operations); Microsoft identity
 * platform, "OAuth 2.0 client credentials flow". */
#pragma once

#include "api/core/face.h"

/* The face's protocol, for api_face_new(). */
extern const struct api_protocol azure_protocol;
extern const struct api_errors azure_errors;

/* True if the path belongs to this face, which shares a listener with others. Letter case of paths does not matter. */
bool azure_has_path(struct str path);

/* Translates a role's JSON into an IAM policy, for struct guards_config. The policy names the permissions of the calls whose
 * operations the role's actions match. */
RESULT azure_write_role(struct ctx *c, struct str permissions, struct str *ret_document);

/* Path of a resource of the subscription, and the newest version of the API that its type has. Empty: the face shows no
 * such resource. t: the head, or an open view. */
struct str azure_find_path(struct arena *a, const struct tables *t, uuid subscription, enum kind kind,
			   uuid id, struct str *ret_version);

/* All calls as JSON, for documentation and tests. */
void azure_dump_actions(struct buf *out);
/* A table in Markdown: each call, and what it does. */
void azure_write_coverage(struct buf *out);
