/* SPDX-License-Identifier: Apache-2.0
 * JSON as people write it in templates. az sends a template's file as it is, within a body whose own key is not even
 * quoted: {"properties": {template:{ // what a comment says …}}}. So besides RFC 8259 the reader takes comments of both
 * kinds, names without quotes, texts between single quotes, and line ends within texts. Source: what Debian's az 2.45
 * sends for `az deployment group create`; Azure Resource Manager, "Understand the structure and syntax of ARM templates"
 * (comments, multi-line strings). Pure; any thread. */
#pragma once

#include <jansson.h>

#include "base/ctx.h"

enum {
	TEMPLATE_SIZE_MAX = 4 * 1024 * 1024, /* bytes of a template, and of what becomes of one */
	TEMPLATE_DEPTH_MAX = 100             /* objects and lists within each other */
};

/* The caller lets go of the value (json_decref). ERR_MALFORMED: what is wrong, and where; ERR_TOO_LARGE. */
RESULT template_read_json(struct ctx *c, struct str text, json_t **ret_value);
