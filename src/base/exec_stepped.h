/* SPDX-License-Identifier: Apache-2.0
 * For who waits for other actors: nothing comes while the thread waits that steps an executor. */
#pragma once

#include "base/exec.h"

/* Whether nothing runs but what executor_step() picks. Any thread. */
bool executor_is_stepped(const struct executor *ex);
