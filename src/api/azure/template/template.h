/* SPDX-License-Identifier: Apache-2.0
 * Templates: what a deployment is to make, written as JSON with expressions ("[concat('a', parameters('b'))]"). A template is
 * read as a whole first (parameters, variables, copies, conditions, who depends on whom), which refuses what is wrong before
 * anything is made. What a resource is to be is worked out later, one by one, because an expression may ask what became of
 * another (reference()).
 *
 * Nothing here knows rows or requests: who calls says where the template is deployed (struct template_place), and is asked
 * for what references are about (.read). One thread uses a template at a time. Work is bounded whatever the template says:
 * by counts, sizes, TEMPLATE_STEPS_MAX steps of evaluation and TEMPLATE_MEMORY_MAX bytes of values in all. The bytes are counted
 * where json_set_alloc_funcs() was told of heap_alloc_counted().
 *
 * Failures are ERR_INVALID with the sentences that Azure Resource Manager has for them. It says lines and columns in some;
 * they are left empty here, as it does where it has none. Sources: "Template structure and syntax", "Template functions", "Resource
 * iteration", "Symbolic names", "Template limits" of Azure's documentation; sentences as issues of azure-cli, bicep and
 * vscode-azurearmtools quote them. */
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
	TEMPLATE_MEMORY_MAX = 64 * 1024 * 1024 /* bytes of its values, as the heap has them */
};

/* Where a template is deployed. Texts live as long as the template. */
struct template_place {
	struct str subscription, tenant; /* GUIDs */
	struct str subscription_name;
	struct str group;          /* empty: the subscription as a whole */
	struct str group_location; /* "koreacentral"; of a subscription's deployment its own */
	struct pairs group_tags;
	struct str deployment;                 /* its name */
	struct str deployer_id, deployer_name; /* who deploys: an object id, and "ann@Default" */
	struct str endpoint;                   /* "https://cloud.example.com", for environment() */
	int64_t now_us;                        /* for utcNow() */
};

/* What reference() is about. */
struct template_reference {
	struct str id;      /* "/subscriptions/…" */
	struct str version; /* of the API; empty: the template's resource of that id says it */
	size_t resource;    /* in the template; TEMPLATE_NO_RESOURCE: it is none of it */
};
#define TEMPLATE_NO_RESOURCE SIZE_MAX

/* Finds the whole body of a resource, which stays the callee's until the template is freed. ERR_AGAIN: it is not known so far.
 * NULL: none ever is, as when a template is only checked. */
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
	struct str name; /* "v", or "v/s" of a child */
	struct str
		symbol; /* of a template whose resources have names of their own; "a[0]" of a copy; empty: none */
	struct str version;  /* of the API */
	bool is_existing;    /* only read */
	bool is_left_out;    /* its condition is false */
	const size_t *needs; /* those that must be there before */
	size_t need_count;
	struct template_part *part; /* private */
};

struct template;

/* Reads and checks all of it but the resources' properties. wish's JSON must outlive the template. */
RESULT template_open(struct ctx *c, const struct template_wish *wish, struct template **ret_template);
void template_free(struct template *t); /* NULL: nothing */
DEFINE_AUTO(template)

/* Its resources, in the order in which they are written; k below the count. */
size_t template_count(const struct template *t);
const struct template_resource *template_at(const struct template *t, size_t k);
/* What to PUT: type, name and what belongs to the template alone are left out. is_loose: where a reference is not known the
 * expression stays as it is. The value is the template's. ERR_AGAIN: not loose, and a reference is not known. */
RESULT template_make_body(struct template *t, size_t k, bool is_loose, json_t **ret_body);
/* {"name": {"type", "value"}}; secret ones are not among them. Likewise. */
RESULT template_make_outputs(struct template *t, json_t **ret_outputs);
/* What each parameter is worth, with its default: {"name": {"type", "value"}}. shows_secrets: else secure ones have no value. */
RESULT template_make_parameters(struct template *t, bool shows_secrets, json_t **ret_parameters);
/* From now on secure parameters are worth asterisks: what is made of the template may be shown. */
RESULT template_hide_secrets(struct template *t);
/* What the last ERR_AGAIN was about. */
const struct template_reference *template_missing(const struct template *t);

/* Functions that expressions may call, for documentation. NULL: there are not so many. */
const char *template_function_name(size_t k);

/* Whether a member is there, whatever its letters' case. NULL: it is not. */
json_t *template_get(const json_t *object, const char *name);
