/* SPDX-License-Identifier: Apache-2.0
 * Private to deployments/: declarations that its files share.
 *
 * Course of a deployment. PUT checks the template as a whole and writes its rows: one for the deployment, one for each resource.
 * The deployer (deployer.c) looks at the rows of each active deployment and takes the next possible steps: it PUTs a resource
 * whose dependencies are deployed, or GETs the state of a resource that it has PUT. Its requests are internal calls of this face
 * (http/internal_call.h) in the name of the deploying principal: routes, versions, guard, limits and audit log treat them like
 * other requests, and handlers cannot tell them apart. Internal calls have no source address that a policy's
 * condition could match. A turn writes its results into the rows in one change.
 *
 * No state is in memory only. If the process dies between a PUT and the record of it, the next turn repeats the PUT, which changes
 * nothing since its body is the same. A resource counts as deployed when the face's GET shows provisioningState Succeeded, or no
 * provisioningState. */
#pragma once

#include "api/azure/core/action.h"
#include "api/azure/template/template.h"
#include "engine/deployment.h"

/* A template with its parameters, from a request or from a deployment's row. */
struct deployment_source {
	json_t *root;                        /* owns all JSON below; freed by json_decref */
	const json_t *template, *parameters; /* in root */
	bool is_complete;
};
/* "{properties: {mode, template, parameters}}" of the request's body. ERR_MALFORMED, ERR_INVALID, ERR_UNSUPPORTED. */
RESULT deployment_read_source(struct az_call *e, struct deployment_source *ret_source);

/* Scope of the deployment, from the call's path and caller. */
RESULT deployment_find_place(struct az_call *e, struct template_place *ret_place);
struct template_place deployment_place_of(struct ctx *c, const struct api_config *config,
					  const struct tables *t, const struct deployment *d);

/* Lists the resources of a resource group without parts of other resources, such as subnets. Texts are in c's arena. */
struct deployment_steps {
	struct deployment_step *at;
	size_t count;
};
RESULT deployment_list_group(struct ctx *c, const struct tables *t, uuid account, struct str group,
			     struct deployment_steps *ret_steps);

/* "/subscriptions/…[/resourceGroups/…]/providers/Microsoft.Resources/deployments/N" */
struct str deployment_id_of(struct arena *a, const struct deployment *d);
/* The row that the path names. ERR_NOT_FOUND. */
RESULT deployment_find_named(struct az_call *e, const struct deployment **ret_row);
/* JSON as text in the arena. */
RESULT deployment_write_json(struct ctx *c, const json_t *value, struct str *ret_text);
/* {"code", "message"}, the form of Azure's errors. */
struct str deployment_make_problem(struct ctx *c, const char *code, struct str message, struct str target);
/* "PT12.3456789S" */
struct str deployment_write_duration(struct arena *a, int64_t us);
/* provisioningState of a deployment, such as "Running". */
const char *deployment_word(const struct deployment *d);

/* Computes the changes that a deployment would make, as JSON (whatif.c). Runs on a lane. */
RESULT deployment_find_changes(struct az_call *e, const struct deployment_source *s, struct template *t,
			       const struct deployment_wish *wish, struct str *ret_changes);

/* ---- preflight.c ---- */

/* ERR_INVALID, InvalidTemplateDeployment: a resource of the template would be refused. Runs on a lane. */
RESULT deployment_preflight(struct az_call *e, struct template *t, const struct deployment_wish *wish);

/* ---- deployer.c ---- */

struct deployer;
/* GETs a resource in the name of e's caller, and blocks until the answer: call it on a thread that may block, such as a lane's.
 * ERR_GONE: there is no deployer. The caller owns *ret_body; NULL: the answer has no body. */
RESULT deployer_ask(struct az_call *e, struct str id, struct str version, int *ret_status, json_t **ret_body);
/* Tries a PUT and undoes it, otherwise like deployer_ask(). Status 412 means that the PUT would succeed. */
RESULT deployer_try(struct az_call *e, struct str id, struct str version, struct str body, int *ret_status,
		    json_t **ret_body);
