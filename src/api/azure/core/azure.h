/* SPDX-License-Identifier: Apache-2.0
 * Azure Resource Manager's API, and the sign-in that its clients use: JSON over paths like
 * /subscriptions/{id}/resourceGroups/{name}/providers/Microsoft.Compute/virtualMachines/{name}. Sources: Azure REST API
 * reference; "Azure Resource Manager REST API" (common parameters, asynchronous operations); Microsoft identity
 * platform, "OAuth 2.0 client credentials flow". */
#pragma once

#include "api/core/face.h"

/* For api_face_new(). */
extern const struct api_protocol azure_protocol;
extern const struct api_errors azure_errors;

/* Whether a path is this face's: the listener is shared with others. Letter case does not matter in Azure's paths. */
bool azure_has_path(struct str path);

/* For struct guards_config: what a role's JSON allows, as a policy of IAM's. It names the permissions of the calls whose operations
 * the role's actions match. */
RESULT azure_write_role(struct ctx *c, struct str permissions, struct str *ret_document);

/* All calls as JSON, for documentation and tests. */
void azure_dump_actions(struct buf *out);
/* A table in Markdown: each call, and what it does. */
void azure_write_coverage(struct buf *out);
