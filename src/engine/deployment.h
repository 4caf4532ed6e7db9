/* SPDX-License-Identifier: Apache-2.0
 * Deployments: templates that a face carries out, resource by resource, in the name of who asked for them. Their rows say
 * how far each is, so that whoever carries one out goes on with it after a crash. The engine knows neither templates nor
 * resources' ids: it keeps both as text. What happens next: api/azure/deployments/deployer.c. */
#pragma once

#include "engine/operation.h"
#include "model/deployment.h"
#include "model/deployment_operation.h"

enum {
	/* Bytes: as the schema has it. */
	DEPLOYMENT_TEMPLATE_MAX = 512 * 1024,
	DEPLOYMENT_TEXT_MAX = 256 * 1024, /* of parameters, outputs, a resource that is referred to */
	DEPLOYMENTS_MAX = 100, /* of an account; beyond them the one that ended first is forgotten */
	DEPLOYMENT_OPERATIONS_MAX = 2048
};

/* What is to be done about one resource. */
struct deployment_step {
	enum deployment_operation_act act;
	struct str target, target_type, target_name, version;
	bool is_left_out;
};

/* row: what is wanted (account, made_by, group_key, name_key and what the engine places are its own to fill). A deployment of the
 * name is replaced once it has ended. ERR_STATE: it has not. ERR_QUOTA, ERR_NO_MEMORY. */
struct deployment_wish {
	struct deployment row;
	const struct deployment_step *steps;
	size_t step_count;
	/* made: */
	uuid deployment;
	bool is_new; /* there was none of the name */
};
OPERATION(engine_create_deployment, deployment_wish)

struct deployment_target {
	uuid deployment;
};
/* It ends without asking for more. ERR_NOT_FOUND, ERR_STATE: it has ended. */
OPERATION(engine_cancel_deployment, deployment_target)
/* Forgets it; what it made stays. ERR_NOT_FOUND, ERR_STATE: it goes on. */
OPERATION(engine_delete_deployment, deployment_target)

/* ---- for who carries it out ---- */

/* What came of one of its operations; or, place not found, a further one. */
struct deployment_news {
	int64_t place;
	struct deployment_step step; /* of a further one */
	enum deployment_operation_state state;
	int64_t status;
	struct str answer, problem;
};
/* ended: the deployment ends with it. A deployment that is gone or has ended: nothing happens. */
struct deployment_report {
	uuid deployment;
	const struct deployment_news *news;
	size_t count;
	enum deployment_ended ended;
	struct str problem, outputs;
};
OPERATION(engine_note_deployment, deployment_report)

/* NULL: there is none of the name (any letter case) in the group (empty: the subscription). */
const struct deployment *engine_find_deployment(const struct tables *t, struct arena *a, uuid account,
						struct str group, struct str name);
/* Of a resource group that goes (its name in small letters): they go with it. */
RESULT engine_forget_deployments(struct op *op, uuid account, struct str group_key);
