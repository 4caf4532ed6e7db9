/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: the CPUs of guests. Hosts without a setting of their own form a group per vendor and
 * virtualization. Guests started on one get the features common to the group, so that they can migrate live
 * to any other. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct host;
struct instance;

/* Called before a host's row is put: sets the CPU of its guests in `next`, and updates the other hosts of the
 * groups it joins and leaves. named: the configured model, as the host reports it. */
RESULT processor_follow_host(struct op *op, const struct host *before, struct host *next, struct str named);
/* Called before a host is forgotten. */
RESULT processor_forget_host(struct op *op, const struct host *before);

/* Sets the CPU in the row of a stopped instance that is about to be put: it starts with its host's present
 * guest CPU. */
void processor_give(const struct tables *t, struct instance *next);
