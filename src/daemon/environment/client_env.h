/* SPDX-License-Identifier: Apache-2.0
 * Environments of stock clients: the variables of web/console/environment.js with their values. */
#pragma once

#include <jansson.h>

#include "base/buf.h"

/* Values for the {fields} of environment.js; lines with an empty one are omitted. */
struct client_env {
	struct str endpoint, region, ca, key_id, key_secret, user, user_domain, password, project, project_id,
		project_uuid, project_domain, credential_id, credential_secret, tenant;
};

/* Appends "export NAME=value" lines, quoted for a shell; client: "aws". */
void client_env_print(struct buf *out, const char *client, const struct client_env *env);
/* Sets the members of an object: {"AWS_REGION": "here", …}. */
void client_env_add(json_t *object, const char *client, const struct client_env *env);
