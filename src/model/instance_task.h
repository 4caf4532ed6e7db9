/* SPDX-License-Identifier: Apache-2.0
 * Which task of an instance is under way. It is derived, as states are (model/state.h). */
#pragma once

#include "model/instance.h"

/* What was asked of the instance that takes more than one step and is not finished yet; INSTANCE_TASK_NONE:
 * nothing. */
enum instance_task model_derive_instance_task(const struct instance *i);
