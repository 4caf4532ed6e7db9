/* SPDX-License-Identifier: Apache-2.0
 * `dari explain` for a resource. */
#pragma once

#include "api/core/explain.h"
#include "daemon/command.h"

/* Adds the explanation to the call's text and value: whether the resource is as wished, and if not, why; then
 * its fields. t: from an open view. */
void explain_resource(struct command_call *call, const struct tables *t, enum kind kind,
		      const struct row *row);
/* Adds only its fields, as "fields" of the value that is there. The row may be a former state. */
void explain_row(struct command_call *call, const struct tables *t, enum kind kind, const struct row *row);
