/* SPDX-License-Identifier: Apache-2.0
 * Relaxed JSON of templates. az sends a template's file unchanged, in a body whose own key has no quotes:
 * {"properties": {template:{ // a comment …}}}. In addition to RFC 8259 the reader therefore accepts both kinds of comments, names
 * without quotes, strings in single quotes, and line ends in strings. Source: what Debian's az 2.45
 * sends for `az deployment group create`; Azure Resource Manager, "Understand the structure and syntax of ARM templates"
 * (comments, multi-line strings). Pure; any thread. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

enum {
	TEMPLATE_SIZE_MAX = 4 * 1024 * 1024, /* bytes of a template, and of a value made from it */
	TEMPLATE_DEPTH_MAX = 100             /* nested objects and lists */
};

/* The caller frees the value (json_decref). ERR_MALFORMED: the message names the fault and its place; ERR_TOO_LARGE. */
RESULT template_read_json(struct ctx *c, struct str text, json_t **ret_value);
