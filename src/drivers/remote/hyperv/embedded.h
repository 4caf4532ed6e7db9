/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: writes instances as parameters of methods, as texts in CIM-XML (DSP0201). */
#pragma once

#include "base/buf.h"
#include "base/ctx.h"

struct embedded {
	struct buf text;
};
/* Begins an instance of the class. */
void embedded_begin(struct embedded *e, const char *class_name);
/* type: of CIM, such as "uint64". */
void embedded_put(struct embedded *e, const char *name, const char *type, struct str text);
void embedded_put_int(struct embedded *e, const char *name, const char *type, int64_t value);
/* An array with one text. */
void embedded_put_array(struct embedded *e, const char *name, struct str text);
/* Frees it. *ret_text: in the arena. */
RESULT embedded_end(struct embedded *e, struct ctx *c, struct str *ret_text);
