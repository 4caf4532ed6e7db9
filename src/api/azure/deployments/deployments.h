/* SPDX-License-Identifier: Apache-2.0
 * Private to deployments/: what its files share.
 *
 * How a deployment is carried out. PUT checks the template as a whole and writes its rows: one of the deployment, one for each
 * resource. The deployer (deployer.c) looks at the rows of each deployment that has not ended, and does what can be done next: it PUTs
 * a resource whose needs are there, or asks what became of one that it has PUT. It asks this face itself, by calls from inside
 * (http/internal_call.h), in the name of the principal that deployed: routes, versions, guard, limits and audit log see a request like
 * any other, and no handler knows that it is asked by a deployment. What a policy says of the caller's address does not hold for them:
 * they come from nowhere. What came of it is written into the rows, in one change a turn.
 *
 * Nothing of it is kept in memory alone. A PUT that was done and not written down, because the process died in between, is done
 * again, and a PUT of the same body changes nothing. A resource is there when the face's own GET shows no provisioningState
 * but Succeeded. */
#pragma once

#include "api/azure/core/action.h"
#include "api/azure/template/template.h"
#include "engine/deployment.h"

/* A template as a request brings it, or as a row keeps it. */
struct deployment_source {
	json_t *root;                        /* what was read: lets go of all (json_decref) */
	const json_t *template, *parameters; /* in root */
	bool is_complete;
};
/* "{properties: {mode, template, parameters}}" of the request's body. ERR_MALFORMED, ERR_INVALID, ERR_UNSUPPORTED. */
RESULT deployment_read_source(struct az_call *e, struct deployment_source *ret_source);

/* Where it is deployed, as far as a call says it. */
RESULT deployment_find_place(struct az_call *e, struct template_place *ret_place);
struct template_place deployment_place_of(struct ctx *c, const struct api_config *config,
					  const struct tables *t, const struct deployment *d);

/* What is in a resource group: what is a part of another is not listed. Texts are in c's arena. */
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
/* {"code", "message"} as Azure's errors have it. */
struct str deployment_make_problem(struct ctx *c, const char *code, struct str message, struct str target);
/* "PT12.3456789S" */
struct str deployment_write_duration(struct arena *a, int64_t us);
/* "Running", and so on. */
const char *deployment_word(const struct deployment *d);

/* What it would change, in JSON: whatif.c. On a lane. */
RESULT deployment_find_changes(struct az_call *e, const struct deployment_source *s, struct template *t,
			       const struct deployment_wish *wish, struct str *ret_changes);

/* ---- preflight.c ---- */

/* ERR_INVALID, InvalidTemplateDeployment: a resource of the template would be refused. On a lane. */
RESULT deployment_preflight(struct az_call *e, struct template *t, const struct deployment_wish *wish);

/* ---- deployer.c ---- */

struct deployer;
/* Asks the face for a resource in the name of e's caller, and waits for the answer. On a thread that may wait, such as a lane's.
 * ERR_GONE: there is no deployer. *ret_body is the caller's; NULL: the answer has none. */
RESULT deployer_ask(struct az_call *e, struct str id, struct str version, int *ret_status, json_t **ret_body);
/* The same of a PUT that is undone: status 412 says that it would succeed. */
RESULT deployer_try(struct az_call *e, struct str id, struct str version, struct str body, int *ret_status,
		    json_t **ret_body);
