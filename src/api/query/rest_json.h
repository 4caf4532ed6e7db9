/* SPDX-License-Identifier: Apache-2.0
 * Calls of AWS's REST protocol with JSON: method and path select the action, parameters are in path, query or a JSON object, and problems are
 * JSON objects. On the call's thread. */
#pragma once

#include <jansson.h>

#include "api/core/dispatch.h"
#include "api/core/rest.h"

/* Authenticates the caller, selects the action, and joins the call's parameters into *ret_input, which the caller frees also after a failure.
 * ERR_UNSUPPORTED with the field path: no such action; ERR_MALFORMED: no JSON object. service: in that message. */
RESULT rest_json_find(struct api_call *core, const struct rest_table *table, const char *service,
		      json_t **ret_input);
/* Writes the problem as {"Message", "Code"}, and its code in x-amzn-ErrorType. */
RESULT rest_json_write_problem(struct api_call *core, struct api_problem *p, struct buf *body);
