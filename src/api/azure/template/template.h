/* SPDX-License-Identifier: Apache-2.0
 * Templates describe the resources of a deployment as JSON with expressions ("[concat('a', parameters('b'))]"). template_open()
 * reads a template as a whole (parameters, variables, copies, conditions, dependencies), and so refuses an invalid template before
 * anything is deployed. Bodies of resources are evaluated later, one by one, because an expression may read the state of a
 * resource that was deployed before (reference()).
 *
 * The template code knows neither rows nor requests: the caller gives the deployment's scope (struct template_place), and reads
 * referenced resources (.read). One thread uses a template at a time. Limits on counts, sizes, steps of evaluation
 * (TEMPLATE_STEPS_MAX) and bytes of values (TEMPLATE_MEMORY_MAX) bound the work for any template. Bytes are counted only in a
 * program that passes heap_alloc_counted() to json_set_alloc_funcs().
 *
 * Failures are ERR_INVALID with the messages of Azure Resource Manager. Some of its messages have a line and a column; they are
 * left empty here, as Azure leaves them where it knows none. Sources: "Template structure and syntax", "Template functions", "Resource
 * iteration", "Symbolic names", "Template limits" of Azure's documentation; messages from issues of azure-cli, bicep and vscode-azurearmtools. */
#pragma once

#include "api/azure/template/json.h"

enum {
	TEMPLATE_RESOURCES_MAX = 800,
	TEMPLATE_PARAMETERS_MAX = 256,
	TEMPLATE_VARIABLES_MAX = 256,
	TEMPLATE_OUTPUTS_MAX = 64,
	TEMPLATE_EXPRESSION_MAX = 24576, /* characters */
	TEMPLATE_ID_MAX = 2048,          /* bytes of a resource's id */
	TEMPLATE_STEPS_MAX = 16 * 1000 * 1000,
	TEMPLATE_MEMORY_MAX = 64 * 1024 * 1024 /* heap bytes of a template's values */
};

/* Scope of a deployment, and the facts that scope functions return. Texts live as long as the template. */
struct template_place {
	struct str subscription, tenant; /* GUIDs */
	struct str subscription_name;
	struct str group; /* empty: the subscription as a whole */
	struct str
		group_location; /* "koreacentral"; for a deployment to a subscription the deployment's location */
	struct pairs group_tags;
	struct str deployment;                 /* name of the deployment */
	struct str deployer_id, deployer_name; /* the deploying principal: object id, and "ann@Default" */
	struct str endpoint;                   /* "https://cloud.example.com", for environment() */
	int64_t now_us;                        /* for utcNow() */
};

/* Target of reference(). */
struct template_reference {
	struct str id;      /* "/subscriptions/…" */
	struct str version; /* API version; empty: the version of the template's resource with that id */
	size_t resource;    /* index in the template; TEMPLATE_NO_RESOURCE: not in the template */
};
#define TEMPLATE_NO_RESOURCE SIZE_MAX

/* Finds the whole body of a resource. The callee owns the body, and must keep it until the template is freed. ERR_AGAIN: not known
 * yet. A NULL function knows no resource, as when a template is only validated. */
typedef RESULT (*template_read)(void *arg, const struct template_reference *what, json_t **ret_body);

struct template_wish {
	struct template_place place;
	const json_t *document;   /* the template */
	const json_t *parameters; /* {"name": {"value": …}}; NULL: none */
	template_read read;
	void *arg;
};

struct template_resource {
	struct str id;   /* "/subscriptions/…/providers/Microsoft.Network/virtualNetworks/v" */
	struct str type; /* "Microsoft.Network/virtualNetworks" */
	struct str name; /* "v", or "v/s" for a child */
	struct str
		symbol; /* symbolic name (languageVersion 2.0); "a[0]" for a copy's iteration; empty: none */
	struct str version;  /* API version */
	bool is_existing;    /* only read */
	bool is_left_out;    /* its condition is false */
	const size_t *needs; /* indexes of the resources that must be deployed before */
	size_t need_count;
	struct template_part *part; /* private */
};

struct template;

/* Reads and checks the whole template except the resources' properties. wish's JSON must outlive the template. */
RESULT template_open(struct ctx *c, const struct template_wish *wish, struct template **ret_template);
void template_free(struct template *t); /* NULL: nothing */
DEFINE_AUTO(template)

/* Resources in the order of the template; k is below the count. */
size_t template_count(const struct template *t);
const struct template_resource *template_at(const struct template *t, size_t k);
/* Makes the body to PUT: without type, name and members that only templates have. is_loose: an expression with an unknown reference
 * is left unevaluated. The template owns the value. ERR_AGAIN: not loose, and a reference is unknown; see template_missing(). */
RESULT template_make_body(struct template *t, size_t k, bool is_loose, json_t **ret_body);
/* {"name": {"type", "value"}}; leaves out secure outputs. The template owns the value. ERR_AGAIN: a reference is unknown. */
RESULT template_make_outputs(struct template *t, json_t **ret_outputs);
/* Parameters with their values, given or default: {"name": {"type", "value"}}. Secure parameters have a value only if shows_secrets. */
RESULT template_make_parameters(struct template *t, bool shows_secrets, json_t **ret_parameters);
/* Replaces the values of secure parameters by asterisks, so that values made from now on may be shown. */
RESULT template_hide_secrets(struct template *t);
/* Reference that caused the last ERR_AGAIN. */
const struct template_reference *template_missing(const struct template *t);

/* Name of the k-th built-in function, for documentation; NULL: k is too large. */
const char *template_function_name(size_t k);

/* Finds a member; names are case-insensitive. NULL: no such member. */
json_t *template_get(const json_t *object, const char *name);
