/* SPDX-License-Identifier: Apache-2.0
 * What `dari explain` says of a resource. */
#pragma once

#include "api/core/explain.h"
#include "daemon/command.h"

/* Adds it to the call's text and makes the call's value: first whether it is as it should be, and if not,
 * why; then its fields. t: of a view that is read. */
void explain_resource(struct command_call *call, const struct tables *t, enum kind kind,
		      const struct row *row);
