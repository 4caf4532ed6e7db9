/* SPDX-License-Identifier: Apache-2.0
 * Derives an instance's current task from its row, like states (model/state.h). Pure. */
#pragma once

#include "model/instance_words.h"

struct instance;

/* The user's multi-step request that is not finished yet. INSTANCE_TASK_NONE: none. */
enum instance_task model_derive_instance_task(const struct instance *i);
