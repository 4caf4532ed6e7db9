/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: which processors guests get. Of the hosts whose rows do not say it, those of one vendor and one
 * virtualization are a group: guests that start on one get what all of them can do, so that they may go to any other,
 * running. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

struct host;
struct instance;

/* A host's row is about to be put: `next` gets what its guests get, and the others of its group, and of the one that
 * it leaves, what they get now. named: the model that its row names, as the host has it. */
RESULT processor_follow_host(struct op *op, const struct host *before, struct host *next, struct str named);
/* A host is about to be forgotten. */
RESULT processor_forget_host(struct op *op, const struct host *before);

/* Into a row that is about to be put, of an instance that is off: it starts with what its host gives then. */
void processor_give(const struct tables *t, struct instance *next);
