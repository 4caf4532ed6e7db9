/* SPDX-License-Identifier: Apache-2.0
 * Deployments: templates that a face carries out resource by resource, on behalf of the user who requested
 * them. The rows record the progress, so that the work continues after a crash. The engine knows neither
 * templates nor resource ids and stores both as text. api/azure/deployments/deployer.c carries them out. */
#pragma once

#include "engine/operation.h"
#include "model/deployment.h"
#include "model/deployment_operation_words.h"

enum {
	/* Bytes, as in the schema. */
	DEPLOYMENT_TEMPLATE_MAX = 512 * 1024,
	DEPLOYMENT_TEXT_MAX = 256 * 1024, /* of parameters, outputs, a referenced resource */
	DEPLOYMENTS_MAX = 100,            /* per account; the one that ended first makes room */
	DEPLOYMENT_OPERATIONS_MAX = 2048
};

/* The action for one resource. */
struct deployment_step {
	enum deployment_operation_act act;
	struct str target, target_type, target_name, version;
	bool is_left_out;
};

/* row: the wanted deployment; the engine fills in account, made_by, group_key, name_key and its own fields.
 * Replaces an ended deployment with that name. ERR_STATE: the present one has not ended. ERR_QUOTA,
 * ERR_NO_MEMORY. */
struct deployment_wish {
	struct deployment row;
	const struct deployment_step *steps;
	size_t step_count;
	/* results: */
	uuid deployment;
	bool is_new; /* no deployment had the name */
};
OPERATION(engine_create_deployment, deployment_wish)

struct deployment_target {
	uuid deployment;
};
/* Stops requesting further resources. ERR_NOT_FOUND, ERR_STATE: it has ended. */
OPERATION(engine_cancel_deployment, deployment_target)
/* Forgets the deployment; its resources stay. ERR_NOT_FOUND, ERR_STATE: it is in progress. */
OPERATION(engine_delete_deployment, deployment_target)

/* ---- for the deployer ---- */

/* The result of an operation at `place`, or, if there is none there, a further operation. */
struct deployment_news {
	int64_t place;
	struct deployment_step step; /* for a further operation */
	enum deployment_operation_state state;
	int64_t status;
	struct str answer, problem;
};
/* ended: also ends the deployment. OK without a change if the deployment ended or is gone. */
struct deployment_report {
	uuid deployment;
	const struct deployment_news *news;
	size_t count;
	enum deployment_ended ended;
	struct str problem, outputs;
};
SYSTEM_OPERATION(engine_note_deployment, deployment_report)

/* Finds the deployment with that name (case-insensitive) in the group (empty: the subscription), or NULL. */
const struct deployment *engine_find_deployment(const struct tables *t, struct arena *a, uuid account,
						struct str group, struct str name);
/* Forgets the deployments of a resource group that is being deleted (its name in lower case). */
RESULT engine_forget_deployments(struct op *op, uuid account, struct str group_key);
