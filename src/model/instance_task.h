/* SPDX-License-Identifier: Apache-2.0
 * Which task of an instance is under way. It is derived from the row, as states are
 * (model/state.h). Pure. */
#pragma once

#include "model/instance.h"

/* What a user asked of the instance that takes several steps and is not finished yet.
 * INSTANCE_TASK_NONE: nothing. */
enum instance_task model_derive_instance_task(const struct instance *i);
